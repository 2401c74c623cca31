// @ts-check
// Where steps and sparsities stand in the plot, and what is drawn there whatever the schedules are: axes and regions.
// Lengths are CSS pixels.
import { thousands } from "../math/format.js";
import { windowOf } from "../math/schedules.js";
import { lastUpdate } from "../math/updates.js";

const MARGIN = { left: 52, right: 26, top: 26, bottom: 44 };

export function area({ range: [from, to] }, width, height) {
  const { left, right, top, bottom } = MARGIN;
  const [w, h] = [Math.max(width - left - right, 10), Math.max(height - top - bottom, 10)];
  const share = (value) => Math.min(Math.max(value, 0), 1);
  return {
    ...{ left, top, right: left + w, bottom: top + h, from, to },
    x: (step) => left + ((step - from) / (to - from)) * w,
    y: (sparsity) => top + (1 - sparsity) * h,
    stepAt: (x) => Math.round(from + share((x - left) / w) * (to - from)),
    sparsityAt: (y) => share(1 - (y - top) / h),
  };
}

// Fonts are set, and texts measured, only if they differ from those before: both take longer than drawing a line.
/** @type {WeakMap<object, string>} */
const FONTS = new WeakMap();
/** @type {Map<string, number>} */
const WIDTHS = new Map();

export function useFont(context, font) {
  if (FONTS.get(context) === font) return;
  context.font = font;
  FONTS.set(context, font);
}

/** Forget the font of a context that was restored or cleared. */
export const forgetFont = (context) => FONTS.delete(context);

/** The width of a text in the font that is used. */
export function widthOf(context, text) {
  const key = `${FONTS.get(context)} ${text}`;
  const known = WIDTHS.get(key);
  if (known !== undefined) return known;
  if (WIDTHS.size > 5000) WIDTHS.clear();
  const { width } = context.measureText(text);
  WIDTHS.set(key, width);
  return width;
}

// A text with room around it, which keeps it legible over lines; aligned as the context is.
export function writeOver(context, scene, text, x, y, color) {
  context.lineWidth = 3;
  context.strokeStyle = scene.colors.background;
  context.strokeText(text, x, y);
  context.fillStyle = color;
  context.fillText(text, x, y);
}

// Draw what may reach beyond the shown steps.
export function clipped(context, plot, draw) {
  context.save();
  context.beginPath();
  context.rect(plot.left, 0, plot.right - plot.left, plot.bottom + 1);
  context.clip();
  draw();
  context.restore();
  forgetFont(context);
}

export function drawRegions(context, scene, plot) {
  const { colors, totalSteps, lastStep } = scene;
  const [start, end] = windowOf(scene.chosen);
  const inside = (step) => Math.min(Math.max(step, plot.from), plot.to);
  const text = (texts, from, to, color) =>
    label(context, texts, plot.x(inside(from)), plot.x(inside(to)), plot.top - 6, color);
  const band = (from, to, color) => {
    const [left, right] = [plot.x(inside(from)), plot.x(inside(to))];
    context.fillStyle = color;
    context.fillRect(left, plot.top, right - left, plot.bottom - plot.top);
  };
  useFont(context, scene.font(11));
  context.fillStyle = colors.muted;
  context.textBaseline = "bottom";
  if (end > start) {
    band(start, Math.min(end, lastStep), colors.window);
    text("window", start, Math.min(end, totalSteps), colors.muted);
  }
  const last = lastUpdate(scene.chosen, scene.target, totalSteps);
  if (last !== null && last < totalSteps) {
    band(last, totalSteps, colors.recovery);
    const share = Math.round((100 * (totalSteps - last)) / totalSteps);
    const from = Math.max(last, Math.min(end, totalSteps));
    const texts = [`recovery: ${thousands(totalSteps - last)} steps, ${share}%`, `recovery ${share}%`];
    text(texts, from, totalSteps, colors.muted);
  }
  if (totalSteps < lastStep) {
    band(totalSteps, lastStep, colors.over);
    text("after the training", totalSteps, lastStep, colors.warning);
  }
}

