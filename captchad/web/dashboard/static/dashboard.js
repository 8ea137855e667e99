// Puts the page together: the stream on one side, the panels on the other.

import { LatencyChart, ThroughputChart } from "./charts.js";
import { byId, setAttribute, setText } from "./dom.js";
import { bytes, count, duration, plural } from "./format.js";
import { NO_TASK, drawAlerts, drawHosts, drawQueues, drawRoles, makeCaptchasTable, makeTasksTable, makeWorkersTable } from "./panels.js";
import { SnapshotStream } from "./stream.js";
import { Tiles } from "./tiles.js";

const KEY_NAME = "captchad.key";
const THEME_NAME = "captchad.theme";
const THEMES = [
  ["", "◐", "as the system"],
  ["light", "☀", "light"],
  ["dark", "☾", "dark"],
];

const tiles = new Tiles(byId("overview"));
const throughput = new ThroughputChart(byId("throughput"), "Tasks ended in each minute of the last hour; arrow keys read single minutes");
const latency = new LatencyChart(byId("latency"), "Mean time of a task in each minute of the last hour; arrow keys read single minutes");
const workers = makeWorkersTable(byId("workers"));
const captchas = makeCaptchasTable(byId("captchas"));
const tasks = makeTasksTable(byId("tasks"));

let lastNumber = null;
let snapshotAt = null;
// The fleet as it was last drawn; null as long as there was nothing to draw.
let drawn = null;

// What a panel says as long as it has no figures, by what keeps them away.
const REASONS = {
  connecting: "Waiting for the first figures.",
  live: "Waiting for the first figures.",
  away: "Redis is away, so nothing is known yet.",
  locked: "An API key is needed.",
  lost: "The monitor does not answer, so nothing is known yet.",
};

function remember(storage, name, value) {
  try {
    if (value) storage.setItem(name, value);
    else storage.removeItem(name);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

function recall(storage, name) {
  try {
    return storage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

function showState(state, text) {
  setAttribute(byId("connection"), "data-state", state);
  setText(byId("connection-text"), { live: "live", away: "Redis is away", locked: "locked" }[state] ?? text);
  document.body.classList.toggle("stale", state !== "live");
  byId("key-form").hidden = state !== "locked";
  // A link can't send a key.
  byId("addresses").hidden = state === "connecting" || state === "locked" || Boolean(recall(sessionStorage, KEY_NAME));
  if (state === "locked") setText(byId("key-reason"), `${text} Keys with the scope “read”, “read_all” or “admin” may look at the fleet. The key is kept in this tab only.`.trim());
  if (state === "lost") lastNumber = null;
  showUnknown(state);
}

// What could not be read must not look like a fleet without tasks.
function showUnknown(state) {
  for (const note of document.querySelectorAll(".unknown")) {
    note.hidden = drawn !== null && (note.id !== "tasks-unknown" || drawn.tasks !== null);
    setText(note, REASONS[state]);
  }
  setAttribute(byId("main"), "aria-busy", String(drawn === null && state === "connecting"));
}

// A key may see only a part of the newest tasks.
function describeTasks(shown, withheld) {
  if (withheld) return `${count(shown)} of the newest ${count(shown + withheld)}; this key may not see the others`;
  return shown ? `the newest ${count(shown)}` : "";
}

function showNotes(fleet, withheld) {
  const { queue, hour, hosts, roles, workers: all } = fleet;
  const states = (state) => roles.filter((node) => node.state === state).length;
  setText(byId("throughput-note"), `${count(hour.completed + hour.failed)} in the last hour`);
  setText(byId("latency-note"), `mean ${duration(hour.mean_seconds)}`);
  setText(byId("queue-note"), `${count(queue.delayed)} delayed · ${plural(queue.dead, "dead letter")} · ${bytes(queue.queued_bytes)}`);
  setText(byId("hosts-note"), hosts.length ? plural(hosts.length, "host") : "no host has reported yet");
  setText(byId("roles-note"), [`${states("up")} up`, `${states("draining")} draining`, `${states("lost")} lost`].join(" · "));
  setText(byId("workers-note"), plural(all.length, "worker"));
  setText(byId("captchas-note"), plural(fleet.captchas.length, "target"));
  setText(byId("tasks-note"), describeTasks(fleet.tasks?.length ?? 0, withheld));
  setText(byId("release"), roles.length ? `v${roles.find((node) => node.role === "monitor")?.version ?? roles[0].version}` : "");
}

function showFleet(fleet, withheld) {
  tiles.update(fleet);
  throughput.update(fleet.hour.minutes);
  latency.update(fleet.hour.minutes);
  drawQueues(byId("queues"), byId("targets"), fleet.queue);
  drawHosts(byId("hosts"), fleet.hosts);
  drawRoles(byId("roles"), fleet.roles);
  workers.update(fleet.workers);
  captchas.update(fleet.captchas);
  tasks.update(fleet.tasks, withheld ? "None of the newest tasks can be seen with this key." : NO_TASK);
  showNotes(fleet, withheld);
  drawn = fleet;
}

function showSnapshot(snapshot) {
  const { broker, fleet } = snapshot;
  if (snapshot.number !== lastNumber) {
    lastNumber = snapshot.number;
    drawAlerts(byId("alerts"), snapshot.alerts);
    if (fleet) snapshotAt = performance.now() - 1000 * snapshot.age_seconds;
    // While Redis is away the figures stay as they are; a page that has none yet takes the monitor's last.
    if (fleet && (broker.is_up || drawn === null)) showFleet(fleet, snapshot.withheld_tasks);
  }
  showState(broker.is_up ? "live" : "away", broker.failure);
}

function showAge() {
  if (snapshotAt !== null) {
    const seconds = (performance.now() - snapshotAt) / 1000;
    setText(byId("age"), seconds < 2.5 ? "up to date" : `figures of ${duration(seconds)} ago`);
  }
}

function showTheme(choice) {
  const [name, sign, words] = THEMES.find(([each]) => each === choice) ?? THEMES[0];
  if (name) document.documentElement.dataset.theme = name;
  else delete document.documentElement.dataset.theme;
  setText(byId("theme"), sign);
  setAttribute(byId("theme"), "aria-label", `Colours: ${words}`);
}

const stream = new SnapshotStream("events", {
  readKey: () => recall(sessionStorage, KEY_NAME),
  onSnapshot: showSnapshot,
  onState: showState,
});

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  remember(sessionStorage, KEY_NAME, byId("key").value.trim());
  byId("key").value = "";
  stream.retryNow();
});

byId("theme").addEventListener("click", () => {
  const now = THEMES.findIndex(([name]) => name === (document.documentElement.dataset.theme ?? ""));
  const [next] = THEMES[(now + 1) % THEMES.length];
  remember(localStorage, THEME_NAME, next);
  showTheme(next);
});

showTheme(recall(localStorage, THEME_NAME));
showState("connecting", "connecting");
setInterval(showAge, 1000);
stream.run();
