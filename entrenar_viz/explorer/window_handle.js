// The window on a large layer by keys: an element over its place in each map, since a picture has no focus.
const PART = 0.25; // of the window, that an arrow key moves it by
const MOVES = {
  ArrowUp: [-PART, 0],
  ArrowDown: [PART, 0],
  ArrowLeft: [0, -PART],
  ArrowRight: [0, PART],
  PageUp: [-1, 0],
  PageDown: [1, 0],
};

export class WindowHandle {
  constructor(view, stage) {
    this.view = view;
    this.element = stage.appendChild(document.createElement("div"));
    this.element.className = "entrenar-viz-window-handle";
    this.element.tabIndex = 0;
    this.element.setAttribute("role", "slider");
    this.element.setAttribute("aria-label", "Window on the layer");
    this.element.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const { layer, window } = this.view.panels[0];
    const ends = { Home: [0, 0], End: [layer.rows, layer.cols] };
    const move = MOVES[event.key];
    if (!move && !ends[event.key]) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook takes keys as commands
    const sizes = [window.layer.height, window.layer.width];
    const from = this.view.scene.corner;
    this.view.showCorner(ends[event.key] ?? move.map((part, i) => from[i] + Math.round(part * sizes[i])));
  }

  place(scene, { layer, window }, frame) {
    this.element.hidden = !window;
    if (!window) return;
    const [row, column] = scene.corner;
    this.element.style.transform = `translate(${frame.x}px, ${frame.y}px)`;
    Object.assign(this.element.style, { width: `${frame.width}px`, height: `${frame.height}px` });
    this.element.setAttribute("aria-valuemin", "0");
    this.element.setAttribute("aria-valuemax", String(layer.rows - window.layer.height));
    this.element.setAttribute("aria-valuenow", String(row));
    this.element.setAttribute("aria-valuetext", `from row ${row}, column ${column} on`);
  }
}
