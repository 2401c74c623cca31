// @ts-check
// Masks from prune ranks: which weights are gone at a sparsity is one comparison, so a frame costs the same wherever
// the slider stands. A layer comes from the kernel once (preview/layer.py says what is in it).
import { thousands } from "./format.js";

export const FRESH = 16; // steps in which it shows how much of a cell has gone in the latest update

const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const copied = (view, Kind) => (view ? new Kind(bytes(view).slice().buffer) : null);

export function openLayer(layer) {
  return {
    ...layer,
    ranks: copied(layer.ranks, Uint16Array),
    shades: copied(layer.shades, Uint8Array),
    density: layer.density ? openDensity(layer) : null,
    ties: copied(layer.ties, Uint32Array),
    gone: copied(layer.gone, Uint32Array),
    energy: copied(layer.energy, Float32Array),
    energy_counts: copied(layer.energy_counts, Uint32Array),
    errors: copied(layer.errors, Float32Array),
    bins: copied(layer.bins, Uint32Array),
    thresholds: copied(layer.thresholds, Float32Array),
  };
}

// The cells at each level, four in a word.
function openDensity({ density, levels, height, width }) {
  const [cells, given] = [height * width, bytes(density)];
  return Array.from({ length: levels + 1 }, (_, level) => {
    const words = new Uint32Array(Math.ceil(cells / 4));
    new Uint8Array(words.buffer).set(given.subarray(level * cells, (level + 1) * cells));
    return words;
  });
}

export function openWindow(data) {
  return { ...data, exact: true, ranks: copied(data.ranks, Uint32Array), shades: copied(data.shades, Uint8Array) };
}

// How many units (weights, blocks, rows, columns) the trainer prunes: trunc(f32(units) * f32(sparsity)), in f32.
export function pruneCount(layer, sparsity) {
  if (!(sparsity > 0)) return 0;
  if (layer.fixed) return 1; // N:M: the schedule decides when, not how much
  const count = Math.trunc(Math.fround(Math.fround(layer.units) * Math.fround(sparsity)));
  return Math.min(count, layer.units); // f32 may round more than 2**24 units up
}

// The share of the weights that is gone when `count` units were asked for: units that tie with the last one go too.
export function achieved(layer, count) {
  if (layer.gone) return layer.gone[count] / (layer.rows * layer.cols);
  return untied(layer.ties, count) * layer.unit_share;
}

function untied(ties, count) {
  let [low, high] = [0, ties.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ties[2 * middle + 1] < count) low = middle + 1;
    else high = middle;
  }
  const inside = low < ties.length / 2 && ties[2 * low] < count;
  return inside ? ties[2 * low + 1] : count;
}

// Why another share is gone than was asked for, and whether that is more than rounding; no words where both look the
// same.
export function reasonOf(layer, asked, count, got) {
  if (Math.abs(got - asked) < 5e-5) return ["", false];
  if (layer.fixed) return [`${layer.unit} decides, not the schedule`, true];
  const tied = Math.round((got - count * layer.unit_share) * layer.rows * layer.cols);
  if (tied > 0) return [`${thousands(tied)} more are tied`, true];
  return [`${thousands(count)} of ${thousands(layer.units)} ${layer.unit}`, false];
}

// How many units are asked for at each of levels + 1 even distances from none to all, as the kernel counts them.
function levelCount(layer, levels, j) {
  return layer.fixed ? Math.min(j, 1) : Math.floor((2 * j * layer.units + levels) / (2 * levels));
}

// The shares that are gone at all levels, computed once.
function sharesOf(layer, levels, counts) {
  layer.shares ??= new Map();
  const known = layer.shares.get(counts ?? levels);
  if (known) return known;
  const shares = Float64Array.from({ length: levels + 1 }, (_, j) =>
    achieved(layer, counts ? counts[j] : levelCount(layer, levels, j)),
  );
  layer.shares.set(counts ?? levels, shares);
  return shares;
}

