// @ts-check
// The bars of a plan: sparsity as the filling, the sensitivity of a layer as a line over it. Draws from a scene with
// `bars`, their `places` and a `plan`, on a 2-D context; all lengths are CSS pixels.
import { marked, pointsOf, sensitivityAt, shareOf } from "../math/bars.js";
import { wholePercent } from "../math/format.js";
import { forgetFont, line, useFont, widthOf } from "./axes.js";
import { drawBarNames, nameRoom } from "./bar_names.js";

export const BARS_HEIGHT = 330;
const EDGES = { left: 44, right: 10, top: 26 };
const LEVELS = [0, 0.25, 0.5, 0.75, 1];

/** Where the bars stand on a canvas that is so wide, and whether names have room to lie below them. */
export function barPlot(context, theme, bars, places, width) {
  const { lying, height } = nameRoom(context, theme, bars, places);
  const bottom = BARS_HEIGHT - height;
  const { left, right, top } = EDGES;
  return {
    ...{ left, right: width - right, top, bottom, lying },
    y: (share) => bottom - share * (bottom - top),
  };
}

/** What room the bars have on a canvas that is so wide, and how wide all is that has such bars. */
export const roomOf = (width) => width - EDGES.left - EDGES.right;
export const contentWidth = (places) => {
  const [left, width] = places.at(-1) ?? [0, 0];
  return EDGES.left + left + width + EDGES.right;
};

/** What is drawn is also told, for those who test it. */
export function drawBars(context, scene, plot) {
  const sets = [scene.plan.locked, scene.plan.skipped].map((some) => new Set(some));
  const seen = scene.bars.map((bar, i) => seenBar(scene, plot, bar, i, sets));
  const visible = seen.filter(({ x, width }) => x + width > 0 && x < plot.right + EDGES.right);
  inside(context, plot, () => visible.forEach((one) => drawFilling(context, scene, plot, one)));
  drawLevels(context, scene, plot);
  drawBudget(context, scene, plot);
  inside(context, plot, () => visible.forEach((one) => drawMarks(context, scene, plot, one)));
  drawBarNames(context, scene, plot, visible);
  return seen.map(({ bar, x, width, share, top, locked, skipped }) => ({
    ...{ name: bar.name, label: bar.label, x, width, share, top, locked: locked.all, skipped: skipped.all },
  }));
}

function seenBar({ plan, places, scroll }, plot, bar, index, sets) {
  const share = shareOf(bar, plan);
  const [left, width] = places[index];
  const [locked, skipped] = sets.map((some) => marked(bar, some));
  return { bar, index, x: plot.left + left - scroll, width, share, top: plot.y(share), locked, skipped };
}

// Draw beside the names of the levels.
function inside(context, plot, draw) {
  context.save();
  context.beginPath();
  context.rect(plot.left, 0, plot.right - plot.left + EDGES.right, BARS_HEIGHT);
  context.clip();
  draw();
  context.restore();
  forgetFont(context);
}

function drawLevels(context, scene, plot) {
  const { colors } = scene;
  useFont(context, scene.font(11));
  context.lineWidth = 1;
  context.strokeStyle = colors.text;
  context.fillStyle = colors.muted;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const level of LEVELS) {
    context.globalAlpha = 0.1;
    line(context, plot.left, plot.y(level), plot.right, plot.y(level));
    context.globalAlpha = 1;
    context.fillText(`${100 * level}%`, plot.left - 7, plot.y(level));
  }
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText("sparsity", 0, 4);
}

function drawFilling(context, { colors }, plot, { x, width, top, skipped }) {
  const [left, wide] = [x + 1, Math.max(width - 2, 1)];
  context.fillStyle = colors.window;
  context.fillRect(left, plot.top, wide, plot.bottom - plot.top);
  if (skipped.all) hatch(context, colors.bars, plot, left, wide);
  context.fillStyle = colors.kept_low;
  context.fillRect(left, top, wide, plot.bottom - top);
}

function drawMarks(context, scene, plot, one) {
  const { colors, current } = scene;
  const { bar, index, x, width, top, skipped, locked } = one;
  const [left, wide] = [x + 1, Math.max(width - 2, 1)];
  if (bar.grouped) drawMembers(context, scene, plot, one);
  if (!skipped.all) {
    context.fillStyle = colors.kept_high;
    context.fillRect(left, top - 1, wide, index === current ? 3 : 2);
    drawShare(context, scene, plot, one);
  }
  if (!bar.grouped) drawSensitivity(context, scene, plot, one, left, wide);
  if (locked.some) drawLock(context, scene, x + width / 2, plot.bottom - 5, locked.all);
  if (index !== current) return;
  context.strokeStyle = colors.text;
  context.lineWidth = 2;
  context.strokeRect(left, plot.top, wide, plot.bottom - plot.top + 1);
}

