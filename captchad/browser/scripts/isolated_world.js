// Answers orders about one frame. Registered as a selector engine, it runs in a world of its own: with the page's
// document, but with the browser's own functions, whatever the page has put in their place.
//
// scripts: what can be asked, by name; kept: elements that later orders are about, by the name they are kept under
// An order that `keeps` is answered with an element, or none, one that `lists` with elements; any other with an element that holds the answer as JSON.

const MARK = "data-captchad";
// By the prototype: an element's name can hide the document's functions (<img name="createElement">).
const make = (name) => Document.prototype.createElement.call(document, name);
const carry = (value) => {
  const carrier = make("i"), text = JSON.stringify(value === undefined ? null : value);
  carrier.textContent = text.length <= ANSWER_LENGTH ? text : "null";
  return carrier;
};
const isKept = (name) => kept[name] instanceof Element && kept[name].isConnected;
// Marked, an element can be found from the page's own world too.
const mark = ({ name, text }) => {
  if (!isKept(name)) return;
  if (text === "") kept[name].removeAttribute(MARK);
  else kept[name].setAttribute(MARK, text);
};
const queryAll = (root, text) => {
  const order = JSON.parse(decodeURIComponent(text));
  if (order.script === "kept") return isKept(order.name) ? [kept[order.name]] : [];
  if (order.script === "mark") return [carry(mark(order))];
  if (order.script === "mark_world") return [carry(globalThis[order.name] = true)];
  const result = scripts[order.script](order);
  if (order.lists) return result;
  if (!order.keeps) return [carry(result)];
  kept[order.keeps] = result;
  return result instanceof Element ? [result] : [];
};
return { query: (root, text) => queryAll(root, text)[0] || null, queryAll };
