// @ts-check
// How numbers are written for people, as formatting.py writes them: both are held to tests/vectors/formatting.json.
const GROUPED = new Intl.NumberFormat("en-US"); // made once: toLocaleString makes one each time
const UNITS = ["B", "kB", "MB", "GB", "TB"];

export const thousands = (number) => GROUPED.format(number);

// A sparsity with at most two decimals. What is not quite all or nothing says so.
export function percent(sparsity) {
  const text = aligned(sparsity);
  return /^[<>]/.test(text) ? text : `${Number(text.slice(0, -1))}%`;
}

// The same with two decimals always, for numbers that stand below each other and must not move about.
export function aligned(sparsity) {
  const text = (100 * sparsity).toFixed(2);
  if (sparsity > 0 && text === "0.00") return "<0.01%";
  if (sparsity < 1 && text === "100.00") return ">99.99%";
  return `${text}%`;
}

// A sparsity without decimals, where there is little room.
export function wholePercent(sparsity) {
  const text = `${Math.round(100 * sparsity)}%`;
  if (sparsity > 0 && text === "0%") return "<1%";
  return sparsity < 1 && text === "100%" ? ">99%" : text;
}

// Bytes in decimal units, three digits.
export function size(bytes) {
  let unit = 0;
  for (; bytes >= 999.5 && unit < UNITS.length - 1; unit++) bytes /= 1000;
  return unit ? `${Number(bytes.toPrecision(3))} ${UNITS[unit]}` : `${thousands(bytes)} B`;
}

// A number of any size and meaning, such as a loss, with four digits.
export const rounded = (number) => String(Number(number.toPrecision(4)));
