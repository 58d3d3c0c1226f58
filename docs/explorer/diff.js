// Which lines two texts share: [" " both, "-" only the old, "+" only the new] for each line, in order.
function diffLines(old, fresh) {
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head++;
  let tail = 0;
  while (tail < Math.min(old.length, fresh.length) - head && old.at(-1 - tail) === fresh.at(-1 - tail)) tail++;
  const a = old.slice(head, old.length - tail);
  const b = fresh.slice(head, fresh.length - tail);

  // The longest common subsequence: common[i][j] is its length for what follows the lines i of a and j of b.
  const common = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      common[i][j] = a[i] === b[j] ? common[i + 1][j + 1] + 1 : Math.max(common[i + 1][j], common[i][j + 1]);

  const steps = Array(head).fill(" ");
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) steps.push(" "), i++, j++;
    else if (j === b.length || (i < a.length && common[i + 1][j] >= common[i][j + 1])) steps.push("-"), i++;
    else steps.push("+"), j++;
  }
  return steps.concat(Array(tail).fill(" "));
}
