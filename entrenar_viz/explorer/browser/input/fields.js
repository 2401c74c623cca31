// @ts-check
// Rows of controls: a number has an entry, which holds it exactly, and mostly a slider, whose thumb stands at the nearest
// of its steps.
import { element } from "./dom.js";
import { nudged, parsed, roomFor, shown, tidyStep } from "../math/numbers.js";

/** @typedef {import("../payload.js").Values} Values */

/**
 * @typedef {object} Field
 * @property {keyof Values} name
 * @property {string} label       for its entry, and with "slider" for that
 * @property {"count" | "fraction" | "number"} kind
 * @property {string} [title]
 * @property {(values: Values) => number} [end]   of its slider; without one it has none
 * @property {number} [step]      of an arrow key, where no slider says it
 * @property {string} [acts]      the schedules that it is for, where not for all
 */

/** The steps that the plot shows, whichever schedules there are. */
export const lastStep = (values) =>
  Math.max(values.total_steps, values.end_step, values.start_step + 1, values.one_shot_step, 1);

/** @type {Record<string, Field>} */
export const FIELDS = {
  total_steps: {
    name: "total_steps",
    label: "Total steps",
    kind: "count",
    end: ({ total_steps }) => roomFor(total_steps),
    title: "How long the training is",
  },
  start_step: {
    name: "start_step",
    label: "Start step",
    kind: "count",
    end: lastStep,
    acts: "gradual cubic",
    title: "Where pruning starts: typically at 10% of the training",
  },
  end_step: {
    name: "end_step",
    label: "End step",
    kind: "count",
    end: lastStep,
    acts: "gradual cubic",
    title: "Where pruning ends: typically at 50 to 80% of the training",
  },
  one_shot_step: {
    name: "one_shot_step",
    label: "OneShot step",
    kind: "count",
    end: lastStep,
    acts: "one_shot",
    title: "Where OneShot prunes",
  },
  initial: {
    name: "initial",
    label: "Initial sparsity",
    kind: "fraction",
    end: () => 1,
    acts: "gradual",
    title: "Where Gradual starts, typically 0%",
  },
  target: {
    name: "target",
    label: "Target sparsity",
    kind: "fraction",
    end: () => 1,
    title: "Where to end, typically 30 to 90%",
  },
  frequency: {
    name: "frequency",
    label: "Steps between updates",
    kind: "count",
    end: ({ frequency }) => Math.max(roomFor(frequency), 2000),
    acts: "gradual",
    title: "Typically 100 to 1,000",
  },
  cursor: {
    name: "cursor",
    label: "Cursor step",
    kind: "count",
    end: ({ total_steps }) => Math.max(total_steps, 1),
    title: "The step that readout and masks show",
  },
  n: { name: "n", label: "weights kept", kind: "count" },
  m: { name: "m", label: "of every", kind: "count" },
  height: { name: "height", label: "rows of a block", kind: "count" },
  width: { name: "width", label: "columns of a block", kind: "count" },
  fine_tune_steps: { name: "fine_tune_steps", label: "fine_tune_steps", kind: "count", step: 100 },
  fine_tune_lr: { name: "fine_tune_lr", label: "fine_tune_lr", kind: "number", step: 1e-6 },
  own_target: { name: "own_target", label: "target_sparsity", kind: "fraction", step: 0.05 },
  dataset_size: { name: "dataset_size", label: "Examples in the dataset", kind: "count", step: 1000 },
  batch_size: { name: "batch_size", label: "Examples in a batch, of all devices together", kind: "count" },
  gradient_accumulation: {
    name: "gradient_accumulation",
    label: "Batches between two changes of the weights",
    kind: "count",
  },
  epochs: { name: "epochs", label: "Epochs", kind: "count" },
};

// What a drag or a key of `field` is rounded to.
/** @type {(field: Field, values: Values) => number} */
export const stepOf = ({ kind, end, step }, values) =>
  step ?? (kind === "fraction" ? 0.005 : end ? tidyStep(end(values)) : 1);

// A number that the field is moved to, kept within its bounds and the window in its order.
/** @param {Field} field */
export function moved({ name, kind, end }, value, values) {
  const most =
    kind === "fraction"
      ? 1
      : name === "total_steps"
        ? Number.MAX_SAFE_INTEGER
        : (end?.(values) ?? Number.MAX_SAFE_INTEGER);
  const number = Math.min(Math.max(value, 0), most);
  if (name === "start_step") return Math.max(Math.min(number, values.end_step - 1), 0);
  if (name === "end_step") return Math.max(number, values.start_step + 1);
  return kind === "fraction" ? Number(number.toFixed(6)) : number;
}

// What is seen of a number: a cursor beyond a shorter training stands at its end.
const seenOf = ({ name }, values) => (name === "cursor" ? Math.min(values.cursor, values.total_steps) : values[name]);

