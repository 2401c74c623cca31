// @ts-check
// The live view: which schedule, its numbers, the curves and masks, what is to be known of them, and the way out. It
// draws from the settings in this page (input/state.js) and never waits for the kernel.
import { linesAt } from "./draw/log.js";
import { Plot } from "./draw/plot.js";
import { drawFrame, drawLegend, drawPanel, frameOf, layOut, Mask } from "./draw/panels.js";
import { Controls } from "./input/controls.js";
import { button, element, hearFrom, select } from "./input/dom.js";
import { Exporting } from "./input/exporting.js";
import { Findings } from "./input/findings.js";
import { Handles } from "./input/handles.js";
import { listenToKeys } from "./input/keys.js";
import { State } from "./input/state.js";
import { Tools } from "./input/tools.js";
import { CanvasView } from "./input/view.js";
import { windowAt, WindowHandle } from "./input/window_handle.js";
import { aligned } from "./math/format.js";
import { openLog } from "./math/log.js";
import { KINDS, scheduleOf, windowOf } from "./math/schedules.js";
import { maskWords, panelsOf, sceneOf, shownSteps, statesOf, weightsOf } from "./scene.js";

const plotHeight = (width) => Math.min(Math.max(236, Math.round(0.26 * width)), 320);
const SPACE = 4; // between plot and panels
const TIPS = {
  one_shot: "All at once: after the training, for quick experiments",
  gradual: "A straight line: up to 50%, training from scratch",
  cubic: "Fast first, slow at the end: above 50%",
};
const STEPS = {
  Undo: "Undo the last change (Ctrl+Z)",
  Redo: "Do again what was undone (Ctrl+Shift+Z)",
  Reset: "Back to what the explorer was opened with; this can be undone",
};
const GONE = "The kernel has been restarted or is gone: run the cell again to bring the explorer back.";

class LiveView extends CanvasView {
  constructor(model, el, state, signal) {
    const canvas = element("canvas", { class: "entrenar-viz-canvas", role: "img" });
    const stage = element("div", { class: "entrenar-viz-stage" }, canvas);
    super(el, canvas, () => model.get("palettes"), signal);
    this.model = model;
    /** @type {State} */
    this.state = state;
    this.stage = stage;
    /** @type {number | null} */
    this.hover = null; // the step under the pointer
    /** @type {any} */
    this.scene = undefined;
    /** @type {any} */
    this.plot = undefined;
    this.plotHeight = 0;
    this.plotPicture = new Plot();
    /** @type {any[]} */
    this.places = [];
    /** @type {((event: PointerEvent) => void) | null} */
    this.held = null; // what a drag moves
    this.tools = new Tools(this);
    this.handles = new Handles(this, stage);
    this.windowHandle = new WindowHandle(this, stage);
    const choices = model.get("choices");
    this.controls = new Controls(state, choices);
    this.exporting = new Exporting(state, choices);
    this.findings = new Findings(state);
    this.lost = element("div", { class: "entrenar-viz-lost", role: "alert" });
    this.note = element("div", { class: "entrenar-viz-note" });
    this.schedules = Object.entries(KINDS).map(([type, { name }]) => {
      const made = button(name, TIPS[type], () => state.set({ schedule: type }));
      made.dataset.type = type;
      return made;
    });
    this.presets = select("Start from a preset", [], (index) => this.startFrom(Number(index)));
    this.history = Object.entries(STEPS).map(([name, tip]) =>
      button(name, tip, () => state.ask({ do: name.toLowerCase() })),
    );
    this.bar = element("progress", { max: 1, "aria-label": "How much of the layer is prepared" });
    this.doing = element("span");
    const cancel = button("Cancel", "Stay with what is shown", () => state.ask({ do: "cancel" }));
    this.preparing = element("div", { class: "entrenar-viz-progress", hidden: true }, this.bar, cancel, this.doing);
    /** @type {Promise<void>} once its first picture is on the screen */
    this.onScreen = new Promise((resolve) => (this.shownFirst = resolve));
    this.body = this.build(el);
    this.readLog();
    this.readLayer();
  }

