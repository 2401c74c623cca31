// A typed entry beside a slider: reads whole numbers and percentages strictly, and says what it does not understand
// instead of reading it as something else. Holds one number, or two for a range.

const COUNT = /^(\d+|\d{1,3}(,\d{3})+)$/;
const PERCENT = /^(\d+(\.\d+)?|\.\d+)\s*%?$/;
const LARGEST = Number.MAX_SAFE_INTEGER;
const GROUPED = new Intl.NumberFormat("en-US");

export function shown(kind, value) {
  if (kind === "count") return GROUPED.format(value);
  return `${Number((value * 100).toFixed(2))}%`;
}

// The number in `text`, or an Error that says how to write it.
export function parsed(kind, text) {
  const trimmed = text.trim();
  if (kind === "count") {
    if (!COUNT.test(trimmed)) throw new Error(`“${trimmed}” is no whole number: write 5000 or 5,000`);
    const count = Number(trimmed.replaceAll(",", ""));
    if (count > LARGEST) throw new Error("larger than 9,007,199,254,740,991: a browser cannot count that far");
    return count;
  }
  if (!PERCENT.test(trimmed)) throw new Error(`“${trimmed}” is no percentage: write 48.75`);
  // Shifted as text: 70.1 / 100 is 0.7009999999999998 in binary arithmetic, 70.1e-2 is 0.701
  const fraction = Number(`${trimmed.replace(/\s*%$/, "")}e-2`);
  if (fraction > 1) throw new Error(`${trimmed} is more than 100%`);
  return fraction;
}

// The numbers of a range must stay in order; `values` with entry `index` replaced, or an Error.
export function replaced(values, index, value) {
  const next = values.map((old, i) => (i === index ? value : old));
  if (next.length === 2 && next[0] > next[1]) throw new Error("the start must not be after the end");
  return next;
}

// What a slider's positions say of the numbers. The slider is given steps of 1 or none, so that it shows each number
// where it is: a position at its number (or at the end, where the number lies beyond) says nothing new. Any other was
// chosen by hand, and is rounded to `step` here.
export function moved(kind, values, positions, { step, max }) {
  const told = (value, position) => Math.abs(position - Math.min(value, max)) <= 1e-9 * max;
  return values.map((value, i) => (told(value, positions[i]) ? value : rounded(kind, positions[i], step, max)));
}

function rounded(kind, position, step, max) {
  const number = position >= max ? max : Math.min(Math.round(position / step) * step, max);
  return kind === "count" ? number : Number(number.toFixed(6));
}

// One step of an arrow key from `value`, to the next round number.
export function nudged(kind, value, by, step) {
  const next = by > 0 ? Math.floor(value / step + 1 + 1e-9) * step : Math.ceil(value / step - 1 - 1e-9) * step;
  return kind === "count" ? Math.max(next, 0) : Math.min(Math.max(Number(next.toFixed(6)), 0), 1);
}

const numbersOf = (model) => [model.get("value")].flat();

function write(model, next) {
  const needed = Math.max(...next);
  if (needed > model.get("max")) {
    model.set("max", needed); // a slider clamps silently, so its range is widened first
    model.save_changes();
  }
  hold(model, next);
  model.set("position", model.get("value"));
  model.save_changes(); // both in one message: each costs the page more than a drawing does
}

function hold(model, next) {
  model.set("value", Array.isArray(model.get("value")) ? next : next[0]);
}

function initialize({ model }) {
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
  const kind = model.get("kind");
  const aborter = new AbortController();
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
  const handles = () => [...(el.closest(".entrenar-viz-row")?.querySelectorAll(".noUi-handle") ?? [])];
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
    if (!found.length) requestAnimationFrame(name);
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
  const mended = () => model.get("problem") || inputs.forEach((_, i) => problems[i] && settle(i));
  model.on("change:value", show);
  model.on("change:problem", mended);
  show();
  return () => {
    aborter.abort();
    model.off("change:value", show);
    model.off("change:problem", mended);
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
