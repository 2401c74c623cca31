// The curves of a rehearsal: their scale, what is read at the cursor, names, and what is drawn.
import assert from "node:assert/strict";
import { test } from "node:test";

import { accuracyWords, drawAccuracy, readAt } from "../../../entrenar_viz/explorer/browser/draw/accuracy.js";
import { area } from "../../../entrenar_viz/explorer/browser/draw/axes.js";
import {
  nearest,
  passesAt,
  percentTicks,
  scaleOf,
  spread,
} from "../../../entrenar_viz/explorer/browser/math/accuracy.js";
import { KINDS } from "../../../entrenar_viz/explorer/browser/math/schedules.js";

const STEPS = [50, 100, 200, 300, 400];
const MEANS = {
  dense: [0.3, 0.95, 0.96, 0.97, 0.97],
  one_shot: [0.3, 0.7, 0.8, 0.88, 0.9],
  gradual: [0.3, 0.95, 0.9, 0.94, 0.95],
  cubic: [0.3, 0.94, 0.95, 0.96, 0.96],
};
const NAMES = { dense: "dense", one_shot: "OneShot", gradual: "Gradual", cubic: "Cubic" };

function accuracy(until = STEPS.length, more = {}) {
  const curves = Object.entries(MEANS).map(([type, all]) => {
    const mean = all.slice(0, until);
    return { name: NAMES[type], type, mean, low: mean.map((one) => one - 0.01), high: mean.map((one) => one + 0.01) };
  });
  return { steps: STEPS.slice(0, until), curves, first: 100, outdated: false, ...more };
}

// All schedules at one accuracy, with bands of `half` a height.
function alike(half = 0.001) {
  const same = accuracy();
  for (const curve of same.curves) {
    curve.mean = [0.3, 0.97, 0.97, 0.97, 0.97];
    [curve.low, curve.high] = [curve.mean.map((one) => one - half), curve.mean.map((one) => one + half)];
  }
  return same;
}

const EMPTY = { steps: [], curves: [], first: null, outdated: false };

function recorder() {
  const [written, strokes, dots] = [[], [], []];
  let dashes = [];
  const own = {
    globalAlpha: 1,
    fillText: (text) => written.push(text),
    setLineDash: (given) => (dashes = given),
    stroke: () => strokes.push([own.strokeStyle, own.globalAlpha, dashes.length > 0]),
    arc: (x, y) => dots.push([x, y]),
    measureText: (text) => ({ width: 6 * text.length }),
  };
  const context = new Proxy(own, {
    get: (target, name) => target[name] ?? (() => undefined),
    set: (target, name, value) => ((target[name] = value), true),
  });
  return { context, written, strokes, dots };
}

function scene(told, more = {}) {
  const numbers = { one_shot_step: 100, start_step: 100, end_step: 300, target: 0.8, initial: 0, frequency: 100 };
  const schedules = Object.entries(KINDS).map(([type, kind]) => ({ type, ...kind.of(numbers) }));
  return {
    ...{ schedules, chosen: schedules.find(({ type }) => type === "gradual"), accuracy: told },
    ...{ target: 0.8, totalSteps: 400, lastStep: 400, range: [0, 400], cursor: 200, stepsPerEpoch: 0 },
    colors: { one_shot: "orange", gradual: "blue", cubic: "green", text: "black", background: "white" },
    font: (size) => `${size}px sans-serif`,
    ...more,
  };
}

test("the nearest reading is found, and where a curve passes between two", () => {
  assert.deepEqual(
    [0, 74, 75, 76, 399, 9999].map((step) => nearest(STEPS, step)),
    [0, 0, 0, 1, 4, 4],
  );
  const told = accuracy();
  assert.equal(passesAt(told, told.curves[1], 150), 0.75);
  assert.equal(passesAt(told, told.curves[1], 400), 0.9);
  assert.deepEqual([passesAt(told, told.curves[1], 49), passesAt(told, told.curves[1], 401)], [null, null]);
});

test("what was read at a step is that of the nearest reading, with its step", () => {
  const told = readAt(accuracy(), 180);
  assert.equal(told.step, 200);
  assert.deepEqual(
    told.values.map(([{ name }, value]) => [name, value]),
    [
      ["dense", 0.96],
      ["OneShot", 0.8],
      ["Gradual", 0.9],
      ["Cubic", 0.95],
    ],
  );
  for (const step of [0, 401]) assert.deepEqual(readAt(accuracy(), step).values, []);
  assert.deepEqual(readAt(EMPTY, 10).values, []);
});

test("the scale has what comes after the first update, and not the rise from chance", () => {
  const [low, high] = scaleOf(accuracy(), [0, 400]);
  assert.ok(low <= 0.7 && low > 0.3 && high >= 0.97 && high <= 1, `${low} to ${high}`);
});

test("a schedule that prunes from the first step on does not bring the rise into the scale", () => {
  const [low] = scaleOf(accuracy(undefined, { first: 1 }), [0, 400]);
  assert.ok(low > 0.3);
});

test("the scale is of the steps that are shown, and at least two points high", () => {
  const [low, high] = scaleOf(accuracy(), [300, 400]);
  assert.ok(low > 0.8 && low <= 0.88, `${low}`);
  const [least, most] = scaleOf(alike(), [0, 400]);
  assert.ok(most - least > 0.0199 && least < 0.97 && most > 0.97, `${least} to ${most}`);
  assert.ok(high - low < 0.2);
});

