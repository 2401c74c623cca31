// @ts-check
// The window on a large layer by keys: an element over its place in the map, since a picture has no focus.
import { element } from "./dom.js";

const PART = 0.25; // of the window, that an arrow key moves it by
const MOVES = {
  ArrowUp: [-PART, 0],
  ArrowDown: [PART, 0],
  ArrowLeft: [0, -PART],
  ArrowRight: [0, PART],
  PageUp: [-1, 0],
  PageDown: [1, 0],
};

/** The settings of a window that starts there, moved to the nearest place inside the layer. */
export function windowAt(row, column, layer, window) {
  const inside = (start, most) => Math.min(Math.max(Math.round(start), 0), most);
  return {
    window_row: inside(row, layer.rows - window.height),
    window_column: inside(column, layer.cols - window.width),
  };
}

export class WindowHandle {
  /** @param {any} view */
  constructor(view, stage) {
    this.view = view;
    this.element = element("div", {
      class: "entrenar-viz-window-handle",
      tabIndex: 0,
      role: "slider",
      "aria-label": "Window on the layer",
    });
    this.element.addEventListener("keydown", (event) => this.key(event));
    stage.append(this.element);
  }

  key(event) {
    const { layer, window, state } = this.view;
    const ends = { Home: [0, 0], End: [layer.rows, layer.cols] };
    const move = MOVES[event.key];
    if (!move && !ends[event.key]) return;
    event.preventDefault();
    const { window_row, window_column } = state.values;
    const to = move && [
      window_row + Math.round(move[0] * window.height),
      window_column + Math.round(move[1] * window.width),
    ];
    const [row, column] = ends[event.key] ?? to;
    state.set(windowAt(row, column, layer, window));
  }

  // Over `frame` in the map of `layer`; away where there is no window.
  place(scene, layer, window, frame) {
    this.element.hidden = !frame;
    if (!frame) return;
    const [row, column] = scene.corner;
    this.element.style.transform = `translate(${frame.x}px, ${frame.y}px)`;
    Object.assign(this.element.style, { width: `${frame.width}px`, height: `${frame.height}px` });
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute("aria-valuemax", String(layer.rows - window.height));
    this.element.setAttribute("aria-valuenow", String(row));
    this.element.setAttribute("aria-valuetext", `from row ${row}, column ${column} on`);
  }
}
