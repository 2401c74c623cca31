// @ts-check
// What can be done with the current bar: moved, locked, skipped. What the other layers cannot make up for is not done, and
// said.
import { marked, prunedOf } from "../math/bars.js";
import { lockLayers, moveLayers, skipLayers } from "../math/plan.js";
import { isSame } from "./plan_state.js";

const STOPPED = "It goes no further: it or the other layers are locked or at their bounds.";
const LOCKED = "It is locked and keeps its sparsity: unlock it first.";
const SKIPPED = "It is skipped and not pruned: take it back in first.";
const NOT_SKIPPED = "Nothing has changed: the other layers are locked or at their bounds and cannot make up for it.";

export class BarGestures {
  /**
   * @param {any} view
   * @param {import("./plan_state.js").PlanState} state
   */
  constructor(view, state) {
    this.view = view;
    this.state = state;
    this.said = ""; // of the last one, what it could not do
    this.of = state.plan; // with which plan it ended
  }

  // What is still to be said: once there is another plan, nothing is.
  get words() {
    return this.said && isSame(this.of, this.state.plan) ? this.said : "";
  }

  say(said, plan) {
    this.said = said;
    this.of = plan;
  }

  // While a gesture lasts: the weights that the current bar is asked for; all others follow from how it began.
  move(asked) {
    const { state } = this;
    const { bar } = this.view;
    if (!state.start || !bar) return;
    const next = moveLayers(state.start, state.layers, bar.indices, asked);
    this.say(moveWords(bar, next ?? state.start, asked), next ?? state.start);
    if (next) state.show(next);
    else this.view.request();
  }

  set(asked) {
    const { bar } = this.view;
    if (!bar) return;
    this.state.begin();
    this.move(Math.min(Math.max(asked, 0), bar.weights));
    this.state.end();
  }

  lock(on = !this.isAll("locked")) {
    const { bar } = this.view;
    if (!bar) return;
    this.said = "";
    this.state.change((plan) => lockLayers(plan, bar.indices, on));
  }

  skip(on = !this.isAll("skipped")) {
    const { bar } = this.view;
    if (!bar) return;
    this.said = "";
    if (this.state.change((plan) => skipLayers(plan, this.state.layers, bar.indices, on))) return;
    this.say(NOT_SKIPPED, this.state.plan);
    this.view.request();
  }

  isAll(name) {
    const { bar } = this.view;
    return Boolean(bar) && marked(bar, this.state.plan[name]).all;
  }
}

function moveWords(bar, plan, asked) {
  if (marked(bar, plan.skipped).all) return SKIPPED;
  if (marked(bar, plan.locked).all) return LOCKED;
  return prunedOf(bar, plan) === asked ? "" : STOPPED;
}
