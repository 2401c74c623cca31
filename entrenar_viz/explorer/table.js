// The table of a survey: sorts, marks and offers what the kernel sent once. Text from outside is only ever textContent.
import { cellText, COLUMNS, FIRST, leastSparse, pressed, recordsOf, sorted } from "./cells.js";
import { thousands } from "./format.js";

const DRAWN = 200; // rows at first, and in one go of all the others

class TableView {
  constructor(model, element) {
    this.model = model;
    this.order = FIRST;
    this.limit = DRAWN;
    element.classList.add("entrenar-viz-table");
    element.dataset.lmSuppressShortcuts = "true"; // Enter and arrows are ours, not the notebook's
    this.scroller = add(element, "div", "entrenar-viz-table-box");
    this.scroller.tabIndex = 0;
    this.scroller.setAttribute("role", "region");
    this.scroller.setAttribute("aria-label", "Layers of the model");
    const table = add(this.scroller, "table");
    this.caption = add(table, "caption");
    this.headers = headersIn(add(add(table, "thead"), "tr"), (column) => this.sortBy(column));
    this.body = add(table, "tbody");
    this.body.addEventListener("click", (event) => this.pick(event.target.closest("tr")));
    this.body.addEventListener("keydown", (event) => this.move(event));
    const buttons = add(element, "div", "entrenar-viz-buttons");
    this.all = add(buttons, "button", "jupyter-button widget-button");
    this.all.addEventListener("click", () => this.showAll());
    this.download = add(buttons, "a", "jupyter-button widget-button");
    this.download.textContent = "Download CSV";
    this.download.download = "layers.csv";
    this.hint = add(buttons, "span", "entrenar-viz-hint");
    this.hint.textContent = "The bar is the energy lost. Press a layer to see its masks, a heading to sort.";
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
      if (this.rows && rows.length < this.rows.length) this.limit = DRAWN; // another survey
      this.rows = rows;
      this.records = recordsOf(this.model.get("fields"), rows);
    }
    this.caption.textContent = this.model.get("caption");
    const csv = this.model.get("csv");
    this.download.hidden = !csv;
    this.download.href = `data:text/csv;charset=utf-8,${encodeURIComponent(csv)}`;
    this.fill();
  }

  fill() {
    const focused = this.body.contains(document.activeElement) && document.activeElement.closest("tr").dataset.index;
    this.headers.forEach((header, column) => {
      const how = this.order.up ? "ascending" : "descending";
      if (column === this.order.column) header.setAttribute("aria-sort", how);
      else header.removeAttribute("aria-sort");
    });
    this.sorted = sorted(this.records, this.order);
    this.body.replaceChildren();
    cancelAnimationFrame(this.growing);
    this.grow();
    if (focused) this.body.querySelector(`tr[data-index="${focused}"] button`)?.focus({ preventScroll: true });
  }

  // Some more rows, and the others in the next frames.
  grow() {
    const from = this.body.children.length;
    const to = Math.min(from + DRAWN, this.limit, this.sorted.length);
    this.body.append(...this.sorted.slice(from, to).map(rowOf));
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
    this.order = pressed(this.order, column);
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
    for (const row of this.body.children) {
      const here = row.dataset.index === picked;
      row.classList.toggle("entrenar-viz-picked", here);
      row.querySelector("button").tabIndex = -1;
      if (here) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
    const first = this.body.querySelector(".entrenar-viz-picked button") ?? this.body.querySelector("button");
    if (first) first.tabIndex = 0;
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

function headersIn(line, press) {
  return COLUMNS.map(({ name, words }, column) => {
    const header = add(line, "th", words ? "entrenar-viz-words" : "");
    header.scope = "col";
    const button = add(header, "button");
    button.textContent = name;
    button.addEventListener("click", () => press(column));
    return header;
  });
}

function rowOf(record) {
  const row = document.createElement("tr");
  row.dataset.index = record.index;
  for (const column of COLUMNS) {
    const text = cellText(column, record);
    const cell = add(row, column === COLUMNS[0] ? "th" : "td", column.words ? "entrenar-viz-words" : "");
    if (column === COLUMNS[0]) {
      cell.scope = "row";
      const button = add(cell, "button");
      button.textContent = text;
      button.title = record.layer;
    } else cell.textContent = text;
    if (column.bar && text) addBar(cell, column.bar(record));
    if (column.name === "sparse" && leastSparse(record)?.bytes >= record.bytes_dense) {
      cell.classList.add("entrenar-viz-more");
      cell.title = "not smaller than dense";
    }
  }
  return row;
}

function addBar(cell, lost) {
  const bar = add(add(cell, "span", "entrenar-viz-bar"), "span");
  bar.style.width = `${100 * Math.min(Math.max(lost, 0), 1)}%`;
}

function add(parent, tag, name = "") {
  const element = parent.appendChild(document.createElement(tag));
  element.className = name;
  return element;
}

function render({ model, el }) {
  const view = new TableView(model, el);
  const redraw = () => view.request();
  const mark = () => view.mark();
  model.on("change:rows change:csv change:caption", redraw);
  model.on("change:picked", mark);
  view.draw();
  return () => {
    model.off("change:rows change:csv change:caption", redraw);
    model.off("change:picked", mark);
    cancelAnimationFrame(view.frame);
    cancelAnimationFrame(view.growing);
  };
}

export default { render };
