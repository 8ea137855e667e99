// Returns the elements that may have a closed shadow root, none of which is known yet: those with room, and without a text
// or an element of their own to fill it, and all of custom names. A page does not say it of any.
const HOSTS_LIMIT = 40, ELEMENTS_LIMIT = 20000, LEAST_PIXELS = 12;
const HOST = /-|^(article|aside|blockquote|body|div|footer|h[1-6]|header|main|nav|p|section|span)$/;
const hosts = [], roots = [document];
for (let at = 0; at < roots.length; at++) {
  const all = roots[at].querySelectorAll("*");
  for (let i = 0; i < all.length && i < ELEMENTS_LIMIT && hosts.length < HOSTS_LIMIT; i++) {
    const element = all[i], root = shadowOf(element);
    if (root) { roots.push(root); continue; }
    if (!HOST.test(element.localName) || (!element.localName.includes("-") && element.childNodes.length)) continue;
    const box = element.getBoundingClientRect();
    if (Math.min(box.width, box.height) >= LEAST_PIXELS) hosts.push(element);
  }
}
return hosts;
