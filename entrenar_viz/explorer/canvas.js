// The live view: reads the traits of canvas.py, draws them once a frame, and never asks the kernel.
import { achieved, openLayer, paint, pruneCount } from "./mask.js";
import { drawPlot, percent } from "./plot.js";
import { appliedAt, requestedAt } from "./schedule.js";

const PLOT_HEIGHT = 300;
const HEADER_HEIGHT = 62;
const MASK_HEIGHT = 256;
const GAP = 18;

function sceneOf(model, theme) {
  const get = (name) => model.get(name);
  const [start, given] = get("window");
  const end = Math.max(given, start + 1);
  const own = { start_step: start, end_step: end, final_sparsity: get("target") };
  const schedules = [
    { type: "one_shot", step: get("one_shot_step") },
    { type: "gradual", ...own, initial_sparsity: get("initial"), frequency: get("frequency") },
    { type: "cubic", ...own },
  ];
  const totalSteps = get("total_steps");
  return {
    ...theme,
    schedules,
    chosen: schedules[get("chosen")],
    names: { one_shot: "OneShot", gradual: "Gradual", cubic: "Cubic" },
    window: [start, end],
    target: get("same_target") ? get("target") : get("own_target"),
    totalSteps,
    cursor: Math.min(get("cursor"), totalSteps),
    lastStep: Math.max(totalSteps, end, get("one_shot_step"), 1),
  };
}

// Colours and font of the notebook around us; plain ones where there is none.
function themeOf(element, palettes) {
  const style = getComputedStyle(element);
  const [text, background] = [style.color, shownBackground(element)];
  const dark = luminance(background) < 0.5;
  const family = style.fontFamily || "sans-serif";
  return {
    dark,
    colors: { ...palettes[dark ? "dark" : "light"], text, background },
    font: (size, weight = 400) => `${weight} ${size}px ${family}`,
  };
}

function shownBackground(element) {
  for (let node = element; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor;
    if (color && !/^(transparent|rgba\(.*, 0\))$/.test(color)) return color;
  }
  return "rgb(255, 255, 255)";
}

function rgb(color) {
  const probe = rgb.context ?? (rgb.context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }));
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

const luminance = (color) => rgb(color).reduce((sum, part, i) => sum + part * [0.299, 0.587, 0.114][i], 0) / 255;

