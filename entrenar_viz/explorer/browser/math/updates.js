// @ts-check
// What the trainer makes of a schedule in a training: its updates, and what they have applied.
import { kindOf, requestedAt } from "./schedules.js";

// First and last step of a training at which the schedule allows an update, and the steps between two of them. Steps
// count from 1: step 0 never comes, the next one may.
export function opportunities(schedule, totalSteps) {
  const [first, last, every] = kindOf(schedule).updates(schedule);
  return [first || every, Math.min(last, totalSteps), every];
}

// The sparsity that the trainer has applied by the end of a step. The formula is monotonic up to one rounding at
// end_step, so the largest of the first and the last two opportunities is the largest of all.
export function appliedAt(schedule, target, totalSteps, step) {
  const [first, last, every] = opportunities(schedule, totalSteps);
  const until = Math.min(step, last);
  if (until < first) return 0;
  const latest = first + Math.floor((until - first) / every) * every;
  const candidates = [first, Math.max(latest - every, first), latest];
  return Math.max(0, ...candidates.map((update) => requestedAt(schedule, target, update)));
}

// The share of the weights that the mask takes where `applied` is asked for: an N:M pattern takes its `fixed` share, or
// nothing yet; of other patterns that is null.
export const inTheMask = (fixed, applied) => (fixed === null || applied === 0 ? applied : fixed);

// The staircase as [step, applied] corners, at most about `limit` of them: closer updates than that are a line. Those
// between the steps `from` and `to` are needed; the one before them is given too.
export function staircase(schedule, target, totalSteps, limit, from = 0, to = totalSteps) {
  const [first, last, every] = opportunities(schedule, totalSteps);
  if (last < first) return [];
  const update = (i) => first + i * every;
  const within = (i) => Math.min(Math.max(i, 0), Math.floor((last - first) / every));
  const [low, high] = [within(Math.floor((from - first) / every)), within(Math.ceil((to - first) / every))];
  const stride = Math.ceil((high - low + 1) / limit);
  const corners = [];
  let applied = 0;
  const corner = (i) => {
    const sparsity = appliedAt(schedule, target, totalSteps, update(i));
    if (sparsity > applied) corners.push([update(i), (applied = sparsity)]);
  };
  for (let i = low; i <= high; i += stride) corner(i);
  corner(high);
  return corners;
}

// The step of the last update that changes the mask, or null. Found by halving: what is applied never falls.
export function lastUpdate(schedule, target, totalSteps) {
  const [first, last, every] = opportunities(schedule, totalSteps);
  if (last < first) return null;
  const at = (i) => appliedAt(schedule, target, totalSteps, first + i * every);
  let [low, high] = [0, Math.floor((last - first) / every)];
  const final = at(high);
  if (final === 0) return null;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (at(middle) === final) high = middle;
    else low = middle + 1;
  }
  return first + low * every;
}

// The step of the first update after `step` that changes the mask, or null.
export function nextUpdate(schedule, target, totalSteps, step) {
  const [first, last, every] = opportunities(schedule, totalSteps);
  const applied = appliedAt(schedule, target, totalSteps, step);
  const after = (i) => appliedAt(schedule, target, totalSteps, first + i * every) > applied;
  let [low, high] = [0, Math.floor((last - first) / every)];
  if (last < first || !after(high)) return null;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (after(middle)) high = middle;
    else low = middle + 1;
  }
  return first + low * every;
}