  build(el) {
    const foot = element("div", { class: "entrenar-viz-foot" }, this.note, this.preparing);
    const picture = element("div", { class: "entrenar-viz-picture" }, this.tools.root, this.stage, foot);
    const body = element("div", { class: "entrenar-viz-body" }, this.controls.root, picture);
    const group = { class: "entrenar-viz-toggles", role: "group", "aria-label": "Schedule to export" };
    const choice = element("span", group, ...this.schedules);
    const steps = element("span", { class: "entrenar-viz-steps" }, ...this.history);
    const apart = element("span", { class: "entrenar-viz-apart" });
    el.append(
      this.lost,
      element("div", { class: "entrenar-viz-top" }, choice, this.presets, steps, apart, this.exporting.root),
    );
    el.append(body, this.findings.root);
    return body;
  }

  startFrom(index) {
    const preset = this.model.get("choices").presets[index];
    this.presets.value = "-1"; // so that the same one can be picked again
    if (preset) this.state.ask({ do: "preset", kind: preset.kind, name: preset.name });
  }

  readLog() {
    this.log = openLog(this.model.get("training_log"));
  }

  readLayer() {
    this.panels = panelsOf(this.model);
    this.masks = this.panels.map(({ layer }) => layer && new Mask(layer));
    this.comparing = this.model.get("patterns").length > 0;
    this.note.textContent = this.note.title = this.model.get("layer").note ?? "";
    this.readWindow();
  }

  readWindow() {
    this.window = weightsOf(this.model);
  }

  get layer() {
    return this.panels[0].layer;
  }

  themed(theme) {
    return { ...theme, words: maskWords(theme) };
  }

  draw(width) {
    const began = performance.now();
    const { values, answer } = this.state;
    this.controls.show(values, answer);
    if (this.frames && isBroken(values)) return; // the last good picture stays; the kernel says what is wrong
    const scene = this.seen(sceneOf(values, answer, this.model.get("ghosts"), this.theme));
    this.plotHeight = plotHeight(width);
    const [places, bottom] = layOut(this.panels, width, this.plotHeight + SPACE);
    this.fit(width, bottom);
    const drawn = this.plotPicture.draw(this.context, scene, width, this.plotHeight);
    this.scene = scene;
    this.plot = drawn.plot;
    this.places = places;
    this.handles.place(scene, drawn.plot);
    this.tools.show(scene);
    const states = statesOf(scene, this.panels, this.comparing);
    this.panels.forEach((panel, i) => drawPanel(this.context, scene, places[i], panel, this.masks[i], states[i]));
    this.drawWindows(scene, places);
    drawLegend(this.context, scene, this.panels, width, bottom);
    this.describe(scene, states);
    const { cursor } = scene;
    if (!this.frames) requestAnimationFrame(() => setTimeout(this.shownFirst));
    const took = performance.now() - began;
    this.canvas.drawn = {
      frames: this.frames + 1,
      took,
      cursor,
      dark: this.theme.dark,
      forced: this.theme.forced,
      panels: states,
      places,
      hover: scene.hover,
      ...drawn,
    };
  }

  drawWindows(scene, places) {
    const frames =
      this.window && this.layer ? places.map((place) => frameOf(scene, place, this.layer, this.window)) : [];
    for (const frame of frames) drawFrame(this.context, scene, frame);
    this.windowHandle.place(scene, this.layer, this.window, frames[0]);
  }

  describe(scene, states) {
    const values = states.map((state) => `${state.name} ${aligned(state.applied)}`);
    const told = scene.log
      ? ` Of ${scene.log.name}: ${linesAt(scene, scene.cursor)
          .map(([, text]) => text)
          .join(", ")}.`
      : "";
    this.canvas.setAttribute(
      "aria-label",
      `Sparsity over ${scene.totalSteps} training steps. Applied at step ${scene.cursor}: ${values.join(", ")}.${told}`,
    );
    for (const made of this.schedules) {
      const pressed = String(made.dataset.type === scene.values.schedule);
      if (made.getAttribute("aria-pressed") !== pressed) made.setAttribute("aria-pressed", pressed);
    }
  }

