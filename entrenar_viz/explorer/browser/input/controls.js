// @ts-check
// The controls at the left of the picture: a row for each number and choice.
import { checkbox, element, select, signed } from "./dom.js";
import { FIELDS, NumberField } from "./fields.js";

const ROWS = [
  ["total_steps", "Total steps"],
  ["start_step", "Start"],
  ["end_step", "End"],
  ["one_shot_step", "OneShot step"],
  ["initial", "Initial"],
  ["target", "Target"],
  ["frequency", "Every n steps"],
  ["cursor", "Cursor"],
];
const SIZES = { nm: ["n", ":", "m"], block: ["height", "×", "width"] };
const NAMES = { one_shot: "OneShot", gradual: "Gradual", cubic: "Cubic" };
const EPOCHS = [
  ["dataset_size", "Dataset size"],
  ["batch_size", "Batch size"],
  ["gradient_accumulation", "Accumulation"],
  ["epochs", "Epochs"],
];

export class Controls {
  /**
   * @param {import("./state.js").State} state
   * @param {import("../payload.js").Choices} choices
   */
  constructor(state, choices) {
    this.state = state;
    this.arranged = "";
    this.counted = element("div", { class: "entrenar-viz-quiet", role: "status" });
    this.epochChecks = [
      this.check("in_epochs", "count in epochs"),
      this.check("drop_last", "drop an incomplete last batch"),
    ];
    this.fields = Object.fromEntries(
      Object.entries(FIELDS).map(([name, field]) => [name, new NumberField(field, state)]),
    );
    const rows = ROWS.map(([name, label]) => this.numberRow(name, label));
    rows[0].append(this.epochsButton());
    this.method = select(
      "Method",
      choices.methods.map((name) => [name, name]),
      (method) => state.set({ method }),
    );
    this.pattern = select("Pattern", Object.entries(choices.patterns), (pattern) => state.set({ pattern }));
    this.sizes = Object.fromEntries(
      Object.entries(SIZES).map(([kind, [one, between, other]]) => [
        kind,
        element("span", { class: "entrenar-viz-sizes" }, this.fields[one].root, between, this.fields[other].root),
      ]),
    );
    const fineTune = this.check("fine_tune", "fine-tune after pruning");
    this.tuning = element(
      "span",
      { class: "entrenar-viz-sizes" },
      this.fields.fine_tune_steps.root,
      "steps, rate",
      this.fields.fine_tune_lr.root,
    );
    const skip = this.check("skip_embed_layers", "skip embeddings and output head");
    const same = this.check("same_target", "target_sparsity is the target");
    this.checks = [fineTune, skip, same];
    this.root = element(
      "div",
      { class: "entrenar-viz-controls" },
      ...rows,
      row("Method", this.method),
      row("Pattern", this.pattern, ...Object.values(this.sizes)),
      row("", fineTune.label),
      row("", this.tuning),
      row("", skip.label),
      row("", same.label, this.fields.own_target.root),
    );
  }

  numberRow(name, label) {
    const { slider, root, field } = this.fields[name];
    const made = row(label, /** @type {any} */ (slider), root);
    if (field.acts) made.dataset.acts = field.acts;
    return made;
  }

  check(name, text) {
    const made = checkbox(text, (on) => this.state.set({ [name]: on }));
    return { ...made, name };
  }

  // The length of the training from its epochs, in a panel over the picture.
  epochsButton() {
    const [inEpochs, drop] = this.epochChecks;
    const panel = element(
      "div",
      {
        class: "entrenar-viz-popover",
        popover: "auto",
        role: "dialog",
        "aria-label": "Length of the training in epochs",
      },
      ...EPOCHS.map(([name, label]) => row(label, this.fields[name].root)),
      drop.label,
      inEpochs.label,
      this.counted,
    );
    const open = signed("epochs", "Total steps from the size of the dataset", () => popUp(panel, open));
    return element("span", { class: "entrenar-viz-pop" }, open, panel);
  }

  /** @param {import("../payload.js").Answer} answer */
  show(values, answer) {
    for (const field of Object.values(this.fields)) field.show(values, answer.problems);
    for (const { box, name } of [...this.checks, ...this.epochChecks])
      if (box.checked !== values[name]) box.checked = values[name];
    if (this.method.value !== values.method) this.method.value = values.method;
    if (this.counted.textContent !== answer.counted) this.counted.textContent = answer.counted;
    const arranged = [values.schedule, values.pattern, values.fine_tune, values.same_target].join();
    if (this.arranged !== arranged) this.arrange(values, arranged);
  }

  // What does not act on the schedule that is exported stands back; it still moves the curves of the others.
  arrange(values, arranged) {
    this.arranged = arranged;
    this.pattern.value = values.pattern;
    for (const [kind, sizes] of Object.entries(this.sizes)) sizes.hidden = kind !== values.pattern;
    this.tuning.classList.toggle("entrenar-viz-idle", !values.fine_tune);
    this.fields.own_target.root.hidden = values.same_target;
    for (const made of /** @type {NodeListOf<HTMLElement>} */ (this.root.querySelectorAll("[data-acts]"))) {
      const acts = made.dataset.acts?.split(" ") ?? [];
      const idle = !acts.includes(values.schedule);
      made.classList.toggle("entrenar-viz-idle", idle);
      made.title = idle ? `for ${acts.map((type) => NAMES[type]).join(" and ")} only` : "";
    }
  }
}

/** @param {string} label */
function row(label, ...parts) {
  return element(
    "div",
    { class: "entrenar-viz-row" },
    element("span", { class: "entrenar-viz-label" }, label),
    ...parts,
  );
}

/** Open a panel below its button, inside the window, or close it. */
export function popUp(panel, below) {
  panel.togglePopover();
  if (!panel.matches(":popover-open")) return;
  const box = below.getBoundingClientRect();
  const left = Math.min(box.left, innerWidth - panel.offsetWidth - 8);
  const top = Math.min(box.bottom + 2, innerHeight - panel.offsetHeight - 8);
  Object.assign(panel.style, { left: `${Math.max(left, 8)}px`, top: `${Math.max(top, 8)}px` });
}
