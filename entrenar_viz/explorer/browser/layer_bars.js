// @ts-check
// The layers of a model, a bar for each with its planned sparsity: drawn and dragged from the plan in this page, whose total
// never changes. The kernel is told at the end of a gesture.
import { budgetWords } from "./draw/bar_words.js";
import { barPlot, BARS_HEIGHT, drawBars } from "./draw/bars.js";
import { BarDrag } from "./input/bar_drag.js";
import { BarGestures } from "./input/bar_gestures.js";
import { BarHandle } from "./input/bar_handle.js";
import { BarMask } from "./input/bar_mask.js";
import { BarReadout } from "./input/bar_readout.js";
import { BarStage } from "./input/bar_stage.js";
import { BarTools } from "./input/bar_tools.js";
import { element, hearFrom } from "./input/dom.js";
import { PlanState } from "./input/plan_state.js";
import { CanvasView, liveOf } from "./input/view.js";
import { barsOf, layersFound } from "./math/bars.js";

const NO_PLAN = "There is no plan of layers yet.";

class BarsView extends CanvasView {
  constructor({ model, live, state, el, signal }) {
    const canvas = element("canvas", {
      class: "entrenar-viz-bars-canvas",
      role: "img",
      "aria-label": "Planned sparsities",
    });
    super(el, canvas, () => live.get("palettes"), signal);
    this.model = model;
    this.live = live;
    /** @type {PlanState} */
    this.state = state;
    /** @type {any} */
    this.choice = { grouping: "layer", search: "", only: null, what: "kept" };
    /** @type {import("./math/bars.js").Bar[]} */
    this.bars = [];
    this.shown = 0; // layers that have a bar or are in one
    this.current = -1;
    /** @type {any} */
    this.shownLayers = null; // which they were when the bars were made
    /** @type {any} */
    this.plot = null;
    this.gestures = new BarGestures(this, state);
    this.tools = new BarTools(this);
    this.readout = new BarReadout(this);
    this.handle = new BarHandle(this);
    this.mask = new BarMask(this, signal);
    this.pointer = new BarDrag(this, signal);
    this.stage = new BarStage(canvas, this.handle.element, () => this.request(), signal);
    this.note = element("div", { class: "entrenar-viz-quiet" }, NO_PLAN);
    const foot = element("div", { class: "entrenar-viz-bars-foot" }, this.readout.root, this.mask.root);
    this.body = element("div", {}, this.tools.root, this.stage.root, foot);
    el.classList.add("entrenar-viz-bars");
    el.append(this.note, this.body);
    this.readLayers();
  }

  get bar() {
    return this.bars[this.current];
  }

  get layers() {
    return this.state.layers;
  }

  get curves() {
    return this.model.get("curves");
  }

  // Other layers are shown as all are at first.
  readLayers() {
    this.choice = { ...this.choice, search: "", only: null };
    this.tools.search.value = "";
    this.current = -1;
    this.arrange();
  }

  choose(changes) {
    this.choice = { ...this.choice, ...changes };
    this.arrange();
  }

  // The bars of what is chosen, of which the one is current that has the layer which was.
  arrange() {
    const { search, only, grouping } = this.choice;
    const first = this.bar?.indices[0] ?? Math.max(this.model.get("picked"), 0);
    const indices = layersFound(this.layers, search, only);
    this.shownLayers = this.layers;
    this.shown = indices.length;
    this.bars = barsOf(this.layers, indices, grouping);
    this.current = Math.max(
      this.bars.findIndex((bar) => bar.indices.includes(first)),
      Math.min(0, this.bars.length - 1),
    );
    this.gestures.said = "";
    this.layOut();
    this.request();
  }

  layOut() {
    if (!this.width) {
      this.stage.width = 0; // hidden: as soon as it is seen again
      return;
    }
    this.stage.layOut(this.bars, this.width);
    this.stage.reveal(this.current);
    this.plot = null; // which is found with the fonts
  }

