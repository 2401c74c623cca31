// The plot of the three schedules: axes, curves, what is applied, and where the cursor stands. Draws from a `scene`
// (see canvas.js) on a 2-D context; all lengths are CSS pixels.
import { appliedAt, lastUpdate, requestedAt, staircase } from "./schedule.js";

const MARGIN = { left: 52, right: 26, top: 26, bottom: 44 };
export const percent = (sparsity) => `${(100 * sparsity).toFixed(2)}%`;
const short = (sparsity) => `${Number((100 * sparsity).toFixed(2))}%`;
const COUNTS = new Intl.NumberFormat("en-US");
const thousands = (step) => COUNTS.format(step);

export function drawPlot(context, scene, width, height) {
  const plot = area(scene, width, height);
  drawRegions(context, scene, plot);
  drawAxes(context, scene, plot);
  const drawn = Object.fromEntries(scene.schedules.map((schedule) => [schedule.type, sampled(scene, plot, schedule)]));
  for (const schedule of scene.schedules) if (schedule !== scene.chosen) drawCurve(context, scene, plot, schedule, drawn);
  const steps = drawStaircase(context, scene, plot);
  drawCurve(context, scene, plot, scene.chosen, drawn);
  drawTarget(context, scene, plot);
  drawCursor(context, scene, plot);
  drawNames(context, scene, plot, drawn);
  return { curves: drawn, staircase: steps, plot };
}

function area(scene, width, height) {
  const { left, right, top, bottom } = MARGIN;
  const [w, h] = [Math.max(width - left - right, 10), Math.max(height - top - bottom, 10)];
  return {
    left,
    top,
    right: left + w,
    bottom: top + h,
    x: (step) => left + (step / scene.lastStep) * w,
    y: (sparsity) => top + (1 - sparsity) * h,
    stepAt: (x) => Math.round(Math.min(Math.max((x - left) / w, 0), 1) * scene.lastStep),
  };
}

// The formula at every second pixel, and exactly at its corners.
function sampled(scene, plot, schedule) {
  const corners =
    schedule.type === "one_shot" ? [schedule.step - 1, schedule.step] : [schedule.start_step, schedule.end_step];
  const steps = new Set([0, scene.lastStep, scene.cursor, ...corners.filter((s) => s >= 0 && s <= scene.lastStep)]);
  if (schedule.type === "cubic") for (let x = plot.left; x < plot.right; x += 2) steps.add(plot.stepAt(x));
  return [...steps].sort((a, b) => a - b).map((step) => [step, requestedAt(schedule, scene.target, step)]);
}

function drawRegions(context, scene, plot) {
  const { colors, totalSteps, lastStep } = scene;
  const [start, end] = scene.window;
  const band = (from, to, color) => {
    context.fillStyle = color;
    context.fillRect(plot.x(from), plot.top, plot.x(to) - plot.x(from), plot.bottom - plot.top);
  };
  context.font = scene.font(11);
  context.fillStyle = colors.muted;
  context.textBaseline = "bottom";
  if (scene.chosen.type !== "one_shot") {
    band(start, Math.min(end, lastStep), colors.window);
    label(context, "window", plot.x(start), plot.x(Math.min(end, totalSteps)), plot.top - 6, colors.muted);
  }
  const last = lastUpdate(scene.chosen, scene.target, totalSteps);
  if (last !== null && last < totalSteps) {
    band(last, totalSteps, colors.recovery);
    const share = Math.round((100 * (totalSteps - last)) / totalSteps);
    const from = scene.chosen.type === "one_shot" ? last : Math.max(last, Math.min(end, totalSteps));
    const texts = [`recovery: ${thousands(totalSteps - last)} steps, ${share}%`, `recovery ${share}%`];
    label(context, texts, plot.x(from), plot.x(totalSteps), plot.top - 6, colors.muted);
  }
  if (totalSteps < lastStep) {
    band(totalSteps, lastStep, colors.over);
    label(context, "after the training", plot.x(totalSteps), plot.x(lastStep), plot.top - 6, colors.warning);
  }
}