// Between which levels a share of gone weights lies: [level, part of the way to the next]. The levels are even ones, or
// those of `counts`. What is known at a level is true of what really goes there, so of weights that tie no others are
// mixed in.
function spotOf(layer, levels, got, counts) {
  const shares = sharesOf(layer, levels, counts);
  let [low, high] = [0, levels];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (shares[middle] <= got) low = middle;
    else high = middle - 1;
  }
  return low === levels ? [low - 1, 1] : [low, (got - shares[low]) / (shares[low + 1] - shares[low])];
}

function at(values, layer, count, counts) {
  const [level, part] = spotOf(layer, values.length - 1, achieved(layer, count), counts);
  const from = Number.isNaN(values[level]) ? values[level + 1] : values[level];
  return from + (values[level + 1] - from) * part;
}

// The share of the squared norm that is kept.
export const energyAt = (layer, count) => at(layer.energy, layer, count, layer.energy_counts);

// The relative squared error of the layer's output; null without activations.
export const errorAt = (layer, count) => (layer.errors ? at(layer.errors, layer, count) : null);

// log10 of the highest score that goes; null where nothing goes, or no one threshold decides.
export const thresholdAt = (layer, count) =>
  count && layer.thresholds.length ? at(layer.thresholds, layer, count) : null;

// Fill `pixels` (one RGBA word a cell) from `words`: what is kept after `count` units, and what went since `before`.
export function paint(pixels, layer, before, count, words) {
  if (!layer.exact) return paintDensity(pixels, layer, before, count, words);
  const { ranks, shades } = layer;
  const fresh = (FRESH - 1) << 8;
  for (let i = 0; i < pixels.length; i++) {
    const rank = ranks[i];
    pixels[i] = words[rank >= count ? shades[i] : rank >= before ? fresh : 0];
  }
}

// The words' part for a loss of so many 255ths of a cell: one that has lost a quarter at once has the full colour of the
// latest update, for less would hardly be seen.
const LOST = Uint16Array.from(
  { length: 256 },
  (_, lost) => Math.min(Math.round((4 * (FRESH - 1) * lost) / 255), FRESH - 1) << 8,
);

// The bytes of two cells, each in the lower half of 16 bits: with room for 256 times as much.
const PAIR = 0x00ff00ff;
const HALVES = 0x00800080;

// Two cells between two levels, `part` 256ths of the way.
const blended = (low, high, part) =>
  ((Math.imul(low & PAIR, 256 - part) + Math.imul(high & PAIR, part) + HALVES) >>> 8) & PAIR;

// Four cells at a time, for this is done for all of them at every frame.
function paintDensity(pixels, layer, before, count, words) {
  const [low, high, now] = between(layer, count);
  const [lowBefore, highBefore, then] = between(layer, before);
  for (let i = 0, k = 0; i < low.length; i++, k += 4) {
    const even = blended(low[i], high[i], now);
    const odd = blended(low[i] >>> 8, high[i] >>> 8, now);
    const lostEven = blended(lowBefore[i], highBefore[i], then) - even; // what is kept never grows, so nothing is borrowed
    const lostOdd = blended(lowBefore[i] >>> 8, highBefore[i] >>> 8, then) - odd;
    pixels[k] = words[LOST[lostEven & 255] | (even & 255)];
    pixels[k + 1] = words[LOST[lostOdd & 255] | (odd & 255)];
    pixels[k + 2] = words[LOST[lostEven >>> 16] | (even >>> 16)];
    pixels[k + 3] = words[LOST[lostOdd >>> 16] | (odd >>> 16)];
  }
}

// The two levels that a count lies between, and how many 256ths of the way it is to the second.
function between(layer, count) {
  const [level, part] = spotOf(layer, layer.levels, achieved(layer, count));
  return [layer.density[level], layer.density[level + 1], Math.round(256 * part)];
}
