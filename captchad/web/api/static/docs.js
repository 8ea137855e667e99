"use strict";

// Text only ever enters through textContent and the value of a field, so that nothing an answer holds can become markup.
// Addresses are relative, so that the page works wherever a proxy shows it.

// The monitor's page keeps its key under the same name.
const KEY_NAME = "captchad.key";
const STREAM_LINES = 100;
const PROBLEM = "#/components/schemas/Problem";
const EVIDENCE = { image_url: "The captcha’s picture", screenshot_url: "The page as it was" };

let key = "";

const byId = (id) => document.getElementById(id);

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// What stands between backticks becomes code.
const prose = (text = "") => text.split("`").map((part, index) => (index % 2 ? make("code", { textContent: part }) : part));

// The key

const keyHeaders = () => (key ? { Authorization: `Bearer ${key}` } : {});

function recallKey() {
  try {
    key = sessionStorage.getItem(KEY_NAME) ?? "";
  } catch {
    // Without storage the key lasts until the page is closed.
  }
}

function useKey(text) {
  key = text;
  try {
    sessionStorage.setItem(KEY_NAME, text);
  } catch {
    // As above.
  }
}

function showKey(reason = "") {
  byId("key-form").hidden = !reason;
  byId("key-reason").textContent = reason;
  byId("key-line").hidden = Boolean(reason) || !key;
  // The secret, its last part, is not shown.
  byId("key-shown").textContent = `${key.split("_").slice(0, 2).join("_")}_…`;
}

// An answer

async function readProblem(response) {
  const problem = await response.json().catch(() => ({}));
  return problem.detail ?? `it answered ${response.status}`;
}

async function makePicture(response, caption) {
  if (!response.ok) return make("p", { className: "bad", textContent: `${caption}: ${await readProblem(response)}` });
  const source = URL.createObjectURL(await response.blob());
  const picture = make("img", { alt: caption, src: source });
  picture.addEventListener("load", () => URL.revokeObjectURL(source));
  return make("figure", {}, picture, make("figcaption", { textContent: caption }));
}

async function showEvidence(evidence, output, signal) {
  for (const [name, caption] of Object.entries(EVIDENCE)) {
    if (!evidence[name]) continue;
    const response = await fetch(evidence[name].slice(1), { headers: keyHeaders(), signal });
    output.append(await makePicture(response, caption));
  }
}

// A region that scrolls must be in reach of the keyboard.
const makeText = (text) => make("pre", { textContent: text, tabIndex: 0 });

async function showStream(response, output) {
  const shown = makeText("");
  output.append(shown);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    shown.textContent = (shown.textContent + step.value).split("\n").slice(-STREAM_LINES).join("\n");
  }
}

async function showJson(response, output, signal) {
  const answer = await response.json();
  output.append(makeText(JSON.stringify(answer, null, 2)));
  if (response.status === 202) {
    // What one asks for next is the status of the task.
    const taskId = answer.task_id ?? answer.tasks[0].task_id;
    for (const input of document.querySelectorAll('input[name="task_id"]')) input.value = taskId;
  }
  if (answer.result?.evidence) await showEvidence(answer.result.evidence, output, signal);
}

async function showAnswer(response, output, summary, signal) {
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0];
  if (type === "text/event-stream") await showStream(response, output);
  else if (type.endsWith("json")) await showJson(response, output, signal);
  else if (type.startsWith("text/")) output.append(makeText(await response.text()));
  else output.append(await makePicture(response, summary));
}

async function send({ url, options, summary }, output, signal) {
  const state = make("p", { textContent: "Waiting for the answer…" });
  output.replaceChildren(state);
  const started = performance.now();
  try {
    const response = await fetch(url, { ...options, signal });
    state.className = response.ok ? "good" : "bad";
    state.textContent = `${response.status} ${response.statusText} in ${Math.round(performance.now() - started)} ms`;
    if (response.status === 401) showKey("This key is not valid. The next one is kept in this tab only.");
    await showAnswer(response, output, summary, signal);
  } catch (error) {
    state.className = "bad";
    state.textContent = signal.aborted ? "Stopped." : `No answer: ${error.message}`;
  }
}

// A route and its form

function makeInput(parameter, id) {
  const properties = { id, name: parameter.name, required: Boolean(parameter.required) };
  if (!parameter.schema.enum) return make("input", { ...properties, spellcheck: false, autocomplete: "off" });
  const options = ["", ...parameter.schema.enum].map((value) => make("option", { value, textContent: value }));
  return make("select", properties, ...options);
}

function makeParameter(operation, parameter) {
  const id = `${operation.operationId}-${parameter.name}`;
  const input = makeInput(parameter, id);
  const meaning = parameter.description ?? `in the ${parameter.in}`;
  const name = make("code", { textContent: parameter.name });
  return { parameter, input, parts: [make("label", { htmlFor: id }, name, ` ${typeOf(parameter.schema)}: ${meaning}`), input] };
}

