// Draws with npm's captcha packages: node npm_captchas.cjs FAMILY FONT..., packages found by NODE_PATH.
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

function makeCaptchapngOne() {
  const Captcha = require("captchapng");
  return () => {
    const number = Math.floor((0.1 + 0.9 * draw()) * 10 ** (isDefault() ? 4 : choose([4, 5, 6])));
    const picture = new Captcha(20 * String(number).length, 30, number);
    // Its own page says these colours; it has none otherwise.
    picture.color(0, 0, 0, 0);
    if (isDefault()) picture.color(80, 80, 80, 255);
    else picture.color(Math.floor(160 * draw()), Math.floor(160 * draw()), Math.floor(160 * draw()), 255);
    return [String(number), Buffer.from(picture.getBase64(), "base64")];
  };
}

function makeCaptchaGif() {
  const { Captcha } = require("captcha.gif");
  return () => {
    if (isDefault()) {
      const { buffer, token } = new Captcha().generate();
      return [token, buffer];
    }
    const look = { numberOfDots: choose([20, 50, 100, 100]), blur: draw() < 0.4, filter: draw() < 0.3 };
    const { buffer, token } = new Captcha(look).generate(choose([4, 5, 5, 6]));
    return [token, buffer];
  };
}

// Of svg-captcha's heirs this one is used most; @midwayjs/captcha asks it for a smaller picture.
function makeSvgCaptchaFixed() {
  const captcha = require("svg-captcha-fixed");
  // A font that has been read takes megabytes, and every worker of a training has a process like this.
  const fonts = process.argv.slice(3).filter((_, place) => place % 3 === 0);
  const isSum = process.argv[2].endsWith("-sum");
  const usual = { ...captcha.options };
  const loaded = {};
  const useFont = (path) => {
    if (path in loaded) return Object.assign(captcha.options, loaded[path]);
    captcha.loadFont(path);
    const { font, ascender, descender } = captcha.options;
    loaded[path] = { font, ascender, descender };
  };
  return (text) => {
    Object.assign(captcha.options, usual);
    if (isDefault()) {
      const shown = isSum ? text : captcha.randomText();
      return [shown, rasterise(captcha(shown, draw() < 0.5 ? {} : { width: 120, height: 40 }))];
    }
    if (fonts.length > 0 && draw() < 0.7) useFont(choose(fonts));
    const fontSize = choose([40, 48, 56, 60]);
    const options = { fontSize, width: Math.ceil(fontSize * 0.68 * (text.length + 1)), height: fontSize + choose([4, 10, 20]) };
    const look = { noise: choose([0, 1, 2, 3, 5]), color: draw() < 0.5, background: choose(["", "", "#f0f0f0", "#cc9966", "#203040"]) };
    return [text, rasterise(captcha(text, { ...options, ...look, inverse: draw() < 0.1 }))];
  };
}

const families = {
  "svg-captcha": makeSvgCaptcha,
  "svg-captcha-sum": makeSvgCaptcha,
  "ppfun-captcha": makePpfun,
  captchapng2: makeCaptchapng,
  "trek-captcha": makeTrek,
  captchapng: makeCaptchapngOne,
  "captcha.gif": makeCaptchaGif,
  "svg-captcha-fixed": makeSvgCaptchaFixed,
  "svg-captcha-fixed-sum": makeSvgCaptchaFixed,
};

answer(families);
