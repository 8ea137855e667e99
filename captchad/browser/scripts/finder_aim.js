// The field that the answer is typed into, by the caller's word for it: the captcha is the one of its form.

const KINSHIP_LIMIT = 1000;

const findAim = (found) => {
  if (!input) return null;
  for (const root of found.roots) {
    const named = safely(() => [...root.querySelectorAll(input)].find(isVisible), null);
    if (named) return named;
  }
  return null;
};
// Some pages draw their captcha, or another one, once its field has the focus.
const focusOn = (aim) => {
  if (aim.getRootNode().activeElement !== aim) HTMLElement.prototype.focus.call(aim, { preventScroll: true });
};
// How far up from the field, or from its form, lies the first element that holds another one too; -1 without a field.
const kinshipOf = (aim, element) => {
  if (!aim) return -1;
  let steps = 0;
  for (let at = closest(aim, "form") || parentOf(aim); at && steps < KINSHIP_LIMIT; at = parentOf(at), steps++) {
    if (holds(at, element)) return steps;
  }
  return KINSHIP_LIMIT;
};
