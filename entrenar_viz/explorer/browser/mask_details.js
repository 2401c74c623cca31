// @ts-check
// What each mask costs, single weights of a large layer, and how the scores are spread: below the pickers.
import { drawCaption, drawDetail, drawWindow, layOutDetails } from "./draw/details.js";
import { drawHistogram, HISTOGRAM_HEIGHT } from "./draw/histogram.js";
import { Mask } from "./draw/panels.js";
import { element, hearFrom } from "./input/dom.js";
import { liveOf, SecondView } from "./input/view.js";
import { maskWords, panelsOf, sceneOf, statesOf, weightsOf } from "./scene.js";

class Details extends SecondView {
  constructor(live, state, el, signal) {
    const canvas = element("canvas", {
      class: "entrenar-viz-details",
      role: "img",
      "aria-label": "The masks in numbers",
    });
    el.append(element("div", {}, canvas));
    super(el, canvas, () => live.get("palettes"), signal);
    this.live = live;
    this.state = state;
    this.readLayer();
  }

  readLayer() {
    this.panels = panelsOf(this.live);
    this.comparing = this.live.get("patterns").length > 0;
    this.readWindow();
  }

  readWindow() {
    this.window = weightsOf(this.live);
    this.masks = this.window && this.panels.map(() => new Mask(this.window));
  }

  themed(theme) {
    return { ...theme, words: maskWords(theme) };
  }

  draw(width) {
    const scene = sceneOf(this.state.values, this.state.answer, [], this.theme);
    const states = statesOf(scene, this.panels, this.comparing);
    const [places, bottom] = layOutDetails(this.panels, width, this.window);
    const { layer } = this.panels[0];
    const spread = !this.comparing && layer;
    this.fit(width, bottom + (spread ? HISTOGRAM_HEIGHT : 0));
    this.panels.forEach((panel, i) => drawDetail(this.context, scene, places[i], panel, states[i]));
    if (this.masks && layer) this.drawWindows(scene, places, states, layer);
    const thresholds = spread ? drawHistogram(this.context, scene, spread, states, width, bottom) : {};
    const { corner } = scene;
    const window = this.window && { corner, row: this.window.row, column: this.window.column };
    this.canvas.drawn = { frames: this.frames + 1, panels: states, places, thresholds, window };
  }

  drawWindows(scene, places, states, layer) {
    this.masks.forEach((mask, i) => drawWindow(this.context, scene, places[i], mask, states[i]));
    drawCaption(this.context, scene, places[0], layer, this.window);
  }
}

export default {
  async render({ model, el, host, signal }) {
    const found = await liveOf({ model, host, signal });
    if (!found) return;
    const { live, state } = found;
    const view = new Details(live, state, el, signal);
    const acts = {
      "change:layer change:patterns": () => (view.readLayer(), view.request()),
      "change:window": () => (view.readWindow(), view.request()),
    };
    hearFrom(live, acts, signal);
    state.listen(() => view.request(), signal);
    view.request();
  },
};
