// Searches one frame for whatever might be the captcha picture and returns facts about it; candidates.py judges them.
// catalogue.py joins this file and finder_*.js into one function. It puts the limits of bounds.py in front, and MAYBE,
// MENTION and STAND_IN of patterns.py.
//
// mode "facts":     the frame's pictures, text fields, frames, behavioural captchas and signs of change
//                   and how near each picture is to the field `input`, which gets the focus where `focuses`
// mode "element":   the picture `index` whose source is `source`, for a photograph or a click
// mode "ground":    that picture laid on the colour behind it, where it is pale and transparent; see finder_ground.js
// mode "ink":       where that paints, from the left and the top of its own box, as { left, top, width, height }
// mode "read":      that picture's own bytes as { data }, a data: URL, or { is_too_large }; null where the frame has none
// mode "controls":  what may be clicked to make a captcha appear; scrolls first to what may load once it is seen
// mode "click":     clicks the control `index` whose words are `source`, and returns it, null where it is gone

const WINDOWS_LIMIT = 1000, FRAME_PIXELS = 12, SCRIPTS_LENGTH = 300000, NEAR_PIXELS = 150, EDGE_PIXELS = 4, OTHERS_LIMIT = 12;

const gap = (one, other) => {
  const across = Math.max(0, other.left - one.right, one.left - other.right), down = Math.max(0, other.top - one.bottom, one.top - other.bottom);
  return Math.round(Math.sqrt(across * across + down * down));
};
// The nearest fields: their numbers, their distances, and whether no other field comes between.
const nearTo = (found, element, box) => {
  const isEarlier = (field) => Boolean(element.compareDocumentPosition(field.element) & Node.DOCUMENT_POSITION_PRECEDING);
  const earlier = found.shown.filter(isEarlier), next = found.shown[earlier.length];
  const isNext = (field) => field === next || field === earlier[earlier.length - 1];
  const isOther = (field) => field.element !== element || !isShowingField(element);
  return found.typed.map((field, at) => [at, gap(box, field.box), isNext(field), isOther(field)]).filter((one) => one[3]).map((one) => one.slice(0, 3)).sort((a, b) => a[1] - b[1]).slice(0, NEAR_LIMIT);
};
const isInView = (box) => box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth;

