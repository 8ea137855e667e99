// Answers orders about one frame. Registered as a selector engine, it runs in a world of its own: with the page's
// document, but with the browser's own functions, whatever the page has put in their place.
//
// scripts: what can be asked, by name; kept: elements that a later order is about
// An order that `picks` is answered with an element, or none; any other with an element that holds the answer as JSON.

// By the prototype: an element's name can hide the document's functions (<img name="createElement">).
const make = (name) => Document.prototype.createElement.call(document, name);
const carry = (value) => {
  const carrier = make("i"), text = JSON.stringify(value === undefined ? null : value);
  carrier.textContent = text.length <= ANSWER_LENGTH ? text : "null";
  return carrier;
};
const queryAll = (root, text) => {
  const order = JSON.parse(decodeURIComponent(text)), result = scripts[order.script](order);
  if (!order.picks) return [carry(result)];
  return result instanceof Element ? [result] : [];
};
return { query: (root, text) => queryAll(root, text)[0] || null, queryAll };
