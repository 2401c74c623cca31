// Masks from ranks, and the densities of layers that are too large to show each weight.
import assert from "node:assert/strict";
import { test } from "node:test";

import { achieved, openLayer, paint, pruneCount } from "../../entrenar_viz/explorer/mask.js";

const view = (array) => new DataView(array.buffer);
const ramp = Uint32Array.from({ length: 256 }, (_, i) => i);
const exact = (ranks, ties = []) =>
  openLayer({
    exact: true,
    units: ranks.length,
    unit_share: 1 / ranks.length,
    ranks: view(Uint16Array.from(ranks)),
    shades: view(Uint8Array.from(ranks, () => 200)),
    ties: view(Uint32Array.from(ties)),
  });

test("counts are rounded in f32: 29% of 100 is 29", () => {
  const layer = exact(Array.from({ length: 100 }, (_, i) => i));
  assert.equal(pruneCount(layer, 0.29), 29);
  assert.equal(pruneCount(layer, 0), 0);
  assert.equal(pruneCount(layer, 1), 100);
  assert.equal(pruneCount({ units: 2 ** 24 + 3 }, 1), 2 ** 24 + 3);
});

test("a weight is gone if its rank is below the count", () => {
  const layer = exact([3, 0, 2, 1]);
  const pixels = new Uint32Array(4);
  paint(pixels, layer, 2, ramp);
  assert.deepEqual([...pixels], [200, 0, 200, 0]);
});

test("ties go together, and the share that is achieved says so", () => {
  const layer = exact([0, 0, 2, 3, 3, 3], [0, 2, 3, 6]);
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 6].map((count) => Math.round(6 * achieved(layer, count))),
    [0, 2, 2, 3, 6, 6, 6],
  );
});

test("N:M prunes its share as soon as anything is applied", () => {
  const layer = { ...exact([0, 1, 1, 0]), fixed: true, units: 1, unit_share: 0.5 };
  assert.equal(pruneCount(layer, 0), 0);
  assert.equal(pruneCount(layer, 0.01), 1);
  assert.equal(achieved(layer, 1), 0.5);
});

test("densities are interpolated between their levels", () => {
  const density = Uint8Array.from([255, 255, 100, 200, 0, 0]); // two cells at counts 0, 5 and 10
  const layer = openLayer({
    ...{ exact: false, units: 10, unit_share: 0.1, levels: 2, height: 1, width: 2 },
    density: view(density),
    ties: view(new Uint32Array(0)),
  });
  const at = (count) => {
    const pixels = new Uint32Array(2);
    paint(pixels, layer, count, ramp);
    return [...pixels];
  };
  assert.deepEqual(at(0), [255, 255]);
  assert.deepEqual(at(5), [100, 200]);
  assert.deepEqual(at(10), [0, 0]);
  assert.deepEqual(at(6), [80, 160]);
  layer.ties = Uint32Array.from([0, 5]);
  assert.deepEqual(at(1), [100, 200], "half of the weights tie: all of them go");
});
