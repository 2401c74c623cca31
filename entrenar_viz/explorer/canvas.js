// The live view: reads the traits of canvas.py, draws them once a frame, and never asks the kernel.
import { openLayer, openWindow } from "./mask.js";
import { drawHistogram, HISTOGRAM_HEIGHT } from "./histogram.js";
import { drawCaption, drawLegend, drawPanel, frameOf, layOut, Panel } from "./panels.js";
import { aligned } from "./format.js";
import { Handles } from "./handles.js";
import { drawPlot } from "./plot.js";
import { Tools } from "./tools.js";
import { WindowHandle } from "./window_handle.js";
import { colorOf, PREFERENCES, themeOf, wordsOf } from "./theme.js";
import { KINDS, windowOf } from "./schedules.js";
import { nameGroups } from "./names.js";

const PLOT_HEIGHT = 300;
const SPACE = 6; // between plot, panels and histogram

function sceneOf(model, theme) {
  const get = (name) => model.get(name);
  const [start, given] = get("window");
  const end = Math.max(given, start + 1);
  const numbers = {
    ...{ oneShotStep: get("one_shot_step"), window: { start_step: start, end_step: end } },
    ...{ target: get("target"), initial: get("initial"), frequency: get("frequency") },
  };
  const schedules = Object.entries(KINDS).map(([type, kind]) => ({ type, ...kind.of(numbers) }));
  const totalSteps = get("total_steps");
  return {
    ...theme,
    schedules,
    chosen: schedules[get("chosen")],
    corner: get("corner"),
    stepsPerEpoch: get("steps_per_epoch"),
    ghosts: get("ghosts"),
    fixed: get("fixed"),
    lately: Math.max(get("frequency"), 1), // steps: of Gradual, those since its latest update
    window: [start, end], // of the controls, whichever schedules have one
    final: get("target"),
    target: get("same_target") ? get("target") : get("own_target"),
    totalSteps,
    cursor: Math.min(get("cursor"), totalSteps),
    lastStep: Math.max(totalSteps, 1, ...schedules.map((schedule) => windowOf(schedule)[1])),
  };
}

class View {
  constructor(model, element) {
    this.model = model;
    this.element = element;
    this.frames = 0;
    this.lost = element.appendChild(document.createElement("div"));
    this.lost.className = "entrenar-viz-lost";
    this.lost.setAttribute("role", "alert");
    this.range = null; // of the steps that are shown; null: all
    this.hover = null; // the step under the pointer
    this.tools = new Tools(this, element);
    const stage = element.appendChild(document.createElement("div"));
    stage.className = "entrenar-viz-stage";
    this.canvas = stage.appendChild(document.createElement("canvas"));
    this.handles = new Handles(this, stage);
    this.windowHandle = new WindowHandle(this, stage);
    this.canvas.setAttribute("role", "img");
    this.canvas.className = "entrenar-viz-canvas";
    this.context = this.canvas.getContext("2d");
    this.note = element.appendChild(document.createElement("div"));
    this.note.className = "entrenar-viz-note";
    this.openLayer();
  }

  // A panel for each pattern that is compared, or else for each schedule.
  openLayer() {
    const [layer, patterns] = [this.model.get("layer"), this.model.get("patterns")];
    this.comparing = patterns.length > 0;
    this.note.textContent = layer.note ?? "";
    if (this.comparing) {
      this.panels = patterns.map((pattern) => new Panel(pattern.name, openLayer(pattern)));
    } else {
      const opened = openLayer(layer);
      this.panels = Object.values(KINDS).map(({ name }) => new Panel(name, opened));
    }
    this.openWindow();
  }

  openWindow() {
    const data = this.model.get("window_data");
    const window = data.width && openWindow(data);
    const fits = ({ layer }) => window && !this.comparing && layer && !layer.exact;
    for (const panel of this.panels) panel.setWindow(fits(panel) ? window : null);
  }

  readTheme() {
    this.theme = themeOf(this.element, this.model.get("palettes"));
    const { colors } = this.theme;
    this.words = Object.fromEntries(
      Object.keys(KINDS).map((type) => [type, wordsOf(colors.pruned, colorOf(this.theme, { type }), colors.fresh)]),
    );
  }

