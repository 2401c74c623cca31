// @ts-check
// Bars under the pointer: one is pressed, or its filling is dragged.
import { barAt, shareOf } from "../math/bars.js";
import { barWords } from "../draw/bar_words.js";

const STILL = 3; // px that a hand may move while it presses
const ROUND = 0.005; // of a share that is dragged; with Alt it is as fine as the pointer

export class BarDrag {
  /** @param {any} view */
  constructor(view, signal) {
    this.view = view;
    /** @type {any} */
    this.held = null;
    const on = (type, act) => view.canvas.addEventListener(type, act, { signal });
    on("pointerdown", (event) => this.grab(event));
    on("pointermove", (event) => (this.held ? this.move(event) : this.hover(event)));
    on("pointerup", () => this.drop());
    on("pointercancel", () => this.cancel());
    on("lostpointercapture", () => this.cancel());
  }

  // The index of the bar under the pointer; -1 beside them and over their names.
  under({ offsetX: x, offsetY: y }) {
    const { plot } = this.view;
    const { places, scroll } = this.view.stage;
    if (!plot || x < plot.left || y > plot.bottom || y < plot.top - 6) return -1;
    return barAt(places, x - plot.left + scroll);
  }

  grab(event) {
    const index = this.under(event);
    if (index < 0 || event.button !== 0) return;
    event.preventDefault(); // or the press would take the focus away again
    const { view } = this;
    view.canvas.setPointerCapture(event.pointerId);
    const again = index === view.current;
    view.goTo(index);
    this.held = { y: event.offsetY, share: shareOf(view.bar, view.state.plan), moving: false, again };
  }

  move(event) {
    const { held, view } = this;
    if (!held.moving && Math.abs(event.offsetY - held.y) < STILL) return;
    if (!held.moving) view.state.begin();
    held.moving = true;
    const share = held.share + (held.y - event.offsetY) / (view.plot.bottom - view.plot.top);
    const round = event.altKey ? share : Math.round(share / ROUND) * ROUND;
    view.gestures.move(Math.round(Math.min(Math.max(round, 0), 1) * view.bar.weights));
  }

  drop() {
    const { held, view } = this;
    this.held = null;
    if (held?.moving) view.state.end();
    else if (held) view.press(held.again);
  }

  cancel() {
    const { held } = this;
    this.held = null;
    if (held?.moving) this.view.state.cancel();
  }

  hover(event) {
    const bar = this.view.bars[this.under(event)];
    const tip = bar ? `${bar.name}\n${barWords(bar, this.view.state.plan)}` : "";
    if (this.view.canvas.title !== tip) this.view.canvas.title = tip;
    this.view.canvas.style.cursor = bar ? "ns-resize" : "";
  }
}
