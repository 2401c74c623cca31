// The cells of the survey's table and the order of its rows; the page itself is tested in a browser.
import assert from "node:assert/strict";
import { test } from "node:test";

import {
  cellText,
  COLUMNS,
  FIRST,
  leastSparse,
  pressed,
  recordsOf,
  shortened,
  sorted,
} from "../../../entrenar_viz/explorer/browser/math/cells.js";

const FIELDS = [
  ...["layer", "shape", "dtype", "weights", "asked", "achieved", "reason", "kept_energy", "output_error", "threshold"],
  ...["ties", "dead_rows", "dead_columns", "bytes_dense", "bytes_csr", "bytes_nm", "bytes_block"],
];
const WHOLE = [
  "a.2",
  [128, 64],
  "float32",
  8192,
  0.5,
  0.5,
  "",
  0.9,
  null,
  0.0123456,
  0,
  3,
  1234,
  32768,
  40000,
  null,
  null,
];
const UNREAD = [
  "a.10",
  [2, 3, 4],
  "float32",
  24,
  0.5,
  null,
  "not finite",
  null,
  null,
  null,
  null,
  null,
  null,
  96,
  null,
  null,
  null,
];
const WORSE = ["b", [4, 4], "float32", 16, 0.5, 0.49, "ties: 1", 0.2, 0.25, 1, 1, 0, 0, 64, 60, 40, 50];
const RECORDS = recordsOf(FIELDS, [WHOLE, UNREAD, WORSE]);
const column = (name) => COLUMNS.findIndex((one) => one.name === name);
const names = (order) => sorted(RECORDS, order).map(({ layer }) => layer);

test("at first the layers that lose most are on top, those without numbers at the end", () => {
  assert.equal(COLUMNS[FIRST.column].name, "energy kept");
  assert.deepEqual(names(FIRST), ["b", "a.2", "a.10"]);
  assert.deepEqual(names({ ...FIRST, up: false }), ["a.2", "b", "a.10"], "at the end either way");
});

test("names are sorted by the numbers in them, equal rows as they stand in the model", () => {
  assert.deepEqual(names({ column: column("layer"), up: true }), ["a.2", "a.10", "b"]);
  assert.deepEqual(names({ column: column("shape"), up: false }), ["a.2", "a.10", "b"], "by size");
  assert.deepEqual(names({ column: column("asked"), up: false }), ["a.2", "a.10", "b"]);
  assert.deepEqual(names({ column: column("reason"), up: true }), ["a.10", "b", "a.2"], "none comes last");
  assert.deepEqual(names({ column: column("sparse"), up: true }), ["b", "a.2", "a.10"]);
});

test("every column sorts both ways and keeps every row", () => {
  for (let i = 0; i < COLUMNS.length; i++)
    for (const up of [true, false]) assert.equal(new Set(names({ column: i, up })).size, 3, COLUMNS[i].name);
  assert.deepEqual(
    RECORDS.map(({ index }) => index),
    [0, 1, 2],
    "what is sorted stays as it was",
  );
});

test("a press turns the order round, or begins with what one looks for", () => {
  assert.deepEqual(pressed(FIRST, FIRST.column), { column: FIRST.column, up: false });
  assert.deepEqual(pressed(FIRST, column("layer")), { column: 0, up: true });
  assert.deepEqual(pressed(FIRST, column("ties")), { column: column("ties"), up: false });
});

test("cells", () => {
  const [whole, unread, worse] = RECORDS.map((record) => COLUMNS.map((one) => cellText(one, record)));
  const sizes = ["32.8 kB", "40 kB CSR"];
  assert.deepEqual(whole, [
    "a.2",
    "128 × 64",
    "50.00%",
    "50.00%",
    "90.00%",
    "",
    "0.01235",
    "0",
    "3",
    "1,234",
    ...sizes,
    "",
  ]);
  assert.deepEqual(unread, ["a.10", "2 × 3 × 4", "50.00%", "", "", "", "", "", "", "", "96 B", "", "not finite"]);
  assert.deepEqual(worse.slice(5, 7), ["25.00%", "1"]);
  assert.deepEqual(leastSparse(RECORDS[2]), { name: "2:4", bytes: 40 });
  assert.equal(leastSparse(RECORDS[1]), undefined);
});

test("long names lose their middle, and no letter is cut in two", () => {
  assert.equal(shortened("x".repeat(48)), "x".repeat(48));
  const short = shortened(`model.layers.10.${"𝄞".repeat(60)}.weight`);
  assert.equal([...short].length, 48);
  assert.ok(short.startsWith("model.layers.10.") && short.endsWith(".weight") && short.isWellFormed());
});
