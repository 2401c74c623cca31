// Masks from prune ranks: which weights are gone at a sparsity is one comparison, so a frame costs the same wherever
// the slider stands. A layer comes from the kernel once (canvas.py says what is in it).

const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const copied = (view, Kind) => new Kind(bytes(view).slice().buffer);

export function openLayer(layer) {
  return {
    ...layer,
    ranks: layer.exact ? copied(layer.ranks, Uint16Array) : null,
    shades: layer.exact ? bytes(layer.shades) : null,
    density: layer.exact ? null : bytes(layer.density),
    ties: copied(layer.ties, Uint32Array),
  };
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

// Fill `pixels` (one RGBA word a cell) from `ramp`, 256 words from pruned to fully kept.
export function paint(pixels, layer, count, ramp) {
  if (layer.exact) {
    const { ranks, shades } = layer;
    for (let i = 0; i < pixels.length; i++) pixels[i] = ranks[i] < count ? ramp[0] : ramp[shades[i]];
    return;
  }
  const [below, above, part] = between(layer, untied(layer.ties, count));
  for (let i = 0; i < pixels.length; i++) pixels[i] = ramp[(below[i] + (above[i] - below[i]) * part) & 255];
}

function between(layer, count) {
  const place = (count / layer.units) * layer.levels;
  const level = Math.min(Math.floor(place), layer.levels - 1);
  const cells = layer.height * layer.width;
  const slice = (j) => layer.density.subarray(j * cells, (j + 1) * cells);
  return [slice(level), slice(level + 1), place - level];
}