// 256 RGBA words from pruned (the ground) to a weight that is fully there.
function rampOf(ground, color) {
  const [from, to] = [rgb(ground), rgb(color)];
  const words = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const [r, g, b] = from.map((part, j) => Math.round(part + ((to[j] - part) * i) / 255));
    words[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return words;
}

class View {
  constructor(model, element) {
    this.model = model;
    this.element = element;
    this.frames = 0;
    this.lost = element.appendChild(document.createElement("div"));
    this.lost.className = "entrenar-viz-lost";
    this.lost.setAttribute("role", "alert");
    this.canvas = element.appendChild(document.createElement("canvas"));
    this.canvas.setAttribute("role", "img");
    this.canvas.className = "entrenar-viz-canvas";
    this.context = this.canvas.getContext("2d");
    this.note = element.appendChild(document.createElement("div"));
    this.note.className = "entrenar-viz-note";
    this.cells = new OffscreenCanvas(1, 1);
    this.openLayer();
  }

  openLayer() {
    const layer = this.model.get("layer");
    this.layer = layer.width ? openLayer(layer) : null;
    this.note.textContent = layer.note ?? "";
    if (!this.layer) return;
    this.cells = new OffscreenCanvas(layer.width, layer.height);
    this.image = new ImageData(layer.width, layer.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  readTheme() {
    this.theme = themeOf(this.element, this.model.get("palettes"));
    const { colors } = this.theme;
    this.ramps = Object.fromEntries(
      ["one_shot", "gradual", "cubic"].map((type) => [type, rampOf(colors.pruned, colors[type])]),
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
    const width = this.element.clientWidth;
    const [start, end] = this.model.get("window");
    const noWindow = end <= start && this.model.get("chosen") !== 0;
    if (!width || (noWindow && this.frames)) return; // the last good picture stays; the kernel says what is wrong
    if (!this.theme) this.readTheme(); // not before: styles are known once the element is in the page
    const scene = sceneOf(this.model, this.theme);
    const panel = Math.floor((width - 2 * GAP) / 3);
    const masks = this.layer ? HEADER_HEIGHT + this.maskSize(panel)[1] : HEADER_HEIGHT;
    this.fit(width, PLOT_HEIGHT + masks + 4);
    const drawn = drawPlot(this.context, scene, width, PLOT_HEIGHT);
    this.plot = drawn.plot;
    const panels = scene.schedules.map((schedule, i) => this.drawMask(scene, schedule, i * (panel + GAP), panel));
    this.canvas.setAttribute("aria-label", describe(scene, panels));
    this.frames += 1;
    this.canvas.drawn = { frames: this.frames, cursor: scene.cursor, dark: this.theme.dark, panels, ...drawn };
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

  // A whole number of screen pixels a cell, so that all cells look alike; a thin layer is stretched up to four times.
  maskSize(panel) {
    const density = window.devicePixelRatio || 1;
    const { width, height } = this.layer;
    const [across, down] = [(panel * density) / width, (MASK_HEIGHT * density) / height];
    const most = 4 * Math.min(across, down);
    const whole = (scale) => (scale > 1 ? Math.floor(scale) : scale);
    return [(width * whole(Math.min(across, most))) / density, (height * whole(Math.min(down, most))) / density];
  }

  drawMask(scene, schedule, left, panel) {
    const { context, layer } = this;
    const asked = requestedAt(schedule, scene.target, scene.cursor);
    const applied = appliedAt(schedule, scene.target, scene.totalSteps, scene.cursor);
    const count = layer && pruneCount(layer, applied);
    const got = layer && achieved(layer, count);
    this.drawHeader(scene, schedule, left, panel, { asked, applied, got });
    if (layer) {
      const [width, height] = this.maskSize(panel);
      const top = PLOT_HEIGHT + HEADER_HEIGHT;
      paint(this.pixels, layer, count, this.ramps[schedule.type]);
      this.cells.getContext("2d").putImageData(this.image, 0, 0);
      context.imageSmoothingEnabled = !layer.exact;
      context.drawImage(this.cells, left, top, width, height);
      context.strokeStyle = scene.colors.grid;
      context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    }
    return { type: schedule.type, asked, applied, count, got };
  }

  drawHeader(scene, schedule, left, panel, { asked, applied, got }) {
    const { context } = this;
    const { colors } = scene;
    const top = PLOT_HEIGHT + 6;
    context.fillStyle = colors[schedule.type];
    context.fillRect(left, top, panel, schedule === scene.chosen ? 3 : 1);
    context.textBaseline = "top";
    context.textAlign = "left";
    context.font = scene.font(13, schedule === scene.chosen ? 700 : 500);
    context.fillText(scene.names[schedule.type], left, top + 8);
    context.textAlign = "right";
    context.fillText(percent(applied), left + panel, top + 8);
    context.font = scene.font(11);
    context.fillStyle = colors.muted;
    this.pair(left, panel, top + 26, "formula asks", percent(asked));
    if (got !== null) this.pair(left, panel, top + 40, "mask gets", percent(got));
  }

  pair(left, panel, y, name, value) {
    this.context.textAlign = "left";
    this.context.fillText(name, left, y);
    this.context.textAlign = "right";
    this.context.fillText(value, left + panel, y);
  }

  // The widget manager marks what has lost its kernel; ours is the only room to say what to do about it.
  tellIfLost() {
    const lost = this.element.closest(".jupyter-widgets-disconnected") !== null;
    this.lost.textContent = lost
      ? "The kernel has been restarted or is gone: run the cell again to bring the explorer back."
      : "";
  }

  // A press or a drag in the plot moves the cursor.
  async moveCursor(event) {
    if (!this.plot || event.buttons !== 1 || event.offsetY > PLOT_HEIGHT) return;
    const step = Math.min(this.plot.stepAt(event.offsetX), this.model.get("total_steps"));
    const [id, trait] = this.model.get("follows").cursor;
    const source = await this.model.widget_manager.get_model(id);
    source.set(trait, step);
    source.save_changes();
  }
}

function describe(scene, panels) {
  const values = panels.map((panel) => `${scene.names[panel.type]} ${percent(panel.applied)}`);
  return `Sparsity over ${scene.totalSteps} training steps. Applied at step ${scene.cursor}: ${values.join(", ")}.`;
}

function listen(view, signal) {
  const { model, canvas } = view;
  const redraw = () => view.request();
  const retheme = () => ((view.theme = undefined), view.request());
  canvas.addEventListener("pointerdown", (event) => (canvas.setPointerCapture(event.pointerId), view.moveCursor(event)), { signal });
  canvas.addEventListener("pointermove", (event) => view.moveCursor(event), { signal });
  const size = new ResizeObserver(redraw);
  size.observe(view.element);
  const theme = new MutationObserver(retheme);
  for (const node of [document.body, document.documentElement]) theme.observe(node, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", retheme, { signal });
  window.addEventListener("resize", redraw, { signal }); // also told when the screen's density changes
  const relayer = () => (view.openLayer(), view.request());
  model.on("change:layer", relayer);
  model.on("change", redraw);
  const relive = () => requestAnimationFrame(() => view.tellIfLost());
  model.on("comm_live_update", relive);
  return () => {
    size.disconnect();
    theme.disconnect();
    model.off("change:layer", relayer);
    model.off("change", redraw);
    model.off("comm_live_update", relive);
    cancelAnimationFrame(view.frame);
  };
}

// The numbers come from the controls' models in this page. A jslink would do the same and also send each of them to
// the kernel a second time, which costs the page more than the drawing.
async function initialize({ model }) {
  for (const [name, [id, trait]] of Object.entries(model.get("follows"))) {
    const source = await model.widget_manager.get_model(id);
    const follow = () => model.set(name, source.get(trait));
    source.on(`change:${trait}`, follow);
    follow();
  }
}

function render({ model, el }) {
  el.classList.add("entrenar-viz-live");
  const view = new View(model, el);
  const aborter = new AbortController();
  const quiet = listen(view, aborter.signal);
  view.request();
  return () => {
    aborter.abort();
    quiet();
  };
}

export default { initialize, render };
