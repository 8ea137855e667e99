// Draws with npm's captcha packages: node npm_captchas.cjs FAMILY, packages found by NODE_PATH.
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

const DEFAULT_CHANCE = 0.5;
const choose = (values) => values[Math.floor(draw() * values.length)];

function rasterise(svg) {
  const { Resvg } = require("@resvg/resvg-js");
  return Buffer.from(new Resvg(svg, { background: "white" }).render().asPng());
}

function makeSvgCaptcha() {
  const captcha = require("svg-captcha");
  return (text) => {
    if (draw() < DEFAULT_CHANCE) {
      if (process.argv[2] !== "svg-captcha") return [text, rasterise(captcha(text))];
      const { data, text: shown } = captcha.create();
      return [shown, rasterise(data)];
    }
    const options = { noise: choose([1, 1, 2, 3]), color: draw() < 0.4 };
    if (draw() < 0.3) options.background = choose(["#cc9966", "#f0f0f0", "#203040", "#aaddcc"]);
    if (text.length > 5) Object.assign(options, { width: 34 * text.length, height: 50 });
    return [text, rasterise(captcha(text, options))];
  };
}

function makePpfun() {
  const captcha = require("ppfun-captcha");
  return () => {
    const isDefault = draw() < DEFAULT_CHANCE;
    const options = isDefault ? {} : { size: choose([4, 4, 5]), ...choose([{}, {}, { fill: "black", stroke: "none", connectionPathDeviation: 1.5 }]) };
    const { data, text } = captcha.create(options);
    return [text, rasterise(data)];
  };
}

function makeCaptchapng() {
  const Captcha = require("captchapng2");
  return () => {
    const length = draw() < DEFAULT_CHANCE ? 4 : choose([4, 5, 6]);
    const number = Math.floor((0.1 + 0.9 * draw()) * 10 ** length);
    return [String(number), new Captcha(20 * length, 30, number).getBuffer()];
  };
}

function makeTrek() {
  const captcha = require("trek-captcha");
  return async () => {
    const { token, buffer } = await captcha(draw() < DEFAULT_CHANCE ? {} : { size: choose([4, 5, 6]) });
    return [token.toString(), buffer];
  };
}

const families = {
  "svg-captcha": makeSvgCaptcha,
  "svg-captcha-sum": makeSvgCaptcha,
  "ppfun-captcha": makePpfun,
  captchapng2: makeCaptchapng,
  "trek-captcha": makeTrek,
};

async function main() {
  const make = families[process.argv[2]]();
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const [seed, text] = line.split("\t");
    state = Number(seed) | 0;
    const [shown, picture] = await make(text);
    process.stdout.write(`${picture.length}\t${shown}\n`);
    process.stdout.write(picture);
  }
}

main();
