// @ts-check
// Elements, made in one expression, and the events of a model for as long as they are shown.

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [given]   properties; `class`, `role`, `for` and those with a hyphen are attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name in made && !name.includes("-")) made[name] = value;
    else made.setAttribute(name === "class" ? "class" : name, value);
  }
  made.append(...children);
  return made;
}

/**
 * A button in the notebook's own style.
 * @param {string} text
 * @param {string} tip
 * @param {(event: MouseEvent) => void} press
 */
export function button(text, tip, press) {
  const made = element("button", { type: "button", class: "jupyter-button widget-button", title: tip }, text);
  made.addEventListener("click", press);
  return made;
}

/**
 * A button with a sign on it: `label` says what it does, in a tip and to those who hear it.
 * @param {string} sign
 * @param {string} label
 * @param {(event: MouseEvent) => void} press
 */
export function signed(sign, label, press) {
  return relabel(button(sign, label, press), sign, label);
}

/** @param {HTMLButtonElement} made */
export function relabel(made, sign, label) {
  made.textContent = sign;
  made.title = label;
  made.setAttribute("aria-label", label);
  return made;
}

/** @param {string} label */
export function select(label, options, choose) {
  const made = element("select", { "aria-label": label, title: label });
  for (const [value, text] of options) made.append(new Option(text, value));
  made.addEventListener("change", () => choose(made.value));
  return made;
}

/** @param {string} text */
export function checkbox(text, choose) {
  const box = element("input", { type: "checkbox" });
  box.addEventListener("change", () => choose(box.checked));
  return { box, label: element("label", { class: "entrenar-viz-check" }, box, text) };
}

/**
 * Hear a model's events, by their names, until `signal` ends it.
 * @param {import("../payload.js").Model} model
 * @param {Record<string, () => void>} acts
 * @param {AbortSignal} signal
 */
export function hearFrom(model, acts, signal) {
  for (const [event, act] of Object.entries(acts)) {
    model.on(event, act);
    signal.addEventListener("abort", () => model.off(event, act));
  }
}
