// @ts-check
// What a training log tells, over the plan: what was pruned, marks where that begins to part from the plan, and a metric
// on a scale of its own. Draws from a `scene` (see scene.js) on a 2-D context; all lengths are CSS pixels.
import { percent, rounded } from "../math/format.js";
import { happenedAt, heightOf, inTheMaskOf, lastUntil, metricAt } from "../math/log.js";
import { appliedAt, inTheMask } from "../math/updates.js";
import { useFont, widthOf, writeOver } from "./axes.js";
import { touch } from "./readout.js";

const MARK = 5;
const LETTERS = 24; // letters of a metric

const plannedBy = ({ chosen, target, totalSteps }, step) => appliedAt(chosen, target, totalSteps, step);
const shared = (scene, step, sparsity) => inTheMaskOf(scene.fixed, sparsity, plannedBy(scene, step));

// What is drawn of the log, as points: also for those who test it.
export function drawLog(context, scene, plot) {
  const { log } = scene;
  const metric = log.measured ? drawMetric(context, scene, plot) : [];
  const happened = drawHappened(context, scene, plot);
  const marks = log.parted.map(([from]) => [from, shared(scene, from, happenedAt(log, from) ?? 0)]);
  context.lineWidth = 1.75;
  for (const [step, sparsity] of marks) drawMark(context, plot.x(step), plot.y(sparsity));
  return { happened, metric, marks };
}

function drawHappened(context, scene, plot) {
  const { steps, sparsity } = scene.log;
  const points = steps.map((step, i) => [step, shared(scene, step, sparsity[i])]);
  context.beginPath();
  points.forEach(([step, share], i) => {
    if (i) context.lineTo(plot.x(step), plot.y(points[i - 1][1]));
    context.lineTo(plot.x(step), plot.y(share));
  });
  context.strokeStyle = scene.colors.happened;
  context.lineWidth = 2;
  context.stroke();
  return points;
}

function drawMark(context, x, y) {
  context.beginPath();
  context.moveTo(x - MARK, y);
  context.lineTo(x, y - MARK);
  context.lineTo(x + MARK, y);
  context.lineTo(x, y + MARK);
  context.closePath();
  context.stroke();
}

// The points in sight and one beyond each end; a number that was not finite is a gap.
function drawMetric(context, scene, plot) {
  const { log } = scene;
  const [from, to] = [lastUntil(log.metric_steps, plot.from), lastUntil(log.metric_steps, plot.to) + 2];
  const points = [];
  let pen = "moveTo";
  context.beginPath();
  for (let i = Math.max(from, 0); i < Math.min(to, log.values.length); i++) {
    const value = log.values[i];
    if (value !== null) {
      points.push([log.metric_steps[i], heightOf(log, value)]);
      context[pen](plot.x(log.metric_steps[i]), plot.y(heightOf(log, value)));
    }
    pen = value === null ? "moveTo" : "lineTo";
  }
  context.strokeStyle = scene.colors.ink;
  context.lineWidth = 1;
  context.stroke();
  return points;
}

// The name of what happened where that ends, and the ends of the metric's scale at the right edge.
export function drawLogNames(context, scene, plot) {
  const { log, colors } = scene;
  if (log.steps.length) nameHappened(context, scene, plot);
  if (!log.measured) return;
  const name = log.metric.length > LETTERS ? `${log.metric.slice(0, LETTERS - 1)}…` : log.metric;
  useFont(context, scene.font(11));
  const least = log.most > log.least ? rounded(log.least) : "";
  write(
    context,
    scene,
    plot.right - 6,
    plot.y(heightOf(log, log.most)) - 15,
    `${name} ${rounded(log.most)}`,
    colors.ink,
  );
  write(context, scene, plot.right - 6, plot.y(heightOf(log, log.least)) + 2, least, colors.ink);
}

// Left out where the readout of the cursor is in its place, which says what happened too.
function nameHappened(context, scene, plot) {
  const { log } = scene;
  const end = Math.min(log.steps.at(-1), plot.to);
  const sparsity = shared(scene, end, happenedAt(log, end) ?? 0);
  const planned = inTheMask(scene.fixed, plannedBy(scene, end));
  useFont(context, scene.font(12, 700));
  const text = `happened ${percent(sparsity)}`;
  const width = widthOf(context, text);
  const right = Math.min(Math.max(plot.x(end), plot.left + width + 6), plot.right - 20);
  const y = plot.y(sparsity) + (planned >= sparsity ? 5 : -17);
  const [, ...readout] = scene.taken; // after the line of the cursor
  if (readout.some((box) => touch(box, { x: right - width, y, width, height: 14 }))) return;
  write(context, scene, right, y, text, scene.colors.happened);
}

// A text that ends at `right`, with room around it; other names keep away from it.
function write(context, scene, right, y, text, color) {
  const width = widthOf(context, text);
  scene.taken.push({ x: right - width, y, width, height: 14 });
  context.textAlign = "right";
  context.textBaseline = "top";
  writeOver(context, scene, text, right, y, color);
}

/**
 * What the log tells of a step, each line with its colour.
 * @returns {[string, string][]}
 */
export function linesAt(scene, step) {
  const { log, colors } = scene;
  const happened = happenedAt(log, step);
  const planned = percent(inTheMask(scene.fixed, plannedBy(scene, step)));
  const did = happened === null ? "nothing reported yet" : `happened ${percent(shared(scene, step, happened))}`;
  const metric = log.measured ? metricAt(log, step) : null;
  const told = metric === null ? [] : [[colors.ink, `${log.metric.slice(0, LETTERS)} ${rounded(metric)}`]];
  return /** @type {any} */ ([[colors.happened, `planned ${planned}, ${did}`], ...told]);
}
