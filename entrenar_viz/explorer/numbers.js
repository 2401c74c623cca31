// Numbers as they are typed, shown and slid to: whole numbers, percentages and plain numbers, read strictly. Nothing is
// read as something else.
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

// The numbers of a range must stay in order; `values` with entry `index` replaced, or an Error.
export function replaced(values, index, value) {
  const next = values.map((old, i) => (i === index ? value : old));
  if (next.length === 2 && next[0] > next[1]) throw new Error("the start must not be after the end");
  return next;
}

// What a slider's positions say of the numbers. The slider is given steps of 1 or none, so that it shows each number
// where it is: a position at its number (or at the end, where the number lies beyond) says nothing new. Any other was
// chosen by hand, and is rounded to `step` here.
export function moved(kind, values, positions, { step, max }) {
  const told = (value, position) => Math.abs(position - Math.min(value, max)) <= 1e-9 * max;
  return values.map((value, i) => (told(value, positions[i]) ? value : rounded(kind, positions[i], step, max)));
}

function rounded(kind, position, step, max) {
  const number = position >= max ? max : Math.min(Math.round(position / step) * step, max);
  return kind === "count" ? number : Number(number.toFixed(6));
}

// One step of an arrow key from `value`, to the next round number.
export function nudged(kind, value, by, step) {
  const next = by > 0 ? Math.floor(value / step + 1 + 1e-9) * step : Math.ceil(value / step - 1 - 1e-9) * step;
  if (kind === "count") return Math.max(next, 0);
  return kind === "number" ? Number(next.toPrecision(12)) : Math.min(Math.max(Number(next.toFixed(6)), 0), 1);
}
