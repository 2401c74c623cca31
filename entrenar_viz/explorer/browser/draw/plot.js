// @ts-check
// The plot of the three schedules: curves, what is applied, and where cursor and pointer stand. Draws from a `scene`
// (see scene.js) on a 2-D context; all lengths are CSS pixels.
import {
  area,
  clipped,
  drawAxes,
  drawCursorStep,
  drawRegions,
  drawTicks,
  forgetFont,
  line,
  stepText,
  useFont,
  widthOf,
  writeOver,
} from "./axes.js";
import { drawLog, drawLogNames, linesAt } from "./log.js";
import { drawReadout, touch } from "./readout.js";
import { percent, thousands } from "../math/format.js";
import { kindOf, nameOf, requestedAt, targetOf, windowOf } from "../math/schedules.js";
import { colorOf } from "./theme.js";
import { appliedAt, inTheMask, nextUpdate, staircase } from "../math/updates.js";

export function drawPlot(context, scene, width, height) {
  const plot = area(scene, width, height);
  return drawMoving(context, scene, plot, drawResting(context, scene, plot));
}

// What rests while the cursor or the pointer moves.
function drawResting(context, scene, plot) {
  drawRegions(context, scene, plot);
  drawAxes(context, scene, plot);
  const curves = Object.fromEntries(scene.schedules.map((one) => [one.type, sampled(scene, plot, one, scene.target)]));
  let steps, ghosts, log;
  clipped(context, plot, () => {
    ghosts = scene.ghosts.map((ghost) => drawGhost(context, scene, plot, ghost));
    for (const schedule of scene.schedules)
      if (schedule !== scene.chosen) drawCurve(context, scene, plot, schedule, curves);
    steps = drawStaircase(context, scene, plot);
    drawCurve(context, scene, plot, scene.chosen, curves);
    if (scene.log) log = drawLog(context, scene, plot);
  });
  drawTarget(context, scene, plot);
  return { curves, staircase: steps, plot, ghosts, log };
}

function drawMoving(context, scene, plot, resting) {
  drawTicks(context, scene, plot);
  drawCursor(context, scene, plot);
  scene.taken = [{ x: plot.x(scene.cursor) - 2, y: plot.top, width: 4, height: plot.bottom - plot.top }];
  if (scene.log && scene.hover === null && isShown(scene.cursor, plot)) drawLogAtCursor(context, scene, plot);
  clipped(context, plot, () => {
    if (scene.log) drawLogNames(context, scene, plot);
    drawGhostNames(context, scene, plot, resting.ghosts);
    drawNames(context, scene, plot);
  });
  if (scene.hover !== null) drawHover(context, scene, plot);
  return resting;
}

// The plot. What rests in it becomes a picture once it has rested for a drawing.
export class Plot {
  constructor() {
    this.picture = new OffscreenCanvas(1, 1);
    this.of = "";
    /** @type {any} */
    this.theme = undefined;
    /** @type {any} */
    this.resting = undefined;
  }

  // The context of the picture, empty; to give it another size takes longer than to clear it.
  cleared(width, height, density) {
    const size = [Math.round(width * density), Math.round(height * density)];
    const own = this.picture.getContext("2d");
    if (this.picture.width !== size[0] || this.picture.height !== size[1]) {
      [this.picture.width, this.picture.height] = size;
      forgetFont(own);
    }
    own?.setTransform(density, 0, 0, density, 0, 0);
    own?.clearRect(0, 0, width, height);
    return own;
  }

  draw(context, scene, width, height) {
    const plot = area(scene, width, height);
    const density = window.devicePixelRatio || 1;
    const { cursor, window_row, window_column, ...values } = scene.values;
    const of = JSON.stringify([
      values,
      scene.ghosts,
      scene.fixed,
      scene.log && [scene.log.key, scene.log.parted],
      scene.stepsPerEpoch,
      scene.range,
      width,
      height,
      density,
    ]);
    if (of !== this.of || scene.colors !== this.theme) {
      this.of = of;
      this.theme = scene.colors;
      this.resting = undefined;
      return drawMoving(context, scene, plot, drawResting(context, scene, plot));
    }
    this.resting ??= drawResting(this.cleared(width, height, density), scene, plot);
    context.drawImage(this.picture, 0, 0, this.picture.width / density, this.picture.height / density);
    return drawMoving(context, scene, plot, this.resting);
  }
}

