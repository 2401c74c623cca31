// Ticks of the step axis, and where steps stand.
import assert from "node:assert/strict";
import { test } from "node:test";

import { area, stepText, ticks } from "../../../entrenar_viz/explorer/browser/draw/axes.js";

test("ticks are round numbers between the ends", () => {
  assert.deepEqual(ticks(0, 10_000, 6, 1), [0, 2000, 4000, 6000, 8000, 10_000]);
  assert.deepEqual(ticks(4370, 6870, 6, 1), [4500, 5000, 5500, 6000, 6500]);
  assert.deepEqual(ticks(0, 3, 6, 1), [0, 1, 2, 3], "no half steps");
  assert.deepEqual(ticks(0, 1.5, 4, 0), [0, 0.5, 1, 1.5], "but half epochs");
  assert.ok(ticks(0, 2 ** 53 - 1, 7, 1).length <= 8);
});

test("steps and sparsities are found again where they stand, and nothing outside", () => {
  const plot = area({ range: [1000, 3000] }, 678, 300);
  for (const step of [1000, 1001, 2345, 3000]) assert.equal(plot.stepAt(plot.x(step)), step);
  for (const sparsity of [0, 0.25, 1]) assert.equal(plot.sparsityAt(plot.y(sparsity)), sparsity);
  assert.deepEqual(
    [plot.stepAt(-50), plot.stepAt(5000), plot.sparsityAt(-9), plot.sparsityAt(900)],
    [1000, 3000, 1, 0],
  );
});

test("a step is told with its epoch where there are any", () => {
  assert.equal(stepText({ cursor: 1500, stepsPerEpoch: 0 }), "step 1,500");
  assert.equal(stepText({ cursor: 1500, stepsPerEpoch: 400 }), "step 1,500, epoch 3.75");
});
