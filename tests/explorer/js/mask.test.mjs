// Masks from ranks, and the densities of layers that are too large to show each weight.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  achieved,
  energyAt,
  errorAt,
  openLayer,
  openWindow,
  paint,
  pruneCount,
  reasonOf,
  thresholdAt,
} from "../../../entrenar_viz/explorer/browser/math/masks.js";
import { FRESH } from "../../../entrenar_viz/explorer/browser/math/masks.js";

const view = (array) => new DataView(array.buffer);
const floats = (...values) => view(Float32Array.from(values));
const words = Uint32Array.from({ length: 256 * FRESH }, (_, i) => i);
const GONE = (FRESH - 1) << 8; // the colour of what went in the latest update
const exact = (ranks, ties = []) =>
  openLayer({
    exact: true,
    rows: 1,
    cols: ranks.length,
    units: ranks.length,
    unit: "weights",
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
  paint(pixels, layer, 2, 2, words);
  assert.deepEqual([...pixels], [200, 0, 200, 0]);
  paint(pixels, layer, 1, 3, words);
  assert.deepEqual([...pixels], [200, 0, GONE, GONE], "what went since the count before has a colour of its own");
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
    paint(pixels, layer, count, count, words);
    return [...pixels];
  };
  assert.deepEqual(at(0), [255, 255]);
  assert.deepEqual(at(5), [100, 200]);
  assert.deepEqual(at(10), [0, 0]);
  assert.deepEqual(at(6), [80, 160]);
  const pixels = new Uint32Array(2);
  paint(pixels, layer, 5, 6, words);
  assert.deepEqual(
    [...pixels].map((word) => [word & 255, word >> 8]),
    [80, 160].map((kept, i) => [kept, Math.round((4 * (FRESH - 1) * [20, 40][i]) / 255)]),
    "and so has the share of a cell that did",
  );
  paint(pixels, layer, 0, 10, words);
  assert.deepEqual([...pixels], [GONE, GONE]);
});

test("four cells at a time are what each cell is by itself", () => {
  const [levels, width, height] = [4, 7, 3]; // 21 cells: the last word is not full
  const cells = width * height;
  const density = new Uint8Array((levels + 1) * cells);
  for (let level = 1; level <= levels; level++)
    for (let cell = 0; cell < cells; cell++)
      density[(levels - level) * cells + cell] = Math.min(
        density[(levels - level + 1) * cells + cell] + ((cell * 89 + level * 57) % 120),
        255,
      );
  const layer = openLayer({
    ...{ exact: false, units: 4096, unit_share: 1 / 4096, levels, height, width },
    density: view(density),
    ties: view(new Uint32Array(0)),
  });
  const kept = (cell, count) => {
    const [level, part] = count === 4096 ? [levels - 1, 1] : [Math.floor(count / 1024), (count % 1024) / 1024];
    const [low, high] = [density[level * cells + cell], density[(level + 1) * cells + cell]];
    return (256 * low + (high - low) * Math.round(256 * part) + 128) >> 8;
  };
  for (const [before, count] of [
    [0, 4096],
    [0, 0],
    [700, 3000],
    [1500, 1501],
    [2048, 4096],
    [1023, 1025],
  ]) {
    const pixels = new Uint32Array(cells);
    paint(pixels, layer, before, count, words);
    const naive = Array.from({ length: cells }, (_, cell) => {
      const lost = (4 * (FRESH - 1) * (kept(cell, before) - kept(cell, count))) / 255;
      return (Math.min(Math.round(lost), FRESH - 1) << 8) | kept(cell, count);
    });
    assert.deepEqual([...pixels], naive);
  }
});