  // What the kernel says; it comes after the picture.
  showAnswer() {
    const { answer } = this.state;
    ["undo", "redo", "reset"].forEach((name, i) => {
      if (this.history[i].disabled === answer.can[name]) this.history[i].disabled = !answer.can[name];
    });
    this.exporting.show(answer);
    this.findings.show(answer);
  }

  showChoices() {
    const { presets } = this.model.get("choices");
    const options = presets.map(({ label }, i) => new Option(label, String(i)));
    this.presets.replaceChildren(new Option("Start from …", "-1"), ...options);
  }

  showProgress() {
    const { message, share } = this.model.get("progress");
    this.preparing.hidden = !message;
    this.note.hidden = Boolean(message);
    this.doing.textContent = message;
    this.bar.value = share;
  }

  // The scene with what is only of this view: the steps that are shown, and the one under the pointer.
  seen(scene) {
    const range = shownSteps(this.state.range, scene.lastStep);
    const log = this.log && { ...this.log, parted: this.state.answer.parted };
    return { ...scene, range, log, hover: this.hover };
  }

  // Show more or fewer steps around `middle`, or show earlier or later ones.
  zoom(factor, middle = this.scene.cursor) {
    const { range, lastStep } = this.scene;
    const wide = Math.round(Math.min(Math.max((range[1] - range[0]) * factor, Math.min(10, lastStep)), lastStep));
    const share = Math.min(Math.max((middle - range[0]) / (range[1] - range[0]), 0), 1);
    this.showFrom(Math.round(middle - share * wide), wide);
  }

  pan(share) {
    const [from, to] = this.scene.range;
    this.showFrom(from + Math.round(share * (to - from)), to - from);
  }

  showFrom(from, wide) {
    const { lastStep } = this.scene;
    const start = Math.min(Math.max(from, 0), lastStep - wide);
    this.state.showSteps(wide < lastStep ? [start, start + wide] : null);
  }

  showAll() {
    this.state.showSteps(null);
  }

  // What a step in the picture is rounded to: closer up, to finer ones than the slider has.
  rounding(step) {
    const { range } = this.state;
    if (!range || step < 1) return step;
    const fine = 10 ** Math.floor(Math.log10((range[1] - range[0]) / (this.plot.right - this.plot.left)));
    return Math.min(step, Math.max(fine, 1));
  }

  // What a press takes hold of: the cursor in the plot, the window in a map.
  grab(event) {
    const { offsetX: x, offsetY: y } = event;
    this.held = null;
    if (!this.plot) return;
    if (y <= this.plotHeight) {
      this.held = (moved) => this.moveCursor(moved);
      this.handles.elements[0].focus({ preventScroll: true });
      event.preventDefault(); // or the press would take the focus away again
    }
    const inside = ({ left, mapTop, map }) => x >= left && x < left + map[0] && y >= mapTop && y < mapTop + map[1];
    const index = this.places.findIndex(inside);
    if (index >= 0 && this.window) {
      this.held = (moved) => this.moveWindow(moved, index);
      this.windowHandle.element.focus({ preventScroll: true });
      event.preventDefault();
    }
    this.held?.(event);
  }

  moveCursor(event) {
    this.state.set({ cursor: Math.min(this.plot.stepAt(event.offsetX), this.scene.totalSteps) });
  }

  hoverAt(event) {
    const { plot } = this;
    const inside = plot && event.offsetX >= plot.left && event.offsetX <= plot.right && event.offsetY <= plot.bottom;
    const hover = inside ? Math.min(plot.stepAt(event.offsetX), this.scene.totalSteps) : null;
    if (hover === this.hover) return;
    this.hover = hover;
    this.request();
  }

