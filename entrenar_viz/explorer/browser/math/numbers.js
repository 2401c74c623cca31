// @ts-check
// Numbers as they are typed, shown and slid to: whole numbers, percentages and plain numbers, read strictly. Nothing is
// read as something else. controls/numbers.py has the same rules.
import { thousands } from "./format.js";

const COUNT = /^(\d+|\d{1,3}(,\d{3})+)$/;
const PERCENT = /^(\d+(\.\d+)?|\.\d+)\s*%?$/;
const NUMBER = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/i;
const LARGEST = Number.MAX_SAFE_INTEGER;

export function shown(kind, value) {
  if (kind === "count") return thousands(value);
  if (kind === "number") return String(value);
  return `${inPercent(value)}%`;
}

// At most two decimals, and more where these would say all or nothing of what is not.
function inPercent(fraction) {
  const rounded = Number((fraction * 100).toFixed(2));
  const wrong = (rounded === 0 && fraction !== 0) || (rounded === 100 && fraction !== 1);
  return wrong ? Number((fraction * 100).toPrecision(12)) : rounded;
}

// The number in `text`, or an Error that says how to write it.
export function parsed(kind, text) {
  const trimmed = text.trim();
  if (kind === "count") {
    if (!COUNT.test(trimmed)) throw new Error(`“${trimmed}” is no whole number: write 5000 or 5,000`);
    const count = Number(trimmed.replaceAll(",", ""));
    if (count > LARGEST) throw new Error("larger than 9,007,199,254,740,991: a browser cannot count that far");
    return count;
  }
  if (kind === "number") {
    if (!NUMBER.test(trimmed)) throw new Error(`“${trimmed}” is no number: write 0.00001 or 1e-5`);
    if (!Number.isFinite(Number(trimmed))) throw new Error(`${trimmed} is larger than any number here`);
    return Number(trimmed);
  }
  if (!PERCENT.test(trimmed)) throw new Error(`“${trimmed}” is no percentage: ${howToWrite(trimmed)}`);
  if (mayBeFraction(trimmed)) throw new Error(`“${trimmed}”: ${bothWays(trimmed)}`);
  // Shifted as text: 70.1 / 100 is 0.7009999999999998 in binary arithmetic, 70.1e-2 is 0.701
  const fraction = Number(`${trimmed.replace(/\s*%$/, "")}e-2`);
  if (fraction > 1) throw new Error(`${trimmed} is more than 100%`);
  return fraction;
}

// JSON and Python write 0.5 for 50%.
const mayBeFraction = (text) => !text.endsWith("%") && Number(text) > 0 && Number(text) < 1;
const bothWays = (text) => `write ${Number(text)}% or ${Number(`${Number(text)}e2`)}%`;

function howToWrite(text) {
  const point = text.replace(",", ".");
  if (/^\d+,\d+\s*%?$/.test(text)) return mayBeFraction(point) ? bothWays(point) : `write ${point}`;
  if (/^-/.test(text)) return "it must be from 0% to 100%";
  return "write a number from 0 to 100, such as 48.75";
}

// One step of an arrow key from `value`, to the next round number.
export function nudged(kind, value, by, step) {
  const next = by > 0 ? Math.floor(value / step + 1 + 1e-9) * step : Math.ceil(value / step - 1 - 1e-9) * step;
  if (kind === "count") return Math.max(next, 0);
  return kind === "number" ? Number(next.toPrecision(12)) : Math.min(Math.max(Number(next.toFixed(6)), 0), 1);
}

// A round step of which a slider to `largest` has about 200.
export function tidyStep(largest) {
  const rough = Math.max(largest / 200, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  return Math.max(...[1, 2, 5].map((digit) => digit * power).filter((step) => step <= rough));
}

// The first round number that leaves a slider half as much room again beyond `value`.
export function roomFor(value) {
  const rough = Math.max(1.5 * value, 10);
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((digit) => digit * power).find((end) => end >= rough) ?? rough;
}
