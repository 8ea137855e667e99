// Captchas that are no picture but text of the page: a code in an element or a button, or a sum written before its field.

const PAGE_TEXT_LENGTH = 240, TEXT_NODES_LIMIT = 40, NAMED_LIMIT = 120, RUN_STEPS_LIMIT = 60, LINE_SHARE = 0.6;
const CODE = /^[a-z0-9]{3,10}$/i;
const TEXT_MARK = "text:";
const isTextKind = (kind) => kind === "text" || kind === "question";

const shownText = (node) => {
  const style = getComputedStyle(node.parentElement);
  const isTurned = style.direction === "rtl" && /override/.test(style.unicodeBidi);
  const written = node.data.replace(/\s+/g, " "), text = isTurned ? [...written].reverse().join("") : written;
  return style.textTransform === "uppercase" ? text.toUpperCase() : style.textTransform === "lowercase" ? text.toLowerCase() : text;
};
const isShownText = (node) => Boolean(node.data.trim()) && isReadText(node) && node.parentElement !== null &&
  node.parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const rangeBox = (node) => {
  const range = Document.prototype.createRange.call(document);
  range.selectNodeContents(node);
  const { left, top, right, bottom, width, height } = range.getBoundingClientRect();
  return { left, top, right, bottom, width, height };
};
const joinBoxes = (boxes) => {
  const left = Math.min(...boxes.map((one) => one.left)), top = Math.min(...boxes.map((one) => one.top));
  const right = Math.max(...boxes.map((one) => one.right)), bottom = Math.max(...boxes.map((one) => one.bottom));
  return { left, top, right, bottom, width: right - left, height: bottom - top };
};
// As they are read: letters of one line by their place, whatever their order in the document.
const inReadingOrder = (pieces) => {
  const middles = pieces.map(({ box }) => (box.top + box.bottom) / 2), tallest = Math.max(...pieces.map(({ box }) => box.height));
  const isLine = Math.max(...middles) - Math.min(...middles) <= LINE_SHARE * tallest;
  return isLine ? [...pieces].sort((one, other) => one.box.left - other.box.left) : pieces;
};
const piecesOf = (nodes) => nodes.map((node) => ({ text: shownText(node), box: rangeBox(node) })).filter(({ box }) => box.width > 0 && box.height > 0);
const textNodesOf = (element) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT), nodes = [];
  for (let steps = 0; steps < TEXT_NODES_LIMIT && walker.nextNode(); steps++) if (isShownText(walker.currentNode)) nodes.push(walker.currentNode);
  return nodes;
};
const makeText = (element, pieces, glue, isQuestion) => {
  const text = tidy(pieces.map((one) => one.text).join(glue)).slice(0, PAGE_TEXT_LENGTH);
  return pieces.length && text ? { element, text, box: joinBoxes(pieces.map((one) => one.box)), isQuestion } : null;
};
const isShowingField = (element) => element.localName === "input" &&
  (/^(button|submit)$/.test(element.type) || (TYPED.test(element.type) && (element.readOnly || element.disabled)));
// Text that is of the style alone.
const contentsOf = (element) => ["::before", "::after"].map((pseudo) => {
  const { content } = getComputedStyle(element, pseudo), named = /^attr\(([\w-]+)\)$/.exec(content), quoted = /^"([^"\\]*)"$/.exec(content);
  return { text: named ? element.getAttribute(named[1]) || "" : quoted ? quoted[1] : "", box: boxOf(element) };
}).filter((one) => one.text);
// What one element shows as a whole; letters in elements of their own belong together.
const elementText = (element) => {
  if (element.localName === "input") {
    return isShowingField(element) && element.value ? makeText(element, [{ text: element.value, box: boxOf(element) }], "", false) : null;
  }
  if (element.querySelector("input, textarea, select, img, canvas")) return null;
  const pieces = inReadingOrder(piecesOf(textNodesOf(element)));
  if (!pieces.length) return element.childElementCount ? null : makeText(element, contentsOf(element), "", false);
  const areLetters = pieces.length > 1 && pieces.every((one) => one.text.trim().length <= 2);
  return makeText(element, areLetters ? pieces.map((one) => ({ ...one, text: one.text.trim() })) : pieces, areLetters ? "" : " ", false);
};
const isCode = (text) => CODE.test(text) || (/^[a-z0-9]( [a-z0-9]){2,9}$/i.test(text));
// The text before a field, as far as the next field; with what follows where the field stands for one of the numbers.
const runBefore = (field) => {
  const walker = document.createTreeWalker(field.getRootNode(), NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT), nodes = [];
  walker.currentNode = field;
  let length = 0;
  for (let steps = 0; steps < RUN_STEPS_LIMIT && length < PAGE_TEXT_LENGTH; steps++) {
    const node = walker.previousNode();
    if (!node || node.localName === "body" || TYPED.test(node.type) || node.type === "password") break;
    if (node.nodeType !== 3 || !isShownText(node)) continue;
    nodes.unshift(node);
    length += node.data.trim().length;
  }
  return nodes;
};
const fieldQuestion = (field) => {
  const nodes = runBefore(field), pieces = piecesOf(nodes), after = textBeside(field, true, TEXT_LENGTH);
  const isGap = /^\s*([+\-−×*÷]\s*\d{1,3}\s*)?=\s*\d/.test(after);
  if (isGap) pieces.push({ text: `? ${after}`, box: boxOf(field) });
  // The end stands nearest to the field.
  const text = tidy(pieces.map((one) => one.text).join(" ")).slice(-PAGE_TEXT_LENGTH);
  const element = nodes.length ? nodes[nodes.length - 1].parentElement : field;
  return pieces.length && SUM.test(text) ? { element, text, box: joinBoxes(pieces.map((one) => one.box)), isQuestion: true } : null;
};
const fieldPlaceholder = (field) => {
  const said = [field.placeholder, field.getAttribute("aria-label"), field.title, ...[...(field.labels || [])].map((one) => textOf(one, PAGE_TEXT_LENGTH))];
  const text = said.map((one) => tidy(one || "").slice(0, PAGE_TEXT_LENGTH)).find((one) => SUM.test(one));
  return text ? { element: field, text, box: boxOf(field), isQuestion: true } : null;
};
const pageTexts = (found) => {
  const named = [...found.named.slice(0, NAMED_LIMIT), ...besideFields(found)].filter((one) => !/^(script|style|html|body|form|option)$/.test(one.localName));
  const shown = [...new Set(named)].filter((one) => one.localName === "input" || textOf(one, PAGE_TEXT_LENGTH).length <= PAGE_TEXT_LENGTH);
  const codes = shown.map((one) => safely(() => elementText(one), null)).filter((one) => one && (isCode(one.text) || (SUM.test(one.text) && one.text.length <= TEXT_LENGTH)));
  const fields = found.typed.slice(0, FIELDS_BESIDE_LIMIT).map(({ element }) => element).filter((one) => !isShowingField(one));
  const questions = fields.flatMap((one) => [safely(() => fieldQuestion(one), null), safely(() => fieldPlaceholder(one), null)]).filter(Boolean);
  return [...codes, ...questions].filter((one) => isVisible(one.element));
};
// As a candidate beside the pictures; the text itself tells one from another.
const glanceText = ({ element, text, box, isQuestion }, at) => ({
  element, at, kind: isQuestion ? "question" : "text", from: `${TEXT_MARK}${text}`, own: safely(() => wordsOf(element), ""), box, rank: 2, isLegible: true,
});
