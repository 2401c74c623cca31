// @ts-check
// What the bars stand on: as wide as all of them, and scrolled where they have no room. The canvas itself is as wide as what
// is seen, and stands still.
import { contentWidth, roomOf } from "../draw/bars.js";
import { placesOf } from "../math/bars.js";
import { element } from "./dom.js";

export class BarStage {
  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLElement} handle
   * @param {() => void} scrolled
   * @param {AbortSignal} signal
   */
  constructor(canvas, handle, scrolled, signal) {
    this.canvas = canvas;
    this.width = 0; // that it was laid out for
    this.scroll = 0;
    /** @type {[number, number][]} */
    this.places = [];
    this.content = element("div", { class: "entrenar-viz-bars-content" }, canvas, handle);
    this.root = element("div", { class: "entrenar-viz-bars-scroller" }, this.content);
    const read = () => {
      this.scroll = this.root.scrollLeft;
      scrolled();
    };
    this.root.addEventListener("scroll", read, { signal });
  }

  /** @param {import("../math/bars.js").Bar[]} bars */
  layOut(bars, width) {
    this.width = width;
    this.places = placesOf(bars, roomOf(width));
    this.content.style.width = `${contentWidth(this.places)}px`;
    this.canvas.style.width = `${width}px`;
  }

  // Scroll so that a bar is in sight, or its beginning where it is wider than that.
  reveal(index) {
    if (!this.places[index]) return;
    const [left, width] = this.places[index];
    const [from, room] = [this.root.scrollLeft, roomOf(this.width)];
    const to = Math.max(Math.min(from, left), Math.min(left, left + width - room));
    if (to !== from) this.root.scrollLeft = to;
    this.scroll = this.root.scrollLeft;
  }
}
