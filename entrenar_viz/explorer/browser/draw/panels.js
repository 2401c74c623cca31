// @ts-check
// The panels below the plot: for each schedule, or for each pattern, how much is gone and a mask of the layer. Draws from
// a `scene` (see scene.js) on a 2-D context; all lengths are CSS pixels.
import { achieved, energyAt, errorAt, paint, pruneCount, reasonOf } from "../math/masks.js";
import { aligned, percent, thousands } from "../math/format.js";
import { requestedAt } from "../math/schedules.js";
import { appliedAt } from "../math/updates.js";
import { useFont, widthOf } from "./axes.js";
import { colorOf } from "./theme.js";

export const GAP = 18;
export const LINE = 14;
const WORDS = 41; // two lines
const MAP_HEIGHT = 128;
const LEGEND = 20;
const STRETCHED = 4; // times that a thin layer may be wider or higher than its shape

// One mask: its own pixels, painted again only when another mask is to be seen.
export class Mask {
  constructor(layer) {
    this.layer = layer;
    this.canvas = new OffscreenCanvas(layer.width, layer.height);
    this.image = new ImageData(layer.width, layer.height);
    this.pixels = new Uint32Array(this.image.data.buffer);
    this.painted = "";
    this.words = null;
  }

  show(before, count, words) {
    if (this.painted === `${before} ${count}` && this.words === words) return;
    paint(this.pixels, this.layer, before, count, words);
    this.canvas.getContext("2d")?.putImageData(this.image, 0, 0);
    this.painted = `${before} ${count}`;
    this.words = words;
  }
}

