// Draws with npm's captcha packages: node npm_captchas.cjs FAMILY, packages found by NODE_PATH.
"use strict";
const { draw, choose, isDefault, rasterise, answer } = require("./seeded_answers.cjs");

function makeSvgCaptcha() {
  const captcha = require("svg-captcha");
  return (text) => {
    if (isDefault()) {
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
    const options = isDefault() ? {} : { size: choose([4, 4, 5]), ...choose([{}, {}, { fill: "black", stroke: "none", connectionPathDeviation: 1.5 }]) };
    const { data, text } = captcha.create(options);
    return [text, rasterise(data)];
  };
}

function makeCaptchapng() {
  const Captcha = require("captchapng2");
  return () => {
    const length = isDefault() ? 4 : choose([4, 5, 6]);
    const number = Math.floor((0.1 + 0.9 * draw()) * 10 ** length);
    return [String(number), new Captcha(20 * length, 30, number).getBuffer()];
  };
}

function makeTrek() {
  const captcha = require("trek-captcha");
  return async () => {
    const { token, buffer } = await captcha(isDefault() ? {} : { size: choose([4, 5, 6]) });
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

answer(families);
