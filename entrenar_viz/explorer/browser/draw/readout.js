// @ts-check
// Lines of text in a box beside a step, at the foot of the plot.
import { useFont, widthOf } from "./axes.js";

const ROW = 15;

/**
 * Draw `lines`, each with its colour, to the right of `step`, or to the left of it where there is no room.
 * @param {[string, string][]} lines
 */
export function drawReadout(context, scene, plot, step, lines) {
  useFont(context, scene.font(11));
  const width = Math.max(...lines.map(([, text]) => widthOf(context, text))) + 16;
  const x = plot.x(step) + 12 + width < plot.right ? plot.x(step) + 12 : plot.x(step) - 12 - width;
  const y = plot.bottom - lines.length * ROW - 16;
  context.strokeStyle = scene.colors.muted;
  context.lineWidth = 1;
  context.fillStyle = scene.colors.background;
  context.fillRect(x, y, width, lines.length * ROW + 10);
  context.strokeRect(x + 0.5, y + 0.5, width - 1, lines.length * ROW + 9);
  context.textAlign = "left";
  context.textBaseline = "top";
  lines.forEach(([color, text], i) => {
    context.fillStyle = color;
    context.fillText(text, x + 8, y + 6 + i * ROW);
  });
}
