// @ts-check
// What there is to know of the current bar and to set for it. Text from elsewhere is only ever text.
import { marked, prunedOf, sensitivityAt, shareOf } from "../math/bars.js";
import { aligned, percent, thousands } from "../math/format.js";
import { BarEntry } from "./bar_entry.js";
import { button, checkbox, element } from "./dom.js";

const HINT = "Drag a bar: the others give way, so that the total holds.";
const BEHIND = {
  kept: "The line behind it is the energy kept at each sparsity, from none at its left to all at its right.",
  error: "The line behind it is the error of its output at each sparsity, from none at its left to all at its right.",
};
const MEMBERS = "The fine lines are the shares of its layers, which follow it.";
const NOTHING = "Nothing is found: search for another part of a name.";

export class BarReadout {
  /** @param {any} view */
  constructor(view) {
    this.view = view;
    this.key = "";
    this.name = element("div", { class: "entrenar-viz-bar-name" });
    this.shape = element("div", { class: "entrenar-viz-quiet" });
    this.entry = new BarEntry((share) => view.gestures.set(Math.round(share * view.bar.weights)));
    this.lock = checkbox("Lock", (on) => view.gestures.lock(on));
    this.lock.label.title = "Keep this number whatever else is moved (L)";
    this.skip = checkbox("Skip", (on) => view.gestures.skip(on));
    this.skip.label.title = "Leave it out: it is not pruned and does not count (S)";
    this.open = button("", "Show a bar for each of its layers (Enter)", () => view.open());
    this.numbers = element("div", { class: "entrenar-viz-bar-numbers" });
    this.said = element("div", { class: "entrenar-viz-bar-said", role: "status" });
    this.controls = element(
      "div",
      { class: "entrenar-viz-row" },
      ...[element("span", { class: "entrenar-viz-label" }, "Sparsity"), this.entry.root],
      ...[this.lock.label, this.skip.label, this.open],
    );
    this.root = element(
      "div",
      { class: "entrenar-viz-bar-readout", role: "group", "aria-label": "The current bar" },
      ...[this.name, this.shape, this.controls, this.numbers, this.said],
    );
  }

  /** @param {import("../math/bars.js").Bar | undefined} bar */
  show(bar, said) {
    const { plan, layers } = this.view.state;
    write(this.name, bar ? bar.name : NOTHING);
    this.controls.style.visibility = bar ? "" : "hidden";
    write(this.said, said || `${HINT} ${this.behind(bar)}`);
    this.said.classList.toggle("entrenar-viz-problem", Boolean(said));
    if (!bar) return [this.shape, this.numbers].forEach((part) => write(part, ""));
    const [locked, skipped] = [marked(bar, plan.locked), marked(bar, plan.skipped)];
    write(this.shape, shapeOf(bar, layers, plan, shareOf(bar, plan)));
    this.entry.show(shareOf(bar, plan), bar.key !== this.key, skipped.all || locked.all);
    this.key = bar.key;
    tick(this.lock.box, locked, skipped.all);
    tick(this.skip.box, skipped, false);
    this.open.hidden = !bar.grouped;
    write(this.open, bar.indices.length === 1 ? "Show its layer" : `Show its ${thousands(bar.indices.length)} layers`);
    write(
      this.numbers,
      bar.grouped ? rangeOf(bar, layers, plan) : sensitivityOf(this.view.curves[bar.indices[0]], bar, plan),
    );
  }

  // What is drawn on the bar.
  behind(bar) {
    if (bar?.grouped) return MEMBERS;
    const { what } = this.view.choice;
    return bar && this.view.curves[bar.indices[0]]?.[what] ? BEHIND[what] : "";
  }
}

// Written only where it differs, for those who hear changes, and since most of it rests while a bar is dragged.
function write(part, text) {
  if (part.textContent !== text) part.textContent = text;
}

function tick(box, { all, some }, disabled) {
  if (box.checked !== all) box.checked = all;
  if (box.indeterminate !== (some && !all)) box.indeterminate = some && !all;
  if (box.disabled !== disabled) box.disabled = disabled;
}

function shapeOf(bar, layers, plan, share) {
  const shape = bar.grouped ? "" : `${layers[bar.indices[0]].shape.map(thousands).join(" × ")}: `;
  return `${shape}${thousands(prunedOf(bar, plan))} of ${thousands(bar.weights)} weights pruned (${aligned(share)})`;
}

function rangeOf(bar, layers, plan) {
  const shares = bar.indices.filter((i) => layers[i].weights).map((i) => plan.pruned[i] / layers[i].weights);
  if (!shares.length) return "";
  return `from ${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} in its layers`;
}

function sensitivityOf(curve, bar, plan) {
  if (!curve) return "its sensitivity has not been measured";
  const share = shareOf(bar, plan);
  const kept = `kept energy ${aligned(sensitivityAt(curve, "kept", share))}`;
  const error = curve.error ? `, output error ${aligned(sensitivityAt(curve, "error", share))}` : "";
  if (curve.knee === null) return kept + error;
  return `${kept}${error}; ${share > curve.knee ? "beyond its knee" : "knee"} at ${percent(curve.knee)}`;
}