// The formula at every second pixel, and exactly at its corners.
function sampled(scene, plot, schedule, target) {
  const [start, end] = windowOf(schedule);
  const corners = [start === end ? start - 1 : start, end];
  const inside = (step) => step >= plot.from && step <= plot.to;
  const steps = new Set([plot.from, plot.to, ...corners.filter(inside)]);
  if (kindOf(schedule).bends) for (let x = plot.left; x < plot.right; x += 2) steps.add(plot.stepAt(x));
  return [...steps].sort((a, b) => a - b).map((step) => [step, requestedAt(schedule, target, step)]);
}

function drawCurve(context, scene, plot, schedule, drawn) {
  const chosen = schedule === scene.chosen;
  context.strokeStyle = colorOf(scene, schedule);
  context.lineWidth = chosen ? 2.5 : 1.25;
  context.lineJoin = "round";
  context.beginPath();
  for (const [step, sparsity] of drawn[schedule.type]) context.lineTo(plot.x(step), plot.y(sparsity));
  context.stroke();
}

// A configuration that was pinned: thin and grey.
function drawGhost(context, scene, plot, { name, schedule, target }) {
  context.strokeStyle = scene.colors.muted;
  context.lineWidth = 1;
  context.setLineDash([6, 3]);
  context.beginPath();
  const points = sampled(scene, plot, schedule, target);
  for (const [step, sparsity] of points) context.lineTo(plot.x(step), plot.y(sparsity));
  context.stroke();
  context.setLineDash([]);
  return { name, points };
}

// The names of the pins where their curves end: below each other where they would cover each other, then with a line
// from the curve to its name.
function drawGhostNames(context, scene, plot, ghosts) {
  useFont(context, scene.font(11));
  context.strokeStyle = context.fillStyle = scene.colors.muted;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "top";
  let free = plot.top + 2;
  const ends = ghosts
    .map(({ name, points }) => ({ name, end: plot.y(points.at(-1)[1]) }))
    .sort((a, b) => a.end - b.end);
  for (const { name, end } of ends) {
    const y = Math.min(Math.max(end + 4, free), plot.bottom - 14);
    const width = Math.min(widthOf(context, name), 160);
    context.fillText(name, plot.right - 14, y, 160);
    if (y > end + 5) {
      context.beginPath();
      context.moveTo(plot.right - 4, end);
      context.lineTo(plot.right - 4, y + 6);
      context.lineTo(plot.right - 12, y + 6);
      context.stroke();
    }
    free = y + 14;
    scene.taken.push({ x: plot.right - 14 - width, y, width, height: 14 });
  }
}

function drawStaircase(context, scene, plot) {
  const { chosen, target, totalSteps, colors } = scene;
  const corners = masked(
    scene.fixed,
    staircase(chosen, target, totalSteps, plot.right - plot.left, plot.from, plot.to),
  );
  if (!corners.length) return corners;
  context.beginPath();
  context.moveTo(plot.x(corners[0][0]), plot.y(0));
  corners.forEach(([step, sparsity], i) => {
    context.lineTo(plot.x(step), plot.y(sparsity));
    context.lineTo(plot.x(i + 1 < corners.length ? corners[i + 1][0] : totalSteps), plot.y(sparsity));
  });
  context.strokeStyle = colorOf(scene, chosen);
  context.lineWidth = 1.25;
  context.stroke();
  context.lineTo(plot.x(totalSteps), plot.y(0));
  context.closePath();
  context.globalAlpha = 0.14;
  context.fillStyle = colorOf(scene, chosen);
  context.fill();
  context.globalAlpha = 1;
  return corners;
}

// The corners at which the share in the mask rises.
function masked(fixed, corners) {
  const shares = corners.map(([step, applied]) => [step, inTheMask(fixed, applied)]);
  return shares.filter(([, share], i) => i === 0 || share > shares[i - 1][1]);
}

// A thin line at the target, and where the staircase ends if it ends below.
function drawTarget(context, scene, plot) {
  const { chosen, target, totalSteps, colors } = scene;
  const wanted = targetOf(chosen, target);
  const reached = inTheMask(scene.fixed, appliedAt(chosen, target, totalSteps, totalSteps));
  const missed = reached < Math.fround(wanted);
  useFont(context, scene.font(11));
  const color = missed ? colors.warning : colors.muted;
  context.strokeStyle = color;
  context.setLineDash([3, 4]);
  context.lineWidth = 1;
  line(context, plot.left, plot.y(wanted), plot.right, plot.y(wanted));
  context.setLineDash([]);
  context.textAlign = "left";
  context.textBaseline = "bottom";
  const above = plot.y(wanted) - plot.top > 16;
  if (!above) context.textBaseline = "top";
  const text = missed ? `target ${percent(wanted)}, stops at ${percent(reached)}` : `target ${percent(wanted)}`;
  writeOver(context, scene, text, plot.left + 6, plot.y(wanted) + (above ? -3 : 4), color);
}