export class NumberField {
  /**
   * @param {Field} field
   * @param {import("./state.js").State} state
   */
  constructor(field, state) {
    this.field = field;
    this.state = state;
    this.words = ""; // of the slider
    this.end = 0; // of the slider
    this.wrong = ""; // what is wrong with the text in the entry
    this.troubled = false; // whether the kernel finds something wrong with the number
    this.shown = "";
    this.problem = element("div", { class: "entrenar-viz-problem", role: "alert" });
    this.entry = element("input", {
      type: "text",
      autocomplete: "off",
      spellcheck: false,
      inputMode: "decimal",
      "aria-label": field.label,
    });
    this.root = element("span", { class: "entrenar-viz-field" }, this.entry, this.problem);
    if (field.end) this.slider = this.makeSlider();
    this.listen();
  }

  makeSlider() {
    const slider = element("input", {
      type: "range",
      min: "0",
      "aria-label": `${this.field.label} slider`,
      title: this.field.title ?? "",
    });
    slider.addEventListener("input", () => {
      const value = Math.min(slider.valueAsNumber, this.end); // its last step may lie beyond
      this.state.set({ [this.field.name]: moved(this.field, value, this.state.values) });
    });
    slider.addEventListener("blur", () => this.place(slider, this.state.values));
    return slider;
  }

  listen() {
    const { entry } = this;
    entry.addEventListener("input", () => (entry.dataset.edited = "yes"));
    entry.addEventListener("focus", () => entry.select());
    entry.addEventListener("blur", () => this.commit());
    entry.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.commit();
      else if (event.key === "Escape") this.settle();
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        event.preventDefault();
        this.nudge(event.key === "ArrowUp" ? 1 : -1);
      }
    });
  }

  // An entry that is being typed in keeps its text; every other shows the number.
  show(values, problems) {
    const { field, entry, slider, state } = this;
    if (this.wrong && document.activeElement !== entry) this.commit(); // the other end of the window may have moved
    const loaded = this.wrong && !(field.name in state.unread);
    if (state.settled) this.troubled = problems.some(({ names }) => names.includes(field.name));
    const now = `${seenOf(field, values)} ${field.end?.(values)} ${this.troubled}`;
    if (now === this.shown && !this.wrong) return; // most fields rest while one moves
    this.shown = now;
    if (loaded || (!this.wrong && !(document.activeElement === entry && entry.dataset.edited))) this.settle(values);
    entry.setAttribute("aria-invalid", String(Boolean(this.wrong || this.troubled)));
    if (slider) this.place(slider, values);
  }

  // A slider keeps its range while it is moved; a number beyond it widens it.
  place(slider, values) {
    const [value, end] = [seenOf(this.field, values), /** @type {any} */ (this.field).end(values)];
    if (document.activeElement !== slider || value > this.end || end < value) {
      const step = stepOf(this.field, values);
      this.end = end;
      const most = String(Math.ceil(end / step - 1e-9) * step);
      if (slider.max !== most || slider.step !== String(step)) Object.assign(slider, { max: most, step: String(step) });
    }
    const place = String(value);
    slider.value = place;
    const words = shown(this.field.kind, value);
    if (this.words !== words) slider.setAttribute("aria-valuetext", (this.words = words));
  }

  settle(values = this.state.values) {
    delete this.entry.dataset.edited;
    const text = shown(this.field.kind, seenOf(this.field, values));
    if (this.entry.value !== text) this.entry.value = text;
    if (this.wrong) this.complain("");
  }

  complain(message) {
    this.wrong = message;
    this.troubled = false;
    this.shown = "";
    this.problem.textContent = message;
    this.entry.setAttribute("aria-invalid", String(Boolean(message)));
    this.state.misread(this.field.name, message);
  }

  commit() {
    if (!this.entry.dataset.edited) return;
    try {
      const number = parsed(this.field.kind, this.entry.value);
      this.refuse(number);
      this.settle({ ...this.state.values, [this.field.name]: number });
      this.state.set({ [this.field.name]: number });
    } catch (error) {
      this.complain(error.message);
    }
  }

  refuse(number) {
    const { name } = this.field;
    const { start_step, end_step, total_steps } = this.state.values;
    if ((name === "start_step" && number > end_step) || (name === "end_step" && number < start_step)) {
      throw new Error("the start must not be after the end");
    }
    if (name === "cursor" && number > total_steps)
      throw new Error(`the training ends at step ${shown("count", total_steps)}`);
  }

  nudge(by) {
    const { field, state } = this;
    const next = nudged(field.kind, seenOf(field, state.values), by, stepOf(field, state.values));
    const most = field.end && field.name !== "total_steps" ? field.end(state.values) : Infinity;
    this.entry.value = shown(field.kind, Math.min(next, most));
    this.entry.dataset.edited = "yes";
    this.commit();
  }
}
