// Returns where the forms of `field` and `button` lead, and what else they require; form.py decides on that.
// form.py joins this file and the finder's files about behavioural captchas into one function.
//
// returns { places, behavioural }: every address the answer may be sent to, and the name of a behavioural captcha in those
//       forms, or without a form in the smallest part of the page with a field and a button; else null

// A form's own fields can hide its properties (<input name="action">), so the prototypes are asked.
const read = (prototype, name, element) => Object.getOwnPropertyDescriptor(prototype, name).get.call(element);
const FormPrototype = HTMLFormElement.prototype;
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
const forms = [...new Set([formOf(field), formOf(button)])].filter((form) => form !== null);
const defaultButton = (form) => [...read(FormPrototype, "elements", form)].find(isSubmitter) || null;
const sender = button || (forms.length ? defaultButton(forms[0]) : null);
const places = [...forms.map((form) => read(FormPrototype, "action", form)), ...placesOf(sender)];

const found = walk();
markTexts(found);
const blocks = forms.length ? forms : [blockOf(found, field || button)];
return { places, behavioural: blocks.map((block) => behaviouralIn(found, block)).find(Boolean) || null };