// What was planned and what happened at the cursor, away from the curves there.
function drawLogAtCursor(context, scene, plot) {
  const low = requestedAt(scene.chosen, scene.target, scene.cursor) < 0.5;
  drawReadout(context, scene, plot, scene.cursor, linesAt(scene, scene.cursor), low);
}

const isShown = (step, plot) => step >= plot.from && step <= plot.to;

function drawCursor(context, scene, plot) {
  const { cursor, colors, schedules, target } = scene;
  const x = plot.x(cursor);
  if (!isShown(cursor, plot)) return;
  context.strokeStyle = colors.text;
  context.lineWidth = 1;
  line(context, x, plot.top, x, plot.bottom);
  for (const schedule of schedules) {
    context.beginPath();
    context.arc(x, plot.y(requestedAt(schedule, target, cursor)), schedule === scene.chosen ? 4.5 : 3, 0, 2 * Math.PI);
    context.fillStyle = colorOf(scene, schedule);
    context.fill();
    context.strokeStyle = colors.background;
    context.stroke();
  }
  drawCursorStep(context, scene, plot);
}

// Each name beside its own curve, at the place where it hides least: no other name, and no curve.
function drawNames(context, scene, plot) {
  for (const schedule of scene.schedules) {
    useFont(context, scene.font(12, schedule === scene.chosen ? 700 : 500));
    const width = widthOf(context, nameOf(schedule));
    const places = [...candidates(scene, plot, schedule, width)].filter((box) => isInside(box, plot));
    const hidden = (box) => 10 * scene.taken.filter((other) => touch(box, other)).length + crossings(scene, plot, box);
    const costs = places.map(hidden);
    const place = places[costs.indexOf(Math.min(...costs))];
    if (!place) continue;
    scene.taken.push(place);
    context.textAlign = "left";
    context.textBaseline = "top";
    writeOver(context, scene, nameOf(schedule), place.x, place.y, colorOf(scene, schedule));
  }
}

function* candidates(scene, plot, schedule, width) {
  const box = (x, y) => ({ x, y, width, height: 14 });
  const [start, end] = windowOf(schedule);
  const { labels, bends } = kindOf(schedule);
  for (const share of labels) {
    if (start === end) {
      const y = plot.y(share * scene.target) - 7;
      yield box(plot.x(start) + 11, y); // clear of the handle
      yield box(plot.x(start) - 11 - width, y);
      continue;
    }
    const step = Math.round(start + share * (end - start));
    const [x, y] = [plot.x(step), plot.y(requestedAt(schedule, scene.target, step))];
    if (!bends) yield box(x + 8, y + 4);
    yield box(x - width - 6, y - 18);
    yield box(x + 8, y + 4);
  }
}

const isInside = ({ x, y, width }, plot) =>
  x > plot.left && x + width < plot.right && y > plot.top && y + 14 < plot.bottom;

// How many curves pass through a box.
function crossings(scene, plot, { x, y, width, height }) {
  const [from, to] = [plot.stepAt(x - 3), plot.stepAt(x + width + 3)];
  return scene.schedules.filter((schedule) => {
    // no curve falls, so it is in the box where it is neither above it at the left nor below it at the right
    const [left, right] = [from, to].map((step) => plot.y(requestedAt(schedule, scene.target, step)));
    return Math.min(left, right) < y + height && Math.max(left, right) > y;
  }).length;
}

// What the formulas ask for and the trainer has applied under the pointer, and when it goes on.
function drawHover(context, scene, plot) {
  const { hover, colors, target, totalSteps, chosen } = scene;
  const next = nextUpdate(chosen, target, totalSteps, hover);
  const rows = scene.schedules.map((schedule) => {
    const asked = percent(requestedAt(schedule, target, hover));
    const applied = percent(inTheMask(scene.fixed, appliedAt(schedule, target, totalSteps, hover)));
    return [colorOf(scene, schedule), `${nameOf(schedule)} ${asked}${applied === asked ? "" : `, applied ${applied}`}`];
  });
  const last = next === null ? "no further update" : `next update: step ${thousands(next)}`;
  const told = scene.log ? linesAt(scene, hover) : [];
  context.strokeStyle = colors.muted;
  context.lineWidth = 1;
  line(context, plot.x(hover), plot.top, plot.x(hover), plot.bottom);
  const lines = [[colors.text, stepText(scene, hover)], ...rows, ...told, [colors.muted, last]];
  drawReadout(context, scene, plot, hover, /** @type {any} */ (lines));
}