  // Once somebody works with the plot, its wheel zooms; before that a page is scrolled over it, unless Ctrl is held.
  wheel(event) {
    if (!this.plot || event.offsetY > this.plotHeight) return;
    if (!event.ctrlKey && !event.metaKey && !this.stage.contains(document.activeElement)) return;
    event.preventDefault();
    const along = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(along) > Math.abs(event.shiftKey ? 0 : event.deltaY)) this.pan(Math.sign(along) * 0.1);
    else this.zoom(1.0015 ** event.deltaY, this.plot.stepAt(event.offsetX));
  }

  // The middle of the window comes under the pointer; the kernel sends the weights there.
  moveWindow(event, index) {
    const { layer, window } = this;
    const { left, mapTop, map } = this.places[index];
    const start = (at, length, whole, size) => (at / length) * whole - size / 2;
    const row = start(event.offsetY - mapTop, map[1], layer.rows, window.height);
    this.state.set(windowAt(row, start(event.offsetX - left, map[0], layer.cols, window.width), layer, window));
  }

  // The widget manager marks what has lost its kernel: what is seen is no more the kernel's, so it must not change.
  tellIfLost() {
    const lost = this.root.closest(".jupyter-widgets-disconnected") !== null;
    this.lost.textContent = lost ? GONE : "";
    const still = [this.body, this.findings.root, this.presets, ...this.schedules, ...this.history];
    for (const part of this.state.settled ? still : [...still, this.exporting.root]) part.inert = lost;
    if (lost) this.tools.stop();
  }
}

// Whether the schedule to export has a window that ends before it begins.
const isBroken = (values) => {
  const [first, last] = windowOf(scheduleOf(values));
  return first !== last && values.end_step <= values.start_step;
};

function listen(view, signal) {
  const { model, canvas, state } = view;
  const on = (target, type, act, how = {}) => target.addEventListener(type, act, { signal, ...how });
  on(canvas, "pointerdown", (event) => (canvas.setPointerCapture(event.pointerId), view.grab(event)));
  on(canvas, "pointermove", (event) => (event.buttons === 1 ? view.held?.(event) : view.hoverAt(event)));
  on(canvas, "pointerleave", () => view.hoverAt({ offsetX: -1, offsetY: -1 }));
  on(canvas, "wheel", (event) => view.wheel(event), { passive: false });
  state.listen(() => view.request(), signal);
  const acts = {
    "change:answer": () => (view.showAnswer(), view.log && view.request()), // where it parts from the plan
    "change:settings": () => view.showAnswer(),
    "change:choices": () => view.showChoices(),
    "change:progress": () => view.showProgress(),
    "change:ghosts": () => view.request(),
    "change:training_log": () => (view.readLog(), view.request()),
    "change:layer change:patterns": () => (view.readLayer(), view.request()), // a window may come before its layer
    "change:window": () => (view.readWindow(), view.request()),
    comm_live_update: () => requestAnimationFrame(() => view.tellIfLost()),
  };
  hearFrom(model, acts, signal);
}

// The views of each explorer in this page. Not of this module: a notebook that is closed and opened again loads it anew.
const VIEWS = (globalThis[Symbol.for("entrenar_viz views")] ??= new Map());

// The kernel holds the layer ready while some page has a view; it is told how many there are in this one.
function announce(model, signal) {
  const own = model.get("key");
  const views = VIEWS.get(own) ?? VIEWS.set(own, new Set()).get(own);
  const view = {};
  const tell = (here) => {
    views[here ? "add" : "delete"](view);
    try {
      model.send({ page: String(performance.timeOrigin), views: views.size });
    } catch {
      // the kernel is gone, and the layer with it
    }
  };
  tell(true);
  window.addEventListener("pagehide", () => tell(false), { signal });
  window.addEventListener("pageshow", (event) => event.persisted && tell(true), { signal });
  signal.addEventListener("abort", () => tell(false));
}

// The outermost element of the explorer, once it is in the page.
function whenAround(el, signal, act) {
  const root = el.closest(".entrenar-viz");
  if (root) act(root);
  else if (!signal.aborted) requestAnimationFrame(() => whenAround(el, signal, act));
}

// One state for all views of a model.
export default () => {
  let state;
  return {
    initialize({ model, signal }) {
      state = new State(model, signal);
      return { state };
    },
    render({ model, el, signal }) {
      el.classList.add("entrenar-viz-live");
      const view = new LiveView(model, el, state, signal);
      state.watchGestures(signal);
      listen(view, signal);
      view.showChoices();
      view.showAnswer();
      view.showProgress();
      view.request();
      whenAround(el, signal, (root) => listenToKeys(root, (command) => state.ask({ do: command }), signal));
      view.onScreen.then(() => signal.aborted || announce(model, signal));
    },
  };
};
