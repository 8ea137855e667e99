// What may be clicked to make a captcha appear. Nothing here sends a form or leaves the page.

const CONTROL_TEXT_LENGTH = 60;
const CLICKABLE = "button, a, summary, img, input, [role=button], [onclick], [tabindex]";

const isHarmless = (element) => {
  const type = element.localName === "button" || element.localName === "input" ? element.type : "";
  if (type === "image" || type === "reset" || type === "file" || (type === "submit" && element.form)) return false;
  if (element.disabled || element.hasAttribute("download") || closest(element, "[aria-disabled=true], [formaction]")) return false;
  const link = closest(element, "a[href]"), href = link ? link.getAttribute("href").trim() : "";
  const button = closest(element, "button");
  return /^(#|javascript:|$)/i.test(href) && !(button && button.type === "submit" && button.form);
};
const controlWords = (element) => {
  const text = textOf(element, CONTROL_TEXT_LENGTH);
  const said = ["title", "alt", "aria-label", "placeholder"].map((key) => element.getAttribute(key) || "");
  if (element.localName === "input" && element.type === "button") said.push(element.value);
  return tidy(`${text.length <= CONTROL_TEXT_LENGTH ? text : ""} ${said.join(" ")}`).slice(0, WORDS_LENGTH);
};
const findControls = (found) => {
  const all = new Set(found.roots.flatMap((root) => [...root.querySelectorAll(CLICKABLE)]));
  const walker = document.createTreeWalker(document.body || document, NodeFilter.SHOW_TEXT);
  for (let steps = 0; steps < SLIDE_TEXTS_LIMIT && walker.nextNode(); steps++) {
    const { data, parentElement } = walker.currentNode;
    const isShort = data.length < 3 * CONTROL_TEXT_LENGTH && MAYBE.test(data) && parentElement;
    if (isShort && !closest(parentElement, "label") && getComputedStyle(parentElement).cursor === "pointer") all.add(parentElement);
  }
  return [...all].filter((element) => isHarmless(element) && !partOf(found, element) && isVisible(element))
    .map((element) => ({ element, words: controlWords(element) })).filter(({ words }) => words).slice(0, CONTROLS_LIMIT);
};
// Scripts may listen to any of these; a finger on the element gives them all.
const press = (element) => {
  const options = { bubbles: true, cancelable: true, composed: true, view: window };
  if (element.focus) element.focus({ preventScroll: true });
  for (const [type, kind] of [["pointerdown", PointerEvent], ["mousedown", MouseEvent], ["pointerup", PointerEvent], ["mouseup", MouseEvent]]) {
    element.dispatchEvent(new kind(type, options));
  }
  if (element.click) element.click();
  else element.dispatchEvent(new MouseEvent("click", options));
};
