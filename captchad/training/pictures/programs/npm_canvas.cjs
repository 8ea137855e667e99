// A canvas for packages that draw on one, and stand-ins for the frameworks that some are components of.
// @napi-rs/canvas brings its binary with it, so the packages get it in place of canvas and skia-canvas.
"use strict";
const fs = require("fs");
const Module = require("module");
const canvas = require("@napi-rs/canvas");
const { choose } = require("./seeded_answers.cjs");

const LIBERATION = "/usr/share/fonts/truetype/liberation/Liberation";
// Pages name these fonts; where they are missing, browsers draw with the Liberation ones, which are as wide.
const USUAL = { Arial: "Sans", Sans: "Sans", sans: "Sans", "sans-serif": "Sans", serif: "Serif", "Times New Roman": "Serif" };
const STYLES = ["Regular", "Bold", "Italic", "BoldItalic"];

const families = process.argv.slice(3).map((path, place) => [path, `font${place}`]);
for (const [path, name] of families) canvas.GlobalFonts.registerFromPath(path, name);
for (const [name, kind] of Object.entries(USUAL))
  for (const style of STYLES) canvas.GlobalFonts.registerFromPath(`${LIBERATION}${kind}-${style}.ttf`, name);

class SkiaCanvas extends Object {
  constructor(width, height) {
    super();
    const made = canvas.createCanvas(width, height);
    made.toBufferSync = () => made.toBuffer("image/png");
    return made;
  }
}

const stands = {
  canvas: { ...canvas, registerFont: (path, { family }) => canvas.GlobalFonts.registerFromPath(path, family) },
  "skia-canvas": { ...canvas, Canvas: SkiaCanvas },
};
const load = Module._load;
Module._load = (name, ...others) => (name in stands ? stands[name] : load(name, ...others));

const chooseFont = (usual) => (families.length === 0 ? usual : choose(families)[1]);
const makeCanvas = (width, height) => canvas.createCanvas(width, height);
const toPng = (drawn) => drawn.toBuffer("image/png");

// Packages for bundlers are ES modules that Node takes for CommonJS ones; what they import is handed in by name.
function loadModule(path, imports) {
  const text = fs
    .readFileSync(path, "utf8")
    .replace(/^import [^;]*;/gm, "")
    .replace(/^export default (\w+);/gm, "exports.default = $1;")
    .replace(/^export { (\w+) as default };/gm, "exports.default = $1;")
    .replace(/^export { ([\w, ]+) };/gm, "Object.assign(exports, { $1 });")
    .replace(/^export (const|var) (\w+) =/gm, "$1 $2 = exports.$2 =")
    .replace(/^export function (\w+)/gm, "exports.$1 = $1; function $1")
    .replace(/^export class/gm, "class");
  const exported = {};
  new Function("exports", ...Object.keys(imports), text)(exported, ...Object.values(imports));
  return exported;
}

module.exports = { stands, chooseFont, makeCanvas, toPng, loadModule };