const placeOf = (found, element, box) => {
  const form = closest(element, "form");
  const boxes = found.shown.filter((field) => !form || holds(form, field.element)).map((field) => field.box);
  const before = boxes.filter((one) => one.bottom <= box.top + EDGE_PIXELS || (one.right <= box.left + EDGE_PIXELS && one.top < box.bottom)).length;
  const block = found.marks.length || found.frames.length ? blockOf(found, element) : null;
  if (block && !found.blocks.includes(block)) found.blocks.push(block);
  return {
    around: safely(() => aroundOf(element), ""), near: nearTo(found, element, box), fields_before: before, fields_after: boxes.length - before,
    block: found.blocks.indexOf(block), behavioural: behaviouralIn(found, block),
  };
};
const linkOf = (element, from) => {
  const link = element.closest("a[href]");
  if (!link || /^(#|javascript:|$)/i.test(link.getAttribute("href").trim())) return "";
  const url = safely(() => new URL(link.href), null);
  if (!url || url.href.split(/[?#]/)[0] === from.split(/[?#]/)[0]) return "";
  return url.host === location.host || !/^http/.test(url.protocol) ? "site" : "foreign";
};
// The element's own words and size: cheap enough for every picture of the frame, they decide which get a closer look.
const glancePicture = (found, element, at) => {
  const kind = kindOf(element), from = safely(() => sourceOf(element, kind), ""), own = safely(() => wordsOf(element), "");
  const box = boxOf(element);
  const isNear = found.typed.some((field) => gap(box, field.box) <= NEAR_PIXELS);
  const isLine = box.width > 1.3 * box.height && box.width < 600 && box.height < 200;
  const rank = selector !== null || MAYBE.test(own) ? 2 : isNear ? 1 : isLine ? 0.5 : 0;
  const isLegible = Math.max(box.width, box.height) >= 24 && Math.min(box.width, box.height) >= 12;
  // A picture that is not there has no size yet; where it should be the captcha, its absence is news.
  const isMissing = () => kind === "img" && MAYBE.test(own) && !isLoaded(element, kind, from);
  return { element, at, kind, from, own, box, rank, isLegible: isLegible || selector !== null || isMissing() };
};
// What a selector names may hold what is meant: pieces of one picture, a text, or a single picture.
const glanceNamed = (found, element, at) => {
  if (kindOf(element) !== "other" && !isCodeOnGround(element)) return glancePicture(found, element, at);
  const tiles = tilesIn(element);
  if (tiles) return { ...tiles, at };
  const own = elementText(element), isOwn = own !== null && (isCode(own.text) || SUM.test(own.text)), inner = element.querySelector(INNER);
  if (inner && !isOwn) return glancePicture(found, inner, at);
  const text = isOwn ? own : pageTexts(found).find((one) => holds(element, one.element)) || own;
  return text ? glanceText(text, at) : glancePicture(found, element, at);
};
const glanceAll = (found, elements) => {
  const glance = selector === null ? glancePicture : glanceNamed;
  const glances = elements.map((element, at) => safely(() => glance(found, element, at), null)).filter((one) => one && one.isLegible);
  return glances.sort((one, other) => other.rank - one.rank || one.at - other.at);
};
// What is no element of its own comes after those that are.
const gatherOthers = (found, elements) => selector !== null ? [] : [...safely(() => tileGroups(elements), []), ...safely(() => pageTexts(found).map(glanceText), [])]
  .slice(0, OTHERS_LIMIT).map((one, at) => ({ ...one, at: elements.length + at }));
const isAt = (aim, found, element, box) => Boolean(aim) && nearTo(found, element, box)
  .some(([at, distance, isNext]) => found.typed[at].element === aim && isNext && distance <= NEAR_PIXELS);
const isThere = (one) => one.kind === "tiles" ? one.isComplete : isTextKind(one.kind) || isLoaded(one.element, one.kind, one.from);
const isOnItsWay = (element) => element.localName === "img" && !element.complete;
const factsOf = (found, aim, one) => {
  const { element, at, kind, from, own, box } = one;
  const aside = element.closest("header, nav, footer, aside"), form = element.closest("form");
  const isFormInside = Boolean(aside && form && aside.contains(form)) && found.shown.some((field) => holds(form, field.element));
  const [width, height] = kind === "tiles" || isTextKind(kind) ? [Math.round(box.width), Math.round(box.height)] : sizeOf(element, kind, box);
  return {
    index: at, kind, source: shorten(from), own, width, height, kinship: kinshipOf(aim, element), ...placeOf(found, element, box),
    is_visible: isVisible(element), is_loaded: isThere(one), is_at_aim: isAt(aim, found, element, box),
    is_pending: from.startsWith("http") && isOnItsWay(element),
    is_clickable: Boolean(element.onclick) || element.hasAttribute("onclick") || getComputedStyle(element).cursor === "pointer",
    is_outside_form: Boolean(aside) && !isFormInside, link: safely(() => linkOf(element, from), ""), part_of: partOf(found, element),
  };
};
// A lazy picture further down is asked to load now, or scrolled to where a script waits for that.
const awaken = (glances) => {
  const lazy = glances.filter((one) => one.rank >= 1 && one.kind !== "tiles" && !isTextKind(one.kind) && one.element.getClientRects().length && !isLoaded(one.element, one.kind, one.from));
  for (const { element } of lazy) if (element.loading === "lazy" && !element.complete) element.loading = "eager";
  const unseen = lazy.find(({ element, from, box }) => isStandIn(element, from) && !isInView(box));
  if (unseen) unseen.element.scrollIntoView({ block: "center", behavior: "instant" });
};
// A frame's number among the windows of the one around it; those in shadow roots have none.
const windowIndex = (holder, wanted) => {
  for (let at = 0; at < Math.min(holder.length, WINDOWS_LIMIT); at++) if (holder[at] === wanted) return at;
  return -1;
};
// A frame of another origin hides its document, and so never counts as blank.
const isBlank = ({ contentDocument: inside }) => Boolean(inside) && inside.URL === "about:blank" && !(inside.body && inside.body.firstElementChild);
// Frames with room for a captcha and something in them; the likeliest where a page has too many. Where windows can't be
// distinguished, as those in shadow roots, the others are listed too, as hidden ones.
const hasRoom = (element, box) => Math.min(box.width, box.height) >= FRAME_PIXELS && isVisible(element) && !safely(() => isBlank(element), false);
const glanceFrame = (found, numbers, element) => {
  const box = boxOf(element), own = safely(() => wordsOf(element), ""), index = numbers.get(element.contentWindow);
  const rank = (MAYBE.test(own) ? 2 : 0) + (found.typed.some((field) => gap(box, field.box) <= NEAR_PIXELS) ? 1 : 0);
  return { element, box, own, index: index === undefined ? -1 : index, rank, is_visible: hasRoom(element, box) };
};
const frameFacts = (found) => {
  const numbers = new Map();
  for (let at = 0; at < Math.min(window.length, WINDOWS_LIMIT); at++) numbers.set(window[at], at);
  const glances = found.frames.slice(0, WINDOWS_LIMIT).map((element) => glanceFrame(found, numbers, element));
  const areKnown = window.length <= found.frames.length && glances.every(({ index }) => index >= 0);
  const listed = areKnown ? glances.filter((one) => one.is_visible) : glances;
  if (listed.length > FRAMES_LIMIT) listed.sort((one, other) => other.is_visible - one.is_visible || other.rank - one.rank);
  const frames = listed.slice(0, FRAMES_LIMIT).map(({ element, box, own, index, is_visible }) => ({
    index, url: String(element.src).startsWith("data:") ? "" : String(element.src).slice(0, URL_LENGTH), own, is_visible, ...placeOf(found, element, box),
  }));
  return { frames, knows_frames: areKnown, has_hidden_frames: glances.some((one) => !one.is_visible) };
};
const mentions = (found) => {
  // Pages inline scripts of megabytes; the beginning is enough to find a mention.
  let left = SCRIPTS_LENGTH;
  return found.marks.length > 0 || found.scripts.some((script) => {
    const text = script.src || (script.text || "").slice(0, left);
    left -= text.length;
    return MENTION.test(text);
  });
};
const scan = (found, elements, problem) => {
  const aim = findAim(found);
  // First, so that the facts below are those of a page that knows of the focus.
  if (aim && focuses) safely(() => focusOn(aim), null);
  const glances = glanceAll(found, elements), others = gatherOthers(found, elements);
  // Before frames and candidates, which look for these marks in their own form.
  markTexts(found);
  const frames = frameFacts(found);
  const rowWith = ({ element }) => others.find(({ members = [] }) => members.includes(element));
  // A piece is not taken for the whole while another is on its way.
  const single = glances.filter((one) => { const row = rowWith(one); return !row || !row.members.some(isOnItsWay); });
  const candidates = [...single.slice(0, CANDIDATES_LIMIT - others.length), ...others]
    .map((one) => safely(() => ({ ...factsOf(found, aim, one), row: (rowWith(one) || { at: -1 }).at }), null)).filter(Boolean);
  const unfinished = found.pictures.filter((one) => one.localName === "img" && !one.complete && one.loading !== "lazy").length;
  const facts = {
    state: document.readyState, problem, has_aim: Boolean(aim), unsupported: found.marks.length ? found.marks[0].vendor : null,
    mentions: mentions(found), is_scripted: found.scripts.length > 0 || frames.has_hidden_frames, change: `${found.count} ${arrivals("")} ${unfinished}`,
    frame_index: window.parent === window ? -1 : safely(() => windowIndex(window.parent, window), -1),
    fields: found.typed.map(describeField), frames: frames.frames, knows_frames: frames.knows_frames, candidates,
  };
  // Last: loading or scrolling changes what the facts above describe.
  safely(() => awaken(glances), null);
  return facts;
};
// Whole components may wait until they come into view.
const unroll = (elements) => {
  const named = elements.find((element) => MAYBE.test(wordsOf(element)) && !isInView(boxOf(element)));
  if (named) named.scrollIntoView({ block: "center", behavior: "instant" });
  else scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
};

// The candidate that an earlier scan has seen: by its number, or where the page has moved it, by its source.
const pick = (found, elements) => {
  const glance = selector === null ? glancePicture : glanceNamed;
  const isSame = (one) => one !== null && shorten(one.from) === source;
  const named = index < elements.length ? safely(() => glance(found, elements[index], index), null) : null;
  if (isSame(named)) return named;
  const isOwn = /^(http|blob)/.test(source);
  if (!isOwn && !/^(text|tiles):/.test(source)) return null;
  const all = isOwn || selector !== null ? elements.map((element, at) => safely(() => glance(found, element, at), null)) : gatherOthers(found, elements);
  return all.find(isSame) || null;
};
const placeInk = ({ element, kind, box }) => {
  const own = boxOf(element), ink = kind === "tiles" || isTextKind(kind) ? box : inkOf(element);
  return { left: ink.left - own.left, top: ink.top - own.top, width: ink.width, height: ink.height };
};

const found = walk();
if (mode === "controls") {
  unroll(found.fields.concat(found.grounds));
  kept.isListed = true;
  return findControls(found).map(({ words }, at) => ({ index: at, words }));
}
if (mode === "click") {
  // Never in another document than the one whose controls were listed.
  if (!kept.isListed) return null;
  const controls = findControls(found);
  const control = controls[index] && controls[index].words === source ? controls[index] : controls.find(({ words }) => words === source);
  if (control) press(control.element);
  return control ? control.element : null;
}
const elements = safely(() => collect(found), null);
if (mode === "facts") return scan(found, elements || [], elements ? null : "the selector is not valid CSS");
const picked = elements && pick(found, elements);
if (mode === "ink") return picked && safely(() => placeInk(picked), null);
if (mode === "ground") return picked && safely(() => layOnGround(picked.element), null);
return picked && (mode === "read" ? safely(() => read(picked.element), null) : picked.element);
