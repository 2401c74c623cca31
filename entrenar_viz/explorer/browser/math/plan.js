// @ts-check
// How many weights each layer gives, under a budget that holds in whole weights: whoever moves some layers sees the others
// give way. Nothing here touches the page.

/** @typedef {import("../payload.js").BarLayer} BarLayer */

/**
 * What a plan is for those who change it; see payload.py for what is in it.
 * @typedef {object} Plan
 * @property {number} sparsity
 * @property {number[]} pruned
 * @property {number[]} skipped
 * @property {number[]} locked
 * @property {number[]} least
 * @property {number[]} most
 */

const LEAST = 1e-9; // of a layer's weights: as if so much were kept of one that is pruned whole, so that it can grow again
const HALVINGS = 100;

const sumOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0);
const within = (number, low, high) => Math.min(Math.max(number, low), high);

/** How many weights are pruned in all: the plan's share of the layers that are not skipped. */
export function budgetOf({ sparsity, skipped }, layers) {
  const out = new Set(skipped);
  return Math.floor(sparsity * sumOf(layers.map(({ weights }, i) => (out.has(i) ? 0 : weights))) + 0.5);
}

/**
 * The pruned weights of all layers once those of `indices` are `asked` together: as nearly that as bounds and the others
 * allow. Free layers, those inside as those outside, keep in proportion to what they kept before, within their bounds.
 * Null where no such plan adds up to the budget.
 * @param {Plan} plan   as it was when the gesture began
 * @param {BarLayer[]} layers
 * @param {number[]} indices
 * @param {number} asked
 * @returns {number[] | null}
 */
export function giveWay(plan, layers, indices, asked) {
  const [inside, skipped, locked] = [indices, plan.skipped, plan.locked].map((some) => new Set(some));
  const all = [...layers.keys()].filter((i) => !skipped.has(i));
  const held = all.filter((i) => locked.has(i));
  const [own, others] = [true, false].map((moved) => all.filter((i) => !locked.has(i) && inside.has(i) === moved));
  const prunedOf = (some) => sumOf(some.map((i) => plan.pruned[i]));
  const free = budgetOf(plan, layers) - prunedOf(held);
  const [least, most] = [plan.least, plan.most].map((bounds) => (some) => sumOf(some.map((i) => bounds[i])));
  const low = Math.max(least(own), free - most(others));
  const high = Math.min(most(own), free - least(others));
  if (low > high) return null;
  const given = within(Math.round(asked) - prunedOf(held.filter((i) => inside.has(i))), low, high);
  const pruned = plan.pruned.map((number, i) => (skipped.has(i) ? 0 : number));
  shareOut(plan, layers, own, given, pruned);
  shareOut(plan, layers, others, free - given, pruned);
  return pruned;
}

// Let the layers of `indices` give `total` weights together, in `pruned`: eps times what each kept before is kept.
function shareOut(plan, layers, indices, total, pruned) {
  const weights = indices.map((i) => layers[i].weights);
  const kept = indices.map((i, k) => Math.max(weights[k] - plan.pruned[i], LEAST * weights[k]));
  const low = indices.map((i, k) => weights[k] - plan.most[i]);
  const high = indices.map((i, k) => weights[k] - plan.least[i]);
  const target = sumOf(weights) - total;
  wholeOf(scaled(kept, low, high, target), low, high, target).forEach(
    (left, k) => (pruned[indices[k]] = weights[k] - left),
  );
}

// All of `kept` times the same factor, within their bounds, so that they add up to `target`, which the bounds allow.
function scaled(kept, low, high, target) {
  const at = (factor) => kept.map((number, i) => within(factor * number, low[i], high[i]));
  let [bottom, top] = [0, 1];
  while (sumOf(at(top)) < target) [bottom, top] = [top, 2 * top];
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (bottom + top) / 2;
    if (middle === bottom || middle === top) break;
    if (sumOf(at(middle)) < target) bottom = middle;
    else top = middle;
  }
  return at(top);
}

// Whole numbers with the sum `target` by largest remainder, the first first, within their bounds.
function wholeOf(numbers, low, high, target) {
  const whole = numbers.map(Math.floor);
  const order = [...numbers.keys()].sort((a, b) => numbers[b] - whole[b] - (numbers[a] - whole[a]) || a - b);
  let left = target - sumOf(whole);
  while (left > 0) left = stepped(order, whole, high, 1, left);
  while (left < 0) left = -stepped([...order].reverse(), whole, low, -1, -left);
  return whole;
}

// One step for each of `order` that is not at its bound, `left` of them at most; what is left then.
function stepped(order, whole, bounds, step, left) {
  for (const i of order)
    if (left && whole[i] !== bounds[i]) {
      whole[i] += step;
      left -= 1;
    }
  return left;
}

/** The plan with `pruned` of `indices` together; null where nothing can be changed. */
export function moveLayers(plan, layers, indices, asked) {
  const pruned = giveWay(plan, layers, indices, asked);
  return pruned && { ...plan, pruned };
}

/** The plan in which layers keep their numbers, or no longer; what is skipped has none to keep. */
export function lockLayers(plan, indices, on) {
  const skipped = new Set(plan.skipped);
  const locked = new Set(plan.locked);
  for (const i of indices) if (!skipped.has(i)) locked[on ? "add" : "delete"](i);
  return { ...plan, locked: ascending(locked) };
}

/**
 * The plan in which layers are skipped, or come back with the share that all have; null where the others cannot give way.
 * @param {Plan} plan
 * @param {BarLayer[]} layers
 */
export function skipLayers(plan, layers, indices, on) {
  const [skipped, locked] = [new Set(plan.skipped), new Set(plan.locked)];
  const changed = indices.filter((i) => skipped.has(i) !== on);
  const pruned = [...plan.pruned];
  for (const i of changed) {
    skipped[on ? "add" : "delete"](i);
    locked.delete(i);
    const share = Math.round(plan.sparsity * layers[i].weights);
    pruned[i] = on ? 0 : within(share, plan.least[i], plan.most[i]);
  }
  const next = { ...plan, pruned, skipped: ascending(skipped), locked: ascending(locked) };
  return moveLayers(next, layers, on ? [] : changed, on ? 0 : sumOf(changed.map((i) => pruned[i])));
}

const ascending = (set) => [...set].sort((one, other) => one - other);
