// @ts-check
// The plan as it stands in this page. A change is seen here at once; the kernel is told at the end of a gesture.

/** @typedef {import("../math/plan.js").Plan} Plan */

export class PlanState {
  /**
   * @param {import("../payload.js").Model} model
   */
  constructor(model) {
    this.model = model;
    this.page = `${performance.timeOrigin} ${Math.random()}`;
    this.count = 0; // changes that were made here and told
    this.answered = 0; // those of them that the kernel's plan includes
    /** @type {import("../payload.js").BarPlan} */
    this.plan = model.get("plan");
    /** @type {import("../payload.js").BarPlan | null} */
    this.start = null; // as it was when the gesture began that lasts
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    model.on("change:layers", () => this.forget());
    model.on("change:plan", () => this.receive());
  }

  /** @returns {import("../payload.js").BarLayer[]} */
  get layers() {
    return this.model.get("layers");
  }

  // Whether there is a plan of these layers.
  get isThere() {
    return this.layers.length > 0 && this.plan.pruned?.length === this.layers.length;
  }

  // Whether the kernel's plan is what is to be seen here.
  get settled() {
    return this.answered === this.count && !this.start;
  }

  get can() {
    const { undo, redo } = this.plan;
    return { undo: undo || !this.settled, redo: redo && this.settled };
  }

  listen(listener, signal) {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener));
  }

  begin() {
    this.start = this.plan;
  }

  /** @param {any} plan   a change of `start`; null: there is none */
  show(plan) {
    if (!plan || !this.start) return;
    this.plan = { ...this.plan, pruned: plan.pruned, skipped: plan.skipped, locked: plan.locked };
    this.tellAll();
  }

  // The gesture has ended; one that has left everything as it was is none.
  end() {
    const { start, plan } = this;
    this.start = null;
    if (!start) return;
    if (isSame(start, plan)) return this.receive();
    this.count += 1;
    this.send();
    this.tellAll();
  }

  cancel() {
    if (!this.start) return;
    this.plan = this.start;
    this.start = null;
    this.receive();
  }

  // A gesture of one change; false where it changes nothing.
  change(next) {
    this.begin();
    this.show(next(this.plan));
    const changed = !isSame(/** @type {any} */ (this.start), this.plan);
    this.end();
    return changed;
  }

  // What is asked for goes with the plan that it is asked of.
  ask(command) {
    if (!this.isThere || !this.can[command]) return;
    this.count += 1;
    this.send({ do: command });
    this.tellAll();
  }

  send(ask) {
    const { page, count: told } = this;
    const { pruned, skipped, locked } = this.plan;
    const message = { page, told, pruned, skipped, locked };
    try {
      this.model.send(ask ? { ...message, ask } : message);
    } catch {
      // the kernel is gone, and what there was to tell with it
    }
  }

  // The kernel's plan is ours, unless something was changed here that it does not include, or is being changed.
  receive() {
    const plan = this.model.get("plan");
    if (plan.page === this.page) this.answered = Math.max(this.answered, plan.told);
    if (this.settled) this.plan = plan;
    this.tellAll();
  }

  // Other layers have another plan, whatever was changed in the one before.
  forget() {
    this.start = null;
    this.answered = this.count;
    this.receive();
  }

  tellAll() {
    this.listeners.forEach((listener) => listener());
  }
}

// Whether two plans ask the same of all layers.
export const isSame = (one, other) =>
  ["pruned", "skipped", "locked"].every(
    (name) => one[name].length === other[name].length && one[name].every((number, i) => number === other[name][i]),
  );
