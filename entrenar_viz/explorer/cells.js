// What stands in the cells of the survey's table, and the order of its rows. Nothing here touches the page.

const COUNT = new Intl.NumberFormat("en-US");
const WORDS = new Intl.Collator("en", { numeric: true }); // layers.2 before layers.10
const UNITS = ["B", "kB", "MB", "GB", "TB"];
const NAME = 48; // letters

export const counted = (value) => COUNT.format(value);
const textOf = (write) => (value) => (value === null ? "" : write(value));

// The columns: what a record is sorted by, how that is written, and whether a first press on the header puts the
// smallest on top. What is written by a column of numbers stands to the right.
export const COLUMNS = [
  { name: "layer", of: (r) => r.layer, text: shortened, up: true, words: true },
  { name: "shape", of: (r) => r.weights, show: (r) => r.shape.map(counted).join(" × ") },
  { name: "asked", of: (r) => r.asked, text: share },
  { name: "pruned", of: (r) => r.achieved, text: share },
  { name: "energy kept", of: (r) => r.kept_energy, text: share, up: true, bar: (r) => 1 - r.kept_energy },
  { name: "output error", of: (r) => r.output_error, text: share },
  { name: "threshold", of: (r) => r.threshold, text: rounded },
  { name: "ties", of: (r) => r.ties, text: counted },
  { name: "dead rows", of: (r) => r.dead_rows, text: counted },
  { name: "dead columns", of: (r) => r.dead_columns, text: counted },
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
    if (a === null || b === null) return (a === null) - (b === null) || one.index - other.index;
    return (up ? compare(a, b) : compare(b, a)) || one.index - other.index;
  };
  return [...records].sort(order);
}

// The order after a press on the header of `column`.
export const pressed = (order, column) =>
  order.column === column ? { column, up: !order.up } : { column, up: Boolean(COLUMNS[column].up) };

// A share in percent. What is not quite all or nothing does not say that it is.
export function share(value) {
  const text = `${(100 * value).toFixed(2)}%`;
  if (value > 0 && text === "0.00%") return "<0.01%";
  return value < 1 && text === "100.00%" ? ">99.99%" : text;
}

export function rounded(value) {
  return String(Number(value.toPrecision(4)));
}

// Three digits in decimal units, as the command line writes them.
export function size(bytes) {
  let unit = 0;
  for (; bytes >= 999.5 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  return unit ? `${Number(bytes.toPrecision(3))} ${UNITS[unit]}` : `${counted(bytes)} B`;
}

// The smallest of the sparse formats that the pattern allows, or undefined.
export function leastSparse({ bytes_csr, bytes_nm, bytes_block }) {
  const formats = [["CSR", bytes_csr], ["2:4", bytes_nm], ["BSR", bytes_block]];
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
