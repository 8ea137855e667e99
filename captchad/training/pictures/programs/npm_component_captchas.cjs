// Draws with npm's captcha components for pages: node npm_component_captchas.cjs FAMILY FONT...
// Their drawing functions are reached through stand-ins for React, Vue, Angular and the page.
"use strict";
const path = require("path");
const { draw, choose, isDefault, rasterise, answer } = require("./seeded_answers.cjs");
const { stands, chooseFont, makeCanvas, toPng, loadModule } = require("./npm_canvas.cjs");

const INKS = ["#000", "#1a3c6e", "#7a1f1f", "#14532d", "#4b2a7b", "#333333", "#c0392b"];
const GROUNDS = ["#F2F2F2", "#ffffff", "#dff0d8", "#e8eef7", "#fdf3d8", "#d7e3ea"];
const nothing = () => {};
let drawn;

// Elements come out as the text of an SVG, and components as what they return.
function writeElement(type, given, ...children) {
  const { key, ...properties } = given || {};
  if (typeof type === "function") return type(properties);
  const hyphenate = (name) => (name === "viewBox" ? name : name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`));
  const written = Object.entries(properties).map(([name, value]) => ` ${hyphenate(name)}="${value}"`);
  return `<${type}${written.join("")}>${children.flat(Infinity).join("")}</${type}>`;
}

stands.react = {
  // No class: the packages were translated for engines without, and call it as a function.
  Component: function (props) {
    this.props = props;
  },
  createElement: writeElement,
  createContext: () => ({ Provider: nothing, Consumer: nothing }),
  createRef: () => ({ current: drawn }),
  forwardRef: (component) => component,
  useCallback: (callback) => callback,
  useEffect: (effect) => effect(),
  useImperativeHandle: nothing,
  useRef: () => ({ current: drawn }),
};
const any = new Proxy(() => any, { get: (_, name) => (name === Symbol.toPrimitive ? () => "" : any) });
stands["prop-types"] = stands["react-dom"] = stands.react.PropTypes = any;

function makeReactClient() {
  const Captcha = require("react-client-captcha");
  const Component = Captcha.default || Captcha;
  return () => {
    const props = { ...Component.defaultProps, retry: false };
    if (!isDefault()) {
      const [charsCount, fontSize] = [choose([4, 5, 6]), choose([18, 22, 26, 30])];
      const size = { charsCount, fontSize, width: Math.ceil(charsCount * fontSize * 1.15) + 20, height: choose([36, 40, 50]) };
      Object.assign(props, size, { fontFamily: chooseFont("Arial"), fontColor: choose(INKS), backgroundColor: choose(GROUNDS) });
    }
    drawn = makeCanvas(props.width, props.height);
    let shown;
    props.captchaCode = (code) => (shown = code);
    new Component(props).componentDidMount();
    return [shown, toPng(drawn)];
  };
}

function makeReactSimple() {
  const file = require.resolve("react-simple-captcha");
  const { loadCaptchaEnginge } = loadModule(file, { Component: stands.react.Component, ReactHtmlParser: nothing });
  // What it draws is told by what it writes, since only its own check knows the text.
  let shown;
  globalThis.document = { getElementById: (id) => (id === "canv" ? drawn : {}) };
  return () => {
    shown = "";
    drawn = makeCanvas(150, 30);
    const context = drawn.getContext("2d");
    const fillText = context.fillText.bind(context);
    context.fillText = (character, ...place) => {
      shown += character;
      fillText(character, ...place);
    };
    const count = choose([4, 5, 6, 6, 6, 8]);
    if (isDefault()) loadCaptchaEnginge(count);
    else loadCaptchaEnginge(count, choose(GROUNDS), choose(INKS), choose(["", "upper", "lower", "numbers"]));
    return [shown, toPng(drawn)];
  };
}

function makeReactCode() {
  const folder = path.dirname(require.resolve("react-captcha-code"));
  const kept = loadModule(path.join(folder, "utils.js"), {});
  const imports = { ...stands.react, ...kept, React: stands.react, S: any, cs: nothing, isFunction: (it) => typeof it === "function" };
  const component = loadModule(path.join(folder, "captcha.js"), imports).default;
  return () => {
    const charNum = choose([4, 5, 6]);
    const options = { charNum, width: charNum * choose([25, 28]), height: choose([36, 40, 48]), fontSize: choose([24, 28, 32]) };
    const props = isDefault() ? {} : { ...options, bgColor: choose(GROUNDS) };
    drawn = makeCanvas(props.width || 100, props.height || 40);
    let shown;
    component({ ...props, onChange: (code) => (shown = code) }, nothing);
    return [shown, toPng(drawn)];
  };
}

function makeReactNumeric() {
  const Component = require("react-numeric-captcha");
  return () => {
    drawn = makeCanvas(200, 50);
    const component = new Component({ onChange: nothing });
    component.canvas = drawn;
    component.componentDidMount();
    return [String(component.state.solution), toPng(drawn)];
  };
}

function makeReactDemos() {
  const loaded = require("demos-react-captcha");
  const Component = loaded.default || loaded;
  return () => {
    drawn = makeCanvas(200, 50);
    const component = new Component({ ...Component.defaultProps, length: isDefault() ? 6 : choose([4, 5, 7, 8]), onChange: nothing });
    component.canvas = drawn;
    component.componentDidMount();
    return [component.state.solution, toPng(drawn)];
  };
}

function makeApeman() {
  const { default: Component } = require("apeman-react-captcha/shim/node/ap_captcha_svg");
  const usual = ["Serif", "Sans"].map((kind) => `/usr/share/fonts/truetype/liberation/Liberation${kind}-Regular.ttf`);
  const fonts = process.argv.slice(3);
  return (text) => {
    const props = { ...Component.defaultProps, text };
    const isUsual = isDefault();
    if (!isUsual) Object.assign(props, { width: choose([48, 52, 60]) * text.length, height: choose([70, 80, 92]) });
    const svg = new Component(props).render();
    return [text, rasterise(svg, [choose(isUsual || fonts.length === 0 ? usual : fonts)])];
  };
}

function makeVueClient() {
  const mounted = [];
  const made = { defineComponent: (it) => it, useSlots: () => ({}), onMounted: (call) => mounted.push(call) };
  const ref = (value) => ({ value: value === undefined ? drawn : value });
  const vue = { ...made, ref, watchEffect: nothing, openBlock: nothing, createBlock: nothing, h: nothing };
  const file = path.join(path.dirname(require.resolve("vue-client-recaptcha")), "vue-client-recaptcha.es.js");
  const component = loadModule(file, vue).default;
  return () => {
    const usual = Object.entries(component.props).map(([name, { default: value }]) => [name, value]);
    const props = { ...Object.fromEntries(usual), textColors: [] };
    if (!isDefault()) {
      const count = choose([4, 5, 6]);
      const look = { count, hideLines: draw() < 0.3, textColors: draw() < 0.5 ? INKS : [] };
      Object.assign(props, look, { captchaFont: `${choose(["", "bold "])}${choose([24, 28, 32])}px ${chooseFont("sans-serif")}` });
    }
    props.width = props.count * 30;
    drawn = makeCanvas(props.width, props.height);
    let shown;
    component.setup(props, { expose: nothing, emit: (event, value) => (shown = event === "getCode" ? value : shown) });
    mounted.pop()();
    return [shown, toPng(drawn)];
  };
}

const NGX_SUM = 2;

function makeNgx() {
  const folder = path.join(path.dirname(require.resolve("@binssoft/ngx-captcha/package.json")), "fesm2022");
  const names = ["i0", "i2", "i3", "Injectable", "Component", "Input", "NgModule", "CommonModule", "FormsModule"];
  // It waits for the page; here nothing is to be waited for.
  const imports = { ...Object.fromEntries(names.map((name) => [name, any])), setTimeout: (call) => call() };
  const { NgxCaptchaComponent } = loadModule(path.join(folder, "binssoft-ngx-captcha.mjs"), imports);
  globalThis.document = { getElementById: () => drawn };
  return () => {
    const component = new NgxCaptchaComponent();
    // What its own page recommends; without colours it does not draw.
    const config = { type: 1, length: 6, back: { stroke: "#2F9688", solid: "#f2efd2" }, font: { color: "#000000", size: "35px" } };
    if (!isDefault()) {
      config.length = choose([4, 5, 6, 7, 8]);
      config.back = { stroke: choose(["", "#2F9688", "#c08080", "#8090c0", "#999999"]), solid: choose(GROUNDS) };
      config.font = { color: choose(INKS), size: choose(["28px", "35px", "40px"]), family: chooseFont("Arial") };
    }
    if (process.argv[2].endsWith("-sum")) config.type = NGX_SUM;
    drawn = makeCanvas(316, 80);
    drawn.style = {};
    component.config = config;
    component.ngOnChanges();
    return [component.code, toPng(drawn)];
  };
}

answer({
  "react-client-captcha": makeReactClient,
  "react-simple-captcha": makeReactSimple,
  "react-captcha-code": makeReactCode,
  "react-numeric-captcha": makeReactNumeric,
  "demos-react-captcha": makeReactDemos,
  "apeman-react-captcha": makeApeman,
  "vue-client-recaptcha": makeVueClient,
  "@binssoft/ngx-captcha": makeNgx,
  "@binssoft/ngx-captcha-sum": makeNgx,
});
