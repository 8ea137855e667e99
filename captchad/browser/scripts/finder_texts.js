// The words of elements and around them. Never innerText: it lays the page out again and reads all of it.

const VALUE_LENGTH = 120, NODES_LIMIT = 60, STEPS_LIMIT = 14, PARENTS_LIMIT = 3;
const TELLING = /^(id|class|name|alt|title|aria-label|placeholder|autocomplete)$/;
const SILENT = /^(style|width|height|type|loading|decoding|srcset|sizes|value|d|viewbox|xmlns|fill)$/i;

const isReadText = (node) => !/^(script|style|noscript|option|title)$/.test((node.parentNode && node.parentNode.localName) || "");
const tidy = (text) => text.replace(/\s+/g, " ").trim();

// The beginning of an element's text; longer than `limit` where there is more.
const textOf = (element, limit) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let text = "";
  for (let steps = 0; steps < NODES_LIMIT && text.length <= limit && walker.nextNode(); steps++) {
    if (isReadText(walker.currentNode)) text = `${text} ${walker.currentNode.data.trim().slice(0, limit + 1)}`.trim();
  }
  return tidy(text);
};
// The text before or after an element, as far as the next text field.
const textBeside = (element, isForward, limit) => {
  const walker = document.createTreeWalker(element.getRootNode(), NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  let from = element, text = "";
  while (isForward && from.lastChild) from = from.lastChild;
  walker.currentNode = from;
  for (let steps = 0; steps < STEPS_LIMIT && text.length < limit; steps++) {
    const node = isForward ? walker.nextNode() : walker.previousNode();
    if (!node || node.localName === "body" || TYPED.test(node.type) || node.type === "password") break;
    const isButton = node.localName === "input" && /^(button|submit)$/.test(node.type);
    const more = (node.nodeType === 3 ? (isReadText(node) ? node.data : "") : isButton ? node.value : "").trim();
    text = isForward ? `${text} ${more.slice(0, limit)}` : `${more.slice(-limit)} ${text}`;
  }
  return tidy(text);
};
const wordsOf = (element) => {
  const words = [];
  for (const { name, value } of element.attributes) {
    if (/^(data|blob):/.test(value) || SILENT.test(name)) continue;
    if (name === "src" || name === "href" || name === "data") {
      const url = safely(() => new URL(value, document.baseURI), null);
      if (url) words.push(url.pathname + url.search);
    } else words.push(TELLING.test(name) ? value.slice(0, VALUE_LENGTH) : `${name}=${value.slice(0, VALUE_LENGTH)}`);
  }
  if (element.currentSrc && !element.getAttribute("src")) words.push(safely(() => new URL(element.currentSrc).pathname, ""));
  return words.join(" ").slice(0, WORDS_LENGTH);
};
const aroundOf = (element) => {
  const words = [textBeside(element, false, TEXT_LENGTH), textBeside(element, true, TEXT_LENGTH / 2)];
  for (let at = parentOf(element), steps = 0; at && at !== document.body && steps < PARENTS_LIMIT; at = parentOf(at), steps++) {
    const text = textOf(at, TEXT_LENGTH);
    words.push(at.getAttribute("id") || "", at.getAttribute("class") || "", text.length <= TEXT_LENGTH ? text : "");
  }
  return words.join(" ").slice(0, WORDS_LENGTH);
};
const describeField = ({ element }) => {
  const labels = [...(element.labels || [])].map((label) => textOf(label, TEXT_LENGTH)).join(" ");
  const type = element.type === "textarea" ? "" : `type=${element.type} `;
  return {
    words: `${type}${safely(() => wordsOf(element), "")} ${labels}`.slice(0, WORDS_LENGTH),
    before: textBeside(element, false, TEXT_LENGTH), after: textBeside(element, true, TEXT_LENGTH),
  };
};
