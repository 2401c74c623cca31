// Handles on the plot: to drag, and to move by keys. Each is an element of its own, so that it has a name and a focus.
import { stepText } from "./axes.js";
import { percent } from "./format.js";
import { nudged } from "./numbers.js";
import { requestedAt } from "./schedules.js";

const KEYS = { ArrowUp: 1, ArrowRight: 1, PageUp: 10, ArrowDown: -1, ArrowLeft: -1, PageDown: -10 };

// Which number each handle moves, and where it stands in the plot.
const HANDLES = [
  { name: "cursor", label: "Cursor step", where: (plot, scene) => [plot.x(scene.cursor), plot.bottom + 13] },
  {
    ...{ name: "one_shot_step", label: "OneShot step" },
    where: (plot, scene) => {
      const oneShot = ofType(scene, "one_shot");
      return [plot.x(oneShot.step), plot.y(requestedAt(oneShot, scene.target, oneShot.step) / 2)];
    },
  },
  { name: "window", index: 0, label: "Start step", where: (plot, scene) => [plot.x(scene.window[0]), plot.top] },
  { name: "window", index: 1, label: "End step", where: (plot, scene) => [plot.x(scene.window[1]), plot.top] },
  {
    ...{ name: "target", label: "Target sparsity", upright: true },
    where: (plot, scene) => [plot.right + 12, plot.y(scene.final)],
  },
];

const ofType = (scene, type) => scene.schedules.find((schedule) => schedule.type === type);

// The number of a handle, and the whole value with another number in its place: a window keeps its order.
const numberIn = (value, { index }) => (index === undefined ? value : value[index]);
function replacedIn(value, { index }, number) {
  if (index === undefined) return number;
  return index ? [value[0], Math.max(number, value[0] + 1)] : [Math.min(number, value[1] - 1), value[1]];
}

export class Handles {
  constructor(view, stage) {
    this.view = view;
    this.elements = HANDLES.map((handle) => stage.appendChild(this.made(handle)));
  }

  made(handle) {
    const element = document.createElement("div");
    element.className = `entrenar-viz-handle entrenar-viz-handle-${handle.name}`;
    element.tabIndex = 0;
    element.setAttribute("role", "slider");
    element.setAttribute("aria-label", `${handle.label} in the plot`);
    if (handle.upright) element.setAttribute("aria-orientation", "vertical");
    element.addEventListener("pointerdown", (event) => {
      element.setPointerCapture(event.pointerId);
      event.stopPropagation();
    });
    element.addEventListener("pointermove", (event) => event.buttons === 1 && this.drag(handle, event));
    element.addEventListener("keydown", (event) => this.key(handle, event));
    return element;
  }

  drag(handle, event) {
    const { plot, canvas } = this.view;
    const box = canvas.getBoundingClientRect();
    this.view.write(handle.name, (value, source) => {
      const step = this.view.rounding(source.get("step"));
      const to = (number) => Number((Math.round(number / step) * step).toFixed(6));
      if (handle.upright) return to(plot.sparsityAt(event.clientY - box.top));
      return replacedIn(value, handle, Math.min(to(plot.stepAt(event.clientX - box.left)), this.largest(handle)));
    });
  }

  key(handle, event) {
    const by = KEYS[event.key];
    const ends = { Home: 0, End: this.largest(handle) };
    if (!by && !(event.key in ends)) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook takes keys as commands
    this.view.write(handle.name, (value, source) => {
      let number = numberIn(value, handle);
      for (let i = 0; i < Math.abs(by ?? 0); i++) number = nudged(source.get("kind"), number, by, source.get("step"));
      return replacedIn(value, handle, Math.min(by ? number : ends[event.key], this.largest(handle)));
    });
  }

  largest({ name, upright }) {
    const { scene } = this.view;
    return upright ? 1 : name === "cursor" ? scene.totalSteps : scene.lastStep;
  }

  // Put every handle where its number is; one that lies outside the shown steps is not there.
  place(scene, plot) {
    HANDLES.forEach((handle, i) => {
      const element = this.elements[i];
      const [x, y] = handle.where(plot, scene);
      const number = handle.upright ? scene.final : numberIn(numberOf(scene, handle), handle);
      const place = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
      const state = `${place} ${number} ${x >= plot.left - 1 && x <= plot.right + 13}`;
      if (element.state === state) return; // most handles rest while one moves
      element.state = state;
      element.style.transform = place;
      element.hidden = !state.endsWith("true");
      element.setAttribute("aria-valuemin", "0");
      element.setAttribute("aria-valuemax", String(this.largest(handle)));
      element.setAttribute("aria-valuenow", String(number));
      element.setAttribute("aria-valuetext", handle.upright ? percent(number) : stepText(scene, number));
    });
  }
}

const numberOf = (scene, { name }) =>
  ({ cursor: scene.cursor, one_shot_step: ofType(scene, "one_shot").step, window: scene.window })[name];
