#!/usr/bin/env node
// The one Solidity compiler of this project, for forge, py-solc-x and ape alike: the wasm compiler
// behind the two switches of the native program that those tools use. Other arguments change nothing.
"use strict";
const { readFileSync } = require("node:fs");
const solc = require("solc");

if (process.argv.includes("--version")) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else if (process.argv.includes("--standard-json")) {
  process.stdout.write(solc.compile(readFileSync(0, "utf8")));
} else {
  process.stderr.write("solc.js answers --version and --standard-json (input on stdin) only\n");
  process.exitCode = 1;
}