// What is shown of one schedule or pattern: `name`, and `layer` or, where there is none, the `note` that says why.
export class Panel {
  constructor(name, layer) {
    this.name = name;
    this.note = layer.note ?? "";
    this.layer = layer.rows ? layer : null;
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

// Where each panel stands, {left, top, width, map size}, side by side; and where the legend ends.
export function layOut(panels, width, top) {
  const each = Math.floor((width - (panels.length - 1) * GAP) / panels.length);
  const places = panels.map(({ layer }, i) => ({
    ...{
      left: i * (each + GAP),
      top,
      width: each,
      mapTop: top + WORDS,
      map: layer ? mapSize(layer, each) : [each, MAP_HEIGHT],
    },
  }));
  return [places, top + WORDS + MAP_HEIGHT + 6 + LEGEND];
}

// A whole number of screen pixels a cell, so that all cells look alike; a thin layer is stretched.
export function mapSize({ width, height }, panel) {
  const density = window.devicePixelRatio || 1;
  const [across, down] = [(panel * density) / width, (MAP_HEIGHT * density) / height];
  const most = STRETCHED * Math.min(across, down);
  const whole = (scale) => (scale > 1 ? Math.floor(scale) : scale);
  return [(width * whole(Math.min(across, most))) / density, (height * whole(Math.min(down, most))) / density];
}

export function drawPanel(context, scene, place, panel, mask, state) {
  drawWords(context, scene, place, panel, state);
  if (!panel.layer) {
    drawNote(context, scene, place.left, place.mapTop, place.width, panel.note);
    return;
  }
  mask.show(state.before, state.count, scene.words[state.type]);
  const [width, height] = place.map;
  context.imageSmoothingEnabled = !panel.layer.exact;
  context.drawImage(mask.canvas, place.left, place.mapTop, width, height);
  context.strokeStyle = scene.colors.grid;
  context.lineWidth = 1;
  context.strokeRect(place.left + 0.5, place.mapTop + 0.5, width - 1, height - 1);
}

function drawWords(context, scene, { left, top, width }, panel, state) {
  const { colors } = scene;
  const strong = drawTitle(context, scene, left, top, width, panel, state);
  if (strong === null) return;
  useFont(context, scene.font(11));
  context.fillStyle = state.surprising && strong ? colors.warning : colors.muted;
  const asks = `formula asks ${percent(state.asked)}`;
  const fits = state.reason && widthOf(context, `${asks}; ${state.reason}`) < width;
  context.fillText(state.reason ? (fits ? `${asks}; ${state.reason}` : state.reason) : asks, left, top + 25, width);
}

// The name of a panel and how much is gone there, in bold for what is exported; in smaller letters where there is little
// room, and where there is less in two lines, which null tells of.
export function drawTitle(context, scene, left, top, width, panel, state) {
  const strong = state.type === scene.chosen.type;
  context.fillStyle = colorOf(scene, state);
  context.fillRect(left, top, width, strong ? 3 : 1);
  context.textBaseline = "top";
  const share = aligned(state.applied);
  const weight = strong ? 700 : 500;
  const size = [13, 12, 11].find((points) => {
    useFont(context, scene.font(points, weight));
    return widthOf(context, panel.name + share) + 8 <= width;
  });
  if (size) {
    pair(context, left, width, top + 8, panel.name, share);
    return strong;
  }
  pair(context, left, width, top + 8, panel.name, "");
  pair(context, left, width, top + 8 + LINE, share, "");
  return null;
}

// A name at the left and its value at the right, with room between them; a name that is too long is cut short.
export function pair(context, left, width, y, name, value) {
  const room = width - (value ? widthOf(context, value) + 8 : 0);
  context.textAlign = "left";
  context.fillText(fitting(context, name, room), left, y);
  context.textAlign = "right";
  context.fillText(value, left + width, y);
  context.textAlign = "left";
}

function fitting(context, text, room) {
  if (widthOf(context, text) <= room) return text;
  let cut = text.length;
  while (cut > 1 && widthOf(context, `${text.slice(0, cut)}…`) > room) cut -= 1;
  return `${text.slice(0, cut)}…`;
}

// Words in place of a mask, broken into lines.
export function drawNote(context, scene, left, top, width, note) {
  useFont(context, scene.font(11));
  context.fillStyle = scene.colors.muted;
  context.textAlign = "left";
  let [text, y] = ["", top];
  for (const word of note.split(" ")) {
    if (text && widthOf(context, `${text} ${word}`) > width) {
      context.fillText(text, left, y);
      [text, y] = [word, y + LINE];
    } else text = text ? `${text} ${word}` : word;
  }
  context.fillText(text, left, y, width);
}

// Where the window lies in a map, never too small to be seen.
export function frameOf({ corner }, { left, mapTop, map }, { cols, rows }, { width: wide, height: high }) {
  const [scaleX, scaleY] = [map[0] / cols, map[1] / rows];
  const [width, height] = [Math.max(wide * scaleX, 6), Math.max(high * scaleY, 6)];
  const x = Math.min(left + corner[1] * scaleX, left + map[0] - width);
  return { x, y: Math.min(mapTop + corner[0] * scaleY, mapTop + map[1] - height), width, height };
}

export function drawFrame(context, scene, { x, y, width, height }) {
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

// How to read the colours of the masks, below them.
export function drawLegend(context, scene, panels, width, bottom) {
  const shown = panels.find(({ layer }) => layer)?.layer;
  if (!shown) return;
  const { colors } = scene;
  const kept = shown.exact ? "kept: the stronger, the larger the weight" : "kept: the stronger, the more of a cell";
  const others = [`gone in the last ${thousands(scene.lately)} steps`, "gone before"];
  let x = 0;
  useFont(context, scene.font(11));
  const wide = [kept, ...others].reduce((sum, text) => sum + widthOf(context, text) + 33, -18);
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const [color, text] of [
    [colorOf(scene, scene.chosen), wide > width ? "kept" : kept],
    [colors.fresh, others[0]],
    [colors.pruned, others[1]],
  ]) {
    context.fillStyle = color;
    context.fillRect(x, bottom - LEGEND + 5, 10, 10);
    context.strokeStyle = colors.muted;
    context.strokeRect(x + 0.5, bottom - LEGEND + 5.5, 9, 9);
    context.fillStyle = colors.muted;
    context.fillText(text, x + 15, bottom - LEGEND + 10.5);
    x += widthOf(context, text) + 33;
  }
}
