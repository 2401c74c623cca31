// @ts-check
// What a canvas in the page has to see to: its size and density, the theme around it, and one drawing a frame; and how one
// finds the live view that it shows more of.
import { forgetFont } from "../draw/axes.js";
import { PREFERENCES, themeOf } from "../draw/theme.js";

export class CanvasView {
  /**
   * @param {HTMLElement} root
   * @param {HTMLCanvasElement & {drawn?: any}} canvas   what it shows is told in `drawn`, for those who test it
   * @param {() => any} palettes
   * @param {AbortSignal} signal
   */
  constructor(root, canvas, palettes, signal) {
    this.root = root;
    this.canvas = canvas;
    this.palettes = palettes;
    this.context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    this.frames = 0;
    this.width = 0; // not before it is in the page
    this.again = false;
    /** @type {any} */
    this.theme = undefined;
    const redraw = () => this.request();
    const retheme = () => ((this.theme = undefined), this.request());
    const size = new ResizeObserver(([{ contentRect }]) => {
      this.width = Math.round(contentRect.width); // to ask for it at each drawing would lay the page out each time
      this.request();
    });
    size.observe(canvas.parentElement ?? root);
    const theme = new MutationObserver(retheme);
    for (const node of [document.body, document.documentElement]) theme.observe(node, { attributes: true });
    for (const preference of PREFERENCES) matchMedia(preference).addEventListener("change", retheme, { signal });
    window.addEventListener("resize", redraw, { signal }); // also told when the screen's density changes
    signal.addEventListener("abort", () => {
      size.disconnect();
      theme.disconnect();
      if (this.frame) cancelAnimationFrame(this.frame);
    });
  }

  // The first change in a frame is drawn at once, so that it is in that frame; all that follow it there once more.
  request() {
    if (this.frame) {
      this.again = true;
      return;
    }
    this.frame = requestAnimationFrame(() => {
      this.frame = undefined;
      if (this.again) this.redraw();
    });
    this.redraw();
  }

  redraw() {
    this.again = false;
    if (!this.width) return;
    this.theme ??= this.themed(themeOf(this.root, this.palettes())); // not before: styles are known once it is in the page
    this.draw(this.width);
    this.frames += 1;
  }

  /** @param {any} theme */
  themed(theme) {
    return theme;
  }

  /** @param {number} _width */
  draw(_width) {}

  // The backing store follows the screen's density; assigning its size also clears it.
  fit(width, height) {
    const density = window.devicePixelRatio || 1;
    const size = [Math.round(width * density), Math.round(height * density)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      forgetFont(this.context);
      this.canvas.style.height = `${height}px`;
    }
    this.context.setTransform(density, 0, 0, density, 0, 0);
    this.context.clearRect(0, 0, width, height);
  }
}

// A second view of what the live view has. It draws in a task after the frame, which is the live view's own.
export class SecondView extends CanvasView {
  request() {
    this.frame ??= requestAnimationFrame(() =>
      setTimeout(() => {
        this.frame = undefined;
        this.redraw();
      }),
    );
  }
}

/** The live view's model and state, by the address that `model` has; null once nobody waits for them. */
export async function liveOf({ model, host, signal }) {
  const address = model.get("live");
  const [live, { exports }] = await Promise.all([host.getModel(address), host.getWidget(address)]);
  return signal.aborted ? null : { live, state: exports.state };
}
