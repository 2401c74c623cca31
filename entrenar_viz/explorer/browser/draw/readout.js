// @ts-check
// Lines of text in a box beside a step.
import { useFont, widthOf } from "./axes.js";

const ROW = 15;
const BELOW_TOP = 24; // clear of handles and of names at the edge

/**
 * Draw `lines`, each with its colour, to the right of `step`, or to the left of it where there is no room, at the foot of
 * the plot or `high` in it; and keep other names away.
 * @param {[string, string][]} lines
 */
export function drawReadout(context, scene, plot, step, lines, high = false) {
  useFont(context, scene.font(11));
  const width = Math.max(...lines.map(([, text]) => widthOf(context, text))) + 16;
  const x = plot.x(step) + 12 + width < plot.right ? plot.x(step) + 12 : plot.x(step) - 12 - width;
  const height = lines.length * ROW + 10;
  const y = high ? plot.top + BELOW_TOP : plot.bottom - height - 6;
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
