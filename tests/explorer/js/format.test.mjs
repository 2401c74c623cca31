// Numbers are written as the kernel writes them.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { aligned, percent, rounded, size, thousands } from "../../../entrenar_viz/explorer/browser/math/format.js";

const vectors = JSON.parse(readFileSync(new URL("../../vectors/formatting.json", import.meta.url)));

for (const [name, write] of Object.entries({ percent, rounded, size, thousands })) {
  test(`${name} as in formatting.py`, () => {
    assert.ok(vectors[name].length > 5);
    for (const [number, text] of vectors[name]) assert.equal(write(number), text);
  });
}

test("what stands below each other has two decimals always", () => {
  assert.deepEqual([0, 1, 0.5, 0.48754, 0.00001, 0.999999].map(aligned), [
    "0.00%",
    "100.00%",
    "50.00%",
    "48.75%",
    "<0.01%",
    ">99.99%",
  ]);
});
