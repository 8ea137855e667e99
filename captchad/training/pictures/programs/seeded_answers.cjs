// What the scripts that draw with npm's packages have in common: seeded randomness, and answering lines.
// Each line read is SEED<tab>TEXT; each answer is LENGTH<tab>TEXT, a line end, and LENGTH bytes of a picture.
"use strict";
const crypto = require("crypto");
const readline = require("readline");

let state = 0;
// The mulberry32 generator: a picture has to depend on its seed alone.
function draw() {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
}
Math.random = draw;
crypto.randomBytes = (size, callback) => {
  const bytes = Buffer.from(Array.from({ length: size }, () => Math.floor(draw() * 256)));
  if (!callback) return bytes;
  callback(null, bytes);
};
crypto.randomInt = (least, bound) =>
  bound === undefined ? Math.floor(draw() * least) : least + Math.floor(draw() * (bound - least));

const DEFAULT_CHANCE = process.env.CAPTCHAD_GENERATORS_ALWAYS_DEFAULT === "1" ? 1 : 0.5;
const choose = (values) => values[Math.floor(draw() * values.length)];
const isDefault = () => draw() < DEFAULT_CHANCE;

// Most packages draw their letters as paths; looking for the system's fonts takes longer than all else.
function rasterise(svg, fontFiles = []) {
  const { Resvg } = require("@resvg/resvg-js");
  const font = { loadSystemFonts: false, fontFiles };
  return Buffer.from(new Resvg(svg, { background: "white", font }).render().asPng());
}

async function answer(families) {
  const make = families[process.argv[2]]();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [seed, text] = line.split("\t");
    state = Number(seed) | 0;
    const [shown, picture] = await make(text);
    process.stdout.write(`${picture.length}\t${shown}\n`);
    process.stdout.write(picture);
  }
}

module.exports = { draw, choose, isDefault, rasterise, answer };
