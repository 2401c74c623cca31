// @ts-check
// Colours and font of the page around us, and the colours of the masks.
import { FRESH } from "../math/masks.js";

// Changes of these change our colours.
export const PREFERENCES = ["(prefers-color-scheme: dark)", "(prefers-contrast: more)", "(forced-colors: active)"];
const asked = (preference) => matchMedia(preference).matches;
const SYSTEM = {
  ...{ text: "CanvasText", muted: "CanvasText", warning: "CanvasText", ink: "CanvasText" },
  ...{ background: "Canvas", pruned: "Canvas", grid: "GrayText", bars: "GrayText" },
  ...{ kept_low: mix(34), kept_high: "CanvasText" },
  ...{ window: mix(14), recovery: mix(7), over: mix(22) },
};
function mix(percent) {
  return `color-mix(in srgb, CanvasText ${percent}%, Canvas)`;
}

// Colours and font of the notebook around us; plain ones where there is none. Where colours are forced, text, ground
// and lines have those of the system: a canvas is not repainted by the browser as the page around it is.
export function themeOf(element, palettes) {
  const style = getComputedStyle(element);
  const forced = asked("(forced-colors: active)");
  const system = forced ? systemColors(element) : {};
  const [text, background] = [style.color, system.background ?? shownBackground(element)];
  const dark = luminance(background) < 0.5;
  const family = style.fontFamily || "sans-serif";
  const palette = palettes[dark ? "dark" : "light"];
  const contrast = asked("(prefers-contrast: more)") ? { muted: text, grid: palette.muted, bars: palette.muted } : {};
  return {
    dark,
    forced,
    colors: { ...palette, text, background, ...contrast, ...system },
    font: (size, weight = 400) => `${weight} ${size}px ${family}`,
  };
}

// The colour of a schedule, or of what is drawn for one: by its type.
export const colorOf = ({ colors }, { type }) => colors[type] ?? colors.other;

// As numbers: what a canvas makes of the names of system colours is that of a page without forced colours.
function systemColors(element) {
  const probe = element.appendChild(document.createElement("span"));
  probe.style.forcedColorAdjust = "none";
  const resolved = (name) => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  };
  const found = Object.fromEntries(Object.entries(SYSTEM).map(([use, name]) => [use, resolved(name)]));
  probe.remove();
  return found;
}

function shownBackground(element) {
  for (let node = element; node; node = node.parentElement) {
    const color = getComputedStyle(node).backgroundColor;
    if (color && !/^(transparent|rgba\(.*, 0\))$/.test(color)) return color;
  }
  return "rgb(255, 255, 255)";
}

/** @type {any} */
let probe = null;

function rgb(color) {
  probe ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  probe.clearRect(0, 0, 1, 1);
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
}

const luminance = (color) => rgb(color).reduce((sum, part, i) => sum + part * [0.299, 0.587, 0.114][i], 0) / 255;

// RGBA words by how much of a cell is kept (256 from pruned, the ground, to all) and, in 16 steps, by how much of it
// has gone in the latest update.
export function wordsOf(ground, color, fresh) {
  const [from, to, latest] = [rgb(ground), rgb(color), rgb(fresh)];
  const words = new Uint32Array(256 * FRESH);
  const mixed = (one, other, share) => one.map((part, i) => part + (other[i] - part) * share);
  for (let i = 0; i < words.length; i++) {
    const kept = mixed(from, to, (i & 255) / 255);
    const [r, g, b] = mixed(kept, latest, (i >> 8) / (FRESH - 1)).map(Math.round);
    words[i] = (255 << 24) | (b << 16) | (g << 8) | r;
  }
  return words;
}
