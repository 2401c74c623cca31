// @ts-check
// The mask of one layer at its planned sparsity. Draws on a 2-D context; all lengths are CSS pixels.
import { achieved, pruneCount } from "../math/masks.js";
import { aligned } from "../math/format.js";
import { useFont } from "./axes.js";
import { drawNote, mapSize } from "./panels.js";

const CAPTION = 16;
export const MASK_HEIGHT = 128 + CAPTION;

/** What is drawn is also told, for those who test it. */
export function drawBarMask(context, scene, mask, share, width) {
  const { layer } = mask;
  const count = pruneCount(layer, share);
  const got = achieved(layer, count);
  mask.show(count, count, scene.words);
  useFont(context, scene.font(11));
  context.fillStyle = scene.colors.muted;
  context.textAlign = "left";
  context.textBaseline = "top";
  context.fillText(`its mask: ${aligned(got)} gone`, 0, 0, width);
  const [wide, high] = mapSize(layer, width);
  context.imageSmoothingEnabled = !layer.exact;
  context.drawImage(mask.canvas, 0, CAPTION, wide, high);
  context.strokeStyle = scene.colors.grid;
  context.lineWidth = 1;
  context.strokeRect(0.5, CAPTION + 0.5, wide - 1, high - 1);
  return { count, got };
}

/** Words where there is no mask. */
export function drawNoMask(context, scene, note, width) {
  context.textBaseline = "top";
  drawNote(context, scene, 0, 0, width, note);
}
