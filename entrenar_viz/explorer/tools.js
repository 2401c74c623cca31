// Buttons above the plot: play the training, and choose which steps are shown.
import { nextUpdate } from "./updates.js";

const DURATION = 10; // seconds for the whole training at speed 1
const TOLD = 200; // ms between two steps that the slider is told of while playing
const BEATS = 2; // updates a second where motion is to be reduced
const SPEEDS = [0.25, 0.5, 1, 2, 4];

function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "jupyter-button widget-button";
  made.addEventListener("click", act);
  return name(made, text, label);
}

function name(button, text, label) {
  button.textContent = text;
  button.title = label;
  button.setAttribute("aria-label", label);
  return button;
}

export class Tools {
  constructor(view, parent) {
    this.view = view;
    this.play = button("▶", "Play the training", () => (this.frame ? this.stop() : this.start()));
    this.speed = document.createElement("select");
    this.speed.setAttribute("aria-label", "Speed");
    for (const speed of SPEEDS) this.speed.append(new Option(`${speed} ×`, speed, speed === 1, speed === 1));
    const zoom = [
      button("−", "Show more steps", () => view.zoom(2)),
      button("+", "Show fewer steps, closer", () => view.zoom(0.5)),
      button("←", "Show earlier steps", () => view.pan(-0.25)),
      button("→", "Show later steps", () => view.pan(0.25)),
      button("all steps", "Show all steps", () => view.showAll()),
    ];
    this.zoomed = zoom.slice(2);
    const bar = parent.appendChild(document.createElement("div"));
    bar.className = "entrenar-viz-tools";
    bar.setAttribute("role", "toolbar");
    bar.setAttribute("aria-label", "Play and zoom");
    const apart = document.createElement("span");
    bar.append(this.play, this.speed, apart, ...zoom);
  }

  // Earlier, later and all: only where not all steps are shown.
  show(scene) {
    const whole = scene.range[0] === 0 && scene.range[1] === scene.lastStep;
    for (const one of this.zoomed) one.disabled = whole;
  }

  start() {
    const { scene, model } = this.view;
    this.place = this.shown = scene.cursor < scene.totalSteps ? scene.cursor : 0;
    model.set("cursor", this.shown); // else a start from the end looks as if somebody had moved it there
    this.last = this.told = performance.now();
    name(this.play, "❚❚", "Pause the training");
    this.reduced = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.frame = requestAnimationFrame((now) => this.tick(now));
  }

  stop() {
    cancelAnimationFrame(this.frame);
    this.frame = undefined;
    name(this.play, "▶", "Play the training");
    this.view.write("cursor", () => this.shown);
  }

  // The cursor moves in this page at every frame; the slider, and with it the kernel, is told now and then.
  tick(now) {
    const { scene, model } = this.view;
    if (!model.get("follows").cursor || !this.view.canvas.isConnected) return;
    if (model.get("cursor") !== this.shown) this.place = model.get("cursor"); // somebody took hold of it
    this.advance(now, scene);
    this.shown = Math.min(Math.round(this.place), scene.totalSteps);
    model.set("cursor", this.shown);
    if (this.shown >= scene.totalSteps) return this.stop();
    if (now - this.told > TOLD) {
      this.told = now;
      this.view.write("cursor", () => this.shown);
    }
    this.frame = requestAnimationFrame((next) => this.tick(next));
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
