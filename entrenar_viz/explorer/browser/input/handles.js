// @ts-check
// Handles on the plot: to drag, and to move by keys. Each is an element of its own, so that it has a name and a focus.
import { stepText } from "../draw/axes.js";
import { percent } from "../math/format.js";
import { nudged } from "../math/numbers.js";
import { requestedAt } from "../math/schedules.js";
import { element } from "./dom.js";
import { FIELDS, moved, stepOf } from "./fields.js";

const KEYS = { ArrowUp: 1, ArrowRight: 1, PageUp: 10, ArrowDown: -1, ArrowLeft: -1, PageDown: -10 };

// Which number each handle moves, and where it stands in the plot.
const HANDLES = [
  { name: "cursor", where: (plot, scene) => [plot.x(scene.cursor), plot.bottom + 13] },
  {
    name: "one_shot_step",
    where: (plot, scene) => {
      const oneShot = scene.schedules.find(({ type }) => type === "one_shot");
      return [plot.x(oneShot.step), plot.y(requestedAt(oneShot, scene.target, oneShot.step) / 2)];
    },
  },
  { name: "start_step", where: (plot, { values }) => [plot.x(values.start_step), plot.top] },
  { name: "end_step", where: (plot, { values }) => [plot.x(values.end_step), plot.top] },
  { name: "target", where: (plot, { values }) => [plot.right + 12, plot.y(values.target)] },
];

export class Handles {
  /** @param {any} view */
  constructor(view, stage) {
    this.view = view;
    this.elements = HANDLES.map(({ name }) => stage.appendChild(this.made(FIELDS[name])));
  }

  made(field) {
    const upright = field.kind === "fraction";
    const handle = element("div", {
      class: `entrenar-viz-handle entrenar-viz-handle-${field.name}`,
      tabIndex: 0,
      role: "slider",
      "aria-label": `${field.label} in the plot`,
      "aria-orientation": upright ? "vertical" : "horizontal",
    });
    handle.addEventListener("pointerdown", (event) => {
      handle.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    handle.addEventListener("pointermove", (event) => event.buttons === 1 && this.drag(field, event));
    handle.addEventListener("keydown", (event) => this.key(field, event));
    return handle;
  }

  drag(field, event) {
    const { plot, canvas, state } = this.view;
    const box = canvas.getBoundingClientRect();
    const at =
      field.kind === "fraction" ? plot.sparsityAt(event.clientY - box.top) : plot.stepAt(event.clientX - box.left);
    const step = this.view.rounding(stepOf(field, state.values));
    state.set({ [field.name]: moved(field, Math.round(at / step) * step, state.values) });
  }

  key(field, event) {
    const by = KEYS[event.key];
    const { state } = this.view;
    const ends = { Home: 0, End: field.end(state.values) };
    if (!by && !(event.key in ends)) return;
    event.preventDefault();
    const step = stepOf(field, state.values);
    let number = by ? this.numberOf(field) : ends[event.key];
    for (let i = 0; i < Math.abs(by ?? 0); i++) number = nudged(field.kind, number, by, step);
    state.set({ [field.name]: moved(field, number, state.values) });
  }

  numberOf({ name }) {
    const { values, cursor } = this.view.scene;
    return name === "cursor" ? cursor : values[name];
  }

  // Put every handle where its number is; one that lies outside the shown steps is not there.
  place(scene, plot) {
    HANDLES.forEach(({ name, where }, i) => {
      const [handle, field] = [this.elements[i], FIELDS[name]];
      const [x, y] = where(plot, scene);
      const number = name === "cursor" ? scene.cursor : scene.values[name];
      const place = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      const hidden = x < plot.left - 1 || x > plot.right + 13;
      const state = `${place} ${number} ${hidden} ${scene.lastStep}`;
      if (handle.dataset.state === state) return; // most handles rest while one moves
      handle.dataset.state = state;
      handle.style.transform = place;
      handle.hidden = hidden;
      handle.setAttribute("aria-valuemin", "0");
      handle.setAttribute("aria-valuemax", String(/** @type {any} */ (field).end(scene.values)));
      handle.setAttribute("aria-valuenow", String(number));
      handle.setAttribute("aria-valuetext", field.kind === "fraction" ? percent(number) : stepText(scene, number));
    });
  }
}
