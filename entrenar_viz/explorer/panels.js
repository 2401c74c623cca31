// The panels below the plot: for each schedule, or for each pattern, how much is gone, a mask of the layer, and of a
// large layer a window at one weight a pixel. All lengths are CSS pixels.
import { achieved, energyAt, errorAt, paint, pruneCount, reasonOf } from "./mask.js";
import { aligned, thousands } from "./format.js";
import { requestedAt } from "./schedules.js";
import { colorOf } from "./theme.js";
import { appliedAt } from "./updates.js";

const GAP = 18;
const NARROWEST = 132; // a panel whose words still fit
const LINE = 14;
const TITLE = 26;
const MAP_HEIGHT = 256;
const CAPTION = 18; // a line above the windows
const LEGEND = 22;
const STRETCHED = 4; // times that a thin layer may be wider or higher than its shape

// One mask: its own pixels, painted again only when another mask is to be seen.
class Picture {
  constructor(layer) {
    this.layer = layer;
    this.canvas = new OffscreenCanvas(layer.width, layer.height);
    this.image = new ImageData(layer.width, layer.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  show(before, count, words) {
    if (this.before === before && this.count === count && this.words === words) return;
    paint(this.pixels, this.layer, before, count, words);
    this.canvas.getContext("2d").putImageData(this.image, 0, 0);
    Object.assign(this, { before, count, words });
  }
}

export class Panel {
  constructor(name, layer) {
    this.name = name; // of a schedule or a pattern
    this.note = layer.note ?? "";
    this.setLayer(layer.rows ? layer : null);
  }

  setLayer(layer) {
    this.layer = layer;
    this.map = layer && new Picture(layer);
    this.window = null;
  }

  setWindow(window) {
    this.window = window && new Picture(window);
  }

  // What the mask is at the cursor, without drawing it.
  state(scene, schedule) {
    const { layer } = this;
    const { target, totalSteps, cursor } = scene;
    const asked = requestedAt(schedule, target, cursor);
    const applied = appliedAt(schedule, target, totalSteps, cursor);
    const state = { name: this.name, type: schedule.type, asked, applied, count: null, got: null };
    if (!layer) return state;
    const count = pruneCount(layer, applied);
    const before = pruneCount(layer, appliedAt(schedule, target, totalSteps, cursor - scene.lately));
    const got = achieved(layer, count);
    const [energy, error] = [energyAt(layer, count), errorAt(layer, count)];
    const [reason, surprising] = reasonOf(layer, applied, count, got);
    return { ...state, applied: layer.fixed ? got : applied, count, before, got, reason, surprising, energy, error };
  }
}

// Where each panel stands: {left, top, width, height of its words, map size, window size}; and where the legend ends.
export function layOut(panels, width, top) {
  const fitting = Math.floor((width + GAP) / (NARROWEST + GAP));
  const across = fitting >= panels.length ? panels.length : Math.max(Math.min(fitting, 3), 1);
  const panel = Math.floor((width - (across - 1) * GAP) / across);
  const words = TITLE + LINE * (panels.some(({ layer }) => layer?.errors) ? 5 : 4) + 8;
  const places = [];
  let y = top;
  for (let i = 0; i < panels.length; i += across) {
    const row = panels.slice(i, i + across);
    const maps = row.map(({ layer }) => (layer ? mapSize(layer, panel) : [panel, 40]));
    const windows = row.map(({ window }) => (window ? windowSize(window.layer, panel) : [0, 0]));
    const high = Math.max(...maps.map(([, height]) => height));
    row.forEach((_, j) =>
      places.push({
        ...{ left: j * (panel + GAP), top: y, width: panel, map: maps[j], mapTop: y + words },
        ...{ window: windows[j], windowTop: y + words + high + CAPTION },
      }),
    );
    const windowHigh = Math.max(...windows.map(([, height]) => height));
    y += words + high + (windowHigh ? CAPTION + windowHigh : 0) + 10;
  }
  return [places, y + LEGEND];
}

// A whole number of screen pixels a cell, so that all cells look alike; a thin layer is stretched.
function mapSize({ width, height }, panel) {
  const density = window.devicePixelRatio || 1;
  const [across, down] = [(panel * density) / width, (MAP_HEIGHT * density) / height];
  const most = STRETCHED * Math.min(across, down);
  const whole = (scale) => (scale > 1 ? Math.floor(scale) : scale);
  return [(width * whole(Math.min(across, most))) / density, (height * whole(Math.min(down, most))) / density];
}

// One weight a pixel, or as many whole pixels as there is room for; what does not fit is cut off.
function windowSize({ width, height }, panel) {
  const scale = Math.max(Math.floor(panel / width), 1);
  return [Math.min(width * scale, panel), height * scale, scale];
}

export function drawPanel(context, scene, place, panel, state, words) {
  drawWords(context, scene, place, panel, state);
  if (!panel.layer) {
    drawNote(context, scene, place, panel.note);
    return;
  }
  panel.map.show(state.before, state.count, words[state.type]);
  const [width, height] = place.map;
  context.imageSmoothingEnabled = !panel.layer.exact;
  context.drawImage(panel.map.canvas, place.left, place.mapTop, width, height);
  context.strokeStyle = scene.colors.grid;
  context.lineWidth = 1;
  context.strokeRect(place.left + 0.5, place.mapTop + 0.5, width - 1, height - 1);
  if (panel.window) drawWindow(context, scene, place, panel, state, words);
}

function drawWords(context, scene, { left, top, width }, panel, state) {
  const { colors } = scene;
  const strong = state.type === scene.chosen.type;
  context.fillStyle = colorOf(scene, state);
  context.fillRect(left, top, width, strong ? 3 : 1);
  context.textBaseline = "top";
  context.font = scene.font(13, strong ? 700 : 500);
  pair(context, left, width, top + 8, panel.name, aligned(state.applied));
  context.font = scene.font(11);
  context.fillStyle = colors.muted;
  const line = (i, name, value) => pair(context, left, width, top + TITLE + i * LINE, name, value);
  line(0, "formula asks", aligned(state.asked));
  if (state.got === null) return;
  line(1, "mask gets", aligned(state.got));
  line(2, "kept energy", aligned(state.energy));
  if (state.error !== null) line(3, "output error", aligned(state.error));
  if (state.surprising) context.fillStyle = colors.warning;
  line(state.error === null ? 3 : 4, state.reason, "");
}

function pair(context, left, width, y, name, value) {
  context.textAlign = "left";
  context.fillText(name, left, y, width - (value && context.measureText(value).width + 4));
  context.textAlign = "right";
  context.fillText(value, left + width, y, width);
}

// Words in place of a mask, broken into lines.
function drawNote(context, scene, { left, width, mapTop }, note) {
  context.font = scene.font(11);
  context.fillStyle = scene.colors.muted;
  context.textAlign = "left";
  let [text, y] = ["", mapTop];
  for (const word of note.split(" ")) {
    if (text && context.measureText(`${text} ${word}`).width > width) {
      context.fillText(text, left, y);
      [text, y] = [word, y + LINE];
    } else text = text ? `${text} ${word}` : word;
  }
  context.fillText(text, left, y, width);
}

function drawWindow(context, scene, place, panel, state, words) {
  const shown = panel.window;
  const [width, height, scale] = place.window;
  const stale = shown.layer.row !== scene.corner[0] || shown.layer.column !== scene.corner[1];
  shown.show(state.before, state.count, words[state.type]);
  context.imageSmoothingEnabled = false;
  context.globalAlpha = stale ? 0.5 : 1; // asked for, and not yet here
  context.drawImage(shown.canvas, 0, 0, width / scale, height / scale, place.left, place.windowTop, width, height);
  context.globalAlpha = 1;
  context.strokeStyle = scene.colors.grid;
  context.strokeRect(place.left + 0.5, place.windowTop + 0.5, width - 1, height - 1);
  drawFrame(context, scene, frameOf(scene, place, panel.layer));
}

// Where the window lies in the map, never too small to be seen.
export function frameOf({ corner }, { left, mapTop, map, window: [wide, high, scale] }, { cols, rows }) {
  const [scaleX, scaleY] = [map[0] / cols, map[1] / rows];
  const [width, height] = [Math.max((wide / scale) * scaleX, 6), Math.max((high / scale) * scaleY, 6)];
  const x = Math.min(left + corner[1] * scaleX, left + map[0] - width);
  return { x, y: Math.min(mapTop + corner[0] * scaleY, mapTop + map[1] - height), width, height };
}

function drawFrame(context, scene, { x, y, width, height }) {
  for (const [color, wide] of [
    [scene.colors.background, 4],
    [scene.colors.text, 2],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = wide;
    context.strokeRect(x, y, width, height);
  }
  context.lineWidth = 1;
}

// The weights in the window, in words, above the first one.
export function drawCaption(context, scene, place, { rows, cols }, [height, width]) {
  const [row, column] = scene.corner;
  const range = (from, count) => `${thousands(from)} to ${thousands(from + count - 1)}`;
  context.font = scene.font(11);
  context.fillStyle = scene.colors.muted;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  const text = `weight by weight: rows ${range(row, height)} of ${thousands(rows)}, columns ${range(column, width)} of ${thousands(cols)}`;
  context.fillText(text, place.left, place.windowTop - 3);
}

// How to read the colours of the masks, below the last row of them.
export function drawLegend(context, scene, panels, bottom) {
  const shown = panels.find(({ layer }) => layer)?.layer;
  if (!shown) return;
  const { colors } = scene;
  const kept = shown.exact ? "kept: the stronger, the larger the weight" : "kept: the stronger, the more of a cell";
  const others = [`gone in the last ${thousands(scene.lately)} steps`, "gone before"];
  let x = 0;
  context.font = scene.font(11);
  const wide = [kept, ...others].reduce((sum, text) => sum + context.measureText(text).width + 33, -18);
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const [color, text] of [
    [colorOf(scene, scene.chosen), wide > context.canvas.clientWidth ? "kept" : kept],
    [colors.fresh, others[0]],
    [colors.pruned, others[1]],
  ]) {
    context.fillStyle = color;
    context.fillRect(x, bottom - LEGEND + 1, 10, 10);
    context.strokeStyle = colors.muted;
    context.strokeRect(x + 0.5, bottom - LEGEND + 1.5, 9, 9);
    context.fillStyle = colors.muted;
    context.fillText(text, x + 15, bottom - LEGEND + 6.5);
    x += context.measureText(text).width + 33;
  }
}