  // One drawing a frame, however many sliders have moved since the last one.
  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    const began = performance.now();
    const width = this.element.clientWidth;
    if (!width) return;
    if (!this.theme) this.readTheme(); // not before: styles are known once the element is in the page
    const scene = this.seen(sceneOf(this.model, this.theme));
    if (this.frames && this.brokenWindow(scene)) return; // the last good picture stays; the kernel says what is wrong
    const [places, bottom] = layOut(this.panels, width, PLOT_HEIGHT + SPACE);
    const spread = !this.comparing && this.panels[0].layer;
    this.fit(width, bottom + (spread ? HISTOGRAM_HEIGHT : 0));
    const drawn = drawPlot(this.context, scene, width, PLOT_HEIGHT);
    Object.assign(this, { scene, plot: drawn.plot, places });
    this.handles.place(scene, drawn.plot);
    this.tools.show(scene);
    const states = this.drawPanels(scene, places);
    drawLegend(this.context, scene, this.panels, bottom);
    const thresholds = spread ? drawHistogram(this.context, scene, spread, states, width, bottom) : {};
    this.canvas.setAttribute("aria-label", describe(scene, states));
    this.frames += 1;
    const took = performance.now() - began;
    const { cursor, corner } = scene;
    const window = this.panels[0].window && { corner, row: this.panels[0].window.layer.row, column: this.panels[0].window.layer.column };
    this.canvas.drawn = { frames: this.frames, took, cursor, dark: this.theme.dark, forced: this.theme.forced, panels: states, thresholds, window, places, hover: scene.hover, ...drawn };
  }

  brokenWindow({ chosen }) {
    const [start, end] = this.model.get("window");
    const [first, last] = windowOf(chosen);
    return end <= start && first !== last;
  }

  // The scene with what is only of this view: the steps that are shown, and the one under the pointer.
  seen(scene) {
    const [from, to] = this.range ?? [0, scene.lastStep];
    const range = to <= scene.lastStep ? [from, to] : [Math.max(from - (to - scene.lastStep), 0), scene.lastStep];
    return { ...scene, range, hover: this.hover };
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
    this.range = wide < lastStep ? [start, start + wide] : null;
    this.request();
  }

  showAll() {
    this.range = null;
    this.request();
  }

  // What a step in the picture is rounded to: closer up, to finer ones than the slider has.
  rounding(step) {
    if (!this.range || step < 1) return step;
    const fine = 10 ** Math.floor(Math.log10((this.range[1] - this.range[0]) / (this.plot.right - this.plot.left)));
    return Math.min(step, Math.max(fine, 1));
  }

  // The controls hold the numbers: what is dragged or played here is written to them.
  async write(name, next) {
    const [id, trait] = this.model.get("follows")[name];
    const source = await this.model.widget_manager.get_model(id);
    source.set(trait, next(source.get(trait), source));
    source.save_changes();
  }

  drawPanels(scene, places) {
    const states = this.panels.map((panel, i) => panel.state(scene, this.comparing ? scene.chosen : scene.schedules[i]));
    this.panels.forEach((panel, i) => drawPanel(this.context, scene, places[i], panel, states[i], this.words));
    const { layer, window } = this.panels[0];
    if (window) drawCaption(this.context, scene, places[0], layer, [window.layer.height, window.layer.width]);
    this.windowHandle.place(scene, this.panels[0], window && frameOf(scene, places[0], layer));
    return states;
  }

  // The backing store follows the screen's density; assigning its size also clears it.
  fit(width, height) {
    const density = window.devicePixelRatio || 1;
    const size = [Math.round(width * density), Math.round(height * density)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      this.canvas.style.height = `${height}px`;
    }
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }

  // The widget manager marks what has lost its kernel; ours is the only room to say what to do about it.
  tellIfLost() {
    const lost = this.element.closest(".jupyter-widgets-disconnected") !== null;
    this.lost.textContent = lost
      ? "The kernel has been restarted or is gone: run the cell again to bring the explorer back."
      : "";
  }

  // What a press takes hold of: the cursor in the plot, the window in a map.
  grab(event) {
    const { offsetX: x, offsetY: y } = event;
    this.held = null;
    if (!this.plot) return;
    if (y <= PLOT_HEIGHT) {
      this.held = (moved) => this.moveCursor(moved);
      this.handles.elements[0].focus({ preventScroll: true });
      event.preventDefault(); // or the press would take the focus away again
    }
    const inside = ({ left, mapTop, map }) => x >= left && x < left + map[0] && y >= mapTop && y < mapTop + map[1];
    const index = this.places.findIndex(inside);
    if (index >= 0 && this.panels[index].window) {
      this.held = (moved) => this.moveWindow(moved, index);
      this.windowHandle.element.focus({ preventScroll: true });
      event.preventDefault();
    }
    this.held?.(event);
  }

  moveCursor(event) {
    const step = Math.min(this.plot.stepAt(event.offsetX), this.model.get("total_steps"));
    this.write("cursor", () => step);
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
    if (!this.plot || event.offsetY > PLOT_HEIGHT) return;
    if (!event.ctrlKey && !event.metaKey && !this.element.contains(document.activeElement)) return;
    event.preventDefault();
    const along = event.shiftKey ? event.deltaY : event.deltaX;
    if (Math.abs(along) > Math.abs(event.shiftKey ? 0 : event.deltaY)) this.pan(Math.sign(along) * 0.1);
    else this.zoom(1.0015 ** event.deltaY, this.plot.stepAt(event.offsetX));
  }

  // The middle of the window comes under the pointer; the kernel sends the weights there.
  moveWindow(event, index) {
    const { layer, window } = this.panels[index];
    const { left, mapTop, map } = this.places[index];
    const start = (at, length, whole, size) => Math.round((at / length) * whole - size / 2);
    const row = start(event.offsetY - mapTop, map[1], layer.rows, window.layer.height);
    this.showCorner([row, start(event.offsetX - left, map[0], layer.cols, window.layer.width)]);
  }

  showCorner([row, column]) {
    const { layer, window } = this.panels[0];
    const inside = (start, most) => Math.min(Math.max(start, 0), most);
    const corner = [inside(row, layer.rows - window.layer.height), inside(column, layer.cols - window.layer.width)];
    this.model.set("corner", corner);
    this.model.save_changes();
  }
}

