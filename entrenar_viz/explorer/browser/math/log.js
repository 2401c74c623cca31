// @ts-check
// What a training log tells, made ready once: what was pruned by a step, and the scale of the metric.
import { inTheMask } from "./updates.js";

const ROUNDING = 0.0005; // as analysis/planned_and_happened.py has it

let opened = 0;

/**
 * The log as the kernel sends it, with the ends of the metric's scale; null where there is none.
 * @param {any} data   a `Log` of payload.js, or empty
 */
export function openLog(data) {
  if (!data.steps) return null;
  const finite = data.values.filter((value) => value !== null);
  const [least, most] = [
    finite.reduce((a, b) => Math.min(a, b), Infinity),
    finite.reduce((a, b) => Math.max(a, b), -Infinity),
  ];
  return { ...data, key: (opened += 1), least, most, measured: finite.length > 0 };
}

// The index of the last of ascending `steps` that is not after `step`; -1 if there is none.
export function lastUntil(steps, step) {
  let [low, high] = [-1, steps.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (steps[middle] <= step) low = middle;
    else high = middle - 1;
  }
  return low;
}

// What was pruned by the end of a step; null before the first report.
export function happenedAt(log, step) {
  const index = lastUntil(log.steps, step);
  return index < 0 ? null : log.sparsity[index];
}

// The metric as it was reported last by the end of a step; null before that, and where it was not finite.
export function metricAt(log, step) {
  const index = lastUntil(log.metric_steps, step);
  return index < 0 ? null : log.values[index];
}

// What the mask of an N:M pattern has where the log tells what was asked for: its fixed share.
export const inTheMaskOf = (fixed, happened, asked) =>
  fixed !== null && Math.abs(happened - asked) <= ROUNDING ? inTheMask(fixed, happened) : happened;

// A value of the metric as a height from 0 to 1.
export const heightOf = ({ least, most }, value) =>
  most > least ? 0.1 + (0.8 * (value - least)) / (most - least) : 0.5;
