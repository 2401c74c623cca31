// @ts-check
// The current bar by keys: an element over it, since a picture has no focus.
import { barWords } from "../draw/bar_words.js";
import { nudgedWeights, shareOf } from "../math/bars.js";
import { element } from "./dom.js";

const POINTS = { ArrowUp: 1, ArrowDown: -1, PageUp: 1, PageDown: -1 };
const ENDS = { Home: 0, End: 1 };
const BESIDE = { ArrowLeft: -1, ArrowRight: 1 };

// What a key moves by: a point, ten with Shift, a tenth with Alt.
const stepOfKey = (event) => (event.key.startsWith("Page") || event.shiftKey ? 0.1 : event.altKey ? 0.001 : 0.01);

export class BarHandle {
  /** @param {any} view */
  constructor(view) {
    this.view = view;
    this.element = element("div", {
      class: "entrenar-viz-bar-handle",
      tabIndex: 0,
      role: "slider",
      "aria-orientation": "vertical",
      "aria-valuemin": "0",
      "aria-valuemax": "100",
      "aria-keyshortcuts": "L S Enter",
    });
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.ctrlKey || event.metaKey) return;
    const act = this.actOf(event);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  /** @returns {(() => void) | undefined} */
  actOf(event) {
    const { view } = this;
    const { key } = event;
    if (key in BESIDE) return () => view.goTo(view.current + BESIDE[key]);
    if (key in ENDS) return () => view.gestures.set(ENDS[key] * view.bar.weights);
    if (key in POINTS)
      return () => view.gestures.set(nudgedWeights(view.bar, view.state.plan, POINTS[key], stepOfKey(event)));
    if (event.altKey) return undefined;
    if (key === "l" || key === "L") return () => view.gestures.lock();
    if (key === "s" || key === "S") return () => view.gestures.skip();
    return key === "Enter" || key === " " ? () => view.press() : undefined;
  }

  place(bar, plan, [left, width], plot) {
    const { style } = this.element;
    const place = `translate(${left.toFixed(1)}px, ${plot.top}px)`;
    if (style.transform !== place) style.transform = place;
    Object.assign(style, { width: `${width.toFixed(1)}px`, height: `${plot.bottom - plot.top}px` });
    const told = {
      "aria-label": bar.name,
      "aria-valuenow": String(Number((100 * shareOf(bar, plan)).toFixed(2))),
      "aria-valuetext": barWords(bar, plan),
    };
    for (const [name, value] of Object.entries(told))
      if (this.element.getAttribute(name) !== value) this.element.setAttribute(name, value);
  }
}