// The first of `texts` that has room between two edges, centred; none if none has.
function label(context, texts, from, to, y, color) {
  const text = [texts].flat().find((candidate) => context.measureText(candidate).width + 4 < to - from);
  if (!text) return;
  context.fillStyle = color;
  context.textAlign = "center";
  context.fillText(text, (from + to) / 2, y);
}

function drawAxes(context, scene, plot) {
  const { colors } = scene;
  context.font = scene.font(11);
  context.lineWidth = 1;
  context.strokeStyle = colors.grid;
  context.fillStyle = colors.muted;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    line(context, plot.left, plot.y(tick), plot.right, plot.y(tick));
    context.fillText(`${100 * tick}%`, plot.left - 8, plot.y(tick));
  }
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of stepTicks(scene.lastStep, Math.floor((plot.right - plot.left) / 80))) {
    line(context, plot.x(tick), plot.bottom, plot.x(tick), plot.bottom + 4);
    const room = (context.measureText(`step ${thousands(scene.cursor)}${thousands(tick)}`).width + 24) / 2;
    if (Math.abs(plot.x(tick) - plot.x(scene.cursor)) > room) context.fillText(thousands(tick), plot.x(tick), plot.bottom + 8);
  }
  context.fillText("training step", (plot.left + plot.right) / 2, plot.bottom + 26);
  context.save();
  context.translate(12, (plot.top + plot.bottom) / 2);
  context.rotate(-Math.PI / 2);
  context.textBaseline = "middle";
  context.fillText("sparsity", 0, 0);
  context.restore();
}