function describe(scene, states) {
  const values = states.map((state) => `${state.name} ${aligned(state.applied)}`);
  return `Sparsity over ${scene.totalSteps} training steps. Applied at step ${scene.cursor}: ${values.join(", ")}.`;
}

function listen(view, signal) {
  const { model, canvas } = view;
  const redraw = () => view.request();
  const retheme = () => ((view.theme = undefined), view.request());
  canvas.addEventListener("pointerdown", (event) => (canvas.setPointerCapture(event.pointerId), view.grab(event)), { signal });
  canvas.addEventListener("pointermove", (event) => (event.buttons === 1 ? view.held?.(event) : view.hoverAt(event)), { signal });
  canvas.addEventListener("pointerleave", () => view.hoverAt({ offsetX: -1, offsetY: -1 }), { signal });
  canvas.addEventListener("wheel", (event) => view.wheel(event), { signal, passive: false });
  const size = new ResizeObserver(redraw);
  size.observe(view.element);
  const theme = new MutationObserver(retheme);
  for (const node of [document.body, document.documentElement]) theme.observe(node, { attributes: true });
  for (const preference of PREFERENCES) matchMedia(preference).addEventListener("change", retheme, { signal });
  window.addEventListener("resize", redraw, { signal }); // also told when the screen's density changes
  const relayer = () => (view.openLayer(), view.request());
  const rewindow = () => (view.openWindow(), view.request());
  model.on("change:layer change:patterns", relayer);
  model.on("change:window_data", rewindow);
  model.on("change", redraw);
  const relive = () => requestAnimationFrame(() => view.tellIfLost());
  model.on("comm_live_update", relive);
  return () => {
    size.disconnect();
    theme.disconnect();
    model.off("change:layer change:patterns", relayer);
    model.off("change:window_data", rewindow);
    model.off("change", redraw);
    model.off("comm_live_update", relive);
    cancelAnimationFrame(view.frame);
  };
}

// The numbers come from the controls' models in this page. A jslink would do the same and also send each of them to
// the kernel a second time, which costs the page more than the drawing.
async function initialize({ model }) {
  const quiet = [];
  for (const [name, [id, trait]] of Object.entries(model.get("follows"))) {
    const source = await model.widget_manager.get_model(id);
    const follow = () => model.set(name, source.get(trait));
    source.on(`change:${trait}`, follow);
    quiet.push(() => source.off(`change:${trait}`, follow));
    follow();
  }
  return () => quiet.forEach((stop) => stop());
}

// The views of each explorer in this page. Not of this module: a notebook that is closed and opened again loads it anew.
const VIEWS = (globalThis[Symbol.for("entrenar_viz views")] ??= new Map());

// The kernel holds the layer ready while some page has a view; it is told how many there are in this one.
function announce(model, signal) {
  const own = model.get("follows").cursor?.[0];
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
  window.addEventListener("pageshow", () => tell(true), { signal });
  signal.addEventListener("abort", () => tell(false));
}

function render({ model, el }) {
  el.classList.add("entrenar-viz-live");
  const view = new View(model, el);
  const aborter = new AbortController();
  const quiet = listen(view, aborter.signal);
  announce(model, aborter.signal);
  view.request();
  nameGroups(el, aborter.signal);
  return () => {
    aborter.abort();
    quiet();
  };
}

export default { initialize, render };
