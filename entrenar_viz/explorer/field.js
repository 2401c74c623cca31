// A typed entry beside a slider: reads whole numbers and percentages strictly, and says what it does not understand
// instead of reading it as something else. Holds one number, or two for a range.

const COUNT = /^(\d+|\d{1,3}(,\d{3})+)$/;
const PERCENT = /^(\d+(\.\d+)?|\.\d+)\s*%?$/;
const LARGEST = Number.MAX_SAFE_INTEGER;

export function shown(kind, value) {
  if (kind === "count") return value.toLocaleString("en-US");
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

// What a slider's position says of the numbers: a position that is only a number rounded to the slider's steps
// (within half of one) is the slider's echo of that number; any other was chosen by hand.
export function moved(values, positions, step) {
  return values.map((value, i) => (Math.abs(positions[i] - value) <= 0.5001 * step ? value : positions[i]));
}

function initialize({ model }) {
  const like = (numbers) => (Array.isArray(model.get("value")) ? numbers : numbers[0]);
  const all = (name) => [model.get(name)].flat();
  model.on("change:value", () => {
    model.set("position", model.get("value"));
    model.save_changes();
  });
  model.on("change:position", () => {
    const next = moved(all("value"), all("position"), model.get("step"));
    if (next.every((number, i) => number === all("value")[i])) return;
    model.set("value", like(next));
    model.save_changes();
  });
}

function render({ model, el }) {
  el.classList.add("entrenar-viz-field");
  const kind = model.get("kind");
  const numbers = () => [model.get("value")].flat();
  const message = document.createElement("div");
  message.className = "entrenar-viz-problem";
  message.setAttribute("role", "alert");
  const inputs = numbers().map((_, i) => input(model.get("labels")[i]));

  function show() {
    numbers().forEach((number, i) => {
      if (document.activeElement !== inputs[i] || !inputs[i].dataset.edited) inputs[i].value = shown(kind, number);
    });
  }

  function complain(entry, text) {
    message.textContent = text;
    entry.setAttribute("aria-invalid", String(Boolean(text)));
  }

  function commit(index) {
    const entry = inputs[index];
    if (!entry.dataset.edited) return;
    try {
      write(replaced(numbers(), index, parsed(kind, entry.value)));
    } catch (error) {
      complain(entry, error.message);
      return;
    }
    settle(index);
  }

  function settle(index) {
    delete inputs[index].dataset.edited;
    complain(inputs[index], "");
    inputs[index].value = shown(kind, numbers()[index]);
  }

  // A slider clamps silently, so its range is widened first.
  function write(next) {
    const needed = Math.max(...next);
    if (needed > model.get("max")) {
      model.set("max", needed);
      model.save_changes();
    }
    model.set("value", Array.isArray(model.get("value")) ? next : next[0]);
    model.save_changes();
  }

  function nudge(index, by) {
    const value = Math.max(0, numbers()[index] + by * model.get("step"));
    const tidy = kind === "count" ? value : Math.min(1, Number(value.toFixed(10)));
    try {
      write(replaced(numbers(), index, tidy));
    } catch (error) {
      complain(inputs[index], error.message);
      return;
    }
    settle(index);
  }

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
  model.on("change:value", show);
  show();
  return () => model.off("change:value", show);
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
