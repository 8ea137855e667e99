// The panels below the charts: queues, hosts, roles, workers, recent tasks, alerts.

import { NONE, bytes, count, duration, isNumber, percent, share, timeOf } from "./format.js";
import { Table, drawBadge, element, reconcile, setAttribute, setMarkedText, setText } from "./dom.js";

export const NO_TASK = "No task yet. Submit one and watch it arrive here.";
const SLOTS_SHOWN = 16;
const PICTURED_ROLES = { gateway: "⇥", scheduler: "◷", worker: "⚙", monitor: "◉" };

export function drawAlerts(parent, alerts) {
  reconcile(
    parent,
    alerts,
    (alert) => `${alert.name} ${alert.summary.split(":")[0]}`,
    () => {
      const parts = ["strong", "span", "span"].map((tag) => element(tag));
      parts[2].className = "advice";
      return element("div", { className: "banner", children: parts });
    },
    (banner, alert) => {
      setAttribute(banner, "data-severity", alert.severity);
      [alert.name, alert.summary, alert.advice].forEach((text, index) => setMarkedText(banner.children[index], text));
    },
  );
}

// Rows of a name, a bar and a figure; `rows` are {name, level (0..1), figure, mood}.
function drawMeters(parent, groups) {
  reconcile(
    parent,
    groups,
    (group) => group.caption,
    (group) => element("div", { className: "meters", children: group.caption ? [element("div", { className: "caption" })] : [] }),
    (box, group) => {
      const first = group.caption ? 1 : 0;
      if (first) setText(box.children[0], group.caption);
      while (box.children.length > first + 3 * group.rows.length) box.lastElementChild.remove();
      group.rows.forEach((row, index) => {
        const at = first + 3 * index;
        if (!box.children[at]) {
          const meter = element("div", { className: "meter", attributes: { "aria-hidden": "true" }, children: [element("i")] });
          box.append(element("div"), meter, element("div", { className: "figure" }));
        }
        setText(box.children[at], row.name);
        setAttribute(box.children[at + 1], "data-mood", row.mood ?? "");
        box.children[at + 1].firstElementChild.style.width = `${Math.min(100, 100 * row.level).toFixed(1)}%`;
        setText(box.children[at + 2], row.figure);
      });
    },
  );
}

export function drawQueues(parent, targetsParent, queue) {
  const most = Math.max(1, ...queue.queues.map((each) => each.depth));
  const rows = queue.queues
    .filter((each) => each.name !== "recovered" || each.depth > 0)
    .map((each) => ({
      name: each.name,
      level: each.depth / most,
      figure: isNumber(each.oldest_age_seconds) ? `${count(each.depth)} · oldest ${duration(each.oldest_age_seconds)}` : count(each.depth),
    }));
  drawMeters(parent, [{ caption: "", rows }]);
  const busiest = Math.max(1, ...queue.targets.map((each) => each.pending + each.processing));
  const targets = queue.targets.map((each) => ({
    name: each.target,
    level: (each.pending + each.processing) / busiest,
    figure: [`${count(each.processing)} running`, `${count(each.pending)} waiting`, ...(each.deferred ? [`${count(each.deferred)} deferred`] : [])].join(" · "),
  }));
  drawMeters(targetsParent, targets.length ? [{ caption: "By target", rows: targets }] : []);
}

const moodOfLoad = (value) => (value > 90 ? "bad" : value > 75 ? "warn" : "");

export function drawHosts(parent, hosts) {
  const figures = [["processor", "cpu_percent"], ["memory", "memory_percent"], ["disk", "disk_percent"]];
  const groups = hosts.map((host) => ({
    caption: host.host,
    rows: figures.map(([name, key]) => ({
      name,
      level: host[key] / 100,
      figure: percent(host[key]),
      mood: moodOfLoad(host[key]),
    })),
  }));
  drawMeters(parent, groups);
}

export function drawRoles(parent, roles) {
  reconcile(
    parent,
    roles,
    (node) => node.consumer,
    () => {
      const title = element("span", { className: "title" });
      const head = element("div", { className: "head", children: [title, element("span", { className: "badge" })] });
      return element("div", { className: "card", children: [head, element("div", { className: "facts" }), element("div", { className: "facts" })] });
    },
    (card, node) => {
      const [head, where, what] = card.children;
      setText(head.children[0], `${PICTURED_ROLES[node.role] ?? "·"} ${node.name}`);
      setAttribute(head.children[0], "title", `${node.consumer}, process ${node.pid}`);
      setText(head.children[1], node.state);
      setAttribute(head.children[1], "data-state", node.state);
      setText(where, [node.host, node.address.replace("http://", "")].filter(Boolean).join(" · "));
      const active = node.role === "scheduler" && typeof node.is_active === "boolean" ? [node.is_active ? "active" : "standby"] : [];
      setText(what, [node.role, ...active, `v${node.version}`, `seen ${duration(node.heartbeat_age_seconds)} ago`].join(" · "));
    },
  );
}

