// What a typed entry understands, and what it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";

import { moved, parsed, replaced, shown } from "../../entrenar_viz/explorer/field.js";

test("whole numbers, with or without separators", () => {
  assert.equal(parsed("count", " 5000 "), 5000);
  assert.equal(parsed("count", "1,000,000"), 1_000_000);
  for (const text of ["", "5.0", "5,00", "-1", "1e3", "5 000", "five", "0x10"])
    assert.throws(() => parsed("count", text), /no whole number/, text);
  assert.throws(() => parsed("count", "9007199254740993"), /cannot count that far/);
});

test("percentages become fractions without a rounding error", () => {
  for (const [text, fraction] of [["70.1", 0.701], ["48.75%", 0.4875], ["29", 0.29], ["100 %", 1], ["0", 0], [".5", 0.005]])
    assert.equal(parsed("fraction", text), fraction, text);
  for (const text of ["0,5", "-1", "", "1e1", "%", "5.", "half"]) assert.throws(() => parsed("fraction", text), text);
  assert.throws(() => parsed("fraction", "100.1"), /more than 100%/);
});

test("numbers are shown as they are typed", () => {
  assert.equal(shown("count", 1234567), "1,234,567");
  assert.equal(shown("fraction", 0.7), "70%");
  assert.equal(shown("fraction", 0.2165994), "21.66%");
});

test("a range stays in order", () => {
  assert.deepEqual(replaced([1, 5], 0, 3), [3, 5]);
  assert.deepEqual(replaced([1, 5], 1, 1), [1, 1]);
  assert.throws(() => replaced([1, 5], 0, 6), /after the end/);
  assert.deepEqual(replaced([7], 0, 9), [9]);
});

test("the slider's rounding of a number leaves the number alone, a move does not", () => {
  assert.deepEqual(moved([0.701], [0.7], 0.005), [0.701]);
  assert.deepEqual(moved([0.701], [0.705], 0.005), [0.705]);
  assert.deepEqual(moved([1030, 5000], [1050, 6000], 50), [1030, 6000]);
});
