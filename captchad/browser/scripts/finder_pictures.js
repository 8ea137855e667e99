// Pictures of every kind: what they are, where they come from, whether they are there yet, and their own bytes.

const PICTURES_LIMIT = 1500, GROUNDS_LIMIT = 120, BESIDE_LIMIT = 12, FIELDS_BESIDE_LIMIT = 20;
const DRAWN_LIMIT = 10, PIXELS_LIMIT = 4e6, SOURCE_LENGTH = 4e6, ENTRIES_LIMIT = 250;
const INNER = "img, canvas, svg, input[type=image], object, embed";

const backdropOf = once((element) => {
  for (const pseudo of [null, "::before", "::after"]) {
    const style = getComputedStyle(element, pseudo);
    const text = `${style.backgroundImage} ${style.content}`;
    if (!text.includes("url(")) continue;
    const urls = [...text.matchAll(/url\("((?:[^"\\]|\\.)*)"\)/g)].map((match) => match[1].replace(/\\(.)/g, "$1"));
    const url = urls.find((one) => MAYBE.test(one.slice(0, VALUE_LENGTH))) || urls[0];
    const [width, height] = [parseFloat(style.width), parseFloat(style.height)];
    if (url) return { url: safely(() => new URL(url, document.baseURI).href, ""), size: pseudo && width && height ? [width, height] : null };
  }
  return null;
});
const kindOf = (element) => {
  const name = element.localName;
  if (/^(img|object|embed)$/.test(name) || (name === "input" && element.type === "image")) return "img";
  return name === "canvas" || name === "svg" ? name : backdropOf(element) ? "background" : "other";
};
const sourceOf = (element, kind) => kind === "background" ? backdropOf(element).url
  : kind === "img" ? element.currentSrc || element.src || element.data || "" : "";
const shorten = (url) => url.startsWith("data:") ? "data:" : url.slice(0, URL_LENGTH);

const arrivals = once(() => performance.getEntriesByType("resource").length);
const hasArrived = (url) => !url.startsWith("http") || arrivals("") >= ENTRIES_LIMIT ||
  performance.getEntriesByName(url.split("#")[0]).length > 0;
// A lazy loader keeps the true address aside and shows a stand-in until the element is seen.
const isStandIn = (element, from) => (!from || STAND_IN.test(from.slice(0, WORDS_LENGTH))) &&
  [...element.attributes].some(({ name, value }) =>
    /^data-.*(src|orig|lazy|url|bg|background|echo)/.test(name) && /[/.]/.test(value) && !/[\s{]/.test(value.trim()));
let drawnCount = 0;
const isDrawn = (canvas) => {
  if (!canvas.width || !canvas.height) return false;
  // Each costs a copy of its pixels; a page of many canvases, or of a huge one, is not worth that.
  if (canvas.width * canvas.height > PIXELS_LIMIT || ++drawnCount > DRAWN_LIMIT) return true;
  const context = new OffscreenCanvas(64, 32).getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0, 64, 32);
  // A canvas with another origin's picture can't be read, but then something is drawn on it.
  const pixels = safely(() => new Uint32Array(context.getImageData(0, 0, 64, 32).data.buffer), null);
  return pixels === null || pixels.some((pixel) => pixel !== pixels[0]);
};
const isLoaded = (element, kind, from) => {
  if (isStandIn(element, from)) return false;
  if (element.localName === "img") return element.complete && element.naturalWidth > 0;
  return kind === "canvas" ? isDrawn(element) : hasArrived(from);
};
const sizeOf = (element, kind, box) => {
  if (element.localName === "img") return [element.naturalWidth, element.naturalHeight];
  if (kind === "canvas") return [element.width, element.height];
  const own = kind === "background" ? backdropOf(element).size : null;
  return (own || [box.width, box.height]).map(Math.round);
};

// Whatever stands beside a text field may have a captcha for its background, by any name.
const besideFields = (found) => found.typed.slice(0, FIELDS_BESIDE_LIMIT).flatMap(({ element }) => {
  const beside = [], walker = document.createTreeWalker(element.getRootNode(), NodeFilter.SHOW_ELEMENT);
  for (const step of ["nextNode", "previousNode"]) {
    walker.currentNode = element;
    for (let steps = 0; steps < BESIDE_LIMIT && walker[step](); steps++) beside.push(walker.currentNode);
  }
  return beside;
});
// A code may stand as text on a picture of nothing. What a drawing holds is part of the picture.
const isCodeOnGround = (element) => kindOf(element) === "background" && safely(() => { const shown = elementText(element); return shown !== null && isCode(shown.text); }, false);
const withGrounds = (found) => {
  const grounds = [...found.grounds.slice(0, GROUNDS_LIMIT), ...besideFields(found)], pictures = new Set(found.pictures);
  const isGround = (one) => !pictures.has(one) && !/^(i?frame|script|style|html|body|form)$/.test(one.localName) && backdropOf(one) &&
    !isCodeOnGround(one);
  return [...new Set([...pictures, ...grounds.filter(isGround)])].slice(0, PICTURES_LIMIT);
};
// Throws where the caller's selector is no CSS.
const collect = (found) => selector === null ? withGrounds(found) : found.roots.flatMap((root) => [...root.querySelectorAll(selector)]);

// Synchronous, for a selector engine can't wait; the page waits meanwhile. A data: URL, since answers are JSON.
const readBlob = (url) => {
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  // As one character for each byte: a synchronous request gives no bytes.
  request.overrideMimeType("text/plain; charset=x-user-defined");
  request.send();
  const text = request.responseText;
  if (text.length > SOURCE_LENGTH) return null;
  let bytes = "";
  for (let at = 0; at < text.length; at++) bytes += String.fromCharCode(text.charCodeAt(at) & 0xff);
  return `data:${request.getResponseHeader("content-type") || ""};base64,${btoa(bytes)}`;
};
const drawAgain = (element) => {
  const canvas = Document.prototype.createElement.call(document, "canvas");
  canvas.width = element.naturalWidth;
  canvas.height = element.naturalHeight;
  canvas.getContext("2d").drawImage(element, 0, 0);
  return canvas.toDataURL("image/png");
};
const limited = (url) => url && url.length <= SOURCE_LENGTH ? { data: url } : { is_too_large: true };
const read = (element) => {
  const kind = kindOf(element), from = sourceOf(element, kind);
  if (from.startsWith("data:")) return limited(from);
  if (kind === "canvas") return element.width * element.height <= PIXELS_LIMIT ? limited(element.toDataURL("image/png")) : null;
  if (!from.startsWith("blob:")) return null;
  try {
    return limited(readBlob(from));
  } catch {
    // A revoked blob, or one that the page's policy hides from requests, is still on the screen.
    return element.naturalWidth * element.naturalHeight <= PIXELS_LIMIT ? limited(drawAgain(element)) : null;
  }
};
