// @ts-check
// The curves of a rehearsal: a second view of the live view's settings, below its plot and on the same steps.
import { accuracyWords, drawAccuracy } from "./draw/accuracy.js";
import { element, hearFrom } from "./input/dom.js";
import { liveOf, SecondView } from "./input/view.js";
import { sceneOf, shownSteps } from "./scene.js";

const HEIGHT = 270;

class AccuracyView extends SecondView {
  constructor(model, live, state, el, signal) {
    const canvas = element("canvas", { class: "entrenar-viz-accuracy-canvas", role: "img" });
    el.append(element("div", {}, canvas));
    super(el, canvas, () => live.get("palettes"), signal);
    this.model = model;
    this.state = state;
    /** @type {any} */
    this.plot = undefined;
    const move = (event) => this.moveCursor(event);
    canvas.addEventListener("pointerdown", (event) => (canvas.setPointerCapture(event.pointerId), move(event)), {
      signal,
    });
    canvas.addEventListener("pointermove", (event) => event.buttons === 1 && move(event), { signal });
  }

  draw(width) {
    const scene = sceneOf(this.state.values, this.state.answer, [], this.theme);
    const range = shownSteps(this.state.range, scene.lastStep);
    const seen = { ...scene, range, accuracy: this.model.get("accuracy") };
    this.fit(width, HEIGHT);
    const drawn = drawAccuracy(this.context, seen, width, HEIGHT);
    this.plot = drawn.plot;
    this.totalSteps = scene.totalSteps;
    const words = accuracyWords(seen);
    if (this.canvas.getAttribute("aria-label") !== words) this.canvas.setAttribute("aria-label", words);
    const { cursor, dark } = scene;
    this.canvas.drawn = { frames: this.frames + 1, cursor, dark, outdated: seen.accuracy.outdated, ...drawn };
  }

  moveCursor(event) {
    if (this.plot) this.state.set({ cursor: Math.min(this.plot.stepAt(event.offsetX), this.totalSteps) });
  }
}

export default {
  async render({ model, el, host, signal }) {
    const found = await liveOf({ model, host, signal });
    if (!found) return;
    const { live, state } = found;
    const view = new AccuracyView(model, live, state, el, signal);
    hearFrom(model, { "change:accuracy": () => view.request() }, signal);
    state.listen(() => view.request(), signal);
    view.request();
  },
};
