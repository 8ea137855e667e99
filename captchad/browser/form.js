// Finds what a form is filled with, and tells where it leads; form.py decides on that.
//
// mode "field", "button": the first visible element that `selector` names and that can be typed into, or clicked; or null
// mode "facts": { places, behavioural } of the forms that `field` and `button` belong to: every address the answer may
//               be sent to, and the name of a behavioural captcha in them, or null
({ mode, selector, field, button }) => {
  const ELEMENTS_LIMIT = 20000;
  const BEHAVIOURAL = {
    reCAPTCHA: ".g-recaptcha, [name='g-recaptcha-response'], iframe[src*='/recaptcha/'], script[src*='/recaptcha/']",
    hCaptcha: ".h-captcha, [name='h-captcha-response'], iframe[src*='hcaptcha.com'], script[src*='hcaptcha.com']",
    Turnstile: ".cf-turnstile, [name='cf-turnstile-response'], iframe[src*='challenges.cloudflare.com']",
    GeeTest: "[class*='geetest_'], [name^='geetest_'], script[src*='geetest.com']",
    "Arkose Labs": "#FunCaptcha, [name='fc-token'], iframe[src*='arkoselabs.com'], iframe[src*='funcaptcha.com']",
    "Friendly Captcha": ".frc-captcha, [name='frc-captcha-solution'], [name='frc-captcha-response']",
    MTCaptcha: ".mtcaptcha, [name='mtcaptcha-verifiedtoken'], iframe[src*='mtcaptcha.com']",
    SmartCaptcha: ".smart-captcha, [name='smart-token'], iframe[src*='smartcaptcha']",
    "Tencent Captcha": "#TencentCaptcha, [id^='tcaptcha_'], iframe[src*='captcha.qq.com'], iframe[src*='captcha.gtimg.com']",
    "NetEase Yidun": ".yidun, [class^='yidun_']",
    "Aliyun Captcha": ".nc-container, [id^='aliyunCaptcha'], [id^='nc_'][class*='nc']",
    ALTCHA: "altcha-widget, [name='altcha']",
  };
  // A form's own fields can hide its properties (<input name="action">), so the prototypes are asked.
  const queryAll = (root, css) => {
    const owner = root instanceof Element ? Element : root instanceof Document ? Document : DocumentFragment;
    return [...owner.prototype.querySelectorAll.call(root, css)];
  };
  const read = (prototype, name, element) => Object.getOwnPropertyDescriptor(prototype, name).get.call(element);
  const rootsUnder = (start) => {
    const roots = [start];
    for (let at = 0; at < roots.length; at++) {
      const all = queryAll(roots[at], "*");
      for (let i = 0; i < all.length && i < ELEMENTS_LIMIT; i++) if (all[i].shadowRoot) roots.push(all[i].shadowRoot);
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
  if (mode === "field" || mode === "button") {
    const isWanted = (element) => isVisible(element) && (mode === "button" || isTypedInto(element));
    return rootsUnder(document).flatMap((root) => queryAll(root, selector)).find(isWanted) || null;
  }

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
  const searched = (forms.length ? forms : [document]).flatMap(rootsUnder);
  const has = (css) => searched.some((root) => queryAll(root, css).length > 0);
  return { places, behavioural: Object.keys(BEHAVIOURAL).find((name) => has(BEHAVIOURAL[name])) || null };
}
