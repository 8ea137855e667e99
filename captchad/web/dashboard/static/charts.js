// Two charts of the last hour, drawn as SVG, readable with pointer and keyboard alike.

import { count, duration, isNumber, minuteOf } from "./format.js";
import { element, setText, svg } from "./dom.js";

const LEFT = 44;
const BOTTOM = 20;
const TOP = 8;
const GRID_LINES = 3;

const MINUTE_SECONDS = 60;
const SECONDS_SHOWN = 100;

// The smallest 1, 2, 4, 6 or 10 times a power of ten that covers `value`: from 2 on its half is a whole number too.
function niceCeiling(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 10].map((step) => step * power).find((candidate) => candidate >= value * (1 - 1e-9));
}

class MinuteChart {
  #parent;
  #tip;
  #minutes = [];
  #cursor = null;

  constructor(parent, label) {
    this.#parent = parent;
    this.#tip = element("div", { className: "tip", attributes: { hidden: "", role: "status" } });
    this.drawing = svg("svg", { role: "img", tabindex: "0", "aria-label": label });
    parent.append(this.drawing, this.#tip);
    new ResizeObserver(() => this.#draw()).observe(parent);
    this.drawing.addEventListener("pointermove", (event) => this.#point(event));
    this.drawing.addEventListener("pointerleave", () => this.#choose(null));
    this.drawing.addEventListener("blur", () => this.#choose(null));
    this.drawing.addEventListener("keydown", (event) => this.#step(event));
  }

  update(minutes) {
    this.#minutes = minutes;
    this.#draw();
  }

  #draw() {
    const width = this.#parent.clientWidth;
    const height = this.#parent.clientHeight;
    if (!width || this.#minutes.length === 0) return;
    this.drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const highest = this.ceilingOf(Math.max(this.least, ...this.#minutes.map((minute) => this.heightOf(minute))));
    const plotHeight = height - BOTTOM - TOP;
    const step = (width - LEFT) / this.#minutes.length;
    const scale = {
      step,
      x: (index) => LEFT + index * step,
      y: (value) => TOP + plotHeight * (1 - value / highest),
      floor: TOP + plotHeight,
    };
    this.drawing.replaceChildren(...this.#drawAxes(scale, width, height, highest));
    if (this.#cursor !== null) {
      const at = { class: "cursor", x: scale.x(this.#cursor), y: TOP, width: step, height: plotHeight };
      this.drawing.append(svg("rect", at));
    }
    if (this.#minutes.some((minute) => this.heightOf(minute) > 0)) {
      this.drawing.append(...this.plot(this.#minutes, scale));
    } else {
      const middle = { class: "nothing", x: (LEFT + width) / 2, y: TOP + plotHeight / 2, "text-anchor": "middle" };
      this.drawing.append(svg("text", middle, "nothing in the last hour"));
    }
  }

  #drawAxes(scale, width, height, highest) {
    const drawn = [];
    for (let line = 0; line < GRID_LINES; line += 1) {
      const value = (highest * line) / (GRID_LINES - 1);
      const y = scale.y(value);
      drawn.push(svg("line", { class: "grid", x1: LEFT, x2: width, y1: y, y2: y }));
      drawn.push(svg("text", { x: LEFT - 8, y: y + 4, "text-anchor": "end" }, this.label(value)));
    }
    const last = this.#minutes.length - 1;
    for (const [index, anchor] of [[0, "start"], [Math.floor(last / 2), "middle"], [last, "end"]]) {
      const x = index === last ? width : scale.x(index);
      const text = index === last ? "now" : minuteOf(this.#minutes[index].minute_ms);
      drawn.push(svg("text", { x, y: height - 4, "text-anchor": anchor }, text));
    }
    return drawn;
  }

  #point(event) {
    const box = this.drawing.getBoundingClientRect();
    const position = (event.clientX - box.left - LEFT) / (box.width - LEFT);
    this.#choose(Math.floor(position * this.#minutes.length));
  }

  #step(event) {
    const last = this.#minutes.length - 1;
    const from = this.#cursor ?? last;
    const moves = { ArrowLeft: from - 1, ArrowRight: from + 1, Home: 0, End: last, Escape: null };
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.#choose(moves[event.key]);
  }

  #choose(index) {
    const minute = index === null ? undefined : this.#minutes[index];
    this.#cursor = minute ? index : null;
    this.#tip.hidden = !minute;
    if (minute) {
      setText(this.#tip, `${minuteOf(minute.minute_ms)}  ${this.describe(minute)}`);
      const width = this.#parent.clientWidth;
      const x = LEFT + ((index + 0.5) * (width - LEFT)) / this.#minutes.length;
      const half = this.#tip.offsetWidth / 2;
      this.#tip.style.left = `${Math.min(width - half, Math.max(half, x))}px`;
    }
    this.#draw();
  }
}

export class ThroughputChart extends MinuteChart {
  least = 4;

  heightOf = (minute) => minute.completed + minute.failed;

  ceilingOf = niceCeiling;

  label = (value) => count(value);

  describe = (minute) => `${count(minute.completed)} completed, ${count(minute.failed)} failed`;

  plot(minutes, scale) {
    const width = Math.max(1, scale.step - 2);
    const radius = Math.min(2, width / 2);
    return minutes.flatMap((minute, index) => {
      const x = scale.x(index) + (scale.step - width) / 2;
      const middle = scale.y(minute.completed);
      const top = scale.y(minute.completed + minute.failed);
      const bars = [];
      if (minute.completed) bars.push(["completed", middle, scale.floor - middle]);
      if (minute.failed) bars.push(["failed", top, middle - top]);
      return bars.map(([name, y, height]) => svg("rect", { class: name, x, y, width, height, rx: radius }));
    });
  }
}

export class LatencyChart extends MinuteChart {
  least = 0.1;

  heightOf = (minute) => minute.mean_seconds ?? 0;

  // Whole in the unit that is shown.
  ceilingOf = (value) => (value > SECONDS_SHOWN ? MINUTE_SECONDS * niceCeiling(value / MINUTE_SECONDS) : niceCeiling(value));

  label = (value) => (value === 0 ? "0" : duration(value));

  describe = (minute) => (isNumber(minute.mean_seconds) ? `mean ${duration(minute.mean_seconds)}` : "none completed");

  plot(minutes, scale) {
    const drawn = [];
    let run = [];
    const finish = () => {
      if (run.length === 1) drawn.push(svg("circle", { class: "point", cx: run[0][0], cy: run[0][1], r: 3 }));
      if (run.length > 1) {
        const line = run.map(([x, y], index) => `${index ? "L" : "M"}${x},${y}`).join("");
        drawn.push(svg("path", { class: "area", d: `${line}L${run.at(-1)[0]},${scale.floor}L${run[0][0]},${scale.floor}Z` }));
        drawn.push(svg("path", { class: "line", d: line }));
      }
      run = [];
    };
    minutes.forEach((minute, index) => {
      if (isNumber(minute.mean_seconds)) run.push([scale.x(index) + scale.step / 2, scale.y(minute.mean_seconds)]);
      else finish();
    });
    finish();
    return drawn;
  }
}

// A line without axes, for a tile.
export class Sparkline {
  #values = [];
  #limit;
  #line = svg("polyline", { fill: "none", stroke: "currentColor", "stroke-width": "1.5", "vector-effect": "non-scaling-stroke" });

  constructor(limit) {
    this.#limit = limit;
    this.drawing = svg("svg", { class: "spark", viewBox: "0 0 100 22", preserveAspectRatio: "none", "aria-hidden": "true" });
    this.drawing.append(this.#line);
  }

  add(value) {
    this.#values.push(isNumber(value) ? value : 0);
    if (this.#values.length > this.#limit) this.#values.shift();
    const highest = Math.max(1, ...this.#values);
    const steps = Math.max(1, this.#values.length - 1);
    const points = this.#values.map((each, index) => {
      const x = (100 * index) / steps;
      return `${x.toFixed(2)},${(20 - (18 * each) / highest).toFixed(2)}`;
    });
    this.#line.setAttribute("points", points.join(" "));
  }
}
