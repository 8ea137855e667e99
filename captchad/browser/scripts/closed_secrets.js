// Lists what no screenshot may show in the closed shadow roots of a frame; masks.py covers it.
//
// selector: the fields; texts: what else may not be seen, in lower case and with single spaces
//
// returns elements: every field there, and the smallest parts that say one of the texts
const ELEMENTS_LIMIT = 20000;
const says = (element) => {
  const told = (element.textContent || "").split(/\s+/).join(" ").toLowerCase();
  return texts.some((text) => told.includes(text));
};
const found = [], roots = [{ root: document, isClosed: false }];
for (const { root, isClosed } of roots) {
  const all = [...root.querySelectorAll("*")].slice(0, ELEMENTS_LIMIT);
  for (const element of all) {
    const inner = shadowOf(element);
    if (inner) roots.push({ root: inner, isClosed: isClosed || element.shadowRoot === null });
    if (isClosed && (element.matches(selector) || (says(element) && ![...element.children].some(says)))) found.push(element);
  }
}
return found;
