// @ts-check
// The settings as they stand in this page. A change is seen here at once; the kernel is told about ten times a second
// while a gesture lasts, and of how it ended.
import { trainingSteps } from "../math/training.js";

const EVERY = 100; // ms between two messages
const MOST = 64; // gestures that a busy kernel is told of later
const TRAINING = ["dataset_size", "batch_size", "gradient_accumulation", "epochs", "drop_last"];

export class State {
  /**
   * @param {import("../payload.js").Model} model
   * @param {AbortSignal} signal
   */
  constructor(model, signal) {
    this.model = model;
    this.page = `${performance.timeOrigin} ${Math.random()}`;
    this.count = 0; // changes that were made here
    this.told = 0; // those of them that the kernel was sent
    this.answered = 0; // those that its answer includes
    this.gesture = 0; // the one that the values were changed in last
    this.now = 0; // the one that is going on: when pointer or key went down; a key that is held is one
    /** @type {[number, import("../payload.js").Values][]} */
    this.ended = []; // gestures before it, and what each has left, that the kernel has not answered to
    this.toldEnded = 0; // how many of them it was sent
    /** @type {Record<string, string>} */
    this.unread = {};
    /** @type {import("../payload.js").Values} */
    this.values = model.get("settings").values;
    /** @type {number[] | null} */
    this.range = null; // of the steps that are shown; null: all. What this page looks at, which the kernel is not told
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    model.on("change:settings", () => this.receive());
    signal.addEventListener("abort", () => clearTimeout(this.timer));
  }

  // Know when gestures begin and end, as long as there is a view.
  watchGestures(signal) {
    const begin = (event) => event.repeat || (this.now = performance.timeOrigin + event.timeStamp);
    for (const type of ["pointerdown", "keydown"]) window.addEventListener(type, begin, { capture: true, signal });
    for (const type of ["pointerup", "pointercancel"]) window.addEventListener(type, () => this.tell(), { signal });
    // a button of the kernel's sends its click by itself: the settings that it is about are sent before; a kernel with
    // subshells may still hear of them in several threads
    const hurry = ({ target }) => target instanceof Element && target.closest(".jupyter-button") && this.hurry();
    window.addEventListener("click", hurry, { capture: true, signal });
  }

  /** @returns {import("../payload.js").Answer} */
  get answer() {
    return this.model.get("answer");
  }

  // Whether the kernel's answer is of what is to be seen here.
  get settled() {
    return this.answered === this.count;
  }

  /** Call `listener` with every change of the settings or of what is said of them. */
  listen(listener, signal) {
    this.listeners.add(listener);
    this.model.on("change:answer", listener);
    signal.addEventListener("abort", () => {
      this.listeners.delete(listener);
      this.model.off("change:answer", listener);
    });
  }

  /** @param {Partial<import("../payload.js").Values>} changes */
  set(changes) {
    const before = this.values;
    const values = counted(before, { ...before, ...changes });
    if (Object.keys(values).every((name) => values[name] === before[name])) return;
    if (this.gesture !== this.now) {
      if (this.gesture) this.ended.push([this.gesture, before]);
      this.gesture = this.now;
    }
    this.values = values;
    this.changed();
  }

  /** @param {number[] | null} range */
  showSteps(range) {
    this.range = range;
    this.listeners.forEach((listener) => listener());
  }

  // What is wrong with the text in an entry; nothing once it is understood.
  misread(name, message) {
    if ((this.unread[name] ?? "") === message) return;
    const { [name]: _, ...others } = this.unread;
    this.unread = message ? { ...others, [name]: message } : others;
    this.changed();
  }

  changed() {
    this.count += 1;
    this.listeners.forEach((listener) => listener());
    this.timer ??= setTimeout(() => this.tell(), EVERY);
  }

  // Tell the kernel, unless it has not answered yet: then it is told as soon as it has.
  tell() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.told < this.count && this.answered === this.told) this.send();
  }

  // Tell the kernel what it has not heard of, whether it has answered or not.
  hurry() {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.told < this.count) this.send();
  }

  // What is asked for goes with the settings that it is asked of, whether the kernel has answered or not.
  ask(command) {
    this.count += 1;
    this.send(command);
  }

  send(ask) {
    this.told = this.count;
    this.toldEnded = this.ended.length;
    const { page, told, values, gesture, unread } = this;
    const message = { page, told, values, gesture, ended: this.ended.slice(-MOST), unread };
    try {
      this.model.send(ask ? { ...message, ask } : message);
    } catch {
      // the kernel is gone, and what there was to tell with it
    }
  }

  // The kernel's settings are ours, unless something that it has not heard of was changed here since: that comes after.
  receive() {
    const { values, page, told, unread } = this.model.get("settings");
    if (page === this.page) this.answered = told;
    if (this.answered === this.told) {
      this.ended.splice(0, this.toldEnded);
      this.toldEnded = 0;
    }
    if (this.answered === this.count) {
      this.values = values;
      this.unread = unread;
    }
    this.listeners.forEach((listener) => listener());
    if (this.told < this.count) this.timer ??= setTimeout(() => this.tell(), EVERY);
  }
}

// The total follows the epochs until it is set itself, and counting in epochs begins with their numbers.
function counted(before, values) {
  if (values.total_steps !== before.total_steps && values.in_epochs === before.in_epochs)
    return { ...values, in_epochs: false };
  if (TRAINING.some((name) => values[name] !== before[name])) values.in_epochs = true;
  const total = values.in_epochs ? trainingSteps(values) : null;
  return total === null ? values : { ...values, total_steps: total };
}
