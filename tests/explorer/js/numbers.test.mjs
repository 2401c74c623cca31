// What a typed entry understands, and what it refuses.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { nudged, parsed, roomFor, shown, tidyStep } from "../../../entrenar_viz/explorer/browser/math/numbers.js";

test("whole numbers, with or without separators", () => {
  assert.equal(parsed("count", " 5000 "), 5000);
  assert.equal(parsed("count", "1,000,000"), 1_000_000);
  for (const text of ["", "5.0", "5,00", "-1", "1e3", "5 000", "five", "0x10"])
    assert.throws(() => parsed("count", text), /no whole number/, text);
  assert.throws(() => parsed("count", "9007199254740993"), /cannot count that far/);
});

test("percentages become fractions without a rounding error", () => {
  for (const [text, fraction] of [
    ["70.1", 0.701],
    ["48.75%", 0.4875],
    ["29", 0.29],
    ["100 %", 1],
    ["0", 0],
    [".5%", 0.005],
    ["1", 0.01],
  ])
    assert.equal(parsed("fraction", text), fraction, text);
  for (const text of ["0,5", "-1", "", "1e1", "%", "5.", "half"]) assert.throws(() => parsed("fraction", text), text);
  assert.throws(() => parsed("fraction", "100.1"), /more than 100%/);
});

test("a share that may be meant as a fraction is asked for", () => {
  assert.throws(() => parsed("fraction", "0.5"), /“0.5”: write 0.5% or 50%/);
  assert.throws(() => parsed("fraction", ".07"), /write 0.07% or 7%/);
  assert.equal(parsed("fraction", "0.5%"), 0.005);
});

test("what is no percentage is told how to be written", () => {
  assert.throws(() => parsed("fraction", "50,5"), /no percentage: write 50\.5$/);
  assert.throws(() => parsed("fraction", "0,5%"), /no percentage: write 0\.5%$/);
  assert.throws(() => parsed("fraction", "0,5"), /no percentage: write 0\.5% or 50%$/);
  assert.throws(() => parsed("fraction", "-5"), /from 0% to 100%/);
  assert.throws(() => parsed("fraction", "half"), /a number from 0 to 100/);
});

test("what is not quite all or nothing is shown with as many decimals as it takes", () => {
  const vectors = [
    [0.9999999, "99.99999%"],
    [0.0000001, "0.00001%"],
    [1, "100%"],
    [0, "0%"],
    [0.4875, "48.75%"],
  ];
  for (const [fraction, text] of vectors) {
    assert.equal(shown("fraction", fraction), text);
    assert.equal(parsed("fraction", text), fraction);
  }
});

test("numbers are shown as they are typed", () => {
  assert.equal(shown("count", 1234567), "1,234,567");
  assert.equal(shown("fraction", 0.7), "70%");
  assert.equal(shown("fraction", 0.2165994), "21.66%");
});

test("plain numbers, with a point and in powers of ten", () => {
  for (const [text, number] of [
    ["0.00001", 1e-5],
    [" 1e-5 ", 1e-5],
    ["-2", -2],
    ["+.5E2", 50],
    ["3.", 3],
    ["0", 0],
  ])
    assert.equal(parsed("number", text), number, text);
  for (const text of ["0,5", "", ".", "1.2.3", "1e", "e5", "0x10", "half", "Infinity", "NaN", "1_000", "1 000"])
    assert.throws(() => parsed("number", text), /no number/, text);
  assert.throws(() => parsed("number", "1e999"), /larger than any number/);
  assert.equal(shown("number", 1e-5), "0.00001");
  assert.equal(shown("number", 1e-7), "1e-7");
  assert.equal(parsed("number", shown("number", 0.1 + 0.2)), 0.1 + 0.2);
  assert.equal(nudged("number", 1e-5, 1, 1e-6), 1.1e-5);
  assert.equal(nudged("number", 1e-6, -1, 1e-6), 0);
  assert.equal(nudged("number", -3, -1, 1), -4);
});

test("arrow keys go to the next round number", () => {
  assert.equal(nudged("count", 1033, 1, 50), 1050);
  assert.equal(nudged("count", 1050, 1, 50), 1100);
  assert.equal(nudged("count", 1033, -1, 50), 1000);
  assert.equal(nudged("count", 20, -1, 50), 0);
  assert.equal(nudged("count", 0, -1, 50), 0);
  assert.equal(nudged("fraction", 0.7, 1, 0.005), 0.705);
  assert.equal(nudged("fraction", 0.7, -1, 0.005), 0.695);
  assert.equal(nudged("fraction", 1, 1, 0.005), 1);
});

test("a slider has about 200 round steps, and room beyond its number", () => {
  assert.deepEqual([10_000, 20_000, 99, 5_000_000].map(tidyStep), [50, 100, 1, 20_000]);
  assert.deepEqual([10_000, 0, 7, 1407, 1_000_000].map(roomFor), [20_000, 10, 20, 5000, 2_000_000]);
  assert.ok(roomFor(Number.MAX_SAFE_INTEGER) > Number.MAX_SAFE_INTEGER);
});

const VECTORS = JSON.parse(readFileSync(new URL("../../vectors/typed_numbers.json", import.meta.url), "utf-8"));

test("page and kernel read and show alike", () => {
  for (const [kind, text, number] of VECTORS.parsed) assert.equal(parsed(kind, text), number, text);
  for (const [kind, text, message] of VECTORS.refused) assert.throws(() => parsed(kind, text), { message }, text);
  for (const [kind, number, text] of VECTORS.shown) assert.equal(shown(kind, number), text);
});
