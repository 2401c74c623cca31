// @ts-check
// How the scores of the layer are spread, and where the threshold of each schedule stands among them.
import { thresholdAt } from "../math/masks.js";
import { thousands } from "../math/format.js";
import { useFont } from "./axes.js";
import { colorOf } from "./theme.js";

export const HISTOGRAM_HEIGHT = 110;
const BARS = 64;
const ABOVE = 22;

export function drawHistogram(context, scene, layer, states, width, top) {
  const [low, high] = layer.scores;
  const bottom = top + ABOVE + BARS;
  const x = (score) => ((score - low) / (high - low)) * width;
  drawHead(context, scene, layer, top, width);
  drawBars(context, scene, layer, states, { width, bottom, x });
  drawScores(context, scene, { low, high, width, bottom, x });
  const thresholds = {};
  for (const { type, count } of states) {
    const threshold = (thresholds[type] = thresholdAt(layer, count));
    if (threshold !== null) drawThreshold(context, scene, type, x(threshold), bottom);
  }
  return thresholds;
}

function drawHead(context, scene, layer, top, width) {
  const one = layer.unit === "weights" || layer.fixed || layer.gone;
  const count = thousands(one ? layer.rows * layer.cols : layer.units);
  const what = one ? `scores of ${count} weights` : `scores of ${count} ${layer.unit}, each the sum over its weights`;
  const why = layer.fixed
    ? `; ${layer.unit} compares within its groups, without a threshold`
    : layer.gone
      ? "; each row has a threshold of its own"
      : ", and the thresholds below which they go";
  useFont(context, scene.font(11));
  context.fillStyle = scene.colors.muted;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(what + (layer.sampled ? " (a sample)" : "") + why, 0, top + 2, width);
}

// What the chosen schedule leaves is filled with its colour, what it takes is grey.
function drawBars(context, scene, layer, states, { width, bottom, x }) {
  const largest = Math.max(...layer.bins, 1);
  const chosen = states.find(({ type }) => type === scene.chosen.type);
  const threshold = thresholdAt(layer, chosen.count);
  const each = width / layer.bins.length;
  const bars = () =>
    layer.bins.forEach((bin, i) => {
      const height = bin && Math.max((bin / largest) * BARS, 1);
      context.fillRect(i * each, bottom - height, Math.max(each - 1, 0.5), height);
    });
  context.fillStyle = scene.colors.bars;
  bars();
  if (!layer.thresholds.length) return;
  context.save();
  context.beginPath();
  const from = threshold === null ? 0 : x(threshold);
  context.rect(from, bottom - BARS, width - from, BARS);
  context.clip();
  context.fillStyle = colorOf(scene, chosen);
  bars();
  context.restore();
}

function drawScores(context, scene, { low, high, width, bottom, x }) {
  context.strokeStyle = scene.colors.muted;
  context.beginPath();
  context.moveTo(0, bottom + 0.5);
  context.lineTo(width, bottom + 0.5);
  context.stroke();
  context.textBaseline = "top";
  context.fillStyle = scene.colors.muted;
  const every = Math.max(Math.ceil(((high - low) * 60) / width), 1); // powers of ten between two numbers
  for (let power = Math.ceil(low); power <= high; power++) {
    if (power % every) continue;
    const near = (edge) => Math.abs(x(power) - edge) < 20;
    context.textAlign = near(0) ? "left" : near(width) ? "right" : "center";
    context.fillText(Math.abs(power) < 4 ? String(10 ** power) : `1e${power}`, x(power), bottom + 5);
  }
}

function drawThreshold(context, scene, type, x, bottom) {
  const strong = type === scene.chosen.type;
  context.strokeStyle = scene.colors.background;
  context.lineWidth = strong ? 5 : 4;
  upright(context, x, bottom);
  context.strokeStyle = context.fillStyle = colorOf(scene, { type });
  context.lineWidth = strong ? 2.5 : 1.5;
  upright(context, x, bottom);
  context.beginPath();
  context.moveTo(x - 4, bottom - BARS - 6);
  context.lineTo(x + 4, bottom - BARS - 6);
  context.lineTo(x, bottom - BARS);
  context.fill();
  context.lineWidth = 1;
}

function upright(context, x, bottom) {
  context.beginPath();
  context.moveTo(x, bottom - BARS);
  context.lineTo(x, bottom);
  context.stroke();
}
