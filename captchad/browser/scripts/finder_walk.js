// One walk over the frame, known shadow roots included, that sorts its elements.

const ELEMENTS_LIMIT = 60000, LABEL_LENGTH = 600, GROUND_CHILDREN = 3;
const TYPED = /^(text|tel|number|search|textarea)$/;

// A page can replace the browser's functions or hide them behind its own names.
const safely = (work, otherwise) => { try { return work(); } catch { return otherwise; } };
const once = (compute) => {
  const kept = new Map();
  return (key) => {
    if (!kept.has(key)) kept.set(key, compute(key));
    return kept.get(key);
  };
};
const parentOf = (node) => node.parentElement || node.getRootNode().host || null;
const holds = (outer, node) => {
  for (; node; node = parentOf(node)) if (node === outer) return true;
  return false;
};
const closest = (node, css) => {
  for (; node; node = parentOf(node)) if (node.matches(css)) return node;
  return null;
};
const isVisible = (element) => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && box.right + scrollX > 0 && box.bottom + scrollY > 0 &&
    element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
};

const ROOMS = {
  img: "pictures", canvas: "pictures", object: "pictures", embed: "pictures", iframe: "frames", frame: "frames",
  script: "scripts", textarea: "fields", button: "buttons",
};
const roomOf = (element, name) => {
  if (name === "svg") return element.ownerSVGElement ? "" : "pictures";
  if (name !== "input") return ROOMS[name] || (element.getAttribute("role") === "button" ? "buttons" : "");
  return element.type === "image" ? "pictures" : /^(submit|button)$/.test(element.type) ? "buttons" : "fields";
};
// A copy: reading a DOMRect's sides is a call into the browser each time.
const boxOf = (element) => {
  const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
  return { left, top, right, bottom, width, height };
};
// "<" goes before a tag's name, "@" before a field's, "#" before an id and "=" before an address.
const labelOf = (element, name, room, classes, id) => {
  const address = room === "scripts" || room === "frames" ? `=${element.src}` : room === "fields" ? `@${element.name}` : "";
  const tag = name.includes("-") ? `<${name}` : "";
  return classes || id || address || tag ? `${tag} ${classes} #${id} ${address}` : "";
};

// Each class is matched once, with the digits of ids folded: pages repeat them thousands of times.
const walk = () => {
  const found = { roots: [document], pictures: [], grounds: [], named: [], fields: [], frames: [], scripts: [], buttons: [], marks: [], blocks: [], count: 0 };
  const sense = once((label) => ({ isMaybe: MAYBE.test(label), vendor: findVendor(label.replace(/[\n\t]/g, " ")) }));
  const sort = (element) => {
    const name = element.localName;
    const shadow = shadowOf(element);
    if (shadow) found.roots.push(shadow);
    // Frequent, and never a captcha.
    if (name === "path" || name === "option" || name === "br") return;
    const room = roomOf(element, name);
    if (room) found[room].push(element);
    const id = element.getAttribute("id") || "";
    const label = labelOf(element, name, room, element.getAttribute("class") || "", id.length > 3 ? id.replace(/\d+/, "0") : "");
    const { isMaybe, vendor } = sense(label.length > LABEL_LENGTH ? label.slice(0, LABEL_LENGTH) : label);
    if (vendor) found.marks.push({ element, vendor });
    const isGround = isMaybe || (element.hasAttribute("style") && element.getAttribute("style").includes("url("));
    if (isMaybe && !/^(pictures|frames|scripts)$/.test(room)) found.named.push(element);
    if (isGround && !room && element.childElementCount < GROUND_CHILDREN) found.grounds.push(element);
  };
  for (let at = 0; at < found.roots.length; at++) {
    const all = found.roots[at].querySelectorAll("*");
    for (let i = 0; i < all.length && found.count < ELEMENTS_LIMIT; i++, found.count++) {
      try { sort(all[i]); } catch { /* a form whose fields hide its own functions (<input name="getAttribute">) */ }
    }
  }
  found.shown = found.fields.filter((field) => (TYPED.test(field.type) || /^(email|password)$/.test(field.type)) && isVisible(field))
    .slice(0, FIELDS_LIMIT).map((field) => ({ element: field, box: boxOf(field) }));
  found.typed = found.shown.filter((field) => TYPED.test(field.element.type));
  return found;
};
