// Says what one frame shows of success and failure; verdict_watch.py asks again and again.
//
// given: { success, failure }, each null or { kind: "CSS" | "TEXT" | "URL", value } with a text's value normalised
// gives: { document, state, success, failure }; `document` tells one document of a frame from the next
(wanted) => {
  const ELEMENTS_LIMIT = 20000, SHOWN_LIMIT = 200;
  const roots = [document];
  for (let at = 0; at < roots.length; at++) {
    const all = roots[at].querySelectorAll("*");
    for (let i = 0; i < all.length && i < ELEMENTS_LIMIT; i++) if (all[i].shadowRoot) roots.push(all[i].shadowRoot);
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
    document: performance.timeOrigin, state: document.readyState,
    success: holds(wanted.success), failure: holds(wanted.failure),
  };
}
