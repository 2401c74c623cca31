// Bars: which there are, how wide, what they are called, and what is told of them.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  barAt,
  barsOf,
  cut,
  layersFound,
  marked,
  NARROWEST,
  nudgedWeights,
  placesOf,
  pointsOf,
  sensitivityAt,
  shareOf,
} from "../../../entrenar_viz/explorer/browser/math/bars.js";

const layer = (block, role, weights) => ({ name: `${block}.${role}.weight`, block, role, weights });
const LAYERS = [
  layer("model.layers.0", "up_proj", 100),
  layer("model.layers.0", "down_proj", 300),
  layer("model.layers.1", "up_proj", 100),
  { name: "lm_head", block: "", role: "", weights: 500 },
];
const ALL = [0, 1, 2, 3];

test("a search finds the layers that have all of its words", () => {
  assert.deepEqual(layersFound(LAYERS, "", null), ALL);
  assert.deepEqual(layersFound(LAYERS, " UP layers.1 ", null), [2]);
  assert.deepEqual(layersFound(LAYERS, "proj", { by: "block", name: "model.layers.0" }), [0, 1]);
  assert.deepEqual(layersFound(LAYERS, "", { by: "role", name: "" }), [3]);
});

test("bars are layers or groups, named without what all have in common", () => {
  const names = (bars) => bars.map(({ label, indices, weights }) => [label, indices, weights]);
  assert.deepEqual(names(barsOf(LAYERS, [0, 1, 2], "layer")), [
    ["0.up_proj", [0], 100],
    ["0.down_proj", [1], 300],
    ["1.up_proj", [2], 100],
  ]);
  assert.deepEqual(names(barsOf(LAYERS, ALL, "role")), [
    ["up_proj", [0, 2], 200],
    ["down_proj", [1], 300],
    ["other layers", [3], 500],
  ]);
  assert.deepEqual(names(barsOf(LAYERS, [0, 2], "block")), [
    ["0", [0], 100],
    ["1", [2], 100],
  ]);
  assert.deepEqual(barsOf(LAYERS, [3], "layer")[0].label, "lm_head");
  assert.deepEqual(barsOf(LAYERS, [], "layer"), []);
});

test("what is outside the blocks does not hide their numbers", () => {
  const outside = (name) => ({ name, block: "", role: "", weights: 500 });
  const layers = [...LAYERS.slice(0, 3), outside("lm_head.weight"), outside("model.embed_tokens.weight")];
  const labels = (by) => barsOf(layers, [0, 1, 2, 3, 4], by).map(({ label }) => label);
  assert.deepEqual(labels("layer"), ["0.up_proj", "0.down_proj", "1.up_proj", "lm_head", "model.embed_tokens"]);
  assert.deepEqual(labels("block"), ["0", "1", "outside blocks"]);
});

test("bars are as wide as their weights, and none too narrow to take hold of", () => {
  const widths = (weights, room) =>
    placesOf(
      weights.map((number) => ({ weights: number })),
      room,
    ).map(([, wide]) => wide);
  const near = (one, other) => one.forEach((number, i) => assert.ok(Math.abs(number - other[i]) < 1e-6, `${one}`));
  near(widths([1, 2, 5], 800), [100, 200, 500]);
  near(widths([1, 1e6], 500), [NARROWEST, 500 - NARROWEST]);
  const many = widths(
    Array.from({ length: 1000 }, (_, i) => (i % 7 ? 1 : 100)),
    500,
  );
  assert.ok(Math.min(...many) >= NARROWEST);
  near([many.reduce((sum, wide) => sum + wide, 0)], [22_000]);
  assert.deepEqual(placesOf([], 500), []);
  const places = placesOf([{ weights: 1 }, { weights: 3 }], 400);
  assert.deepEqual(
    [0, 99, 101, 399, 401, -1].map((x) => barAt(places, x)),
    [0, 0, 1, 1, -1, -1],
  );
});

test("names lose their middle, and no letter is cut in two", () => {
  assert.equal(cut("model.layers.12", 20), "model.layers.12");
  assert.equal(cut("model.layers.12.mlp.up_proj", 11), "model…_proj");
  assert.ok(cut("𝄞".repeat(60), 12).isWellFormed());
});

test("a group is locked in whole or in part", () => {
  const bar = { indices: [0, 2] };
  assert.deepEqual(marked(bar, [0, 1, 2]), { all: true, some: true });
  assert.deepEqual(marked(bar, [2]), { all: false, some: true });
  assert.deepEqual(marked(bar, []), { all: false, some: false });
});

test("the sensitivity is read between its points, and all that is pruned leaves nothing", () => {
  const curve = { achieved: [0, 0.5, 0.9], kept: [1, 0.9, 0.5], error: [0, 0.2, 0.6], knee: null };
  const read = (what) => [0, 0.25, 0.5, 0.95, 1].map((s) => Number(sensitivityAt(curve, what, s).toFixed(9)));
  assert.deepEqual(read("kept"), [1, 0.95, 0.9, 0.25, 0]);
  assert.deepEqual(read("error"), [0, 0.1, 0.2, 0.8, 1]);
  assert.deepEqual(pointsOf({ ...curve, achieved: [0, 0.5, 1] }, "kept").at(-1), [1, 0.5]);
});

test("a key goes to the next round share, though whole weights miss those by a little", () => {
  const step = (weights, pruned, by, size) => nudgedWeights({ indices: [0], weights }, { pruned: [pruned] }, by, size);
  assert.equal(step(4096, 2048, 1, 0.01), 2089);
  assert.equal(step(4096, 2089, 1, 0.01), 2130);
  assert.equal(step(4096, 2089, -1, 0.01), 2048);
  assert.equal(step(4096, 2458, -1, 0.001), 2454);
  assert.equal(step(4096, 2100, -1, 0.1), 2048);
  assert.equal(step(10, 5, 1, 0.01), 6, "at least one weight");
  assert.equal(shareOf({ indices: [0, 1], weights: 40 }, { pruned: [10, 20] }), 0.75);
});
