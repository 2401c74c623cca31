// @ts-check
// The curves of a rehearsal, on the steps of the plot above. Draws from a `scene` (see scene.js) with an `accuracy` on a
// 2-D context; all lengths are CSS pixels.
import { accuracyText, nearest, passesAt, percentTicks, scaleOf, spread } from "../math/accuracy.js";
import { thousands } from "../math/format.js";
import { opportunities, staircase } from "../math/updates.js";
import {
  area,
  clipped,
  drawAxes,
  drawCursorStep,
  drawRegions,
  drawTicks,
  line,
  stepText,
  ticks,
  useFont,
  widthOf,
  writeOver,
} from "./axes.js";
import { drawReadout, touch } from "./readout.js";
import { colorOf } from "./theme.js";

const NAME = 14; // the height of a name
const NAMES_WIDE = 70; // px that the longest name and its distance take
const APART = 8; // px between two updates that are drawn as lines
const MARK = 6;
const WHOLE = 0.01; // least between two ticks: with decimals they would reach the name of the axis
const EMPTY = "The accuracy of each schedule is drawn here";

const isDense = ({ type }) => type === "dense";
const colorFor = (scene, curve) => (isDense(curve) ? scene.colors.text : colorOf(scene, curve));

/** What is drawn is also told, for those who test it. */
export function drawAccuracy(context, scene, width, height) {
  const { accuracy } = scene;
  const [low, high] = scaleOf(accuracy, scene.range);
  const plot = area(scene, width, height);
  plot.y = (value) => plot.top + ((high - value) / (high - low)) * (plot.bottom - plot.top);
  drawRegions(context, scene, plot);
  drawAxes(context, scene, plot, percentTicks(ticks(low, high, 5, WHOLE)), "accuracy");
  const updates = drawUpdates(context, scene, plot);
  if (!accuracy.steps.length) drawEmpty(context, scene, plot);
  context.globalAlpha = accuracy.outdated ? 0.45 : 1;
  const curves = drawCurves(context, scene, plot);
  context.globalAlpha = 1;
  drawTicks(context, scene, plot);
  scene.taken = [];
  const told = drawAtCursor(context, scene, plot);
  const names = accuracy.steps.length ? drawCurveNames(context, scene, plot) : [];
  return { plot, scale: [low, high], curves, updates, told, names };
}

function drawEmpty(context, scene, plot) {
  useFont(context, scene.font(12));
  context.textAlign = "center";
  context.textBaseline = "middle";
  writeOver(context, scene, EMPTY, (plot.left + plot.right) / 2, (plot.top + plot.bottom) / 2, scene.colors.muted);
}

// The updates of the chosen schedule: lines, or where those would be too near to each other, marks on the axis.
function drawUpdates(context, scene, plot) {
  const { chosen, target, totalSteps } = scene;
  const steps = staircase(chosen, target, totalSteps, plot.right - plot.left, plot.from, plot.to)
    .map(([step]) => step)
    .filter((step) => step >= plot.from && step <= plot.to);
  const every = opportunities(chosen, totalSteps)[2];
  const near = steps.length > 1 && plot.x(plot.from + every) - plot.left < APART;
  context.strokeStyle = colorOf(scene, chosen);
  context.lineWidth = 1;
  context.globalAlpha = 0.35;
  for (const step of steps)
    line(context, plot.x(step), near ? plot.bottom - MARK : plot.top, plot.x(step), plot.bottom);
  context.globalAlpha = 1;
  return steps;
}

// Bands below all lines, the chosen schedule's line above the others.
function drawCurves(context, scene, plot) {
  const { accuracy, chosen } = scene;
  const drawn = [...accuracy.curves].sort((a, b) => Number(a.type === chosen.type) - Number(b.type === chosen.type));
  clipped(context, plot, () => {
    context.beginPath();
    context.rect(plot.left, plot.top, plot.right - plot.left, plot.bottom - plot.top);
    context.clip();
    const alpha = context.globalAlpha;
    context.globalAlpha = 0.16 * alpha;
    for (const curve of drawn) drawBand(context, scene, plot, curve);
    context.globalAlpha = alpha;
    for (const curve of drawn) drawMean(context, scene, plot, curve);
  });
  return accuracy.curves.map(({ name, mean }) => ({
    name,
    points: mean.map((value, i) => [accuracy.steps[i], value]),
  }));
}

function drawBand(context, scene, plot, curve) {
  const { steps } = scene.accuracy;
  context.beginPath();
  curve.high.forEach((value, i) => context.lineTo(plot.x(steps[i]), plot.y(value)));
  for (let i = steps.length - 1; i >= 0; i--) context.lineTo(plot.x(steps[i]), plot.y(curve.low[i]));
  context.closePath();
  context.fillStyle = colorFor(scene, curve);
  context.fill();
}

function drawMean(context, scene, plot, curve) {
  context.strokeStyle = colorFor(scene, curve);
  context.lineWidth = curve.type === scene.chosen.type ? 2.5 : 1.5;
  context.lineJoin = "round";
  if (isDense(curve)) context.setLineDash([6, 4]);
  context.beginPath();
  curve.mean.forEach((value, i) => context.lineTo(plot.x(scene.accuracy.steps[i]), plot.y(value)));
  context.stroke();
  context.setLineDash([]);
}

