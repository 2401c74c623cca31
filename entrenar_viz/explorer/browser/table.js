// @ts-check
// The table of a survey: sorts, marks and offers what the kernel sent once. Text from outside is only ever textContent.
import { cellText, COLUMNS, FIRST, leastSparse, pressed, recordsOf, sorted } from "./math/cells.js";
import { button, element, hearFrom } from "./input/dom.js";
import { thousands } from "./math/format.js";

const DRAWN = 200; // rows at first, and in one go of all the others

class TableView {
  constructor(model, root, signal) {
    this.model = model;
    this.order = FIRST;
    this.limit = DRAWN;
    /** @type {any[]} */
    this.rows = [];
    /** @type {any[]} */
    this.records = [];
    /** @type {any[]} */
    this.sorted = [];
    this.columns = COLUMNS;
    this.growing = 0;
    this.caption = element("caption");
    this.head = element("tr");
    this.body = element("tbody");
    this.body.addEventListener("click", (event) => this.pick(/** @type {Element} */ (event.target).closest("tr")));
    this.body.addEventListener("keydown", (event) => this.move(event));
    const table = element("table", {}, this.caption, element("thead", {}, this.head), this.body);
    const box = { class: "entrenar-viz-table-box", tabIndex: 0, role: "region", "aria-label": "Layers of the model" };
    this.scroller = element("div", box, table);
    this.all = button("", "", () => this.showAll());
    this.download = element("a", { class: "jupyter-button widget-button", download: "layers.csv" }, "Download CSV");
    const hint = "The bar is the energy lost. Press a layer to see its masks, a heading to sort.";
    const buttons = [this.all, this.download, element("span", { class: "entrenar-viz-hint" }, hint)];
    root.classList.add("entrenar-viz-table");
    root.append(this.scroller, element("div", { class: "entrenar-viz-buttons" }, ...buttons));
    signal.addEventListener("abort", () =>
      [this.frame, this.growing].forEach((frame) => frame && cancelAnimationFrame(frame)),
    );
  }

  // One drawing a frame, however many rows have come in.
  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    const rows = this.model.get("rows");
    if (rows !== this.rows) {
      if (rows.length < this.rows.length) this.limit = DRAWN; // another survey
      this.rows = rows;
      this.records = recordsOf(this.model.get("fields"), rows);
      this.columns = COLUMNS.filter((column) => this.records.some((record) => cellText(column, record)));
      this.head.replaceChildren(...this.columns.map((column) => headerOf(column, () => this.sortBy(column))));
    }
    this.caption.textContent = this.model.get("caption");
    const csv = this.model.get("csv");
    this.download.hidden = !csv;
    this.download.href = `data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`;
    this.fill();
  }

  fill() {
    const active = document.activeElement;
    const focused = this.body.contains(active) && active?.closest("tr")?.dataset.index;
    [...this.head.children].forEach((header, i) => {
      const how = this.order.up ? "ascending" : "descending";
      if (this.columns[i] === COLUMNS[this.order.column]) header.setAttribute("aria-sort", how);
      else header.removeAttribute("aria-sort");
    });
    this.sorted = sorted(this.records, this.order);
    this.body.replaceChildren();
    cancelAnimationFrame(this.growing);
    this.grow();
    const again =
      focused && /** @type {HTMLElement | null} */ (this.body.querySelector(`tr[data-index="${focused}"] button`));
    if (again) again.focus({ preventScroll: true });
  }

  // Some more rows, and the others in the next frames.
  grow() {
    const from = this.body.children.length;
    const to = Math.min(from + DRAWN, this.limit, this.sorted.length);
    this.body.append(...this.sorted.slice(from, to).map((record) => rowOf(record, this.columns)));
    this.mark();
    this.all.hidden = this.limit >= this.sorted.length;
    this.all.textContent = `Show all ${thousands(this.sorted.length)} layers`;
    if (to < Math.min(this.limit, this.sorted.length)) this.growing = requestAnimationFrame(() => this.grow());
  }

  showAll() {
    this.limit = Infinity;
    this.grow();
  }

  sortBy(column) {
    this.order = pressed(this.order, COLUMNS.indexOf(column));
    this.fill();
    this.scroller.scrollTop = 0;
  }

  pick(row) {
    if (!row) return;
    this.model.set("picked", Number(row.dataset.index));
    this.model.save_changes();
  }

  // Mark the picked row. One row is reached by Tab, the others from there by arrow keys.
  mark() {
    const picked = String(this.model.get("picked"));
    for (const row of this.body.rows) {
      const here = row.dataset.index === picked;
      row.classList.toggle("entrenar-viz-picked", here);
      for (const one of row.getElementsByTagName("button")) one.tabIndex = -1;
      if (here) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const first = this.body.querySelector(".entrenar-viz-picked button") ?? this.body.querySelector("button");
    first?.setAttribute("tabindex", "0");
  }

  move(event) {
    const row = event.target.closest("tr");
    const { firstElementChild, lastElementChild } = this.body;
    const { previousElementSibling: before, nextElementSibling: after } = row;
    const to = { ArrowUp: before, ArrowDown: after, Home: firstElementChild, End: lastElementChild }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    to?.querySelector("button").focus();
  }
}

/** @param {any} column */
function headerOf({ name, words }, press) {
  const sort = element("button", {}, name);
  sort.addEventListener("click", press);
  return element("th", { scope: "col", class: words ? "entrenar-viz-words" : "" }, sort);
}

function rowOf(record, columns) {
  const row = element("tr");
  row.dataset.index = record.index;
  for (const column of columns) {
    const text = cellText(column, record);
    const words = { class: column.words ? "entrenar-viz-words" : "" };
    if (column === COLUMNS[0]) {
      row.append(element("th", { ...words, scope: "row" }, element("button", { title: record.layer }, text)));
      continue;
    }
    const cell = row.appendChild(element("td", words, text));
    if (column.bar && text) addBar(cell, column.bar(record));
    const least = column.name === "sparse" && leastSparse(record);
    if (least && least.bytes >= record.bytes_dense) {
      cell.classList.add("entrenar-viz-more");
      cell.title = "not smaller than dense";
    }
  }
  return row;
}

function addBar(cell, lost) {
  const bar = element("span");
  bar.style.width = `${100 * Math.min(Math.max(lost, 0), 1)}%`;
  cell.append(element("span", { class: "entrenar-viz-bar" }, bar));
}

export default {
  render({ model, el, signal }) {
    const view = new TableView(model, el, signal);
    const acts = { "change:rows change:csv change:caption": () => view.request(), "change:picked": () => view.mark() };
    hearFrom(model, acts, signal);
    view.draw();
  },
};
