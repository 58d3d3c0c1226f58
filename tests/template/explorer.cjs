// What somebody does with the explorer, in a real browser: `browse` runs this for test_explorer.py.
const assert = require("node:assert");
const { readFileSync } = require("node:fs");
const path = require("node:path");
const vm = require("node:vm");

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

module.exports = async ({ browser, axe }, { address, folder, visits, clicks, names, sample }) => {
  const said = []; // whatever the page complains of, or asks the network for

  async function open(hash, options = DESKTOP) {
    const context = await browser.newContext({ acceptDownloads: true, ...options });
    const page = await context.newPage();
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("console", (message) => message.type() === "error" && said.push(message.text()));
    page.on("request", (request) => /^(file|data|blob):/.test(request.url()) || said.push(request.url()));
    await page.goto(address + hash);
    await page.waitForSelector("body[data-ready]");
    return page;
  }

  async function download(page, name) {
    const [file] = await Promise.all([page.waitForEvent("download"), page.click("#download")]);
    const zip = path.join(folder, `${name}.zip`);
    await file.saveAs(zip);
    return { zip, suggested: file.suggestedFilename(), command: await page.textContent("#command") };
  }

  async function violations(page) {
    await page.addScriptTag({ path: axe });
    const { violations } = await page.evaluate(() => window.axe.run());
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 160)}`));
  }

  // By link.
  const visited = [];
  for (const [number, hash] of visits.entries()) {
    const page = await open(hash);
    visited.push(await download(page, `visit-${number}`));
    await page.context().close();
  }

  if (!clicks) return { said, visited };

  // By hand: a name, then each choice by its label, with a download after each.
  const clicked = [];
  const hand = await open("");
  await hand.fill("#name", "Ada_s churn 2");
  for (const [number, [question, choice]] of clicks.entries()) {
    await hand.locator(`input[name="${question}"][value="${choice}"]`).check();
    clicked.push(await download(hand, `click-${number}`));
  }
  const link = new URL(hand.url()).hash;
  const second = await open(link);
  assert.equal(await second.textContent("#command"), clicked.at(-1).command);

  // Comparing the defaults with what was clicked.
  const comparing = await open(`${link}&compare=`);
  const comparison = await comparing.textContent("#count");
  const marked = {};
  for (const kind of ["added", "removed", "changed"])
    marked[kind] = await comparing.$$eval(`#tree .${kind}`, (items) => items.map((item) => item.dataset.file));
  await comparing.click('#tree [data-file="README.md"]');
  const changes = await comparing.$$eval("#code .line", (lines) =>
    lines.map((line) => [line.classList.contains("plus") ? "+" : line.classList.contains("minus") ? "-" : " ", line.textContent]),
  );

  // Searching, with the keyboard alone: to the search, from there into the tree, to the first file and open it.
  const searching = await open("");
  await searching.keyboard.press("/");
  await searching.keyboard.type("onnxruntime");
  const found = await searching.$$eval("#tree [data-file]", (items) => items.map((item) => item.dataset.file));
  await searching.keyboard.press("Tab");
  await searching.keyboard.press("Home");
  while ((await searching.evaluate(() => document.activeElement.dataset.file)) === undefined)
    await searching.keyboard.press("ArrowDown");
  const reached = await searching.evaluate(() => document.activeElement.dataset.file);
  await searching.keyboard.press("Enter");
  const opened = await searching.textContent("#file-title");
  const why = await searching.textContent("#why");

  // A sample: its card with its pictures, one of them by itself, the terminal, and a download, which has none of these.
  const sampled = await open("");
  await sampled.click(`#samples [data-sample="${sample}"]`);
  await sampled.waitForFunction(() => [...document.querySelectorAll(".card img")].every((image) => image.naturalWidth > 0));
  const shown = {
    card: await sampled.textContent("#file-title"),
    headings: await sampled.$$eval(".card :is(h3, h4, h5)", (headings) => headings.map((heading) => heading.textContent)),
    pictures: await sampled.$$eval(".card img", (images) => images.map((image) => image.alt)),
    left: await sampled.$$eval("#tree [data-file]:has(.mark)", (items) =>
      items.filter((item) => item.querySelector(".mark").textContent === "●").map((item) => item.dataset.file),
    ),
    link: new URL(sampled.url()).hash,
    download: await download(sampled, "sample"),
  };
  await sampled.click(`#tree [data-file$=".svg"]`);
  await sampled.waitForFunction(() => document.querySelector("#code > img").naturalWidth > 0);
  shown.picture = await sampled.textContent("#file-title");
  await sampled.click("#why a:last-of-type");
  await sampled.waitForFunction(() => document.querySelector("#file-title").textContent === "terminal.txt");
  shown.terminal = await sampled.$$eval("#code .line", (lines) => lines.map((line) => line.textContent));
  await sampled.locator('input[name="deploy"]').last().check();
  shown.after = await sampled.$$eval("#tree [data-file^=artifacts]", (items) => items.length);

  // Names that the template refuses.
  const refusals = {};
  for (const name of names) {
    await searching.fill("#name", name);
    refusals[name] = await searching.textContent("#name-refusal");
  }

  // As a sharp-eyed judge sees it.
  const judged = {};
  for (const colorScheme of ["light", "dark"]) {
    const page = await open(`${link}&compare=`, { ...DESKTOP, colorScheme });
    judged[`${colorScheme}, comparing`] = await violations(page);
    await page.click("#pin");
    judged[colorScheme] = await violations(page);
    const card = await open(shown.link, { ...DESKTOP, colorScheme });
    judged[`${colorScheme}, card`] = await violations(card);
    await card.click(`#tree [data-file$=".svg"]`);
    judged[`${colorScheme}, picture`] = await violations(card);
    const phoneCard = await open(shown.link, { ...PHONE, colorScheme });
    await phoneCard.click(`nav [data-panel="file"]`);
    judged[`${colorScheme}, phone, card`] = await violations(phoneCard);
    const phone = await open("", { ...PHONE, colorScheme });
    for (const panel of ["options", "files", "file"]) {
      await phone.click(`nav [data-panel="${panel}"]`);
      judged[`${colorScheme}, phone, ${panel}`] = await violations(phone);
    }
    judged[`${colorScheme}, too wide`] = await phone.evaluate(() =>
      document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : [],
    );
  }

  return { said, visited, clicked, link, comparison, marked, changes, found, reached, opened, why, shown, refusals, judged, steps: randomDiffs() };
};

// Texts and the steps between them, for the test to walk.
function randomDiffs() {
  const diffLines = vm.runInNewContext(`${readFileSync(path.join(__dirname, "../../docs/explorer/diff.js"), "utf8")}; diffLines`);
  let seed = 20;
  const random = (below) => (seed = (seed * 48271) % 2147483647) % below;
  const text = () => Array.from({ length: random(12) }, () => "abcd"[random(4)]);
  return Array.from({ length: 300 }, () => {
    const [old, fresh] = [text(), text()];
    return { old, fresh, steps: [...diffLines(old, fresh)] };
  });
}
