// A fourth schedule is one object: updates, curve, staircase, names and panels follow from its facts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { drawPlot } from "../../../entrenar_viz/explorer/browser/draw/plot.js";
import { KINDS, requestedAt } from "../../../entrenar_viz/explorer/browser/math/schedules.js";
import { lastUpdate, staircase } from "../../../entrenar_viz/explorer/browser/math/updates.js";

const square = { type: "square", start_step: 100, end_step: 200, final_sparsity: 0.8 };

before(() => {
  KINDS.square = {
    name: "Square",
    of: ({ start_step, end_step, target }) => ({ start_step, end_step, final_sparsity: target }),
    window: ({ start_step, end_step }) => [start_step, end_step],
    updates: ({ start_step, end_step }) => [start_step, end_step, 1],
    target: (schedule) => schedule.final_sparsity,
    sparsityAt(schedule, step) {
      const share = Math.min(Math.max((step - schedule.start_step) / (schedule.end_step - schedule.start_step), 0), 1);
      return Math.fround(schedule.final_sparsity * share * share);
    },
    requestedAt: (schedule, _, step) => KINDS.square.sparsityAt(schedule, step),
    bends: true,
    labels: [0.5],
  };
});
after(() => delete KINDS.square);

// What is written and stroked on a canvas that is none.
function recorder() {
  const [written, strokes] = [[], []];
  const own = {
    fillText: (text) => written.push(text),
    stroke: () => strokes.push(own.strokeStyle),
    measureText: (text) => ({ width: 6 * text.length }),
  };
  const context = new Proxy(own, { get: (target, name) => target[name] ?? (() => undefined) });
  return { context, written, strokes };
}

function scene(chosen) {
  const numbers = { one_shot_step: 50, start_step: 100, end_step: 200, target: 0.8, initial: 0, frequency: 25 };
  const schedules = Object.entries(KINDS).map(([type, kind]) => ({ type, ...kind.of(numbers) }));
  return {
    ...{ schedules, chosen: schedules.find(({ type }) => type === chosen), ghosts: [], fixed: null, hover: 150 },
    ...{ target: 0.8, totalSteps: 400, lastStep: 400, range: [0, 400], cursor: 150, stepsPerEpoch: 0 },
    colors: { one_shot: "orange", gradual: "blue", cubic: "green", other: "purple" },
    font: (size) => `${size}px sans-serif`,
  };
}

test("its updates are found as those of the others are", () => {
  assert.equal(lastUpdate(square, 0.8, 400), 200);
  assert.equal(staircase(square, 0.8, 400, 1000).length, 100);
});

test("the plot draws as many schedules as it is given", () => {
  const { context, written, strokes } = recorder();
  const drawn = drawPlot(context, scene("square"), 900, 300);
  assert.deepEqual(Object.keys(drawn.curves), ["one_shot", "gradual", "cubic", "square"]);
  assert.ok(drawn.curves.square.every(([step, sparsity]) => sparsity === requestedAt(square, 0.8, step)));
  assert.ok(drawn.curves.square.length > 100, "it bends, so it has many points");
  assert.ok(written.includes("Square"), "its name stands at its curve");
  assert.ok(written.includes("Square 20%"), "and under the pointer");
  assert.ok(strokes.includes("purple"));
  assert.equal(drawn.staircase.at(-1)[1], Math.fround(0.8));
});

test("it is one of the others when another is chosen", () => {
  const { context, written } = recorder();
  const drawn = drawPlot(context, scene("gradual"), 900, 300);
  assert.deepEqual(
    drawn.staircase.map(([step]) => step),
    [125, 150, 175, 200],
  );
  assert.ok(written.includes("Square"));
});

test("a target that 32 bits cannot hold is reached all the same", () => {
  const { context, written } = recorder();
  const seen = scene("cubic");
  seen.chosen.final_sparsity = 0.7; // Math.fround(0.7) < 0.7
  drawPlot(context, seen, 900, 300);
  assert.ok(written.includes("target 70%"));
});

test("an N:M pattern makes one step of the staircase", () => {
  const { context, written } = recorder();
  const drawn = drawPlot(context, { ...scene("gradual"), fixed: 0.5 }, 900, 300);
  assert.deepEqual(drawn.staircase, [[125, 0.5]]);
  assert.ok(written.includes("target 80%, stops at 50%"));
  assert.ok(written.includes("Gradual 40%, applied 50%"));
});
