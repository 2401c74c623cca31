// @ts-check
// The names below the bars of a plan. Lengths are CSS pixels.
import { cut } from "../math/bars.js";
import { useFont, widthOf, writeOver } from "./axes.js";

const ALONG = 26; // the height of names that lie
const ANGLE = -Math.PI / 3; // of names that are turned
const LETTERS = 18; // of a turned name
const APART = 13; // px between two turned names
const BELOW = 8; // px from the bars to their names

/** Whether the names have room to lie below their bars, and how high they are. */
export function nameRoom(context, theme, bars, places) {
  useFont(context, theme.font(11, 600));
  const lying = bars.every(({ label }, i) => widthOf(context, label) + 6 < places[i][1]);
  if (lying) return { lying, height: ALONG };
  const longest = Math.max(...bars.map(({ label }) => widthOf(context, cut(label, LETTERS))));
  return { lying, height: Math.ceil(BELOW + Math.sin(-ANGLE) * longest + 10) };
}

// Names below the bars, turned where they are too long, and of those as many as have room. The current bar has its own.
export function drawBarNames(context, scene, plot, visible) {
  const own = visible.find(({ index }) => index === scene.current);
  let free = -Infinity;
  for (const one of visible) {
    const middle = one.x + one.width / 2;
    if (one !== own && (middle < plot.left || middle > plot.right + 4)) continue;
    const near = own && one !== own && Math.abs(middle - own.x - own.width / 2) < APART;
    if (!plot.lying && (near || (one !== own && middle < free))) continue;
    drawBarName(context, scene, plot, one, middle, one === own);
    free = middle + APART;
  }
}

function drawBarName(context, scene, plot, { bar, index, skipped }, x, own) {
  useFont(context, scene.font(11, own || index === scene.picked ? 600 : 400));
  const color = own ? scene.colors.text : scene.colors.muted;
  context.save();
  context.translate(x, plot.bottom + BELOW);
  context.textBaseline = plot.lying ? "top" : "middle";
  context.textAlign = plot.lying ? "center" : "right";
  if (!plot.lying) context.rotate(ANGLE);
  const text = plot.lying ? bar.label : cut(bar.label, LETTERS);
  context.globalAlpha = skipped.all && !own ? 0.6 : 1;
  if (own) writeOver(context, scene, text, 0, 0, color);
  else {
    context.fillStyle = color;
    context.fillText(text, 0, 0);
  }
  context.restore();
}
