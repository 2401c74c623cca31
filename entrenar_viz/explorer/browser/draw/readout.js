// @ts-check
// Lines of text in a box beside a step.
import { useFont, widthOf } from "./axes.js";

const ROW = 15;
const EDGE = 24; // clear of handles and of names at the edge

// Whether two boxes of text are too close to be read.
export const touch = (one, other) =>
  one.x <= other.x + other.width + 4 &&
  other.x <= one.x + one.width + 4 &&
  one.y <= other.y + other.height &&
  other.y <= one.y + one.height;

/**
 * Draw `lines`, each with its colour, to the right of `step`, or to the left of it where there is no room, or over it where
 * there is none either; at the foot of the plot or `high` in it. Other names keep away.
 * @param {[string, string][]} lines
 */
export function drawReadout(context, scene, plot, step, lines, high = false) {
  useFont(context, scene.font(11));
  const width = Math.max(...lines.map(([, text]) => widthOf(context, text))) + 16;
  const [left, right] = [plot.x(step) - 12 - width, plot.x(step) + 12];
  const x = right + width < plot.right ? right : left > 0 ? left : Math.max(0, plot.right - width);
  const height = lines.length * ROW + 10;
  const y = high ? plot.top + EDGE : plot.bottom - height - (scene.log ? EDGE : 6);
  scene.taken.push({ x, y, width, height });
  context.strokeStyle = scene.colors.muted;
  context.lineWidth = 1;
  context.fillStyle = scene.colors.background;
  context.fillRect(x, y, width, height);
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  context.textAlign = "left";
  context.textBaseline = "top";
  lines.forEach(([color, text], i) => {
    context.fillStyle = color;
    context.fillText(text, x + 8, y + 6 + i * ROW);
  });
}
