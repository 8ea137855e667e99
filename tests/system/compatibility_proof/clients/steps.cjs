// What the scripts of both JavaScript clients share.
"use strict";
const { readFileSync } = require("node:fs");
const { env, stdout } = require("node:process");

exports.url = env.SOLVER_URL;
exports.key = env.SOLVER_KEY;
exports.wrongKey = `ck_000000000000_${"0".repeat(64)}`;
exports.picture = readFileSync(env.SOLVER_PICTURE, "base64");
exports.blank = readFileSync(env.SOLVER_BLANK, "base64");

// Takes each step, and prints what it returned, or how the client named what went wrong.
exports.run = async (steps) => {
  const found = {};
  for (const [name, step] of Object.entries(steps)) {
    try {
      found[name] = await step();
    } catch (error) {
      found[name] = `${error.name}: ${error.err ?? error.code ?? ""} ${error.message}`;
    }
  }
  stdout.write(JSON.stringify(found));
};
