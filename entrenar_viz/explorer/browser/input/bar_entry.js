// @ts-check
// The planned sparsity of a bar as it is typed: exact, and read as strictly as all numbers here.
import { parsed, shown } from "../math/numbers.js";
import { element } from "./dom.js";

export class BarEntry {
  /** @param {(share: number) => void} set */
  constructor(set) {
    this.set = set;
    this.share = 0;
    this.problem = element("div", { class: "entrenar-viz-problem", role: "alert" });
    this.input = element("input", {
      type: "text",
      autocomplete: "off",
      spellcheck: false,
      inputMode: "decimal",
      "aria-label": "Planned sparsity",
    });
    this.root = element("span", { class: "entrenar-viz-field" }, this.input, this.problem);
    this.input.addEventListener("input", () => (this.input.dataset.edited = "yes"));
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("blur", () => this.commit());
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.commit();
      else if (event.key === "Escape") this.settle();
    });
  }

  // A text that is being typed stays; another bar takes its place.
  show(share, another, disabled) {
    this.share = share;
    if (this.input.disabled !== disabled) this.input.disabled = disabled;
    if (another || !(this.input.dataset.edited || this.problem.textContent)) this.settle();
  }

  settle() {
    delete this.input.dataset.edited;
    const text = shown("fraction", this.share);
    if (this.input.value !== text) this.input.value = text;
    this.complain("");
  }

  complain(message) {
    if (this.problem.textContent !== message) this.problem.textContent = message;
    this.input.setAttribute("aria-invalid", String(Boolean(message)));
  }

  commit() {
    if (!this.input.dataset.edited) return;
    try {
      const share = parsed("fraction", this.input.value);
      this.settle();
      this.set(share);
    } catch (error) {
      delete this.input.dataset.edited;
      this.complain(error.message);
    }
  }
}
