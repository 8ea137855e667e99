// Says whether a kept field has no text.
//
// name: under which it is kept
//
// returns { empty }
const field = kept[name];
const read = (owner) => Object.getOwnPropertyDescriptor(owner.prototype, "value").get.call(field);
const valueOf = () => field instanceof HTMLInputElement ? read(HTMLInputElement)
  : field instanceof HTMLTextAreaElement ? read(HTMLTextAreaElement) : String(field.innerText || "").trim();
return { empty: Boolean(field) && field.isConnected && valueOf() === "" };