// The first of `texts` that has room between two edges, centred; none if none has.
function label(context, texts, from, to, y, color) {
  const text = [texts].flat().find((candidate) => widthOf(context, candidate) + 4 < to - from);
  if (!text) return;
  context.fillStyle = color;
  context.textAlign = "center";
  context.fillText(text, (from + to) / 2, y);
}

const SPARSITIES = [0, 0.25, 0.5, 0.75, 1].map((tick) => [tick, `${100 * tick}%`]);

// The axes; `levels` are the ticks of the upright one, each with its text, and `what` is its name.
export function drawAxes(context, scene, plot, levels = SPARSITIES, what = "sparsity") {
  const { colors } = scene;
  useFont(context, scene.font(11));
  context.lineWidth = 1;
  context.strokeStyle = colors.grid;
  context.fillStyle = colors.muted;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const [tick, text] of levels) {
    line(context, plot.left, plot.y(tick), plot.right, plot.y(tick));
    context.fillText(text, plot.left - 8, plot.y(tick));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const [x] of stepTicks(scene, plot)) line(context, x, plot.bottom, x, plot.bottom + 4);
  const along = scene.stepsPerEpoch ? "epoch" : "training step";
  context.fillText(along, (plot.left + plot.right) / 2, plot.bottom + 26);
  context.save();
  context.translate(12, (plot.top + plot.bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "middle";
  context.fillText(what, 0, 0);
  context.restore();
}

// The numbers of steps or epochs below the axis, but for those that the cursor's would cover.
export function drawTicks(context, scene, plot) {
  useFont(context, scene.font(11));
  context.fillStyle = scene.colors.muted;
  context.textAlign = "center";
  context.textBaseline = "top";
  const own = widthOf(context, stepText(scene));
  for (const [x, tick] of stepTicks(scene, plot)) {
    const text = thousands(tick);
    const room = (own + widthOf(context, text) + 24) / 2;
    if (Math.abs(x - plot.x(scene.cursor)) > room) context.fillText(text, x, plot.bottom + 8);
  }
}

// The step of the cursor, below the axis.
export function drawCursorStep(context, scene, plot) {
  const { colors } = scene;
  useFont(context, scene.font(11, 600));
  const text = stepText(scene);
  const half = widthOf(context, text) / 2 + 6;
  const middle = Math.min(Math.max(plot.x(scene.cursor), plot.left + half), plot.right - half);
  context.fillStyle = colors.text;
  context.fillRect(middle - half, plot.bottom + 4, 2 * half, 18);
  context.fillStyle = colors.background;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, middle, plot.bottom + 13.5);
}

// Where the ticks of the steps stand, each with its number.
function stepTicks({ stepsPerEpoch }, plot) {
  const unit = stepsPerEpoch || 1;
  const count = Math.floor((plot.right - plot.left) / 80);
  return ticks(plot.from / unit, plot.to / unit, count, stepsPerEpoch ? 0 : 1).map((tick) => [
    plot.x(tick * unit),
    tick,
  ]);
}

// The step of the cursor in words.
export function stepText({ cursor, stepsPerEpoch }, step = cursor) {
  const epoch = stepsPerEpoch ? `, epoch ${(step / stepsPerEpoch).toFixed(2)}` : "";
  return `step ${thousands(step)}${epoch}`;
}

// Round numbers between `from` and `to`, at most about `count` of them, and not closer than `least`.
export function ticks(from, to, count, least) {
  const rough = Math.max((to - from) / Math.max(count, 2), least || Number.MIN_VALUE);
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough) ?? rough;
  const [first, last] = [Math.ceil(from / every - 1e-9), Math.floor(to / every + 1e-9)];
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * every).toPrecision(15)));
}

export function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  context.stroke();
}