function makeBody(operation) {
  const { examples = {} } = operation.requestBody.content["application/json"];
  const id = `${operation.operationId}-body`;
  const area = make("textarea", { id, spellcheck: false });
  const choice = make("select", { id: `${id}-example` });
  choice.append(...Object.keys(examples).map((name) => make("option", { textContent: name })));
  const fill = () => {
    area.value = JSON.stringify(examples[choice.value]?.value ?? {}, null, 2);
  };
  choice.addEventListener("change", fill);
  fill();
  const labels = [make("label", { htmlFor: choice.id, textContent: "Begin with" }), make("label", { htmlFor: id, textContent: "Body" })];
  return { area, parts: [labels[0], choice, labels[1], area] };
}

function readRequest(method, path, operation, parameters, body) {
  const headers = keyHeaders();
  const query = new URLSearchParams();
  let url = path.slice(1);
  for (const { parameter, input } of parameters) {
    const value = input.value.trim();
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value && parameter.in === "query") query.set(parameter.name, value);
    else if (value) headers[parameter.name] = value;
  }
  if (body) headers["Content-Type"] = "application/json";
  const options = { method, headers, body: body?.area.value };
  return { url: query.size ? `${url}?${query}` : url, options, summary: operation.summary };
}

function makeForm(method, path, operation, output) {
  const parameters = (operation.parameters ?? []).map((parameter) => makeParameter(operation, parameter));
  const body = operation.requestBody ? makeBody(operation) : null;
  const button = make("button", { type: "submit", textContent: "Send" });
  const form = make("form", {}, ...(body?.parts ?? []), ...parameters.flatMap(({ parts }) => parts), button);
  let underWay = null;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (underWay) {
      underWay.abort();
      return;
    }
    underWay = new AbortController();
    button.textContent = "Stop";
    await send(readRequest(method, path, operation, parameters, body), output, underWay.signal);
    underWay = null;
    button.textContent = "Send";
  });
  return form;
}

function makeRoute(method, path, operation) {
  const output = make("div", { className: "output", ariaLive: "polite" });
  const inside = make("div", { className: "inside" }, makeForm(method, path, operation, output), output);
  const schema = operation.requestBody?.content["application/json"].schema;
  if (schema) inside.append(foldedFields("Fields of the body", schema, true));
  const answered = Object.values(operation.responses)[0].content["application/json"]?.schema;
  if (answered?.$ref) inside.append(foldedFields("Fields of the answer", answered));
  const answers = Object.entries(operation.responses).flatMap(([status, answer]) => entry(status, "", resolve(answer).description));
  inside.append(folded("Answers", answers));
  const head = make("summary", {}, make("span", { className: "method", textContent: method }));
  // Where a line is too short, a path is broken at its parts.
  const parts = path.split(/(?<=\/)/).flatMap((part) => [part, make("wbr")]);
  head.append(make("code", {}, ...parts), make("span", { className: "muted", textContent: operation.summary }));
  return make("details", { id: operation.operationId, className: "panel route" }, head, inside);
}

// The page

function showDocument(specification) {
  components = specification.components;
  const routes = Object.entries(specification.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => makeRoute(method.toUpperCase(), path, operation)),
  );
  routes[0].open = true;
  routes.push(make("div", { className: "panel failures" }, foldedFields("Fields of every failure", { $ref: PROBLEM })));
  byId("routes").replaceChildren(...routes);
  byId("state").hidden = true;
  // A link can't send a key, so it leads to what was read with one.
  byId("document").href = URL.createObjectURL(new Blob([JSON.stringify(specification)], { type: "application/json" }));
}

function explainRefusal(status, detail) {
  const whose = "Keys with the scope “read”, “read_all” or “admin” may read this page’s document. The key is kept in this tab only.";
  if (status === 401) return key ? `This key is not valid. ${whose}` : whose;
  return `It can’t be read: ${detail}. ${whose}`;
}

async function load() {
  try {
    const response = await fetch("openapi.json", { headers: keyHeaders() });
    if (response.ok) {
      showDocument(await response.json());
      showKey();
      return;
    }
    const detail = await readProblem(response);
    const isKeyNeeded = response.status === 401 || response.status === 403;
    byId("state").textContent = isKeyNeeded ? "" : `The document can’t be read: ${detail}.`;
    if (isKeyNeeded) showKey(explainRefusal(response.status, detail));
  } catch (error) {
    byId("state").textContent = `The gateway does not answer: ${error.message}.`;
  }
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  useKey(byId("key").value.trim());
  byId("key").value = "";
  // A key that may only submit can't read the document, but serves once it is here.
  if (byId("state").hidden) showKey();
  else load();
});

byId("key-change").addEventListener("click", () => {
  showKey("The key is kept in this tab only.");
  byId("key").focus();
});

recallKey();
load();
