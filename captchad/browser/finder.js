// Looks through one frame for whatever might be the captcha picture and gives facts about it; finder.py judges them.
//
// mode "facts":    { state, problem, unsupported, candidates: [...] }
// mode "element":  the element of the candidate `index` whose source is `source`, for a screenshot
async ({ mode, selector, index, source }) => {
  const CANDIDATES_LIMIT = 60, ELEMENTS_LIMIT = 20000, PIXELS_LIMIT = 4000000, READS_LIMIT = 10;
  const WORDS_LIMIT = 400, LABEL_LIMIT = 80, INPUTS_LIMIT = 60, SOURCE_LIMIT = 8000000;
  const MAYBE = /captcha|verif|valid|check|code|yzm|验证|校验/i;

  // Open shadow roots count as part of the page.
  const roots = [document];
  for (let at = 0; at < roots.length; at++) {
    const all = roots[at].querySelectorAll("*");
    for (let i = 0; i < all.length && i < ELEMENTS_LIMIT; i++) if (all[i].shadowRoot) roots.push(all[i].shadowRoot);
  }
  const queryAll = (css) => roots.flatMap((root) => [...root.querySelectorAll(css)]);

  const backgroundOf = (element) => {
    const match = /url\("((?:[^"\\]|\\.)*)"\)/.exec(getComputedStyle(element).backgroundImage);
    return match ? match[1] : "";
  };
  const kindOf = (element) => {
    const name = element.localName;
    if (name === "img" || (name === "input" && element.type === "image")) return "img";
    if (name === "canvas" || name === "svg") return name;
    return backgroundOf(element) ? "background" : "other";
  };
  const sourceOf = (element, kind) => {
    if (kind === "img") return element.currentSrc || element.src || "";
    return kind === "background" ? new URL(backgroundOf(element), document.baseURI).href : "";
  };
  const wordsOf = (element) => {
    const words = [];
    for (const { name, value } of element.attributes) {
      if (name === "style" || /^(data|blob):/.test(value)) continue;
      if (name === "src" || name === "href" || name === "data") {
        const url = new URL(value, document.baseURI);
        words.push(url.pathname + url.search);
      } else if (name.startsWith("data-") || !/^(width|height|type|loading|decoding|srcset|sizes)$/.test(name)) {
        words.push(/^(id|class|name|alt|title|aria-label|placeholder|autocomplete)$/.test(name) ? value : `${name}=${value}`);
      }
    }
    return words.join(" ").slice(0, WORDS_LIMIT);
  };
  const safely = (work, otherwise) => { try { return work(); } catch { return otherwise; } };

  const isVisible = (element) => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.height > 1 &&
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true });
  };
  const aroundOf = (element) => {
    const words = [];
    for (let parent = element.parentElement, steps = 0; parent && steps < 3; parent = parent.parentElement, steps++) {
      if (parent === document.body) break;
      words.push(parent.id, parent.getAttribute("class") || "");
      const text = (parent.innerText || "").trim();
      if (text.length <= LABEL_LIMIT) words.push(text);
    }
    const before = element.previousElementSibling;
    if (before) words.push((before.innerText || "").trim().slice(0, LABEL_LIMIT));
    return words.join(" ").slice(0, WORDS_LIMIT);
  };
  const inputs = queryAll("input, textarea")
    .filter((input) => /^(text|tel|number|search|)$/.test(input.getAttribute("type") || "") && isVisible(input))
    .slice(0, INPUTS_LIMIT)
    .map((input) => ({
      box: input.getBoundingClientRect(),
      words: `${wordsOf(input)} ${[...(input.labels || [])].map((label) => label.innerText).join(" ")}`.slice(0, WORDS_LIMIT),
    }));
  const inputsNear = (box) => inputs
    .map(({ box: other, words }) => ({
      words,
      distance: Math.hypot(
        Math.max(0, other.left - box.right, box.left - other.right),
        Math.max(0, other.top - box.bottom, box.top - other.bottom),
      ),
    }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3);

  let problem = null;
  const collect = () => {
    if (selector !== null) {
      let found;
      try {
        found = queryAll(selector);
      } catch {
        problem = "the selector is not valid CSS";
        return [];
      }
      return found.map((element) => kindOf(element) === "other"
        ? element.querySelector("img, canvas, svg, input[type=image]") || element : element);
    }
    const pictures = queryAll("img, input[type=image], canvas, svg");
    const boxes = queryAll("div, span, a, button, i, label, p, td").filter(
      (element) => MAYBE.test(safely(() => wordsOf(element), "")) && backgroundOf(element));
    return [...pictures, ...boxes];
  };
  const elements = collect().slice(0, CANDIDATES_LIMIT);

  if (mode === "element") {
    const isSame = (element) => element && sourceOf(element, kindOf(element)) === source;
    return isSame(elements[index]) ? elements[index] : elements.find(isSame) || null;
  }

  let reads = 0;
  const toDataUrl = (blob) => new Promise((resolve) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result);
    reader.onerror = () => resolve(null);
    reader.readAsDataURL(blob);
  });
  const drawn = (element, width, height) => {
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d").drawImage(element, 0, 0);
    return canvas.convertToBlob().then(toDataUrl);
  };
  const readCanvas = (canvas) => {
    const pixels = canvas.toDataURL("image/png");
    const blank = document.createElement("canvas");
    [blank.width, blank.height] = [canvas.width, canvas.height];
    return pixels === blank.toDataURL("image/png") ? "" : pixels;
  };
  const dataOf = async (element, kind, from, width, height) => {
    if (from.startsWith("data:")) return from.length <= SOURCE_LIMIT ? from : null;
    const isWanted = kind === "canvas" || from.startsWith("blob:");
    if (!isWanted || !width || !height || width * height > PIXELS_LIMIT || ++reads > READS_LIMIT) return null;
    try {
      if (kind === "canvas") return readCanvas(element);
      // A revoked blob, or one that the page's policy hides from fetch, is still on the screen.
      return await fetch(from).then((answer) => answer.blob()).then(toDataUrl).catch(() => drawn(element, width, height));
    } catch {
      return null;
    }
  };
  const factsOf = async (element, at) => {
    const kind = kindOf(element);
    const from = safely(() => sourceOf(element, kind), "");
    const own = safely(() => wordsOf(element), "");
    // A lazy picture further down is never scrolled to, so it is asked to load now.
    if (element.loading === "lazy" && !element.complete && (selector !== null || MAYBE.test(own))) element.loading = "eager";
    const box = element.getBoundingClientRect();
    const natural = kind === "img" && element.localName === "img" ? [element.naturalWidth, element.naturalHeight]
      : kind === "canvas" ? [element.width, element.height]
      : [Math.round(box.width), Math.round(box.height)];
    return {
      index: at, kind, source: from.startsWith("data:") ? "data:" : from,
      own, around: safely(() => aroundOf(element), ""),
      width: natural[0], height: natural[1],
      is_visible: isVisible(element),
      is_loaded: element.localName === "img" ? element.complete && element.naturalWidth > 0 : true,
      is_clickable: Boolean(element.onclick) || getComputedStyle(element).cursor === "pointer",
      is_outside_form: Boolean(element.closest("header, nav, footer, aside")),
      is_foreign_link: Boolean(safely(() => new URL(element.closest("a[href]").href).host !== location.host, false)),
      inputs: inputsNear(box),
      data: await dataOf(element, kind, from, natural[0], natural[1]),
    };
  };
  const known = {
    reCAPTCHA: ".g-recaptcha, script[src*='/recaptcha/'], iframe[src*='/recaptcha/']",
    hCaptcha: ".h-captcha, script[src*='hcaptcha.com'], iframe[src*='hcaptcha.com']",
    Turnstile: ".cf-turnstile, script[src*='challenges.cloudflare.com'], iframe[src*='challenges.cloudflare.com']",
    GeeTest: ".geetest_holder, .geetest_captcha, script[src*='geetest.com']",
  };
  const unsupported = Object.keys(known).find((name) => document.querySelector(known[name])) || null;
  const candidates = [];
  for (const [at, element] of elements.entries()) {
    const facts = await factsOf(element, at).catch(() => null);
    if (facts) candidates.push(facts);
  }
  return { state: document.readyState, problem, unsupported, candidates };
}
