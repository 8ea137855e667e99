// Returns which conditions hold in one frame; verdict_watch.py calls it repeatedly.
//
// wanted: { success, failure, rejected }, each null or { kind: "CSS" | "TEXT" | "URL", value } with a text's value normalised
// returns { document, state, success, failure, rejected }; `document` differs for each document of a frame
const ELEMENTS_LIMIT = 20000, SHOWN_LIMIT = 200;
const roots = [document];
for (let at = 0; at < roots.length; at++) {
  const all = roots[at].querySelectorAll("*");
  for (let i = 0; i < all.length && i < ELEMENTS_LIMIT; i++) if (shadowOf(all[i])) roots.push(shadowOf(all[i]));
}
const isVisible = (element) => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
};
const textOf = (root) => root === document ? (document.body ? document.body.innerText : "")
  : [...root.children].map((child) => child.innerText || "").join(" ");
const holds = (condition) => {
  if (condition === null || condition.kind === "URL") return false;
  if (condition.kind === "TEXT") {
    const text = roots.map(textOf).join(" ").split(/\s+/).join(" ").toLowerCase();
    return text.includes(condition.value);
  }
  try {
    return roots.some((root) => [...root.querySelectorAll(condition.value)].slice(0, SHOWN_LIMIT).some(isVisible));
  } catch {
    return false;
  }
};
return {
  // When the document began; nothing else of it is sure to differ from the one before.
  document: performance.timeOrigin, state: document.readyState,
  success: holds(wanted.success), failure: holds(wanted.failure), rejected: holds(wanted.rejected),
};