// Lines from corner to corner: what is skipped is not part of the plan.
function hatch(context, color, plot, left, width) {
  context.save();
  context.beginPath();
  context.rect(left, plot.top, width, plot.bottom - plot.top);
  context.clip();
  context.strokeStyle = color;
  context.lineWidth = 1;
  context.beginPath();
  const start = plot.top - (width % 8);
  for (let y = start - width; y < plot.bottom + width; y += 8) {
    context.moveTo(left, y + width);
    context.lineTo(left + width, y);
  }
  context.stroke();
  context.restore();
}

// The share of each layer of a group, side by side.
function drawMembers(context, { layers, plan, colors }, plot, { bar, x, width }) {
  let from = x + 1;
  context.strokeStyle = colors.text;
  context.globalAlpha = 0.85;
  context.lineWidth = 1;
  context.beginPath();
  for (const i of bar.indices) {
    const y = Math.round(plot.y(layers[i].weights ? plan.pruned[i] / layers[i].weights : 0)) + 0.5;
    const to = from + ((width - 2) * layers[i].weights) / bar.weights;
    context.moveTo(from, y);
    context.lineTo(Math.max(to, from + 1), y);
    from = to;
  }
  context.stroke();
  context.globalAlpha = 1;
}

// What is left of a layer at each sparsity, from nothing at the left of its bar to all at the right; where it stands now,
// and the sparsity from which on it loses fast.
function drawSensitivity(context, scene, plot, { bar, share, skipped }, left, width) {
  const { colors, what } = scene;
  const curve = scene.curves[bar.indices[0]];
  if (!curve?.[what]) return;
  const x = (value) => left + 1 + Math.min(Math.max(value, 0), 1) * (width - 2);
  context.strokeStyle = colors.text;
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.globalAlpha = skipped.all ? 0.4 : 0.8;
  context.beginPath();
  for (const [sparsity, value] of pointsOf(curve, what)) context.lineTo(x(value), plot.y(sparsity));
  context.stroke();
  context.globalAlpha = 1;
  if (curve.knee !== null) drawKnee(context, scene, plot.y(curve.knee), left, width, share > curve.knee);
  if (skipped.all) return;
  context.beginPath();
  context.arc(x(sensitivityAt(curve, what, share)), plot.y(share), 3.5, 0, 2 * Math.PI);
  context.fillStyle = colors.text;
  context.fill();
  context.strokeStyle = colors.background;
  context.stroke();
}

// A tick at both sides of a bar; of another colour once the plan is beyond.
function drawKnee(context, { colors }, y, left, width, beyond) {
  context.strokeStyle = beyond ? colors.warning : colors.muted;
  context.lineWidth = beyond ? 2 : 1.5;
  const long = Math.min(6, width / 3);
  line(context, left, y, left + long, y);
  line(context, left + width - long, y, left + width, y);
}

function drawShare(context, scene, plot, { x, width, share, top }) {
  useFont(context, scene.font(11, 600));
  const text = wholePercent(share);
  if (widthOf(context, text) + 2 > width) return;
  context.textAlign = "center";
  context.textBaseline = "middle";
  const below = plot.bottom - top > 24;
  context.lineWidth = 3;
  context.strokeStyle = below ? scene.colors.kept_low : scene.colors.window;
  const y = below ? top + 13 : top - 10;
  context.strokeText(text, x + width / 2, y);
  context.fillStyle = scene.colors.text;
  context.fillText(text, x + width / 2, y);
}

// A padlock that stands on y; only its outline where not all layers are locked.
function drawLock(context, { colors }, x, y, all) {
  context.strokeStyle = context.fillStyle = colors.text;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y - 7, 2.6, Math.PI, 0);
  context.lineTo(x + 2.6, y - 5);
  context.moveTo(x - 2.6, y - 7);
  context.lineTo(x - 2.6, y - 5);
  context.stroke();
  if (all) context.fillRect(x - 4.5, y - 6, 9, 6.5);
  else context.strokeRect(x - 4, y - 5.5, 8, 5.5);
}

function drawBudget(context, scene, plot) {
  const { colors, plan } = scene;
  const y = plot.y(plan.sparsity);
  context.strokeStyle = colors.text;
  context.lineWidth = 1.5;
  context.setLineDash([6, 4]);
  line(context, plot.left, y, plot.right, y);
  context.setLineDash([]);
  useFont(context, scene.font(11, 600));
  context.textAlign = "right";
  context.textBaseline = "top";
  context.fillStyle = colors.text;
  context.fillText(scene.budget, plot.right, 4);
}