// Round numbers from 0 to `last`, at most about `count` of them.
export function stepTicks(last, count) {
  const rough = Math.max(last / Math.max(count, 2), 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const every = [1, 2, 5, 10].map((digit) => digit * power).find((size) => size >= rough);
  return Array.from({ length: Math.floor(last / every) + 1 }, (_, i) => i * every);
}

function line(context, x1, y1, x2, y2) {
  context.beginPath();
  context.moveTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
  context.lineTo(Math.round(x2) + 0.5, Math.round(y2) + 0.5);
  context.stroke();
}

function drawCurve(context, scene, plot, schedule, drawn) {
  const chosen = schedule === scene.chosen;
  context.strokeStyle = scene.colors[schedule.type];
  context.lineWidth = chosen ? 2.5 : 1.25;
  context.lineJoin = "round";
  context.beginPath();
  for (const [step, sparsity] of drawn[schedule.type]) context.lineTo(plot.x(step), plot.y(sparsity));
  context.stroke();
}

function drawStaircase(context, scene, plot) {
  const { chosen, target, totalSteps, colors } = scene;
  const corners = staircase(chosen, target, totalSteps, plot.right - plot.left);
  if (!corners.length) return corners;
  context.beginPath();
  context.moveTo(plot.x(corners[0][0]), plot.y(0));
  corners.forEach(([step, sparsity], i) => {
    context.lineTo(plot.x(step), plot.y(sparsity));
    context.lineTo(plot.x(i + 1 < corners.length ? corners[i + 1][0] : totalSteps), plot.y(sparsity));
  });
  context.strokeStyle = colors[chosen.type];
  context.lineWidth = 1.25;
  context.stroke();
  context.lineTo(plot.x(totalSteps), plot.y(0));
  context.closePath();
  context.globalAlpha = 0.14;
  context.fillStyle = colors[chosen.type];
  context.fill();
  context.globalAlpha = 1;
  return corners;
}

// A thin line at the target, and where the staircase ends if it ends below.
function drawTarget(context, scene, plot) {
  const { chosen, target, totalSteps, colors } = scene;
  const wanted = chosen.type === "one_shot" ? target : chosen.final_sparsity;
  const reached = appliedAt(chosen, target, totalSteps, totalSteps);
  const missed = reached < Math.fround(wanted);
  context.font = scene.font(11);
  context.strokeStyle = missed ? colors.warning : colors.muted;
  context.setLineDash([3, 4]);
  context.lineWidth = 1;
  line(context, plot.left, plot.y(wanted), plot.right, plot.y(wanted));
  context.setLineDash([]);
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillStyle = context.strokeStyle;
  const above = plot.y(wanted) - plot.top > 16;
  if (!above) context.textBaseline = "top";
  const text = missed ? `target ${short(wanted)}, stops at ${short(reached)}` : `target ${short(wanted)}`;
  context.fillText(text, plot.left + 6, plot.y(wanted) + (above ? -3 : 4));
}

function drawCursor(context, scene, plot) {
  const { cursor, colors, schedules, target } = scene;
  const x = plot.x(cursor);
  context.strokeStyle = colors.text;
  context.lineWidth = 1;
  line(context, x, plot.top, x, plot.bottom);
  for (const schedule of schedules) {
    context.beginPath();
    context.arc(x, plot.y(requestedAt(schedule, target, cursor)), schedule === scene.chosen ? 4.5 : 3, 0, 2 * Math.PI);
    context.fillStyle = colors[schedule.type];
    context.fill();
    context.strokeStyle = colors.background;
    context.stroke();
  }
  context.font = scene.font(11, 600);
  const text = `step ${thousands(cursor)}`;
  const half = context.measureText(text).width / 2 + 6;
  const middle = Math.min(Math.max(x, plot.left + half), plot.right - half);
  context.fillStyle = colors.text;
  context.fillRect(middle - half, plot.bottom + 4, 2 * half, 18);
  context.fillStyle = colors.background;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(text, middle, plot.bottom + 13.5);
}

// Each name beside its own curve, at the first place where it hides nothing.
function drawNames(context, scene, plot, drawn) {
  const taken = [{ x: plot.x(scene.cursor) - 2, y: plot.top, width: 4, height: plot.bottom - plot.top }];
  for (const schedule of scene.schedules) {
    context.font = scene.font(12, schedule === scene.chosen ? 700 : 500);
    const width = context.measureText(scene.names[schedule.type]).width;
    const places = [...candidates(scene, plot, schedule, width)];
    const place = places.find((box) => free(box, taken, plot)) ?? places[0];
    if (!place) continue;
    taken.push(place);
    context.textAlign = "left";
    context.textBaseline = "top";
    context.lineWidth = 3;
    context.strokeStyle = scene.colors.background;
    context.strokeText(scene.names[schedule.type], place.x, place.y);
    context.fillStyle = scene.colors[schedule.type];
    context.fillText(scene.names[schedule.type], place.x, place.y);
  }
}

function* candidates(scene, plot, schedule, width) {
  const box = (x, y) => ({ x, y, width, height: 14 });
  if (schedule.type === "one_shot") {
    for (const share of [0.5, 0.3, 0.7, 0.15, 0.85]) {
      const y = plot.y(share * scene.target) - 7;
      yield box(plot.x(schedule.step) + 6, y);
      yield box(plot.x(schedule.step) - 6 - width, y);
    }
    return;
  }
  const { start_step: start, end_step: end } = schedule;
  const shares = schedule.type === "cubic" ? [0.3, 0.2, 0.45, 0.6, 0.1] : [0.6, 0.7, 0.5, 0.8, 0.4, 0.3];
  for (const share of shares) {
    const step = Math.round(start + share * (end - start));
    const [x, y] = [plot.x(step), plot.y(requestedAt(schedule, scene.target, step))];
    if (schedule.type === "cubic") yield box(x - width - 4, y - 16);
    yield box(x + 8, y + 4);
    yield box(x - width - 4, y - 16);
  }
}

function free(box, taken, plot) {
  const inside = box.x > plot.left && box.x + box.width < plot.right && box.y > plot.top && box.y + 14 < plot.bottom;
  const apart = (other) =>
    box.x + box.width + 4 < other.x ||
    other.x + other.width + 4 < box.x ||
    box.y + box.height < other.y ||
    other.y + other.height < box.y;
  return inside && taken.every(apart);
}
