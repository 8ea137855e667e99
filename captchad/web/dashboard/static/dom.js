// Building and updating elements. Text only ever enters through textContent, so nothing that was
// read from a page, a picture or a request can become markup.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

export function element(tag, { className, text, attributes = {}, children = [] } = {}) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function svg(tag, attributes = {}, text) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

// Text in which `commands` stand between backticks, as the command line's messages have them.
export function setMarkedText(target, text) {
  if (target.textContent === text.replaceAll("`", "")) return;
  target.replaceChildren(...text.split("`").map((part, index) => (index % 2 ? element("code", { text: part }) : part)));
}

export function setAttribute(target, name, value) {
  if (target.getAttribute(name) !== value) target.setAttribute(name, value);
}

// Makes the children of `parent` those of `items`, in their order; a child is kept as long as its key
// is, so that selections, focus and animations survive an update.
export function reconcile(parent, items, keyOf, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let next = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let child = known.get(key);
    if (child) {
      known.delete(key);
    } else {
      child = make(item);
      child.dataset.key = key;
    }
    update(child, item);
    if (child === next) next = next.nextElementSibling;
    else parent.insertBefore(child, next);
  }
  for (const left of known.values()) left.remove();
}

// A table whose columns are {label, className?, draw(cell, item)}.
export class Table {
  #body;
  #columns;
  #keyOf;
  #nothing;
  #scroll;
  #isFirst = true;

  constructor(parent, caption, columns, keyOf, nothing) {
    this.#columns = columns;
    this.#keyOf = keyOf;
    this.#body = element("tbody");
    const heads = columns.map(({ label, className }) =>
      element("th", { text: label, className, attributes: { scope: "col" } }),
    );
    const table = element("table", {
      children: [
        element("caption", { text: caption, className: "hidden-text" }),
        element("thead", { children: [element("tr", { children: heads })] }),
        this.#body,
      ],
    });
    this.#scroll = element("div", { className: "scroll", children: [table] });
    this.#nothing = element("p", { className: "nothing", text: nothing });
    parent.append(this.#scroll, this.#nothing);
    this.update(null);
  }

  // Shows `items`; null where they are not known. `nothing` replaces what is said where there are none.
  update(items, nothing = this.#nothing.textContent) {
    setText(this.#nothing, nothing);
    reconcile(
      this.#body,
      items ?? [],
      this.#keyOf,
      () => this.#makeRow(),
      (row, item) => this.#columns.forEach((column, index) => this.#draw(row.cells[index], column, item)),
    );
    this.#scroll.hidden = !items?.length;
    this.#nothing.hidden = items === null || items.length > 0;
    this.#isFirst = items === null;
  }

  #makeRow() {
    const cells = this.#columns.map(({ label, className }) =>
      element("td", { className, attributes: { "data-label": label } }),
    );
    return element("tr", { className: this.#isFirst ? "" : "fresh", children: cells });
  }

  #draw(cell, column, item) {
    column.draw(cell, item);
    cell.classList.toggle("empty", cell.textContent === "");
  }
}

export function drawBadge(cell, state) {
  const badge = cell.querySelector(".badge") ?? cell.appendChild(element("span", { className: "badge" }));
  setText(badge, state);
  setAttribute(badge, "data-state", state);
}