function drawSlots(cell, worker) {
  if (!isNumber(worker.slots)) {
    cell.textContent = NONE;
    return;
  }
  const shown = Math.min(worker.slots, SLOTS_SHOWN);
  let [picture, figure] = cell.children;
  if (!figure) {
    picture = element("span", { className: "slots", attributes: { "aria-hidden": "true" } });
    figure = element("span");
    cell.append(picture, figure);
  }
  while (picture.children.length < shown) picture.append(element("i"));
  while (picture.children.length > shown) picture.lastElementChild.remove();
  const busy = Math.ceil(((worker.busy ?? 0) * shown) / Math.max(1, worker.slots));
  [...picture.children].forEach((slot, index) => slot.classList.toggle("busy", index < busy));
  setText(figure, `${count(worker.busy ?? 0)} of ${count(worker.slots)}`);
}

const textColumn = (label, read, className) => ({ label, className, draw: (cell, item) => setText(cell, read(item)) });

export function makeWorkersTable(parent) {
  const columns = [
    textColumn("Worker", (worker) => worker.name),
    { label: "State", draw: (cell, worker) => drawBadge(cell, worker.state) },
    { label: "Slots", draw: drawSlots },
    textColumn("Heartbeat", (worker) => duration(worker.heartbeat_age_seconds), "number"),
    textColumn("Browser", (worker) => worker.browser_version ?? NONE, "text"),
    textColumn("Pages", (worker) => count(worker.pages_served), "number"),
    textColumn("Memory", (worker) => bytes(worker.rss_bytes), "number"),
    textColumn("Recycled", (worker) => count(worker.recycled), "number"),
    textColumn("Done", (worker) => count(worker.tasks_done), "number"),
    textColumn("Failed", (worker) => count(worker.tasks_failed), "number"),
    textColumn("Host", (worker) => worker.host, "text"),
  ];
  return new Table(parent, "Workers", columns, (worker) => worker.consumer, "No worker has been heard of.");
}

export function makeCaptchasTable(parent) {
  const columns = [
    textColumn("Target", (captcha) => captcha.target, "text"),
    { label: "State", draw: (cell, captcha) => drawBadge(cell, captcha.is_learning ? "learning" : "watched") },
    textColumn("Visits", (captcha) => count(captcha.visits), "number"),
    textColumn("Changes", (captcha) => count(captcha.changes), "number"),
    textColumn("Last change", (captcha) => (isNumber(captcha.changed_seconds) ? `${duration(captcha.changed_seconds)} ago` : ""), "text"),
    textColumn("Shown by", (captcha) => captcha.signals.join(", "), "text"),
  ];
  return new Table(parent, "Captchas", columns, (captcha) => captcha.target, "No captcha has been read yet.");
}

function drawAnswer(cell, task) {
  const isText = task.text !== null;
  let answer = cell.firstElementChild;
  if (!answer) answer = cell.appendChild(element("span"));
  answer.className = isText ? "captcha" : "error";
  setText(answer, isText ? task.text : task.error_code ?? "");
  if (task.error_message) setAttribute(answer, "title", task.error_message);
}

function drawConfidence(cell, task) {
  if (!isNumber(task.confidence)) {
    cell.replaceChildren();
    return;
  }
  if (!cell.firstElementChild) {
    cell.append(element("span", { className: "share", attributes: { "aria-hidden": "true" }, children: [element("i")] }), element("span"));
  }
  cell.firstElementChild.firstElementChild.style.width = `${Math.round(100 * task.confidence)}%`;
  setText(cell.lastElementChild, share(task.confidence));
}

function drawId(cell, task) {
  setText(cell, task.task_id);
  setAttribute(cell, "title", task.task_id);
}

export function makeTasksTable(parent) {
  const columns = [
    textColumn("Created", (task) => timeOf(task.created_ms)),
    { label: "Status", draw: (cell, task) => drawBadge(cell, task.status) },
    { label: "Text or error", className: "text", draw: drawAnswer },
    { label: "Confidence", draw: drawConfidence },
    textColumn("Time", (task) => (isNumber(task.milliseconds) ? duration(task.milliseconds / 1000) : ""), "number"),
    textColumn("Attempts", (task) => count(task.attempts), "number"),
    textColumn("Target", (task) => task.target, "text"),
    textColumn("Priority", (task) => task.priority),
    textColumn("Worker", (task) => task.worker ?? ""),
    { label: "Task", className: "id", draw: drawId },
  ];
  return new Table(parent, "Recent tasks, newest first", columns, (task) => task.task_id, NO_TASK);
}
