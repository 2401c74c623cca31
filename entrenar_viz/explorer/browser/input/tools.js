// @ts-check
// Buttons above the plot: play the training, and choose which steps are shown.
import { nextUpdate } from "../math/updates.js";
import { element, relabel, select, signed } from "./dom.js";

const DURATION = 10; // seconds for the whole training at speed 1
const BEATS = 2; // updates a second where motion is to be reduced
const SPEEDS = ["0.25", "0.5", "1", "2", "4"];

export class Tools {
  /** @param {any} view */
  constructor(view) {
    this.view = view;
    this.play = signed("▶", "Play the training", () => (this.frame ? this.stop() : this.start()));
    this.speed = select(
      "Speed",
      SPEEDS.map((speed) => [speed, `${speed} ×`]),
      () => {},
    );
    this.speed.value = "1";
    const zoom = [
      signed("−", "Show more steps", () => view.zoom(2)),
      signed("+", "Show fewer steps, closer", () => view.zoom(0.5)),
      signed("←", "Show earlier steps", () => view.pan(-0.25)),
      signed("→", "Show later steps", () => view.pan(0.25)),
      signed("all steps", "Show all steps", () => view.showAll()),
    ];
    this.zoomed = zoom.slice(2);
    this.root = element(
      "div",
      { class: "entrenar-viz-tools", role: "toolbar", "aria-label": "Play and zoom" },
      ...[this.play, this.speed, element("span"), ...zoom],
    );
  }

  // Earlier, later and all: only where not all steps are shown.
  show(scene) {
    const whole = scene.range[0] === 0 && scene.range[1] === scene.lastStep;
    for (const one of this.zoomed) if (one.disabled !== whole) one.disabled = whole;
  }

  start() {
    const { scene, state } = this.view;
    this.place = this.shown = scene.cursor < scene.totalSteps ? scene.cursor : 0;
    state.set({ cursor: this.shown }); // else a start from the end looks as if somebody had moved it there
    this.last = performance.now();
    relabel(this.play, "❚❚", "Pause the training");
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  stop() {
    if (!this.frame) return;
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    relabel(this.play, "▶", "Play the training");
    this.view.state.tell();
  }

  tick(now) {
    const { scene, state } = this.view;
    if (!this.view.canvas.isConnected) return;
    if (state.values.cursor !== this.shown) this.place = state.values.cursor; // somebody took hold of it
    this.advance(now, scene);
    this.shown = Math.min(Math.round(this.place), scene.totalSteps);
    state.set({ cursor: this.shown });
    if (this.shown >= scene.totalSteps) this.stop();
    else this.frame = requestAnimationFrame((next) => this.tick(next));
  }

  advance(now, { chosen, target, totalSteps }) {
    const seconds = ((now - this.last) / 1000) * Number(this.speed.value);
    if (!this.reduced) {
      this.place += (seconds * totalSteps) / DURATION;
    } else if (seconds * BEATS >= 1) {
      this.place = nextUpdate(chosen, target, totalSteps, this.shown) ?? totalSteps;
    } else return;
    this.last = now;
  }
}