test("before the first update all of it is shown, and where nothing was read", () => {
  assert.deepEqual(scaleOf(accuracy(1), [0, 400]), [0, 1]);
  assert.deepEqual(scaleOf(EMPTY, [0, 400]), [0, 1]);
});

test("the scale rests while little is added", () => {
  const grown = accuracy();
  grown.curves.forEach((curve) => curve.mean.push(curve.mean.at(-1) + 0.0005));
  grown.steps = [...STEPS, 410];
  assert.deepEqual(scaleOf(grown, [0, 420]), scaleOf(accuracy(), [0, 420]));
});

test("ticks are whole percent, also on the smallest scale", () => {
  assert.deepEqual(percentTicks([0.95, 0.96]), [
    [0.95, "95%"],
    [0.96, "96%"],
  ]);
  const { context, written } = recorder();
  drawAccuracy(context, scene(alike()), 800, 270);
  assert.deepEqual(written.filter((text) => /^[\d.]+%$/.test(text)).sort(), ["96%", "97%"]);
});

test("names keep their order, their distance, and inside", () => {
  const places = spread([10, 12, 11, 90], 14, 0, 100);
  const sorted = [places[0], places[2], places[1], places[3]];
  for (let i = 1; i < sorted.length; i++) assert.ok(sorted[i] - sorted[i - 1] >= 14);
  assert.ok(sorted[0] >= 0 && sorted.at(-1) + 14 <= 100);
});

test("a step is at the same place as in the plot above", () => {
  const { plot } = drawAccuracy(recorder().context, scene(accuracy()), 800, 270);
  const above = area({ range: [0, 400] }, 800, 236);
  for (const step of [0, 123, 400]) assert.equal(plot.x(step), above.x(step));
});

test("curves, updates, dots and numbers are drawn; dense is dashed in the colour of text", () => {
  const { context, written, strokes, dots } = recorder();
  const drawn = drawAccuracy(context, scene(accuracy()), 800, 270);
  assert.deepEqual(drawn.updates, [200, 300]); // at its first step it asks for nothing
  assert.deepEqual(drawn.told, ["step 200", "dense 96.0%", "OneShot 80.0%", "Gradual 90.0%", "Cubic 95.0%"]);
  for (const text of drawn.told) assert.ok(written.includes(text), text);
  assert.deepEqual(
    drawn.curves[2].points.map(([step]) => step),
    STEPS,
  );
  assert.ok(strokes.some(([color, alpha, dashed]) => color === "black" && alpha === 1 && dashed));
  assert.ok(strokes.some(([color, alpha, dashed]) => color === "green" && alpha === 1 && !dashed));
  assert.equal(dots.length, 4);
  assert.deepEqual(
    drawn.names.map(({ text }) => text),
    ["dense", "OneShot", "Gradual", "Cubic"],
  );
});

test("what is outdated stands back", () => {
  const { context, strokes } = recorder();
  drawAccuracy(context, scene(accuracy(undefined, { outdated: true })), 800, 270);
  assert.ok(strokes.some(([color, alpha]) => color === "green" && alpha < 0.5));
});

test("a cursor that the curves have not reached has no dots and no numbers", () => {
  const { context, dots } = recorder();
  const drawn = drawAccuracy(context, scene(accuracy(3), { cursor: 350 }), 800, 270);
  assert.deepEqual([drawn.told, dots], [[], []]);
});

test("names stand beside the ends of curves that grow, and clear of a cursor at the right edge", () => {
  const growing = drawAccuracy(recorder().context, scene(accuracy(3)), 800, 270);
  for (const { x } of growing.names) assert.ok(x > growing.plot.x(200));
  const { names, plot } = drawAccuracy(recorder().context, scene(accuracy(), { cursor: 399 }), 800, 270);
  for (const { x, width } of names) assert.ok(x + width < plot.x(399));
});

test("names of curves that end together stand below them and their bands, if there is room", () => {
  const drawn = drawAccuracy(recorder().context, scene(alike()), 800, 270);
  const tops = drawn.names.map(({ y }) => y);
  assert.ok(tops[0] > drawn.plot.y(0.969) && tops.at(-1) + 14 <= drawn.plot.bottom, `${tops}`);
  for (let i = 1; i < tops.length; i++) assert.equal(tops[i] - tops[i - 1], 14);
  const wide = drawAccuracy(recorder().context, scene(alike(0.5)), 800, 270);
  assert.ok(wide.names[0].y < wide.plot.y(0.97));
});

test("the numbers are told to those who hear the picture", () => {
  assert.equal(
    accuracyWords(scene(accuracy())),
    "Accuracy over 400 training steps. Read at step 200: dense 96.0%, OneShot 80.0%, Gradual 90.0%, Cubic 95.0%. " +
      "At the end: dense 97.0%, OneShot 90.0%, Gradual 95.0%, Cubic 96.0%.",
  );
  assert.match(accuracyWords(scene(accuracy(3), { cursor: 350 })), /steps\. So far, at step 200: dense 96\.0%/);
  assert.match(accuracyWords(scene(accuracy(undefined, { outdated: true }))), /of the settings before\.$/);
  assert.match(accuracyWords(scene(EMPTY)), /^The accuracy of each schedule is drawn here/);
});
