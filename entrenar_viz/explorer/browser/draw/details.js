// @ts-check
// What the masks cost, number by number, and the weights in the window on a large layer. Draws from a `scene` (see
// scene.js) on a 2-D context; all lengths are CSS pixels.
import { aligned, thousands } from "../math/format.js";
import { useFont } from "./axes.js";
import { drawNote, drawTitle, GAP, LINE, pair } from "./panels.js";

const NARROWEST = 132; // a panel whose words still fit
const TITLE = 26;
const CAPTION = 18; // a line above the windows

// Where each panel stands, {left, top, width, window size}, in as many rows as it takes; and where they end.
export function layOutDetails(panels, width, weights) {
  const fitting = Math.floor((width + GAP) / (NARROWEST + GAP));
  const across = fitting >= panels.length ? panels.length : Math.max(Math.min(fitting, 3), 1);
  const each = Math.floor((width - (across - 1) * GAP) / across);
  const words = TITLE + LINE * (panels.some(({ layer }) => layer?.errors) ? 5 : 4) + 8;
  const window = weights ? windowSize(weights, each) : [0, 0];
  const high = words + (weights ? CAPTION + window[1] : 0) + 10;
  const places = panels.map((_, i) => {
    const top = Math.floor(i / across) * high;
    return { left: (i % across) * (each + GAP), top, width: each, window, windowTop: top + words + CAPTION };
  });
  return [places, Math.ceil(panels.length / across) * high];
}

// One weight a pixel, or as many whole pixels as there is room for; what does not fit is cut off.
function windowSize({ width, height }, panel) {
  const scale = Math.max(Math.floor(panel / width), 1);
  return [Math.min(width * scale, panel), height * scale, scale];
}

export function drawDetail(context, scene, { left, top, width }, panel, state) {
  drawTitle(context, scene, left, top, width, panel, state);
  if (!panel.layer) return drawNote(context, scene, left, top + TITLE, width, panel.note);
  const { colors } = scene;
  useFont(context, scene.font(11));
  context.fillStyle = colors.muted;
  const line = (i, name, value) => pair(context, left, width, top + TITLE + i * LINE, name, value);
  line(0, "formula asks", aligned(state.asked));
  line(1, "mask gets", aligned(state.got));
  line(2, "kept energy", aligned(state.energy));
  if (state.error !== null) line(3, "output error", aligned(state.error));
  if (state.surprising) context.fillStyle = colors.warning;
  line(state.error === null ? 3 : 4, state.reason, "");
}

// The weights in the window, one by one.
export function drawWindow(context, scene, { left, windowTop, window: [width, height, scale] }, mask, state) {
  const { row, column } = mask.layer;
  mask.show(state.before, state.count, scene.words[state.type]);
  context.imageSmoothingEnabled = false;
  context.globalAlpha = row === scene.corner[0] && column === scene.corner[1] ? 1 : 0.5; // asked for, and not yet here
  context.drawImage(mask.canvas, 0, 0, width / scale, height / scale, left, windowTop, width, height);
  context.globalAlpha = 1;
  context.strokeStyle = scene.colors.grid;
  context.strokeRect(left + 0.5, windowTop + 0.5, width - 1, height - 1);
}

// Which weights these are, above the first window.
export function drawCaption(context, scene, { left, windowTop }, { rows, cols }, { height, width }) {
  const [row, column] = scene.corner;
  const range = (from, count) => `${thousands(from)} to ${thousands(from + count - 1)}`;
  useFont(context, scene.font(11));
  context.fillStyle = scene.colors.muted;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  const text = `weight by weight: rows ${range(row, height)} of ${thousands(rows)}, columns ${range(column, width)} of ${thousands(cols)}`;
  context.fillText(text, left, windowTop - 3);
}
