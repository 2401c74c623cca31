// @ts-check
// What stands in the cells of the survey's table, and the order of its rows. Nothing here touches the page.
import { aligned, rounded, size, thousands } from "./format.js";

const WORDS = new Intl.Collator("en", { numeric: true }); // layers.2 before layers.10
const NAME = 48; // letters

const textOf = (write) => (value) => (value === null ? "" : write(value));

// The columns: what a record is sorted by, how that is written, and whether a first press on the header puts the
// smallest on top. What is written by a column of numbers stands to the right.
export const COLUMNS = [
  { name: "layer", of: (r) => r.layer, text: shortened, up: true, words: true },
  { name: "shape", of: (r) => r.weights, show: (r) => r.shape.map(thousands).join(" × ") },
  { name: "asked", of: (r) => r.asked, text: aligned },
  { name: "pruned", of: (r) => r.achieved, text: aligned },
  { name: "energy kept", of: (r) => r.kept_energy, text: aligned, up: true, bar: (r) => 1 - r.kept_energy },
  { name: "output error", of: (r) => r.output_error, text: aligned },
  { name: "threshold", of: (r) => r.threshold, text: rounded },
  { name: "ties", of: (r) => r.ties, text: thousands },
  { name: "dead rows", of: (r) => r.dead_rows, text: thousands },
  { name: "dead columns", of: (r) => r.dead_columns, text: thousands },
  { name: "dense", of: (r) => r.bytes_dense, text: size },
  { name: "sparse", of: (r) => leastSparse(r)?.bytes ?? null, show: sparseText },
  { name: "reason", of: (r) => r.reason || null, text: (reason) => reason, up: true, words: true },
];
export const FIRST = { column: 4, up: true }; // the layers that suffer most

export const recordsOf = (fields, rows) =>
  rows.map((row, index) => ({ index, ...Object.fromEntries(fields.map((name, i) => [name, row[i]])) }));

export const cellText = (column, record) =>
  column.show ? column.show(record) : textOf(column.text)(column.of(record));

// The records in the order of a column; those that have nothing there come last, and equal ones as in the model.
export function sorted(records, { column, up }) {
  const { of, words } = COLUMNS[column];
  const compare = words ? WORDS.compare : (one, other) => one - other;
  const order = (one, other) => {
    const [a, b] = [of(one), of(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || one.index - other.index;
    return (up ? compare(a, b) : compare(b, a)) || one.index - other.index;
  };
  return [...records].sort(order);
}

// The order after a press on the header of `column`.
export const pressed = (order, column) =>
  order.column === column ? { column, up: !order.up } : { column, up: Boolean(COLUMNS[column].up) };

// The smallest of the sparse formats that the pattern allows, or undefined.
export function leastSparse({ bytes_csr, bytes_nm, bytes_block }) {
  const formats = [
    ["CSR", bytes_csr],
    ["2:4", bytes_nm],
    ["BSR", bytes_block],
  ];
  const known = formats.filter(([, bytes]) => bytes !== null).map(([name, bytes]) => ({ name, bytes }));
  return known.sort((one, other) => one.bytes - other.bytes)[0];
}

function sparseText(record) {
  const least = leastSparse(record);
  return least ? `${size(least.bytes)} ${least.name}` : "";
}

// Names of layers begin alike and end alike, so what is left out is in the middle.
export function shortened(name) {
  const letters = [...name];
  if (letters.length <= NAME) return name;
  return `${letters.slice(0, 19).join("")}…${letters.slice(20 - NAME).join("")}`;
}
