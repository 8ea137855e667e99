// Captchas in pieces: pictures side by side that are one line of letters, each from a file of its own or cut from a sprite.

const TILES_LEAST = 3, TILES_MOST = 10, TILE_WIDTH = 64, TILE_HEIGHT = 80, TILE_SHORTEST = 10, TILE_GAP = 12, TILE_EDGE = 3;
const HALF_WIDTH = 160, HALF_GAP = 2;
const TILES_MARK = "tiles:";

const isTile = ({ box: { width, height } }) => width >= TILE_SHORTEST / 2 && width <= HALF_WIDTH && height >= TILE_SHORTEST && height <= TILE_HEIGHT;
const follows = (one, next) => Math.abs(one.top - next.top) <= TILE_EDGE && Math.abs(one.height - next.height) <= TILE_EDGE &&
  next.left - one.right >= -TILE_EDGE && next.left - one.right <= TILE_GAP;
// Links lead elsewhere, as those of other sites' logins do.
const isLinked = (element) => {
  const link = closest(element, "a[href]");
  return Boolean(link) && !/^(#|javascript:|$)/i.test(link.getAttribute("href").trim());
};
const tileSource = ({ element, kind }) => `${shorten(sourceOf(element, kind)).slice(-VALUE_LENGTH)} ${kind === "background" ? getComputedStyle(element).backgroundPosition : ""}`;
const makeTiles = (element, tiles) => ({
  element, kind: "tiles", from: `${TILES_MARK}${tiles.map(tileSource).join(" ")}`.slice(0, URL_LENGTH), box: joinBoxes(tiles.map(({ box }) => box)),
  own: safely(() => wordsOf(element), ""), rank: 2, isLegible: true, members: tiles.map((one) => one.element), isComplete: tiles.every((one) => isLoaded(one.element, one.kind, sourceOf(one.element, one.kind))),
});
// Few that touch are parts of one picture; small ones with gaps are letters.
const isRow = (row) => {
  const [first, second] = row;
  if (row.length === 2) return row.every(({ kind }) => kind !== "canvas" && kind !== "svg") && second.box.left - first.box.right <= HALF_GAP && Math.abs(first.box.width - second.box.width) <= HALF_GAP;
  return row.length >= TILES_LEAST && row.length <= TILES_MOST && row.every(({ box }) => box.width <= TILE_WIDTH || row.length <= TILES_LEAST);
};
// The longest row among some pictures; null where they are too few, or too many to be a captcha's.
const rowOf = (pictures) => {
  const tiles = pictures.filter((one) => isTile(one) && !isLinked(one.element) && isVisible(one.element)).sort((one, other) => one.box.left - other.box.left);
  let best = [], row = [];
  for (const tile of tiles) {
    row = row.length && follows(row[row.length - 1].box, tile.box) ? [...row, tile] : [tile];
    if (row.length > best.length) best = row;
  }
  return isRow(best) ? best : null;
};
// The element that holds a row: the pictures' parent, or one further up where each has a wrapper of its own.
const holderOf = (element) => {
  const parent = parentOf(element);
  return parent && parent.childElementCount === 1 && parentOf(parent) ? parentOf(parent) : parent;
};
const measure = (element) => ({ element, kind: kindOf(element), box: boxOf(element) });
// One that alone says that it is the captcha is whole by itself: what stands beside it is something else.
const areAlike = (row) => new Set(row.map(({ element }) => MAYBE.test(safely(() => wordsOf(element), "")))).size === 1;
const tileGroups = (elements) => {
  const holders = new Map();
  for (const one of elements.map(measure).filter(isTile)) {
    const holder = holderOf(one.element);
    if (holder) holders.set(holder, [...(holders.get(holder) || []), one]);
  }
  return [...holders].map(([holder, some]) => [holder, rowOf(some)]).filter(([, row]) => row && areAlike(row)).map(([holder, row]) => makeTiles(holder, row));
};
const isBackdrop = (element) => kindOf(element) === "background";
const tilesIn = (element) => {
  const inner = [...element.querySelectorAll("*")].slice(0, ELEMENTS_INSIDE_LIMIT).filter((one) => one.matches(INNER) || isBackdrop(one));
  const row = rowOf(inner.map(measure));
  return row && makeTiles(element, row);
};

// What an element paints: its text and the pictures in it, which may be larger or smaller than its own box.
const ELEMENTS_INSIDE_LIMIT = 200;
const inkOf = (element) => {
  if (/^(img|canvas|svg|input|object|embed)$/.test(element.localName) || isBackdrop(element)) return boxOf(element);
  const inner = [...element.querySelectorAll("*")].slice(0, ELEMENTS_INSIDE_LIMIT).filter((one) => (one.matches(INNER) || isBackdrop(one)) && isVisible(one));
  const boxes = [...piecesOf(textNodesOf(element)).map(({ box }) => box), ...inner.map(boxOf)];
  return boxes.length ? joinBoxes(boxes) : boxOf(element);
};
