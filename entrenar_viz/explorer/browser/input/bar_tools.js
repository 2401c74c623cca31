// @ts-check
// The buttons above the bars: undo and redo, which bars are shown, and what is drawn behind them.
import { thousands } from "../math/format.js";
import { button, element, select } from "./dom.js";

const GROUPINGS = [
  ["layer", "each layer"],
  ["block", "by block"],
  ["role", "by role"],
];
const CURVES = [
  [
    "kept",
    "kept energy",
    "Behind each bar: the energy that is kept at each sparsity, from none at its left to all at its right",
  ],
  [
    "error",
    "output error",
    "Behind each bar: the error of the output at each sparsity, from none at its left to 100% at its right",
  ],
];

export class BarTools {
  /** @param {any} view */
  constructor(view) {
    this.view = view;
    this.undo = button("Undo", "Undo the last change of the plan (Ctrl+Z)", () => view.state.ask("undo"));
    this.redo = button("Redo", "Do again what was undone (Ctrl+Shift+Z)", () => view.state.ask("redo"));
    this.search = element("input", {
      type: "search",
      placeholder: "search layers",
      "aria-label": "Search layers",
      autocomplete: "off",
      spellcheck: false,
    });
    this.search.addEventListener("input", () => view.choose({ search: this.search.value }));
    this.search.addEventListener("keydown", (event) => event.key === "Escape" && this.clear());
    this.grouping = select("Bars", GROUPINGS, (grouping) => view.choose({ grouping, only: null }));
    this.only = button("", "Show all groups again", () => view.back());
    this.only.classList.add("entrenar-viz-only");
    this.count = element("span", { class: "entrenar-viz-quiet", role: "status" });
    this.curves = CURVES.map(([what, text, tip]) => {
      const made = button(text, tip, () => view.choose({ what }));
      made.dataset.what = what;
      return made;
    });
    const group = { class: "entrenar-viz-toggles", role: "group", "aria-label": "Curve behind each bar" };
    this.switch = element("span", group, ...this.curves);
    this.root = element(
      "div",
      { class: "entrenar-viz-bar-tools" },
      ...[
        element("span", { class: "entrenar-viz-steps" }, this.undo, this.redo),
        this.search,
        this.grouping,
        this.only,
      ],
      ...[this.count, element("span", { class: "entrenar-viz-apart" }), this.switch],
    );
  }

  clear() {
    this.search.value = "";
    this.view.choose({ search: "" });
  }

  show({ state, shown, choice }) {
    for (const name of ["undo", "redo"])
      if (this[name].disabled === state.can[name]) this[name].disabled = !state.can[name];
    const all = state.layers.length;
    const count = shown === all ? `${thousands(all)} layers` : `${thousands(shown)} of ${thousands(all)} layers`;
    if (this.count.textContent !== count) this.count.textContent = count;
    if (this.grouping.value !== choice.grouping) this.grouping.value = choice.grouping;
    this.only.hidden = !choice.only;
    const only = choice.only ? `only ${choice.only.label} ✕` : "";
    if (this.only.textContent !== only) this.only.textContent = only;
    const curves = this.view.curves;
    this.switch.hidden = !curves.some((curve) => curve?.error);
    for (const one of this.curves) one.setAttribute("aria-pressed", String(one.dataset.what === choice.what));
  }
}
