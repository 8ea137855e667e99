// Says what keeps a kept element from being used as a person would use it.
//
// name: under which it is kept
//
// returns { covered, disabled, hidden }: what lies over its middle, as a person would name it, or null
const element = kept[name];
const describe = (one) => {
  const id = one.id ? `#${one.id}` : "";
  const className = typeof one.className === "string" ? one.className.trim().split(/\s+/)[0] : "";
  const text = (one.textContent || "").trim().replace(/\s+/g, " ");
  return `${one.localName}${id}${className ? `.${className}` : ""}${text ? ` "${text.slice(0, 40)}"` : ""}`.slice(0, WORDS_LENGTH);
};
const deepest = (x, y) => {
  let found = document.elementFromPoint(x, y);
  while (found && shadowOf(found)) {
    const inner = shadowOf(found).elementFromPoint(x, y);
    if (!inner || inner === found) break;
    found = inner;
  }
  return found;
};
const contains = (outer, inner) => {
  for (let at = inner; at; at = at.parentNode || at.host) if (at === outer) return true;
  return false;
};
if (!element || !element.isConnected) return { covered: null, disabled: false, hidden: true };
element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
const box = element.getBoundingClientRect();
const hidden = box.width < 1 || box.height < 1 || !element.checkVisibility({ visibilityProperty: true });
const top = hidden ? null : deepest(box.left + box.width / 2, box.top + box.height / 2);
const isOver = top && !contains(element, top) && !contains(top, element);
return { covered: isOver ? describe(top) : null, disabled: element.matches(":disabled"), hidden };
