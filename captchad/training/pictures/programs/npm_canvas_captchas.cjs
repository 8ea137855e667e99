// Draws with npm's captcha packages for Node that need a canvas: node npm_canvas_captchas.cjs FAMILY FONT...
"use strict";
const { draw, choose, isDefault, answer } = require("./seeded_answers.cjs");
const { chooseFont, toPng } = require("./npm_canvas.cjs");

const COLOURS = ["#32cf7e", "#d64541", "#2c3e50", "#1e73be", "#8e44ad", "#e67e22", "#222222", "#c2185b"];

function drawCaptchaCanvas(text) {
  const { CaptchaGenerator, createCaptchaSync } = require("captcha-canvas");
  // The package puts a text into its own defaults, so that one picture would tell on the next.
  delete require("captcha-canvas/dist/constants").defaultCaptchaOption.text;
  if (isDefault()) {
    const { image, text: shown } = createCaptchaSync(300, 100);
    return [shown, image];
  }
  const generator = new CaptchaGenerator({ width: Math.max(150, 50 * text.length), height: choose([80, 100, 100, 120]) });
  const colour = choose(COLOURS);
  const look = { text, color: colour, size: choose([36, 40, 50, 60]), opacity: choose([0.7, 0.8, 1]) };
  if (draw() < 0.5) look.colors = COLOURS;
  generator.setCaptcha({ ...look, font: chooseFont("Sans"), rotate: choose([0, 5, 15]), skew: draw() < 0.7 });
  generator.setTrace({ color: choose([colour, ...COLOURS]), size: choose([2, 3, 5]), opacity: choose([0, 0.6, 1]) });
  generator.setDecoy({ opacity: choose([0, 0.3, 0.6]), total: choose([5, 15, 25]), size: choose([12, 20]) });
  return [text, generator.generateSync()];
}

function drawHaileybot() {
  const Captcha = require("@haileybot/captcha-generator");
  const captcha = new Captcha(isDefault() ? 250 : choose([250, 275, 300, 350]));
  return [captcha.value, toPng(captcha._canvas)];
}

function drawCaptchagen(text) {
  const captchagen = require("captchagen");
  const options = isDefault() ? {} : { text, width: Math.max(120, 30 * text.length), height: choose([60, 70, 80]) };
  if (options.text && draw() < 0.6) options.font = chooseFont("sans");
  const captcha = captchagen.create(options).generate();
  return [captcha.text(), toPng(captcha.canvas)];
}

answer({
  "captcha-canvas": () => drawCaptchaCanvas,
  "@haileybot/captcha-generator": () => drawHaileybot,
  captchagen: () => drawCaptchagen,
});
