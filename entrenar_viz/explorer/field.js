// A typed entry, mostly beside a slider: holds one number, or two for a range, and says what it does not understand.
import { moved, nudged, parsed, replaced, shown } from "./numbers.js";

const numbersOf = (model) => [model.get("value")].flat();
const slides = (model) => model.get("position") !== null;

function write(model, next) {
  const needed = Math.max(...next);
  if (needed > model.get("max")) {
    model.set("max", needed); // a slider clamps silently, so its range is widened first
    model.save_changes();
  }
  hold(model, next);
  if (slides(model)) model.set("position", model.get("value"));
  model.save_changes(); // both in one message: each costs the page more than a drawing does
}

function hold(model, next) {
  model.set("value", Array.isArray(model.get("value")) ? next : next[0]);
}

// A message with a new value says to which gesture it belongs; a key that is held down is one. Of messages to a busy
// kernel only the last is sent, so it also says where the gestures before have ended.
const MOST = 20;
let gesture = 0;
const begin = (event) => event.repeat || (gesture = event.timeStamp);

function initialize({ model }) {
  let before = model.get("value");
  model.on("change:value", () => {
    const last = model.get("gesture");
    if (gesture !== last) model.set("ended", [...model.get("ended"), [last, before]].slice(-MOST));
    model.set("gesture", gesture);
    before = model.get("value");
  });
  if (!slides(model)) return;
  // Later, since the link between position and slider is deaf while it carries a change.
  const follow = () =>
    queueMicrotask(() => {
      if (String(model.get("position")) === String(model.get("value"))) return;
      model.set("position", model.get("value"));
      model.save_changes();
    });
  model.on("change:value", follow);
  model.on("change:position", () => {
    const range = { step: model.get("step"), max: model.get("max") };
    const positions = [model.get("position")].flat();
    const next = moved(model.get("kind"), numbersOf(model), positions, range);
    if (next.some((number, i) => number !== numbersOf(model)[i])) hold(model, next); // the link saves both
    follow();
  });
}

function render({ model, el }) {
  el.classList.add("entrenar-viz-field");
  el.classList.toggle("entrenar-viz-alone", !slides(model));
  const kind = model.get("kind");
  const aborter = new AbortController();
  for (const type of ["pointerdown", "keydown"]) {
    window.addEventListener(type, begin, { capture: true, signal: aborter.signal });
  }
  const message = document.createElement("div");
  message.className = "entrenar-viz-problem";
  message.setAttribute("role", "alert");
  const problems = numbersOf(model).map(() => "");
  const inputs = numbersOf(model).map((_, i) => input(model.get("labels")[i]));

  function complain(index, text) {
    problems[index] = text;
    inputs[index].setAttribute("aria-invalid", String(Boolean(text)));
    message.textContent = problems.find(Boolean) ?? "";
    model.set("problem", message.textContent);
    model.save_changes();
  }

  function settle(index) {
    delete inputs[index].dataset.edited;
    inputs[index].value = shown(kind, numbersOf(model)[index]);
    if (problems[index]) complain(index, "");
  }

  // An entry that is being typed in keeps its text; every other shows the number.
  function show() {
    inputs.forEach((entry, i) => {
      if (document.activeElement !== entry || !entry.dataset.edited) settle(i);
    });
  }

  // An entry that was refused for the sake of the other one may be right now, so all that were typed in count.
  function commit(index) {
    if (!inputs[index].dataset.edited) return;
    try {
      const typed = parsed(kind, inputs[index].value);
      write(model, together(typed, index) ?? replaced(numbersOf(model), index, typed));
    } catch (error) {
      complain(index, error.message);
      return;
    }
    settle(index);
  }

  function together(typed, index) {
    try {
      const next = inputs.map((entry, i) => {
        if (i === index) return typed;
        return entry.dataset.edited ? parsed(kind, entry.value) : numbersOf(model)[i];
      });
      return replaced(next, index, typed);
    } catch {
      return null;
    }
  }

  function nudge(index, by) {
    const next = Math.min(nudged(kind, numbersOf(model)[index], by, model.get("step")), model.get("max"));
    inputs[index].value = shown(kind, next);
    inputs[index].dataset.edited = "yes";
    commit(index);
  }

  // The handles of the slider beside us: they have no name of their own, and step by 1 or by a tenth of the range.
  const handles = () => (slides(model) ? [...(el.closest(".entrenar-viz-row")?.querySelectorAll(".noUi-handle") ?? [])] : []);
  const directions = { ArrowUp: 1, ArrowRight: 1, PageUp: 10, ArrowDown: -1, ArrowLeft: -1, PageDown: -10 };
  function slideByKey(event) {
    const index = handles().indexOf(event.target);
    const direction = directions[event.key];
    if (index < 0 || !direction) return;
    event.preventDefault();
    event.stopPropagation();
    for (let i = 0; i < Math.abs(direction); i++) nudge(index, Math.sign(direction));
  }
  document.addEventListener("keydown", slideByKey, { capture: true, signal: aborter.signal });
  const name = () => {
    if (aborter.signal.aborted) return;
    const found = handles();
    found.forEach((handle, i) => handle.setAttribute("aria-label", model.get("labels")[i] + " slider"));
    if (!found.length && slides(model)) requestAnimationFrame(name);
  };
  requestAnimationFrame(name);

  inputs.forEach((entry, i) => {
    entry.addEventListener("input", () => (entry.dataset.edited = "yes"));
    entry.addEventListener("focus", () => entry.select());
    entry.addEventListener("blur", () => commit(i));
    entry.addEventListener("keydown", (event) => {
      event.stopPropagation(); // a notebook takes keys as commands
      if (event.key === "Enter") commit(i);
      else if (event.key === "Escape") settle(i);
      else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        event.preventDefault();
        nudge(i, event.key === "ArrowUp" ? 1 : -1);
      }
    });
  });
  const row = document.createElement("div");
  row.className = "entrenar-viz-inputs";
  row.append(...inputs);
  el.append(row, message);
  const recheck = () => model.get("problem") || inputs.forEach((_, i) => problems[i] && settle(i));
  model.on("change:value", show);
  model.on("change:problem", recheck);
  show();
  return () => {
    aborter.abort();
    model.off("change:value", show);
    model.off("change:problem", recheck);
  };
}

function input(label) {
  const entry = document.createElement("input");
  entry.type = "text";
  entry.inputMode = "decimal";
  entry.autocomplete = "off";
  entry.spellcheck = false;
  entry.setAttribute("aria-label", label);
  return entry;
}

export default { initialize, render };
