#!/usr/bin/env node
// Run a script in a real Chromium and print what it returns as JSON: `browse SCRIPT.cjs JSON`. The script exports a
// function of {browser, axe}, where axe is the path of axe-core's script, and of the parsed JSON.
const { accessSync, constants } = require("node:fs");
const path = require("node:path");
const { chromium } = require("../npm/node_modules/playwright-core");

const programs = ["chromium", "chromium-browser", "google-chrome"].flatMap((name) =>
  process.env.PATH.split(path.delimiter).map((folder) => path.join(folder, name)),
);
const executablePath = programs.find((program) => {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

(async () => {
  const [script, argument] = process.argv.slice(2);
  const browser = await chromium.launch({ executablePath, chromiumSandbox: false });
  try {
    const axe = require.resolve("../npm/node_modules/axe-core/axe.min.js");
    const result = await require(path.resolve(script))({ browser, axe }, JSON.parse(argument));
    console.log(JSON.stringify(result));
  } finally {
    await browser.close();
  }
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