test("of weights that tie none is shown without the others", () => {
  const density = Uint8Array.from([255, 100, 100, 0, 0]); // at counts 0, 2, 5, 8 and 10, of which 0 to 5 and 5 to 10 tie
  const layer = openLayer({
    ...{ exact: false, units: 10, unit_share: 0.1, levels: 4, height: 1, width: 1 },
    density: view(density),
    ties: view(Uint32Array.from([0, 5, 5, 10])),
  });
  const pixels = new Uint32Array(1);
  const shown = [0, 1, 2, 4, 5, 6, 9, 10].map((count) => (paint(pixels, layer, count, count, words), pixels[0]));
  assert.deepEqual(shown, [255, 100, 100, 100, 100, 0, 0, 0]);
});

test("rows compared by themselves say how many weights go in all", () => {
  const gone = view(Uint32Array.from([0, 3, 4, 6]));
  const layer = openLayer({
    ...exact([0, 1, 2, 0, 0, 2]),
    rows: 2,
    cols: 3,
    units: 3,
    gone,
    ties: view(new Uint32Array(0)),
  });
  assert.deepEqual(
    [0, 1, 2, 3].map((count) => achieved(layer, count)),
    [0, 0.5, 4 / 6, 1],
  );
});

test("the reason for another share than was asked", () => {
  const tied = exact([0, 0, 2, 3], [0, 2]);
  assert.deepEqual(reasonOf(tied, 0.5, 2, 0.5), ["", false]);
  assert.deepEqual(reasonOf(tied, 0.25, 1, achieved(tied, 1)), ["1 more are tied", true]);
  assert.deepEqual(reasonOf(exact([0, 1, 2]), 0.5, 1, 1 / 3), ["1 of 3 weights", false]);
  const rows = { ...exact([0, 1, 2]), unit: "rows" };
  assert.deepEqual(reasonOf(rows, 0.5, 1, 1 / 3), ["1 of 3 rows", false]);
  const group = { ...exact([0, 1]), fixed: true, unit: "2:4" };
  assert.deepEqual(reasonOf(group, 0.3, 1, 0.5), ["2:4 decides, not the schedule", true]);
});

test("energy, error and threshold are read off between the counts at which they are known", () => {
  const layer = openLayer({
    ...{ units: 4, unit_share: 0.25, ties: view(Uint32Array.from([0, 2])) },
    energy: floats(1, 0.75, 0),
    thresholds: floats(NaN, -1, 1),
  });
  assert.deepEqual(
    [0, 2, 3, 4].map((count) => energyAt(layer, count)),
    [1, 0.75, 0.375, 0],
  );
  assert.equal(energyAt(layer, 1), 0.75, "those that tie with the last one go too");
  assert.equal(errorAt(layer, 2), null);
  const untied = { units: 4, unit_share: 0.25, errors: floats(0, 1), ties: view(new Uint32Array(0)) };
  assert.equal(errorAt(openLayer(untied), 1), 0.25);
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((count) => thresholdAt(layer, count)),
    [null, -1, -1, 0, 1],
  );
  assert.equal(thresholdAt({ ...layer, thresholds: new Float32Array(0) }, 2), null);
});

test("energy is also known at counts that are not evenly spaced", () => {
  const layer = openLayer({
    ...{ units: 8, unit_share: 1 / 8, ties: view(new Uint32Array(0)) },
    energy: floats(1, 0.75, 0.5, 0.25, 0),
    energy_counts: view(Uint32Array.of(0, 4, 6, 7, 8)),
  });
  const shares = [0, 2, 4, 5, 6, 7, 8].map((count) => energyAt(layer, count));
  assert.deepEqual(shares, [1, 0.875, 0.75, 0.625, 0.5, 0.25, 0]);
});

test("a window is exact, with ranks of any size", () => {
  const data = {
    width: 2,
    height: 1,
    ranks: view(Uint32Array.from([70000, 69999])),
    shades: view(Uint8Array.from([80, 90])),
  };
  const pixels = new Uint32Array(2);
  paint(pixels, openWindow(data), 0, 70000, words);
  assert.deepEqual([...pixels], [80, GONE]);
});
