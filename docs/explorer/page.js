// The page: `state` is what somebody chose; `draw` shows it. docs/explorer/data.py tells what `data` holds.

const data = await unpack(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const state = { name: data.name.default, wanted: {}, compared: null, sample: null, file: "README.md", changes: false, closed: new Set() };

async function unpack(base64) {
  const packed = Uint8Array.from(atob(base64.trim()), (character) => character.charCodeAt(0));
  return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

// ── The name ────────────────────────────────────────────────────────────────────────────────────────────────────────
const slugOf = (name) => name.toLowerCase().replace(/[ ._-]+/g, "-");
const packageOf = (name) => slugOf(name).replaceAll("-", "_");

// As docs/explorer/marks.py has it: one character for each form of the name.
function named(text, name = usableName()) {
  const slug = slugOf(name);
  const cut = [24, 19, 16].map((most) => slug.slice(0, most).replace(/-+$/, ""));
  const forms = [name, name.replaceAll("_", "\\_"), slug, packageOf(name), ...cut];
  return text.replace(/[\ue000-\ue006]/g, (mark) => forms[mark.charCodeAt(0) - 0xe000]);
}

// What is wrong with a name, in the words of the template's validator; nothing if all is well.
function refusal(name) {
  if (name.length > 50) return "must have at most 50 characters";
  if (!/^[A-Za-z][A-Za-z0-9]*([ ._-][A-Za-z0-9]+)*$/.test(name))
    return "start with a letter, then letters and digits, with one space, dot, dash or underscore between words";
  for (const [sentence, words] of Object.entries(data.name.reserved))
    if (words.split(" ").includes(packageOf(name))) return named(sentence, name);
  return "";
}

const usableName = () => (refusal(state.name) ? data.name.default : state.name);

// YAML reads some words as something else than text, unless they are quoted.
const YAML_WORDS = new Set("yes no on off true false null".split(" ").flatMap((word) => [word, word[0].toUpperCase() + word.slice(1), word.toUpperCase()]));
const yamlOf = (text) => (YAML_WORDS.has(text) ? `'${text}'` : text);

// ── The choices ─────────────────────────────────────────────────────────────────────────────────────────────────────
// A row has the number of each answer; of a question that is not asked, -1 less the number of what stands for it.
const numberIn = (row, at) => (row[at] < 0 ? -1 - row[at] : row[at]);
const choiceIn = (row, at) => data.questions[at].choices[numberIn(row, at)];

// The valid combination nearest to what is wanted, and which choices each question offers, in the order of the questions.
function resolve(wanted) {
  let rows = data.combinations;
  const offers = data.questions.map((question, at) => {
    const offered = question.choices.filter((_, number) => rows.some((row) => row[at] === number));
    const chosen = [wanted[question.name], question.default].find((value) => offered.some((choice) => choice.value === value));
    const value = chosen ?? offered[0]?.value;
    if (offered.length) rows = rows.filter((row) => choiceIn(row, at).value === value);
    return offered;
  });
  return { row: rows[0], offers };
}

const answersOf = (row) =>
  data.questions.flatMap((question, at) => (row[at] < 0 ? [] : [{ question, choice: choiceIn(row, at) }]));
const deviations = (row) => answersOf(row).filter(({ question, choice }) => choice.value !== question.default);

// ── The files ───────────────────────────────────────────────────────────────────────────────────────────────────────
// Every file of a combination by its path, sorted: {path, text or base64, runs, executable, source, here, varies}.
function filesOf(row) {
  const found = [];
  for (const [source, here, reads, byAnswers] of data.pieces) {
    const number = byAnswers[reads.map((at) => numberIn(row, at)).join(".")];
    if (number === undefined) continue;
    const [path, blob, executable] = data.files[number];
    const [content, runs] = data.blobs[blob];
    const body = runs === undefined ? { base64: content } : { text: named(content), marked: content, runs };
    found.push({ path: named(path), ...body, executable: Boolean(executable), source: named(source), here, varies: reads.filter((at) => !here.includes(at)) });
  }
  found.push(answersFile(row));
  found.sort((a, b) => (a.path < b.path ? -1 : 1));
  return new Map(found.map((file) => [file.path, file]));
}

function answersFile(row) {
  const { path, source, head, lines } = data.answers;
  const text = Object.entries(lines).map(([name, line]) => {
    const at = data.questions.findIndex((question) => question.name === name);
    if (at < 0) return line.replaceAll("\ue000", yamlOf(usableName()));
    return row[at] < 0 ? "" : line[row[at]];
  });
  const whole = head + text.join("");
  return { path, text: whole, marked: whole, runs: `C${(head.length - 1).toString(36)}`, executable: false, source, here: [], varies: [...data.questions.keys()] };
}

const bytesOf = (file) =>
  file.base64 === undefined ? new TextEncoder().encode(file.text) : Uint8Array.from(atob(file.base64), (c) => c.charCodeAt(0));
const sameFile = (a, b) => a && b && a.text === b.text && a.base64 === b.base64 && a.executable === b.executable;

// The text as one piece of HTML for each line, coloured.
function paintedLines(file) {
  const lines = [""];
  let at = 0;
  const put = (letter, marked) => {
    named(marked).split("\n").forEach((part, number) => {
      if (number) lines.push("");
      if (part) lines.push(lines.pop() + (letter === "P" ? escaped(part) : `<span class="${letter}">${escaped(part)}</span>`));
    });
  };
  for (const [, letter, length] of file.runs.matchAll(/([A-Z])([0-9a-z]+)/g)) {
    const end = at + parseInt(length, 36);
    put(letter, file.marked.slice(at, end));
    at = end;
  }
  put("P", file.marked.slice(at));
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

const escaped = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
const linesOf = (text) => (text ? text.replace(/\n$/, "").split("\n") : []);

// ── Samples ─────────────────────────────────────────────────────────────────────────────────────────────────────────
const [CARD, TERMINAL] = ["artifacts/store/champion.md", "terminal.txt"];
const runs = new Map(); // what the run of each sample left, by path; unpacked when the first sample is shown

async function unpackRuns() {
  if (runs.size) return;
  for (const [name, files] of Object.entries(await unpack($("run").textContent)))
    runs.set(name, new Map(files.map((file) => [file[0], runFile(...file)])));
}

function runFile(path, text, runs, html) {
  const file = { path, left: true, executable: false };
  if (runs === undefined) return { ...file, picture: URL.createObjectURL(new Blob([text], { type: "image/svg+xml" })) };
  return { ...file, text, marked: text, runs, html };
}

const sampleOf = (name) => data.samples.find((sample) => sample.name === name);

async function chooseSample(name) {
  state.sample = sampleOf(name) ? name : null;
  if (!state.sample) return;
  await unpackRuns();
  const { [data.name.name]: project, ...wanted } = sampleOf(name).answers;
  Object.assign(state, { name: project, wanted, compared: null, changes: false });
}

function makeSamples() {
  const buttons = data.samples.map(({ name, title, answers }) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.sample = name;
    const chosen = data.questions.flatMap((question) => question.choices.filter(({ value }) => value === answers[question.name]));
    const told = chosen.map((choice) => choice.title).join(", ") || "the defaults";
    button.innerHTML = `${escaped(title)}<small>${escaped(told)}</small>`;
    return button;
  });
  $("samples").append(...buttons);
}

// ── Drawing ─────────────────────────────────────────────────────────────────────────────────────────────────────────
let now; // what is shown: {row, offers, files, before, left}

function draw() {
  const { row, offers } = resolve(state.wanted);
  const before = state.compared && filesOf(resolve(state.compared).row);
  now = { row, offers, files: filesOf(row), before, left: runs.get(state.sample) };
  if (!fileAt(state.file)) state.file = "README.md";
  drawForm();
  drawCommand();
  drawComparison();
  drawTree();
  drawFile();
  history.replaceState(null, "", `#${link()}`);
}

function makeForm() {
  const name = document.createElement("label");
  name.className = "field";
  name.innerHTML = `<span>${escaped(data.name.help)}</span><input id="name" name="${data.name.name}" placeholder="${escaped(data.name.placeholder)}" maxlength="60" spellcheck="false" aria-describedby="name-refusal"><span id="name-refusal" role="alert"></span>`;
  const fields = data.questions.map((question, at) => {
    const field = document.createElement("fieldset");
    field.id = `question-${at}`;
    field.innerHTML = `<legend>${escaped(question.help)}</legend>${question.choices
      .map((choice, number) => `<label class="choice"><input type="radio" name="${escaped(question.name)}" value="${number}"><span>${escaped(String(choice.title))}</span>${choice.brings ? `<small>${escaped(choice.brings)}</small>` : ""}</label>`)
      .join("")}`;
    return field;
  });
  $("form").replaceChildren(name, ...fields);
}

function drawForm() {
  const why = refusal(state.name);
  if ($("name").value !== state.name) $("name").value = state.name;
  $("name").setAttribute("aria-invalid", String(Boolean(why)));
  $("name-refusal").textContent = why;
  data.questions.forEach((question, at) => {
    const field = $(`question-${at}`);
    field.hidden = now.offers[at].length === 0;
    question.choices.forEach((choice, number) => {
      const input = field.querySelector(`input[value="${number}"]`);
      input.checked = now.row[at] === number;
      input.closest("label").hidden = !now.offers[at].includes(choice);
    });
  });
}

const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

function drawCommand() {
  const name = usableName();
  const settings = deviations(now.row).map(({ question, choice }) => [question.name, String(choice.value)]);
  if (slugOf(name) !== name) settings.unshift([data.name.name, name]);
  const options = settings.map(([key, value]) => `--set ${key}=${quoted(value)}`);
  $("command").textContent = ["uvx", `git+${data.origin.url}`, "new", slugOf(name), "--defaults", ...options].join(" ");
}

function drawComparison() {
  $("pin").textContent = state.compared ? "Stop comparing" : "Compare with another choice";
  $("pin").setAttribute("aria-pressed", String(Boolean(state.compared)));
  $("only-changes-label").hidden = !state.compared;
  $("views").hidden = !state.compared;
  for (const button of $("samples").querySelectorAll("button"))
    button.setAttribute("aria-pressed", String(button.dataset.sample === state.sample));
}

const statusOf = (path) => {
  if (!now.before || now.left?.has(path)) return "";
  if (!now.before.has(path)) return "added";
  if (!now.files.has(path)) return "removed";
  return sameFile(now.before.get(path), now.files.get(path)) ? "" : "changed";
};
const fileAt = (path) => now.files.get(path) ?? now.left?.get(path) ?? now.before?.get(path);
const allPaths = () => [...new Set([now.files, now.left, now.before].flatMap((files) => [...(files?.keys() ?? [])]))];
const SIGNS = { added: "+", removed: "−", changed: "~" };

function shownPaths() {
  const all = allPaths().sort();
  const query = $("search").value.trim().toLowerCase();
  const onlyChanges = $("only-changes").checked && all.some(statusOf);
  return all.filter((path) => {
    if (onlyChanges && !statusOf(path)) return false;
    return !query || path.toLowerCase().includes(query) || fileAt(path).text?.toLowerCase().includes(query);
  });
}

function drawTree() {
  const paths = shownPaths();
  const counts = { added: 0, removed: 0, changed: 0, "": 0 };
  for (const path of allPaths()) if (!now.left?.has(path)) counts[statusOf(path)]++;
  const total = now.before
    ? `Against ${described(state.compared)}: ${counts.added} added, ${counts.removed} removed, ${counts.changed} changed, ${counts[""]} the same`
    : `${now.files.size} files; ◆ is there because of a choice${now.left ? `; ${now.left.size} that its run left are marked ●` : ""}`;
  $("count").textContent = $("search").value.trim() ? `${paths.length} found. ${total}` : total;

  const root = new Map();
  for (const path of paths) {
    const parts = path.split("/");
    let folder = root;
    for (const part of parts.slice(0, -1)) folder = folder.get(part) ?? folder.set(part, new Map()).get(part);
    folder.set(parts.at(-1), path);
  }
  $("tree").innerHTML = paths.length ? `<div role="tree" aria-label="Files">${itemsOf(root, "", 1).join("")}</div>` : "";
  const first = $("tree").querySelector('[aria-selected="true"]') ?? $("tree").querySelector('[role="treeitem"]');
  if (first) first.tabIndex = 0;
}

// One item for each folder and file, folders first; what is in a closed folder is left out.
function itemsOf(folder, prefix, level) {
  const entries = [...folder].sort(([a, x], [b, y]) => (y instanceof Map) - (x instanceof Map) || (a < b ? -1 : 1));
  return entries.flatMap(([label, inside]) => {
    const place = `role="treeitem" tabindex="-1" aria-level="${level}" style="--level: ${level}"`;
    if (!(inside instanceof Map)) {
      const status = statusOf(inside);
      const file = fileAt(inside);
      const sign = SIGNS[status] ?? (file.left ? "●" : !now.before && file.here.length ? "◆" : "");
      const said = status && `<span class="unseen">, ${status}</span>`;
      return `<div ${place} aria-selected="${inside === state.file}" data-file="${escaped(inside)}" class="${status}"><span class="label">${escaped(label)}</span>${said}<span class="mark" aria-hidden="true">${sign}</span></div>`;
    }
    const path = prefix + label;
    const closed = state.closed.has(path);
    const item = `<div ${place} aria-expanded="${!closed}" data-folder="${escaped(path)}"><span class="label">${escaped(label)}</span></div>`;
    return closed ? [item] : [item, ...itemsOf(inside, `${path}/`, level + 1)];
  });
}

const described = (wanted) =>
  deviations(resolve(wanted).row).map(({ question, choice }) => `${question.name} = ${choice.value}`).join(", ") || "the defaults";

function whyLeft(file) {
  const { date, version } = sampleOf(state.sample);
  const why = file.path === TERMINAL ? "the commands printed it" : `<code>${escaped(slugOf(state.name))} pipeline</code> wrote it`;
  const others = { [CARD]: "the card", [TERMINAL]: "the terminal" };
  const links = Object.entries(others).map(([path, text]) => `<a href="#${escaped(link(path))}">${text}</a>`);
  return [["Here because", why], ["Run on", `${escaped(date)}, with mlscaffold ${escaped(version)}`], ["See", links.join(" and ")]];
}

function whyWritten(file) {
  const because = (numbers) =>
    numbers.filter((at) => now.row[at] >= 0 || !now.files.has(state.file)).map((at) => `${data.questions[at].name} = ${choiceIn(now.row, at).value}`);
  const [here, varies] = [because(file.here), file.varies.map((at) => data.questions[at].name)];
  const gone = !now.files.has(state.file);
  return [
    [gone ? "Gone because" : "Here because", here.length ? here.map((text) => `<code>${escaped(text)}</code>`).join(" and ") : "every project has it"],
    ["Its text depends on", varies.map((name) => `<code>${escaped(name)}</code>`).join(", ") || (file.here.length ? "nothing else" : "no choice")],
    ["Made from", `<code>${escaped(`template/${file.source}`)}</code>`],
  ];
}

function drawFile() {
  const file = fileAt(state.file);
  $("file-title").textContent = state.file + (file.executable ? "  (executable)" : "");
  $("why").innerHTML = (file.left ? whyLeft(file) : whyWritten(file)).map(([term, text]) => `<dt>${term}</dt><dd>${text}</dd>`).join("");
  const compare = state.compared && state.changes && !file.left;
  $("show-text").setAttribute("aria-pressed", String(!compare));
  $("show-changes").setAttribute("aria-pressed", String(Boolean(compare)));
  $("code").innerHTML = compare ? changesOf(now.before.get(state.file), now.files.get(state.file)) : textOf(file);
  $("code").scrollTop = 0;
  showFound();
}

function textOf(file) {
  if (file.picture) return pictureOf(file.path, file.path);
  if (file.html) return `<div class="card">${file.html.replace(/<img data-picture="(.*?)" alt="(.*?)">/g, (_, path, alt) => pictureOf(path, alt))}</div>`;
  if (file.base64 !== undefined) return `<p>${bytesOf(file).length} bytes, not text.</p>`;
  if (!file.text) return "<p>Empty.</p>";
  return paintedLines(file).map((line, number) => `<span class="line" data-n="${number + 1}">${line}</span>`).join("");
}

const pictureOf = (path, alt) => `<img class="picture" src="${now.left.get(path).picture}" alt="${escaped(alt)}">`;

// The changes with three lines around each, as `diff -u` has them.
function changesOf(old, fresh) {
  if (old?.base64 !== undefined || fresh?.base64 !== undefined) return "<p>Not text.</p>";
  if (sameFile(old, fresh)) return "<p>The same with both choices.</p>";
  const [painted, repainted] = [old, fresh].map((file) => (file?.text ? paintedLines(file) : []));
  const steps = diffLines(linesOf(old?.text), linesOf(fresh?.text));
  const near = steps.map((_, at) => steps.slice(Math.max(0, at - 3), at + 4).some((step) => step !== " "));
  const html = [];
  let [i, j] = [0, 0];
  steps.forEach((step, at) => {
    if (near[at]) {
      const line = step === "-" ? painted[i] : repainted[j];
      const kind = { "+": "plus", "-": "minus", " ": "" }[step];
      html.push(`<span class="line ${kind}" data-n="${j + 1}">${line}</span>`);
    } else if (!at || near[at - 1]) html.push('<span class="line gap">…</span>');
    if (step !== "+") i++;
    if (step !== "-") j++;
  });
  return html.join("") || "<p>Only its permission to be executed differs.</p>";
}

// Mark what was searched for in the open file, and bring the first into view.
function showFound() {
  if (!("highlights" in CSS)) return;
  CSS.highlights.delete("found");
  const query = $("search").value.trim().toLowerCase();
  if (!query) return;
  const ranges = [];
  for (const line of $("code").querySelectorAll(".line")) {
    const walker = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
    const nodes = [];
    let whole = "";
    while (walker.nextNode()) nodes.push([walker.currentNode, whole.length]), (whole += walker.currentNode.data);
    const place = (at) => nodes.findLast(([, start]) => start <= at);
    for (let at = whole.toLowerCase().indexOf(query); at >= 0; at = whole.toLowerCase().indexOf(query, at + query.length)) {
      const range = new Range();
      const [[from, start], [to, end]] = [place(at), place(at + query.length - 1)];
      range.setStart(from, at - start);
      range.setEnd(to, at + query.length - end);
      ranges.push(range);
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
  ranges[0]?.startContainer.parentElement.scrollIntoView({ block: "center" });
}

// ── Links: only what differs from the defaults, so that a link stays short ──────────────────────────────────────────
function link(file = state.file) {
  const parts = new URLSearchParams();
  if (state.name !== data.name.default) parts.set(data.name.name, state.name);
  for (const { question, choice } of deviations(now.row)) parts.set(question.name, choice.value);
  if (state.compared)
    parts.set("compare", deviations(resolve(state.compared).row).map(({ question, choice }) => `${question.name}:${choice.value}`).join(","));
  if (state.sample) parts.set("sample", state.sample);
  if (file !== "README.md") parts.set("file", file);
  return parts.toString();
}

async function readLink() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const chosen = (pairs) =>
    Object.fromEntries(
      data.questions.flatMap((question) => {
        const choice = question.choices.find(({ value }) => String(value) === pairs.get(question.name));
        return choice ? [[question.name, choice.value]] : [];
      }),
    );
  state.name = parts.get(data.name.name) ?? data.name.default;
  state.wanted = chosen(parts);
  const compared = parts.get("compare");
  state.compared = compared === null ? null : chosen(new Map(compared.split(",").map((pair) => pair.split(":"))));
  state.changes = Boolean(state.compared);
  state.file = parts.get("file") ?? "README.md";
  await chooseSample(parts.get("sample"));
  draw();
}

// ── Doing ───────────────────────────────────────────────────────────────────────────────────────────────────────────
let silence;
function say(text) {
  $("said").textContent = text;
  clearTimeout(silence);
  silence = setTimeout(() => ($("said").textContent = ""), 4000);
}

async function copy(text, done) {
  try {
    await navigator.clipboard.writeText(text);
    say(done);
  } catch {
    prompt("Copy this:", text); // a browser that lets no page write to its clipboard
  }
}

function download() {
  const slug = slugOf(usableName());
  const files = [...now.files.values()].map((file) => ({ path: `${slug}/${file.path}`, bytes: bytesOf(file), executable: file.executable }));
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(zip(files));
  anchor.download = `${slug}.zip`;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 60000);
  say(`${slug}.zip: ${files.length} files`);
}

function show(panel) {
  document.body.dataset.panel = panel;
  for (const button of document.querySelectorAll("nav button")) button.setAttribute("aria-pressed", String(button.dataset.panel === panel));
}

function open(item) {
  const { file, folder } = item.dataset;
  if (file === undefined) {
    if (!state.closed.delete(folder)) state.closed.add(folder);
    drawTree();
    focusItem($("tree").querySelector(`[data-folder="${CSS.escape(folder)}"]`));
    return;
  }
  state.file = file;
  $("tree").querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
  item.setAttribute("aria-selected", "true");
  drawFile();
  history.replaceState(null, "", `#${link()}`);
  show("file");
}

function focusItem(item) {
  if (!item) return;
  for (const other of $("tree").querySelectorAll('[tabindex="0"]')) other.tabIndex = -1;
  item.tabIndex = 0;
  item.focus();
}

// As the WAI-ARIA practices describe a tree.
function moveInTree(event) {
  const item = event.target.closest('[role="treeitem"]');
  if (!item) return;
  const items = [...$("tree").querySelectorAll('[role="treeitem"]')];
  const at = items.indexOf(item);
  const expanded = item.getAttribute("aria-expanded");
  const parent = () => items.slice(0, at).findLast((one) => one.ariaLevel < item.ariaLevel);
  const moves = {
    ArrowDown: () => focusItem(items[at + 1]),
    ArrowUp: () => focusItem(items[at - 1]),
    Home: () => focusItem(items[0]),
    End: () => focusItem(items.at(-1)),
    ArrowRight: () => (expanded === "false" ? open(item) : expanded === "true" && focusItem(items[at + 1])),
    ArrowLeft: () => (expanded === "true" ? open(item) : focusItem(parent())),
    Enter: () => open(item),
    " ": () => open(item),
  };
  if (!moves[event.key]) return;
  event.preventDefault();
  moves[event.key]();
}

function switchTheme() {
  const { dataset } = document.documentElement;
  const shown = dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  dataset.theme = shown === "dark" ? "light" : "dark";
}

makeForm();
makeSamples();
$("form").addEventListener("submit", (event) => event.preventDefault());
$("samples").addEventListener("click", async ({ target }) => {
  const button = target.closest("button");
  if (!button) return;
  await chooseSample(button.dataset.sample);
  state.file = CARD;
  draw();
  show("file");
});
$("form").addEventListener("input", ({ target }) => {
  state.sample = null;
  if (target.id === "name") state.name = target.value;
  else {
    const question = data.questions.find(({ name }) => name === target.name);
    state.wanted[question.name] = question.choices[target.value].value;
  }
  draw();
});
$("search").addEventListener("input", () => (drawTree(), showFound()));
$("only-changes").addEventListener("change", drawTree);
$("pin").addEventListener("click", () => {
  state.compared = state.compared ? null : { ...state.wanted };
  state.changes = Boolean(state.compared);
  if (state.compared) say("Now choose something else: what differs is shown.");
  draw();
});
$("show-text").addEventListener("click", () => ((state.changes = false), drawFile()));
$("show-changes").addEventListener("click", () => ((state.changes = true), drawFile()));
$("tree").addEventListener("click", ({ target }) => {
  const item = target.closest('[role="treeitem"]');
  if (item) focusItem(item), open(item);
});
$("tree").addEventListener("keydown", moveInTree);
$("copy").addEventListener("click", () => copy($("command").textContent, "The command is copied."));
$("share").addEventListener("click", () => copy(location.href, "The link is copied."));
$("download").addEventListener("click", download);
$("theme").addEventListener("click", switchTheme);
document.querySelector("nav").addEventListener("click", ({ target }) => target.dataset.panel && show(target.dataset.panel));
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input:not([type=radio], [type=checkbox])")) return;
  event.preventDefault();
  show("files");
  $("search").focus();
});
addEventListener("hashchange", readLink);
show("options");
await readLink();
document.body.dataset.ready = "";
