// @zennolab_com/capmonstercloud-client, as its README shows it, with `serviceUrl`; it has no reports.
"use strict";
const { CapMonsterCloudClientFactory, ClientOptions, ImageToTextRequest } = require("@zennolab_com/capmonstercloud-client");
const { blank, key, picture, run, url, wrongKey } = require("./steps.cjs");

const connect = (clientKey) => CapMonsterCloudClientFactory.Create(new ClientOptions({ clientKey, serviceUrl: url }));

const solve = async (clientKey, body, options = {}) => {
  const result = await connect(clientKey).Solve(new ImageToTextRequest({ body, Case: true, ...options }));
  return result.error ?? result.solution.text;
};

run({
  solve: () => solve(key, picture),
  wrong_key: () => solve(wrongKey, picture),
  unsolvable: () => solve(key, blank),
  threshold: () => solve(key, picture, { recognizingThreshold: 100 }),
  balance: async () => (await connect(key).getBalance()).balance,
});
