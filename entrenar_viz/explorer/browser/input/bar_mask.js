// @ts-check
// The mask of the current bar beside what is told of it, as soon as the live view has its layer.
import { drawBarMask, drawNoMask, MASK_HEIGHT } from "../draw/bar_mask.js";
import { Mask } from "../draw/panels.js";
import { wordsOf } from "../draw/theme.js";
import { shareOf } from "../math/bars.js";
import { openLayer } from "../math/masks.js";
import { element } from "./dom.js";
import { CanvasView } from "./view.js";

export class BarMask extends CanvasView {
  /** @param {any} view   of the bars */
  constructor(view, signal) {
    const canvas = element("canvas", { class: "entrenar-viz-bar-mask", role: "img" });
    super(
      element("div", { class: "entrenar-viz-bar-mask-box" }, canvas),
      canvas,
      () => view.live.get("palettes"),
      signal,
    );
    this.view = view;
    this.readLayer();
  }

  readLayer() {
    const data = this.view.live.get("layer");
    this.note = data.note ?? "";
    this.mask = data.width ? new Mask(openLayer(data)) : null;
  }

  themed(theme) {
    const { colors } = theme;
    return { ...theme, words: wordsOf(colors.pruned, colors.kept_high, colors.fresh) };
  }

  // Why there is no mask of the current bar; empty where there is one.
  get missing() {
    const { bar, model } = this.view;
    if (!bar) return " ";
    if (bar.grouped) return "Each of its layers has a mask: show them, and press one.";
    if (model.get("picked") !== bar.indices[0]) return "Press the bar to see its mask.";
    if (model.get("shown") !== bar.indices[0]) return "Its masks are being prepared.";
    return this.mask ? "" : this.note || "There is no mask of it.";
  }

  draw(width) {
    this.fit(width, MASK_HEIGHT);
    const { missing, canvas } = this;
    if (missing) drawNoMask(this.context, this.theme, missing, width);
    const share = missing ? null : shareOf(this.view.bar, this.view.state.plan);
    const drawn = share === null ? null : drawBarMask(this.context, this.theme, this.mask, share, width);
    const words = missing || `Mask of ${this.view.bar.name}`;
    if (canvas.getAttribute("aria-label") !== words) canvas.setAttribute("aria-label", words);
    canvas.drawn = { frames: this.frames + 1, note: missing, ...drawn };
  }
}
