// The row of figures at the top.

import { NONE, count, duration, rate, share } from "./format.js";
import { Sparkline } from "./charts.js";
import { element, setAttribute, setText } from "./dom.js";

const SPARK_POINTS = 120;

class Tile {
  #value = element("span", { text: NONE });
  #unit = element("small");
  #note = element("div", { className: "note" });
  #spark = new Sparkline(SPARK_POINTS);

  constructor(name) {
    this.root = element("div", {
      className: "tile",
      children: [
        element("div", { className: "name", text: name }),
        element("div", { className: "value", children: [this.#value, this.#unit] }),
        this.#note,
        this.#spark.drawing,
      ],
    });
  }

  show({ value, unit = "", note = "", level, mood = "" }) {
    setText(this.#value, value);
    setText(this.#unit, unit && ` ${unit}`);
    setText(this.#note, note);
    setAttribute(this.root, "data-mood", mood);
    this.#spark.add(level);
  }
}

export class Tiles {
  #tiles;
  #last = null;

  constructor(parent) {
    const names = { pending: "Pending", processing: "Processing", rate: "Throughput", hour: "Completed, 1 h", success: "Success, 1 h", latency: "Mean time, 1 h", slots: "Slots in use", workers: "Workers up" };
    this.#tiles = Object.fromEntries(Object.entries(names).map(([key, name]) => [key, new Tile(name)]));
    parent.append(...Object.values(this.#tiles).map((tile) => tile.root));
  }

  update(fleet) {
    const { queue, totals, hour, workers } = fleet;
    const up = workers.filter((worker) => worker.state === "up");
    const slots = sum(up, "slots");
    const busy = queue.processing;
    const perSecond = this.#measureRate(totals);
    const ended = hour.completed + hour.failed;
    const success = ended ? hour.completed / ended : null;
    const oldest = Math.max(-1, ...queue.queues.map((each) => each.oldest_age_seconds ?? -1));
    const { pending, processing, rate: rateTile, hour: hourTile, success: successTile, latency, slots: slotsTile, workers: workersTile } = this.#tiles;
    const deferred = sum(queue.targets, "deferred");
    pending.show({ value: count(queue.pending), note: oldest >= 0 ? `oldest ${duration(oldest)}` : notDue(queue.pending, deferred), level: queue.pending });
    processing.show({ value: count(queue.processing), note: `${count(queue.delayed - deferred)} to retry`, level: queue.processing });
    rateTile.show({ value: rate(perSecond), unit: "tasks/s", note: `${count(totals.submitted)} submitted`, level: perSecond });
    hourTile.show({ value: count(hour.completed), note: `${count(totals.completed)} ever`, level: hour.completed });
    successTile.show({ value: share(success), note: `${count(hour.failed)} failed`, level: success ?? 0, mood: moodOf(success) });
    latency.show({ value: duration(hour.mean_seconds), note: "to complete one", level: hour.mean_seconds });
    slotsTile.show({ value: count(busy), unit: `of ${count(slots)}`, note: slots ? `${share(Math.min(1, busy / slots))} busy` : "none", level: busy });
    workersTile.show({ value: count(up.length), unit: `of ${count(workers.length)}`, note: `${count(totals.workers_lost)} lost ever`, level: up.length, mood: up.length ? "" : "bad" });
  }

  // Ended tasks per second, smoothed over some snapshots.
  #measureRate(totals) {
    const ended = totals.completed + totals.failed + totals.cancelled;
    const now = performance.now();
    this.#last ??= [];
    this.#last.push([now, ended]);
    while (this.#last.length > 2 && now - this.#last[0][0] > 10_000) this.#last.shift();
    const [then, before] = this.#last[0];
    return now > then ? Math.max(0, (1000 * (ended - before)) / (now - then)) : 0;
  }
}

const sum = (items, name) => items.reduce((total, item) => total + (item[name] ?? 0), 0);

// What the pending tasks wait for when none of them waits for a worker.
function notDue(pending, deferred) {
  if (deferred) return `${count(deferred)} deferred`;
  return pending ? "none due yet" : "nothing waits";
}

function moodOf(success) {
  if (success === null) return "";
  return success >= 0.9 ? "good" : "bad";
}
