// Returns where the forms of the field and the button lead, and what else they require; form_filling.py decides on that.
// catalogue.py joins this file and the finder's files about behavioural captchas into one function.
//
// uses: which of the two are in this frame, kept there under these names; fields: the names of further fields there
//
// returns { places, behavioural }: every address the answer may be sent to, and the name of a behavioural captcha in those
//       forms, or without a form in the smallest part of the page with a field and a button; else null

const [field, button] = ["field", "button"].map((mode) => uses.includes(mode) ? kept[mode] : null);
// A form's own fields can hide its properties (<input name="action">), so the prototypes are asked.
const read = (prototype, name, element) => Object.getOwnPropertyDescriptor(prototype, name).get.call(element);
const FormPrototype = HTMLFormElement.prototype;
const others = fields.map((name) => kept[name]);
const formOf = (element) => {
  if (element === null) return null;
  if ("form" in element && element.form instanceof HTMLFormElement) return element.form;
  for (let at = element; at; at = at.getRootNode().host || null) {
    const form = Element.prototype.closest.call(at, "form");
    if (form) return form;
  }
  return null;
};
const isSubmitter = (element) => (element instanceof HTMLButtonElement && element.type === "submit") ||
  (element instanceof HTMLInputElement && /^(submit|image)$/.test(element.type));
const placesOf = (element) => {
  if (element === null) return [];
  if (isSubmitter(element) && element.hasAttribute("formaction")) return [element.formAction];
  const link = Element.prototype.closest.call(element, "a[href]");
  return link ? [link.href] : [];
};
const forms = [...new Set([field, button, ...others].map(formOf))].filter((form) => form !== null);
const defaultButton = (form) => [...read(FormPrototype, "elements", form)].find(isSubmitter) || null;
const sender = button || (forms.length ? defaultButton(forms[0]) : null);
const places = [...forms.map((form) => read(FormPrototype, "action", form)), ...placesOf(sender)];

const found = walk();
markTexts(found);
const blocks = forms.length ? forms : [blockOf(found, field || button || others[0])];
// Nothing but who is addressed: the rest can have any length.
const partyOf = (place) => {
  const { protocol, username, host } = new URL(place);
  return `${protocol}//${username ? "user@" : ""}${host}/`.slice(0, URL_LENGTH);
};
return { places: places.map((place) => safely(() => partyOf(place), "")), behavioural: blocks.map((block) => behaviouralIn(found, block)).find(Boolean) || null };
