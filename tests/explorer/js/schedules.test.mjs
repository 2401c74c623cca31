// The browser's schedules against the numbers that the trainer's own code printed.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  requestedAt,
  shouldPruneAtStep,
  sparsityAtStep,
} from "../../../entrenar_viz/explorer/browser/math/schedules.js";
import {
  appliedAt,
  inTheMask,
  lastUpdate,
  nextUpdate,
  staircase,
} from "../../../entrenar_viz/explorer/browser/math/updates.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/trainer_schedules.json", import.meta.url)));
const bits = (number) => new Uint32Array(new Float32Array([number]).buffer)[0];

test("parity with the trainer is bit for bit", () => {
  assert.equal(vectors.schedules.length, 60);
  for (const { schedule, rows } of vectors.schedules) {
    for (const [step, expected, , prunes] of rows) {
      assert.equal(bits(sparsityAtStep(schedule, step)), expected, `${JSON.stringify(schedule)} at ${step}`);
      assert.equal(shouldPruneAtStep(schedule, step), prunes === 1, `${JSON.stringify(schedule)} at ${step}`);
    }
  }
});

// The trainer's loop, as its reference tells it.
function played(schedule, target, totalSteps) {
  const applied = [];
  let sparsity = 0;
  for (let step = 0; step <= totalSteps; step++) {
    const asked = requestedAt(schedule, target, step);
    if (step > 0 && shouldPruneAtStep(schedule, step) && asked > sparsity) sparsity = asked;
    applied.push(sparsity);
  }
  return applied;
}

function* cases() {
  const sparsities = [0, 0.29, 0.5, 0.7, 0.8, 1];
  for (const final of sparsities) {
    for (const [start, end] of [
      [0, 1],
      [0, 100],
      [37, 141],
      [90, 300],
    ]) {
      yield { type: "cubic", start_step: start, end_step: end, final_sparsity: final };
      for (const initial of sparsities)
        for (const frequency of [0, 1, 3, 30, 1000])
          yield {
            type: "gradual",
            start_step: start,
            end_step: end,
            initial_sparsity: initial,
            final_sparsity: final,
            frequency,
          };
    }
  }
  for (const step of [0, 50, 120, 121]) yield { type: "one_shot", step };
}

test("what is applied is what the loop of the trainer applies", () => {
  for (const schedule of cases()) {
    const loop = played(schedule, 0.7, 120);
    const name = JSON.stringify(schedule);
    loop.forEach((applied, step) => assert.equal(appliedAt(schedule, 0.7, 120, step), applied, `${name} at ${step}`));
    const corners = loop.flatMap((applied, step) => (applied > (step ? loop[step - 1] : 0) ? [[step, applied]] : []));
    assert.deepEqual(staircase(schedule, 0.7, 120, 1000), corners, name);
    assert.equal(lastUpdate(schedule, 0.7, 120), corners.at(-1)?.[0] ?? null, name);
    for (const step of [0, 36, 50, 100, 119, 120]) {
      const next = corners.find(([update]) => update > step)?.[0] ?? null;
      assert.equal(nextUpdate(schedule, 0.7, 120, step), next, `${name} after ${step}`);
    }
  }
});

test("where rounding lifts the line above its end, what went before stays", () => {
  const end = 2 ** 25; // f32(step) / f32(end) rounds to 1 before the end
  const lifted = {
    type: "gradual",
    start_step: 0,
    end_step: end,
    initial_sparsity: 0.09,
    final_sparsity: 0.66,
    frequency: 1,
  };
  assert.ok(sparsityAtStep(lifted, end - 1) > sparsityAtStep(lifted, end));
  assert.equal(appliedAt(lifted, 0.66, end, end), sparsityAtStep(lifted, end - 1));
});

test("a training starts at step 1: what is due at step 0 only never comes", () => {
  assert.equal(lastUpdate({ type: "one_shot", step: 0 }, 0.7, 120), null);
  assert.equal(appliedAt({ type: "one_shot", step: 0 }, 0.7, 120, 120), 0);
  const gradual = {
    type: "gradual",
    start_step: 0,
    end_step: 100,
    initial_sparsity: 0.3,
    final_sparsity: 0.8,
    frequency: 30,
  };
  assert.deepEqual(
    staircase(gradual, 0.8, 120, 1000).map(([step]) => step),
    [30, 60, 90],
  );
  assert.equal(lastUpdate({ ...gradual, frequency: 0 }, 0.8, 120), null);
  const far = 2 ** 53 - 1;
  assert.equal(lastUpdate({ type: "one_shot", step: far }, 0.7, far), far);
});

test("an N:M pattern takes its share at the first update, whatever is applied", () => {
  assert.deepEqual(
    [0, 0.25, 0.8].map((applied) => inTheMask(0.5, applied)),
    [0, 0.5, 0.5],
  );
  assert.deepEqual(
    [0, 0.25, 0.8].map((applied) => inTheMask(null, applied)),
    [0, 0.25, 0.8],
  );
});

test("a long staircase is thinned, and still ends at its height", () => {
  const schedule = { type: "cubic", start_step: 0, end_step: 1_000_000, final_sparsity: 0.7 };
  const corners = staircase(schedule, 0.7, 1_000_000, 700);
  assert.ok(corners.length <= 702);
  assert.equal(corners.at(-1)[1], Math.fround(0.7));
  assert.ok(corners.every(([step, applied]) => applied === sparsityAtStep(schedule, step)));
});

test("of a part of the training, all updates there are given, and what was applied before", () => {
  const schedule = { type: "cubic", start_step: 0, end_step: 1_000_000, final_sparsity: 0.7 };
  const corners = staircase(schedule, 0.7, 1_000_000, 700, 400_000, 400_100);
  assert.deepEqual([corners[0][0], corners.at(-1)[0]], [400_000, 400_100]);
  assert.ok(corners.length > 50); // as many as there are different numbers of 32 bits
  const before = staircase(schedule, 0.7, 2_000_000, 700, 1_500_000, 1_600_000);
  assert.deepEqual(before, [[1_000_000, Math.fround(0.7)]]);
  assert.deepEqual(
    staircase(schedule, 0.7, 900, 700, 0, 10).map(([step]) => step),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  );
});
