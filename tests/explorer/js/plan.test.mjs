// Plans: the budget holds in whole weights whatever is moved, and the others give way by the same rule as in the kernel.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  budgetOf,
  giveWay,
  lockLayers,
  moveLayers,
  skipLayers,
} from "../../../entrenar_viz/explorer/browser/math/plan.js";

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/give_way.json", import.meta.url), "utf-8"));
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const layersOf = (weights) => weights.map((number, i) => ({ name: `layer ${i}`, weights: number }));

// Numbers from 0 to 1, the same each time.
function seeded(state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

// A plan that holds its budget.
function randomPlan(random, count) {
  const weights = Array.from({ length: count }, () => Math.round(10 ** (1 + 7 * random())));
  const plan = {
    ...{ sparsity: 0.3 + 0.4 * random(), skipped: weights.flatMap((_, i) => (random() < 0.1 ? [i] : [])), locked: [] },
    least: weights.map((number) => Math.round(0.2 * random() * number)),
    most: weights.map((number) => Math.round((0.8 + 0.2 * random()) * number)),
  };
  plan.pruned = weights.map((number, i) => Math.round(plan.least[i] + random() * (plan.most[i] - plan.least[i])));
  const layers = layersOf(weights);
  return [moveLayers(plan, layers, [], 0), layers];
}

const sound = (plan, layers) => {
  assert.equal(sum(plan.pruned), budgetOf(plan, layers));
  const [skipped, locked] = [new Set(plan.skipped), new Set(plan.locked)];
  plan.pruned.forEach((number, i) => {
    assert.ok(Number.isInteger(number));
    if (skipped.has(i)) assert.equal(number, 0);
    else if (!locked.has(i)) assert.ok(number >= plan.least[i] && number <= plan.most[i], `${number} of layer ${i}`);
  });
};

for (const [name, { weights, indices, asked, result, ...plan }] of Object.entries(VECTORS))
  test(`as by exact fractions: ${name}`, () => {
    const layers = layersOf(weights);
    const pruned = giveWay(plan, layers, indices, asked);
    assert.equal(pruned === null, result === null);
    if (pruned === null) return;
    assert.equal(sum(pruned), budgetOf(plan, layers));
    pruned.forEach((number, i) => assert.ok(Math.abs(number - result[i]) <= 1, `layer ${i}: ${number}, ${result[i]}`));
  });

test("the total holds in whole weights over many gestures", () => {
  const random = seeded(7);
  for (let i = 0; i < 60; i++) {
    let [plan, layers] = randomPlan(random, 2 + Math.floor(80 * random()));
    for (let gesture = 0; gesture < 12; gesture++) {
      const at = Math.floor(random() * layers.length);
      const some = random() < 0.3 ? [...layers.keys()].filter((k) => k % 5 === at % 5) : [at];
      const kind = random();
      const change =
        kind < 0.7
          ? moveLayers(plan, layers, some, random() * sum(some.map((k) => layers[k].weights)))
          : kind < 0.85
            ? lockLayers(plan, some, random() < 0.6)
            : skipLayers(plan, layers, some, random() < 0.5);
      if (change) sound((plan = change), layers);
    }
  }
});

test("a drag that comes back leaves everything as it was", () => {
  const random = seeded(3);
  for (let i = 0; i < 20; i++) {
    const [plan, layers] = randomPlan(random, 40);
    const at = [...layers.keys()].find((k) => !plan.skipped.includes(k));
    assert.deepEqual(giveWay(plan, layers, [at], plan.pruned[at]), plan.pruned);
  }
});

test("others keep in proportion to what they kept, and stop at their bounds", () => {
  const layers = layersOf([1000, 2000, 4000]);
  const plan = { sparsity: 0.5, skipped: [], locked: [], least: [0, 0, 1900], most: [1000, 2000, 4000] };
  const pruned = giveWay({ ...plan, pruned: [500, 1000, 2000] }, layers, [0], 900);
  assert.deepEqual(pruned, [900, 700, 1900]);
  assert.deepEqual(giveWay({ ...plan, pruned: [500, 1000, 2000], locked: [1] }, layers, [0], 900), [600, 1000, 1900]);
});

test("a layer that is skipped leaves the budget and comes back with its share", () => {
  const layers = layersOf([1000, 2000, 4000]);
  const plan = {
    ...{ sparsity: 0.5, pruned: [700, 900, 1900], skipped: [], locked: [1] },
    ...{ least: [0, 0, 0], most: [1000, 2000, 4000] },
  };
  const out = skipLayers(plan, layers, [0], true);
  assert.deepEqual([out.pruned, out.skipped, out.locked], [[0, 900, 2100], [0], [1]]);
  const back = skipLayers(out, layers, [0], false);
  assert.deepEqual([back.pruned, back.skipped], [[500, 900, 2100], []]);
  assert.deepEqual(skipLayers(plan, layers, [1], true).locked, [], "what is skipped has no number to keep");
  assert.deepEqual(lockLayers(out, [0, 2], true).locked, [1, 2]);
});

test("what the others cannot make up for is refused", () => {
  const layers = layersOf([100, 100]);
  const plan = { sparsity: 0.5, pruned: [90, 10], skipped: [], locked: [1], least: [0, 0], most: [100, 100] };
  assert.equal(skipLayers(plan, layers, [0], true), null);
  assert.equal(giveWay({ ...plan, pruned: [90, 100], sparsity: 0.1 }, layers, [0], 5), null);
});

test("a thousand layers of a large model are planned exactly", () => {
  const layers = layersOf(Array.from({ length: 1000 }, (_, i) => 10_000_019 + 7_919 * i));
  const whole = layers.map(({ weights }) => weights);
  const plan = {
    sparsity: 0.8,
    pruned: whole.map(() => 0),
    skipped: [],
    locked: [],
    least: whole.map(() => 0),
    most: whole,
  };
  const even = moveLayers(plan, layers, [], 0);
  sound(even, layers);
  sound(moveLayers(even, layers, [999], 0), layers);
  sound(moveLayers(even, layers, [0], Infinity), layers);
});
