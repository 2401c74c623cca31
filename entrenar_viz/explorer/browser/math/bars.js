// @ts-check
// Which bars there are, how wide they are and what they are called. A bar is one layer or a group of them. Nothing here
// touches the page.

import { nudged } from "./numbers.js";

/**
 * @typedef {object} Bar
 * @property {string} key
 * @property {string} name      in full
 * @property {string} label     without what all names have in common
 * @property {number[]} indices   of its layers
 * @property {number} weights
 * @property {boolean} grouped
 */

/** @typedef {import("../payload.js").BarLayer} BarLayer */
/** @typedef {"layer" | "block" | "role"} Grouping */
/** @typedef {{by: "block" | "role", name: string}} Group */

export const NARROWEST = 14; // px that one can take hold of
const ROOM = 22; // px that a bar has on the average, where not all fit
const NONE = { block: "outside blocks", role: "other layers" };

/** The indices of the layers whose names have all words of `search`, of one group only where there is `only`. */
export function layersFound(layers, search, only) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return [...layers.keys()].filter((i) => {
    const name = layers[i].name.toLowerCase();
    return (!only || layers[i][only.by] === only.name) && words.every((word) => name.includes(word));
  });
}

/**
 * The bars of the layers `indices`, in the order of the model.
 * @param {BarLayer[]} layers
 * @param {Grouping} by
 * @returns {Bar[]}
 */
export function barsOf(layers, indices, by) {
  const named = (bars) => labelled(bars, (bar) => layers[bar.indices[0]].block !== "");
  if (by === "layer") return named(indices.map((i) => barOf(layers, `layer ${i}`, layers[i].name, [i], false)));
  /** @type {Map<string, number[]>} */
  const groups = new Map();
  for (const i of indices) groups.set(layers[i][by], [...(groups.get(layers[i][by]) ?? []), i]);
  return named([...groups].map(([name, some]) => barOf(layers, `${by} ${name}`, name || NONE[by], some, true)));
}

const barOf = (layers, key, name, indices, grouped) => ({
  ...{ key, name, label: name, indices, grouped },
  weights: indices.reduce((sum, i) => sum + layers[i].weights, 0),
});

// Names without the parts between dots that all end with, and that all in blocks or all others begin with: an embedding
// does not hide the numbers of blocks. Each keeps at least one part.
function labelled(bars, inBlock) {
  if (bars.length < 2) return bars;
  const split = bars.map(({ name }) => name.split("."));
  const last = sharedOf(split.map((parts) => [...parts].reverse()));
  const parts = split.map((some) => some.slice(0, some.length - last));
  const [blocks, others] = [true, false].map((sort) => sharedOf(parts.filter((_, i) => inBlock(bars[i]) === sort)));
  return bars.map((bar, i) => ({ ...bar, label: parts[i].slice(inBlock(bar) ? blocks : others).join(".") }));
}

// How many parts all names begin with.
function sharedOf(names) {
  if (names.length < 2) return 0;
  const most = Math.min(...names.map(({ length }) => length)) - 1;
  let count = 0;
  while (count < most && names.every((parts) => parts[count] === names[0][count])) count += 1;
  return count;
}

/** A name cut in its middle to so many letters. */
export function cut(name, most) {
  const letters = [...name];
  if (letters.length <= most) return name;
  const end = Math.ceil((most - 1) / 2);
  return `${letters.slice(0, most - 1 - end).join("")}…${letters.slice(letters.length - end).join("")}`;
}

/**
 * Where each bar stands, `[left, width]` from 0 on: as wide as its weights, but none too narrow to take hold of; together
 * `room` wide, or more where that is too little.
 * @param {Bar[]} bars
 * @returns {[number, number][]}
 */
export function placesOf(bars, room) {
  const all = Math.max(room, ROOM * bars.length);
  const wide = (scale) => bars.map(({ weights }) => Math.max(scale * weights, NARROWEST));
  const sum = (widths) => widths.reduce((total, width) => total + width, 0);
  let [low, high] = [0, all / Math.max(Math.min(...bars.map(({ weights }) => weights)), 1)];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (sum(wide(middle)) < all) low = middle;
    else high = middle;
  }
  let left = 0;
  return wide(low).map((width) => [left, (left += width) && width]);
}

/** The index of the bar at x, -1 beside all of them. */
export const barAt = (places, x) => places.findIndex(([left, width]) => x >= left && x < left + width);

/** How many of a bar's weights are pruned, and their share. */
export const prunedOf = ({ indices }, { pruned }) => indices.reduce((sum, i) => sum + pruned[i], 0);
export const shareOf = (bar, plan) => (bar.weights ? prunedOf(bar, plan) / bar.weights : 0);

/** How many are pruned one step of a key further: the next round share, but at least one weight more or less. */
export function nudgedWeights(bar, plan, by, step) {
  const [pruned, share] = [prunedOf(bar, plan), shareOf(bar, plan)];
  const round = Math.round(share / step) * step;
  const from = Math.round(round * bar.weights) === pruned ? round : share; // whole weights miss round shares by a little
  const next = Math.round(nudged("fraction", from, by, step) * bar.weights);
  return next === pruned ? pruned + by : next;
}

/** Whether all of a bar's layers are in a list or set, or some. */
export function marked({ indices }, list) {
  const inside = list instanceof Set ? list : new Set(list);
  const count = indices.filter((i) => inside.has(i)).length;
  return { all: count === indices.length, some: count > 0 };
}

/**
 * What masks leave of a layer at a sparsity: kept energy, or the error of the output. All that is pruned leaves nothing.
 * @param {import("../payload.js").BarCurve} curve
 * @param {"kept" | "error"} what
 */
export function sensitivityAt(curve, what, sparsity) {
  const points = pointsOf(curve, what);
  const after = points.findIndex(([at]) => at >= sparsity);
  if (after <= 0) return points[Math.max(after, 0)][1];
  const [[from, before], [to, then]] = [points[after - 1], points[after]];
  return before + ((then - before) * (sparsity - from)) / (to - from);
}

/** The points of a curve, `[sparsity, value]`, as far as all that there is. */
export function pointsOf(curve, what) {
  const values = curve[what] ?? [];
  const points = values.map((value, i) => [curve.achieved[i], value]);
  return curve.achieved.at(-1) < 1 ? [...points, [1, what === "kept" ? 0 : 1]] : points;
}
