// Returns what one frame shows of an answer's form; answer_signs.py compares it from before and after the answer was sent.
//
// selector: the field for the answer
// returns { document, field, empty, invalid, near, lines, bad, good }: whether the field is visible, empty and marked as invalid;
//       lines of text near it and of messages, and of all the document; how many visible elements are named errors or successes
const ELEMENTS_LIMIT = 20000, DEPTH_LIMIT = 3, COUNTED_LIMIT = 100, TEXTS_LIMIT = 20;
const BAD = /(^|[-_ ])(is-)?(error|errors|invalid|danger|fail|failed|failure|wrong)($|[-_ ])/i;
const GOOD = /(^|[-_ ])(is-)?(success|successful|welcome|thanks|thank-you)($|[-_ ])/i;
const MESSAGE = /alert|toast|message|notice|notif|flash|tip|error|invalid|warn|danger|success|feedback|msg/i;
const elements = [];
const roots = [document];
for (let at = 0; at < roots.length; at++) {
  const all = (roots[at] === document ? Document : DocumentFragment).prototype.querySelectorAll.call(roots[at], "*");
  for (let i = 0; i < all.length && elements.length < ELEMENTS_LIMIT; i++) {
    elements.push(all[i]);
    if (shadowOf(all[i])) roots.push(shadowOf(all[i]));
  }
}
const read = (element, name) => Element.prototype.getAttribute.call(element, name) || "";
const isVisible = (element) => {
  const box = Element.prototype.getBoundingClientRect.call(element);
  return box.width > 1 && box.height > 1 &&
    Element.prototype.checkVisibility.call(element, { opacityProperty: true, visibilityProperty: true });
};
const matches = (element) => {
  try {
    return Element.prototype.matches.call(element, selector);
  } catch {
    return false;
  }
};
const field = elements.find((element) => matches(element) && isVisible(element)) || null;
const cut = (text) => String(text || "").slice(0, ANSWERED_LENGTH);
const textOf = (element) => element instanceof HTMLElement ? cut(element.innerText) : "";
const linesOf = (text, limit) => text.split("\n").map((line) => line.trim().slice(0, WORDS_LENGTH)).filter(Boolean).slice(0, limit);
// The form and what stands beside it; without a form the smallest parts around the field.
const partAround = () => {
  const form = Element.prototype.closest.call(field, "form");
  let part = form ? form : field, best = textOf(part);
  for (let depth = 0; depth < (form ? 1 : DEPTH_LIMIT) && part.parentElement; depth++) {
    part = part.parentElement;
    const text = textOf(part);
    if (text.length >= ANSWERED_LENGTH / 4) break;
    best = text;
  }
  return best;
};
const named = elements.filter((element) => element !== field && !/^(html|body|form|script|style)$/.test(element.localName));
const nameOf = (element) => `${read(element, "class")} ${read(element, "id")}`.slice(0, WORDS_LENGTH);
// Of thousands of elements inside each other the innerText of each would hold up the page: a few texts tell as much.
const hasText = (element) => {
  const walker = Document.prototype.createTreeWalker.call(document, element, NodeFilter.SHOW_TEXT);
  for (let seen = 0; seen < TEXTS_LIMIT && walker.nextNode(); seen++) if (walker.currentNode.data.trim()) return true;
  return false;
};
const isShown = (element) => isVisible(element) && hasText(element);
const firstOf = (list, limit, isWanted) => {
  const found = [];
  for (const one of list) if (isWanted(one) && found.push(one) === limit) break;
  return found;
};
const isMessage = (element) => /^(alert|status)$/.test(read(element, "role")) || read(element, "aria-live") !== "" || MESSAGE.test(nameOf(element));
const isShort = (element) => (element.textContent || "").length <= ANSWERED_LENGTH;
const messages = firstOf(named, MESSAGES_LIMIT, (element) => isMessage(element) && isShown(element) && isShort(element));
const near = [field ? partAround() : "", ...messages.map((one) => textOf(one).slice(0, WORDS_LENGTH * 3))].join("\n");
const texts = [document.body, ...roots.slice(1).flatMap((root) => [...root.children])].map(textOf);
return {
  document: performance.timeOrigin,
  field: field !== null,
  empty: field !== null && (field.isContentEditable ? textOf(field).trim() === "" : String(field.value || "") === ""),
  invalid: field !== null && (read(field, "aria-invalid") === "true" || BAD.test(nameOf(field))),
  near: linesOf(near, LINES_LIMIT), lines: linesOf(texts.join("\n"), LINES_LIMIT),
  bad: firstOf(named, COUNTED_LIMIT, (element) => BAD.test(nameOf(element)) && isShown(element)).length,
  good: firstOf(named, COUNTED_LIMIT, (element) => GOOD.test(nameOf(element)) && isShown(element)).length,
};
