// @2captcha/captcha-solver, as its README shows it; the addresses are getters, for a class of one's own to override.
"use strict";
const TwoCaptcha = require("@2captcha/captcha-solver");
const { blank, key, picture, run, url, wrongKey } = require("./steps.cjs");

class Solver extends TwoCaptcha.Solver {
  get in() {
    return `${url}/in.php`;
  }

  get res() {
    return `${url}/res.php`;
  }
}

const connect = (apiKey) => new Solver(apiKey, 1000);
const solve = (apiKey, body) => connect(apiKey).imageCaptcha({ body, numeric: 4, min_len: 3, max_len: 8 });

run({
  solve: async () => (await solve(key, picture)).data,
  wrong_key: async () => (await solve(wrongKey, picture)).data,
  unsolvable: async () => (await solve(key, blank)).data,
  unsupported: async () => (await connect(key).hcaptcha({ pageurl: url, sitekey: "x" })).data,
  report_right: async () => connect(key).goodReport((await solve(key, picture)).id),
  report_wrong: async () => connect(key).badReport((await solve(key, picture)).id),
  balance: () => connect(key).balance(),
});
