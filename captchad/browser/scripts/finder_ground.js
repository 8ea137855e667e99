// Transparent pictures, laid on what the page shows behind them: light letters on nothing are white on white.

const CLEAR_ALPHA = 64, INKED_ALPHA = 128, LIGHT = 160, CLEAR_SHARE = 0.2, LIGHT_SHARE = 0.08;

// The plain colour behind an element; null where that is a picture, or half transparent.
const groundColour = (element) => {
  for (let at = element; at; at = parentOf(at)) {
    const { backgroundImage, backgroundColor } = getComputedStyle(at);
    if (backgroundImage !== "none") return null;
    const [, , , alpha = 1] = (backgroundColor.match(/[\d.]+/g) || []).map(Number);
    if (alpha === 1 && backgroundColor.startsWith("rgb")) return backgroundColor;
    if (alpha !== 0) return null;
  }
  return "white";
};
const isPaleOnNothing = (pixels) => {
  let clear = 0, inked = 0, light = 0;
  for (let at = 0; at < pixels.length; at += 4) {
    const alpha = pixels[at + 3];
    if (alpha < CLEAR_ALPHA) clear++;
    if (alpha < INKED_ALPHA) continue;
    inked++;
    if (0.299 * pixels[at] + 0.587 * pixels[at + 1] + 0.114 * pixels[at + 2] > LIGHT) light++;
  }
  return clear > CLEAR_SHARE * (pixels.length / 4) && light > LIGHT_SHARE * inked;
};
// { data }, a data: URL, or { is_shown } where only a photograph shows it; null where the picture is legible by itself.
const layOnGround = (element) => {
  const isCanvas = element.localName === "canvas", isImage = element.localName === "img";
  const width = isCanvas ? element.width : element.naturalWidth, height = isCanvas ? element.height : element.naturalHeight;
  if (!(isCanvas || isImage) || !width || width * height > PIXELS_LIMIT) return null;
  const canvas = Document.prototype.createElement.call(document, "canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  context.drawImage(element, 0, 0);
  if (!isPaleOnNothing(context.getImageData(0, 0, width, height).data)) return null;
  const colour = groundColour(element);
  if (colour === null) return { is_shown: true };
  context.globalCompositeOperation = "destination-over";
  context.fillStyle = colour;
  context.fillRect(0, 0, width, height);
  return limited(canvas.toDataURL("image/png"));
};
