// @ts-check
// The accuracy of a rehearsal: what it was at a step, and which part of the scale the picture shows.
import { lastUntil } from "./log.js";

const HEIGHTS = [0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1]; // of the scale: few, so that it rests
const RISEN = 0.95; // of the best accuracy without pruning: what comes before is the rise from chance
const ROOM = 0.04; // of the height, above and below

/** @typedef {import("../payload.js").Accuracy} Accuracy */

// Which of the readings is nearest to a step, the earlier of two.
export function nearest(steps, step) {
  const before = Math.max(lastUntil(steps, step), 0);
  const after = Math.min(before + 1, steps.length - 1);
  return steps[after] - step < step - steps[before] ? after : before;
}

// Where a curve passes a step, on the line between two readings; null before the first and after the last.
export function passesAt({ steps }, { mean }, step) {
  const before = lastUntil(steps, step);
  if (before < 0 || step > steps.at(-1)) return null;
  if (before === steps.length - 1) return mean[before];
  const share = (step - steps[before]) / (steps[before + 1] - steps[before]);
  return mean[before] + share * (mean[before + 1] - mean[before]);
}

/**
 * Lower and upper end of the scale: what happens from the first update on in the steps that are shown.
 * @param {Accuracy} accuracy
 * @param {number[]} range
 */
export function scaleOf(accuracy, [from, to]) {
  const since = Math.max(accuracy.first ?? 0, risen(accuracy));
  const shown = accuracy.steps.map((step, i) => [step, i]).filter(([step]) => step >= from && step <= to);
  const after = shown.filter(([step]) => step >= since);
  const indices = (after.length || accuracy.first === null ? after : []).map(([, i]) => i);
  const values = accuracy.curves.flatMap(({ mean }) => indices.map((i) => mean[i]));
  if (!values.length) return shown.length && from >= since ? around(valuesAt(accuracy, shown)) : [0, 1];
  return around(values);
}

const valuesAt = ({ curves }, shown) => curves.flatMap(({ mean }) => shown.map(([, i]) => mean[i]));

// The step at which the rise from chance is over.
function risen({ steps, curves }) {
  const dense = curves.find(({ type }) => type === "dense")?.mean ?? [];
  const best = Math.max(...dense);
  return steps[dense.findIndex((value) => value >= RISEN * best)] ?? 0;
}

// The lowest of a few heights that has room for all values, in whole tenths of it.
function around(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  for (const height of HEIGHTS) {
    const unit = height / 10;
    const high = Math.min(Math.ceil((most + ROOM * height) / unit - 1e-9) * unit, 1);
    const low = Math.max(high - height, 0);
    if (least - ROOM * height >= low || low === 0) return [low, Math.max(high, height)];
  }
  return [0, 1];
}

export const percentTicks = (levels) => levels.map((level) => [level, `${Math.round(100 * level)}%`]);

export const accuracyText = (accuracy) => `${(100 * accuracy).toFixed(1)}%`;

/**
 * Places for texts of one height beside each other's: as near to where they belong as they do not cover each other.
 * @param {number[]} wanted   where each belongs
 * @param {number} size       of one
 */
export function spread(wanted, size, top, bottom) {
  const order = wanted.map((_, i) => i).sort((a, b) => wanted[a] - wanted[b]);
  const places = [...wanted];
  let free = top;
  for (const i of order) {
    places[i] = Math.max(places[i], free);
    free = places[i] + size;
  }
  let end = bottom;
  for (const i of order.reverse()) {
    places[i] = Math.min(places[i], end - size);
    end = places[i];
  }
  return places;
}
