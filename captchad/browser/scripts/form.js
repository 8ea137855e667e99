// Finds an element of a form: the first visible one that matches `selector` and can be typed into (mode "field"), clicked
// ("button"), ticked ("tick": a box that a style hides is ticked by its label) or chosen from ("choose"), or null.
const ELEMENTS_LIMIT = 20000;
const queryAll = (root, css) => {
  // By the prototype: a form's fields can hide its own functions (<input name="querySelectorAll">).
  const owner = root instanceof Element ? Element : root instanceof Document ? Document : DocumentFragment;
  return [...owner.prototype.querySelectorAll.call(root, css)];
};
const rootsUnder = (start) => {
  const roots = [start];
  for (let at = 0; at < roots.length; at++) {
    const all = queryAll(roots[at], "*");
    for (let i = 0; i < all.length && i < ELEMENTS_LIMIT; i++) if (shadowOf(all[i])) roots.push(shadowOf(all[i]));
  }
  return roots;
};
const isVisible = (element) => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && element.checkVisibility({ visibilityProperty: true });
};
const isTypedInto = (element) => element.isContentEditable || element instanceof HTMLTextAreaElement ||
  (element instanceof HTMLInputElement &&
    !/^(button|checkbox|color|file|hidden|image|radio|range|reset|submit)$/.test(element.type));
const isTicked = (element) => element instanceof HTMLInputElement && /^(checkbox|radio)$/.test(element.type);
const labelOf = (element) => [...(element.labels || [])].find(isVisible) || null;
const WANTED = {
  button: (element) => isVisible(element) ? element : null,
  field: (element) => isVisible(element) && isTypedInto(element) ? element : null,
  tick: (element) => !isTicked(element) ? null : isVisible(element) ? element : labelOf(element),
  choose: (element) => isVisible(element) && element instanceof HTMLSelectElement ? element : null,
};
const found = rootsUnder(document).flatMap((root) => queryAll(root, selector));
for (const element of found) {
  const wanted = WANTED[mode](element);
  if (wanted) return wanted;
}
return null;