  draw(width) {
    const began = performance.now();
    this.note.hidden = this.state.isThere;
    this.body.hidden = !this.state.isThere;
    this.canvas.drawn = { frames: this.frames + 1, bars: [] };
    if (!this.state.isThere) return;
    if (this.stage.width !== width) this.layOut();
    const { plan } = this.state;
    this.fit(width, BARS_HEIGHT);
    this.plot ??= barPlot(this.context, this.theme, this.bars, this.stage.places, width);
    const scene = { ...this.theme, ...this.told(), plan };
    const bars = drawBars(this.context, scene, this.plot);
    this.tools.show(this);
    this.readout.show(this.bar, this.gestures.words);
    this.mask.request();
    this.placeHandle(plan);
    const { dark, forced } = this.theme;
    const { current, plot, shown } = this;
    const { scroll } = this.stage;
    const pruned = plan.pruned.reduce((sum, number) => sum + number, 0);
    const [frames, took] = [this.frames + 1, performance.now() - began];
    const drawn = { bars, current, plot, scroll, shown, pruned, plan, what: scene.what };
    this.canvas.drawn = { frames, took, dark, forced, ...drawn };
  }

  // What is drawn besides the plan.
  told() {
    const { bars, current, curves, layers, state } = this;
    const { places, scroll } = this.stage;
    const budget = budgetWords(state.plan, layers, this.width < 500);
    const picked = bars.findIndex((bar) => !bar.grouped && bar.indices[0] === this.model.get("picked"));
    return { bars, places, scroll, current, curves, layers, budget, picked, what: this.choice.what };
  }

  placeHandle(plan) {
    this.handle.element.hidden = !this.bar;
    if (!this.bar) return;
    const [left, width] = this.stage.places[this.current];
    this.handle.place(this.bar, plan, [this.plot.left + left, width], this.plot);
  }

  goTo(index) {
    if (!this.bars.length) return;
    this.current = Math.min(Math.max(index, 0), this.bars.length - 1);
    this.gestures.said = "";
    this.stage.reveal(this.current);
    this.handle.element.focus({ preventScroll: true });
    this.request();
  }

  // A press picks a layer, whose masks the kernel then prepares; a group is shown layer by layer at the second one.
  press(again = true) {
    if (!this.bar) return;
    if (this.bar.grouped) return again ? this.open() : undefined;
    this.model.set("picked", this.bar.indices[0]);
    this.model.save_changes();
    this.request();
  }

  open() {
    const { bar, choice } = this;
    if (!bar?.grouped) return;
    const by = choice.grouping;
    const only = { by, name: this.layers[bar.indices[0]][by], label: bar.label };
    this.choose({ grouping: "layer", only });
    this.handle.element.focus({ preventScroll: true });
  }

  back() {
    const { only } = this.choice;
    this.choose({ grouping: only.by, only: null });
    this.handle.element.focus({ preventScroll: true });
  }

  // The plan has changed, and the layers may have.
  changed() {
    if (this.shownLayers !== this.layers) this.readLayers();
    else this.request();
  }

  // The kernel has picked another layer; not while somebody holds one.
  follow() {
    if (this.pointer.held) return this.request();
    const index = this.bars.findIndex((bar) => bar.indices.includes(this.model.get("picked")));
    if (index >= 0 && index !== this.current) {
      this.current = index;
      this.gestures.said = "";
      this.stage.reveal(this.current);
    }
    this.request();
  }
}

function listen(view, signal) {
  const acts = {
    "change:curves": () => view.request(),
    "change:picked": () => view.follow(),
    "change:shown": () => view.request(),
  };
  hearFrom(view.model, acts, signal);
  hearFrom(view.live, { "change:layer": () => (view.mask.readLayer(), view.request()) }, signal);
  view.state.listen(() => view.changed(), signal);
}

// One plan for all views of a model.
export default () => {
  let state;
  return {
    initialize({ model }) {
      state = new PlanState(model);
    },
    async render({ model, el, host, signal }) {
      const found = await liveOf({ model, host, signal });
      if (!found) return;
      el.dataset.ownHistory = "";
      el.addEventListener("entrenar-viz-history", (event) => state.ask(event.detail), { signal });
      const view = new BarsView({ model, live: found.live, state, el, signal });
      listen(view, signal);
      view.request();
    },
  };
};