// The cursor, a dot on each curve, and what was read of each nearest to it, in words.
function drawAtCursor(context, scene, plot) {
  const { accuracy, cursor, colors } = scene;
  if (cursor < plot.from || cursor > plot.to) return [];
  context.strokeStyle = colors.text;
  context.lineWidth = 1;
  line(context, plot.x(cursor), plot.top, plot.x(cursor), plot.bottom);
  drawCursorStep(context, scene, plot);
  clipped(context, plot, () => accuracy.curves.forEach((curve) => drawDot(context, scene, plot, curve)));
  const { step, values } = readAt(accuracy, cursor);
  if (!values.length) return [];
  const title = `${step === cursor ? "" : "read at "}${stepText(scene, step)}`;
  const lines = values.map(([curve, value]) => [colorFor(scene, curve), `${curve.name} ${accuracyText(value)}`]);
  const all = /** @type {[string, string][]} */ ([[colors.text, title], ...lines]);
  drawReadout(context, scene, plot, cursor, all, isCrowdedBelow(scene, plot));
  return all.map(([, text]) => text);
}

/** What was read of each curve nearest to a step: nothing after the last reading and well before the first. */
export function readAt(accuracy, step) {
  const { steps, curves } = accuracy;
  if (!steps.length || step > steps.at(-1) || step < steps[0] / 2) return { step, values: [] };
  const index = nearest(steps, step);
  return { step: steps[index], values: curves.map((curve) => [curve, curve.mean[index]]) };
}

function drawDot(context, scene, plot, curve) {
  const value = passesAt(scene.accuracy, curve, scene.cursor);
  if (value === null) return;
  context.beginPath();
  context.arc(plot.x(scene.cursor), plot.y(value), curve.type === scene.chosen.type ? 4.5 : 3, 0, 2 * Math.PI);
  context.fillStyle = colorFor(scene, curve);
  context.fill();
  context.strokeStyle = scene.colors.background;
  context.stroke();
}

// Whether most of the curves beside the cursor run in the lower half.
function isCrowdedBelow({ accuracy, cursor }, plot) {
  const near = Math.abs(plot.to - plot.from) / 5;
  const heights = accuracy.steps.flatMap((step, i) =>
    step >= cursor && step <= cursor + near ? accuracy.curves.map(({ mean }) => plot.y(mean[i])) : [],
  );
  const low = heights.filter((y) => y > (plot.top + plot.bottom) / 2).length;
  return low > heights.length / 2;
}

// The names where the curves end, in the order of the ends; those that the readout covers are in it.
function drawCurveNames(context, scene, plot) {
  const { accuracy } = scene;
  const last = Math.min(accuracy.steps.at(-1), plot.to);
  if (last < plot.from) return [];
  const ends = accuracy.curves.map((curve) => [curve, passesAt(accuracy, curve, last)]);
  const middles = ends.map(([, value]) => Math.min(plot.y(value), plot.bottom) - NAME / 2 - 9);
  const tops = namePlaces(accuracy, plot, middles, plot.x(last));
  const names = ends.map(([curve], i) => nameBox(context, scene, plot, curve, plot.x(last), tops[i]));
  const free = names.filter((box) => !scene.taken.some((other) => touch(box, other)));
  for (const { text, color, x, y, width, height, font } of free) {
    useFont(context, font);
    context.globalAlpha = 0.75; // what is below a name must not strike it out
    context.fillStyle = scene.colors.background;
    context.fillRect(x - 2, y, width + 4, height);
    context.globalAlpha = 1;
    context.textAlign = "left";
    context.textBaseline = "top";
    writeOver(context, scene, text, x, y, color);
  }
  return free.map(({ text, x, y, width, height }) => ({ text, x, y, width, height }));
}

// Each name at its curve. At the right edge, where that is on top of the others' curves, all of them below those.
function namePlaces(accuracy, plot, middles, end) {
  const tops = spread(middles, NAME, plot.top, plot.bottom);
  const isAtEdge = end + NAMES_WIDE > plot.right;
  if (!isAtEdge || tops.every((top, i) => Math.abs(top - middles[i]) <= NAME)) return tops;
  const lowest = lowestFrom(accuracy, plot, plot.right - NAMES_WIDE);
  if (plot.bottom - lowest < middles.length * NAME + 4) return tops;
  return spread(tops, NAME, lowest + 4, plot.bottom);
}

// The lower end of what the curves and bands cover from x on, in pixels from above.
function lowestFrom({ steps, curves }, plot, x) {
  const since = Math.max(
    steps.findLastIndex((step) => plot.x(step) <= x),
    0,
  );
  return Math.max(...curves.flatMap(({ low }) => low.slice(since).map((value) => plot.y(value))));
}

// Beside the end of a curve that grows, or at the right edge.
function nameBox(context, scene, plot, curve, end, y) {
  const font = scene.font(12, curve.type === scene.chosen.type ? 700 : 500);
  useFont(context, font);
  const width = widthOf(context, curve.name);
  const edge = Math.min(end + 6, plot.right - width - 4);
  const cursor = plot.x(scene.cursor);
  const x = cursor > edge - 5 && cursor < edge + width + 8 ? cursor - 12 - width : edge; // clear of the dots
  return {
    text: curve.name,
    color: colorFor(scene, curve),
    font,
    x,
    y: end + 6 === x ? y + 9 : y,
    width,
    height: NAME,
  };
}

/** The numbers of the picture in words, for those who hear it. */
export function accuracyWords({ accuracy, cursor, totalSteps }) {
  const said = (values) => values.map(([{ name }, value]) => `${name} ${accuracyText(value)}`).join(", ");
  if (!accuracy.steps.length) return `${EMPTY}, over ${thousands(totalSteps)} training steps.`;
  const [here, last] = [readAt(accuracy, cursor), readAt(accuracy, accuracy.steps.at(-1))];
  const at = here.values.length ? ` Read at step ${thousands(here.step)}: ${said(here.values)}.` : "";
  const until = last.step < totalSteps ? `So far, at step ${thousands(last.step)}` : "At the end";
  const old = accuracy.outdated ? " It is of the settings before." : "";
  return `Accuracy over ${thousands(totalSteps)} training steps.${at} ${until}: ${said(last.values)}.${old}`;
}
