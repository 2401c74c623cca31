// A training log over the plan: what it tells of a step, and what is drawn of it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { linesAt } from "../../../entrenar_viz/explorer/browser/draw/log.js";
import { drawPlot } from "../../../entrenar_viz/explorer/browser/draw/plot.js";
import {
  happenedAt,
  heightOf,
  inTheMaskOf,
  lastUntil,
  metricAt,
  openLog,
} from "../../../entrenar_viz/explorer/browser/math/log.js";
import { KINDS } from "../../../entrenar_viz/explorer/browser/math/schedules.js";

const DATA = {
  ...{ name: "run.jsonl", steps: [100, 150, 300], sparsity: [0, 0.4, 0.4] },
  ...{ metric: "loss", metric_steps: [100, 200, 300], values: [2, null, 0.5] },
};

function recorder() {
  const [written, strokes, moves, boxes] = [[], [], [], []];
  const own = {
    fillText: (text) => written.push(text),
    stroke: () => strokes.push(own.strokeStyle),
    moveTo: (x, y) => moves.push([x, y]),
    strokeRect: (...box) => boxes.push(box),
    measureText: (text) => ({ width: 6 * text.length }),
  };
  const context = new Proxy(own, { get: (target, name) => target[name] ?? (() => undefined) });
  return { context, written, strokes, moves, boxes };
}

function scene(data, more = {}) {
  const numbers = { one_shot_step: 50, start_step: 100, end_step: 200, target: 0.8, initial: 0, frequency: 50 };
  const schedules = Object.entries(KINDS).map(([type, kind]) => ({ type, ...kind.of(numbers) }));
  const opened = openLog(data);
  return {
    ...{ schedules, chosen: schedules.find(({ type }) => type === "gradual"), ghosts: [], fixed: null, hover: null },
    ...{ target: 0.8, totalSteps: 400, lastStep: 400, range: [0, 400], cursor: 250, stepsPerEpoch: 0 },
    colors: { one_shot: "orange", gradual: "blue", cubic: "green", other: "purple", happened: "yellow", ink: "ink" },
    font: (size) => `${size}px sans-serif`,
    log: opened && { ...opened, parted: [[200, 300]] },
    ...more,
  };
}

test("the last report until a step is found", () => {
  assert.deepEqual(
    [0, 99, 100, 149, 150, 999].map((step) => lastUntil([100, 150, 300], step)),
    [-1, -1, 0, 0, 1, 2],
  );
  assert.equal(lastUntil([], 5), -1);
});

test("what happened holds until the next report, and a metric that was not finite is none", () => {
  const log = openLog(DATA);
  assert.deepEqual(
    [50, 149, 150, 400].map((step) => happenedAt(log, step)),
    [null, 0, 0.4, 0.4],
  );
  assert.deepEqual(
    [50, 100, 250, 300].map((step) => metricAt(log, step)),
    [null, 2, null, 0.5],
  );
});

test("a metric goes from its least to its most, and one that never changes is in the middle", () => {
  const log = openLog(DATA);
  assert.deepEqual([log.least, log.most], [0.5, 2]);
  assert.ok(heightOf(log, 0.5) > 0 && heightOf(log, 2) < 1 && heightOf(log, 1) < heightOf(log, 2));
  assert.equal(heightOf({ least: 3, most: 3 }, 3), 0.5);
  assert.equal(openLog({ ...DATA, values: [null, null, null] }).measured, false);
  assert.equal(openLog({}), null);
});

test("an N:M pattern has its share where the log tells what was asked", () => {
  assert.equal(inTheMaskOf(null, 0.3, 0.3), 0.3);
  assert.equal(inTheMaskOf(0.5, 0.3, 0.3), 0.5);
  assert.equal(inTheMaskOf(0.5, 0, 0), 0);
  assert.equal(inTheMaskOf(0.5, 0.2, 0.3), 0.2);
});

test("planned and happened are drawn on one axis, with marks, a gap and the ends of the metric", () => {
  const { context, written, strokes } = recorder();
  const drawn = drawPlot(context, scene(DATA), 900, 300);
  assert.deepEqual(drawn.log.happened, [
    [100, 0],
    [150, 0.4],
    [300, 0.4],
  ]);
  assert.deepEqual(drawn.log.marks, [[200, 0.4]]);
  assert.deepEqual(
    drawn.log.metric.map(([step]) => step),
    [100, 300],
  );
  for (const text of ["happened 40%", "loss 2", "0.5", "planned 80%, happened 40%"]) assert.ok(written.includes(text));
  assert.ok(strokes.includes("yellow"));
});

test("the readout of the cursor makes way for that of the pointer", () => {
  const { context, written } = recorder();
  drawPlot(context, scene(DATA, { hover: 120 }), 900, 300);
  assert.ok(!written.includes("planned 80%, happened 40%"));
  assert.ok(written.includes("planned 0%, happened 0%"));
  assert.deepEqual(
    linesAt(scene(DATA), 50).map(([, text]) => text),
    ["planned 0%, nothing reported yet"],
  );
});

test("the readout is whole in a narrow plot, wherever the cursor is", () => {
  for (const cursor of [0, 100, 150, 200, 250, 300, 400]) {
    const { context, boxes } = recorder();
    drawPlot(context, scene(DATA, { cursor }), 260, 300);
    const [x, , width] = boxes.at(-1);
    assert.ok(x >= 0 && x + width <= 260, `${x} to ${x + width} at ${cursor}`);
  }
});

test("the readout and the name of what happened are never written over each other", () => {
  const isNamed = (cursor) => {
    const { context, written } = recorder();
    drawPlot(context, scene({ ...DATA, sparsity: [0, 0.3, 0.3] }, { cursor }), 900, 300);
    return written.includes("happened 30%");
  };
  assert.ok(isNamed(0) && !isNamed(350));
});

test("only what is in sight of a long metric is drawn", () => {
  const steps = Array.from({ length: 400 }, (_, i) => i + 1);
  const data = { ...DATA, metric_steps: steps, values: steps.map((step) => 1 / step) };
  const drawn = drawPlot(recorder().context, scene(data, { range: [100, 110] }), 900, 300);
  assert.deepEqual(
    drawn.log.metric.map(([step]) => step),
    steps.slice(99, 111),
  );
});

test("without a log nothing of it is drawn", () => {
  const { context, written, strokes } = recorder();
  const drawn = drawPlot(context, scene({}), 900, 300);
  assert.equal(drawn.log, undefined);
  assert.ok(!strokes.includes("yellow") && !written.some((text) => text.includes("happened")));
});

test("a log that tells no sparsity draws its metric only", () => {
  const { context, written } = recorder();
  const drawn = drawPlot(context, scene({ ...DATA, steps: [], sparsity: [] }, {}), 900, 300);
  assert.deepEqual(drawn.log.happened, []);
  assert.ok(written.includes("planned 80%, nothing reported yet"));
});
