// What the page tells the kernel, and what it makes of its answers.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { State } from "../../../entrenar_viz/explorer/browser/input/state.js";

const VALUES = {
  ...{ schedule: "gradual", total_steps: 7820, start_step: 1000, end_step: 5000, target: 0.5, cursor: 3000 },
  ...{ in_epochs: false, dataset_size: 50_000, batch_size: 64, gradient_accumulation: 1, epochs: 10, drop_last: false },
};
let listeners, sent, state, model;

// A model as anywidget gives it; `answer` is what the kernel says.
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.window = new EventTarget();
  [listeners, sent] = [{}, []];
  const traits = { settings: { values: VALUES, page: "", told: 0, unread: {} }, answer: {} };
  model = {
    get: (name) => traits[name],
    on: (event, act) => (listeners[event] ??= []).push(act),
    off: () => {},
    send: (message) => sent.push(structuredClone(message)),
    answer(settings) {
      traits.settings = { unread: {}, ...settings };
      listeners["change:settings"].forEach((act) => act());
    },
  };
  state = new State(model, new AbortController().signal);
  state.watchGestures(new AbortController().signal);
});
afterEach(() => mock.timers.reset());

// A click within an element that only `selector` finds.
function click(selector) {
  globalThis.Element = class {
    closest = (sought) => (sought === selector ? this : null);
  };
  const event = new Event("click");
  Object.defineProperty(event, "target", { value: new Element() });
  window.dispatchEvent(event);
}

const press = (gesture) => (state.now = gesture);
const answered = ({ values, page, told, unread }) => model.answer({ values, page, told, unread });

test("a change is seen at once and told a little later, as a whole", () => {
  let heard = 0;
  state.listen(() => (heard += 1), new AbortController().signal);
  press(5);
  state.set({ target: 0.6 });
  assert.deepEqual([state.values.target, heard, sent.length, state.settled], [0.6, 1, 0, false]);
  mock.timers.tick(100);
  assert.equal(sent.length, 1);
  const { values, gesture, ended, told } = sent[0];
  assert.deepEqual([values, gesture, ended, told], [{ ...VALUES, target: 0.6 }, 5, [], 1]);
  answered(sent[0]);
  assert.ok(state.settled);
});

test("a click on a button of the kernel's finds it told of what was changed before, even of a gesture before", () => {
  press(5);
  state.set({ target: 0.6 });
  mock.timers.tick(100);
  press(6);
  state.set({ target: 0.7 });
  click("p");
  assert.equal(sent.length, 1);
  click(".jupyter-button");
  assert.deepEqual(
    sent.map(({ values, told }) => [values.target, told]),
    [
      [0.6, 1],
      [0.7, 2],
    ],
  );
  answered(sent[0]);
  assert.deepEqual([state.values.target, state.settled], [0.7, false]);
  answered(sent[1]);
  assert.deepEqual([state.values.target, state.settled, sent.length], [0.7, true, 2]);
});

test("nothing changes without a change", () => {
  state.set({ target: 0.5 });
  mock.timers.tick(1000);
  assert.deepEqual([sent, state.settled], [[], true]);
});

test("a drag is told about ten times a second, and of its end at once", () => {
  press(5);
  for (let i = 1; i <= 60; i++) {
    state.set({ cursor: i });
    mock.timers.tick(16);
    if (sent.length) answered(sent.at(-1));
  }
  assert.ok(sent.length >= 8 && sent.length <= 10, String(sent.length));
  state.set({ cursor: 77 });
  window.dispatchEvent(new Event("pointerup"));
  assert.equal(sent.at(-1).values.cursor, 77);
});

test("a kernel that does not answer gets one message, and then the last state", () => {
  press(5);
  for (const cursor of [1, 2, 3]) {
    state.set({ cursor });
    mock.timers.tick(200);
  }
  window.dispatchEvent(new Event("pointerup"));
  assert.deepEqual(
    sent.map(({ values }) => values.cursor),
    [1],
  );
  answered(sent[0]);
  assert.equal(state.values.cursor, 3, "what came after is not taken back");
  mock.timers.tick(100);
  assert.deepEqual(
    sent.map(({ values }) => values.cursor),
    [1, 3],
  );
});

test("gestures that end while the kernel is busy are told, each once", () => {
  press(5);
  state.set({ target: 0.6 });
  mock.timers.tick(100);
  state.set({ target: 0.65 });
  for (const gesture of [6, 7]) {
    press(gesture);
    state.set({ target: gesture / 10 });
  }
  answered(sent[0]);
  mock.timers.tick(100);
  const left = sent[1].ended.map(([gesture, values]) => [gesture, values.target]);
  assert.deepEqual(
    [left, sent[1].gesture],
    [
      [
        [5, 0.65],
        [6, 0.6],
      ],
      7,
    ],
  );
  answered(sent[1]);
  press(8);
  state.set({ target: 0.8 });
  mock.timers.tick(100);
  assert.deepEqual(
    sent[2].ended.map(([gesture]) => gesture),
    [7],
  );
});

test("what is asked for goes at once, with the settings that it is asked of", () => {
  state.set({ target: 0.6 });
  state.ask({ do: "undo" });
  assert.deepEqual([sent[0].values.target, sent[0].ask], [0.6, { do: "undo" }]);
  model.answer({ values: VALUES, page: sent[0].page, told: sent[0].told });
  assert.deepEqual([state.values.target, state.settled], [0.5, true]);
  mock.timers.tick(1000);
  assert.equal(sent.length, 1);
});

test("what another page or code sets is taken, unless something here is still to be told", () => {
  model.answer({ values: { ...VALUES, target: 0.9 }, page: "another", told: 12 });
  assert.equal(state.values.target, 0.9);
  state.set({ cursor: 7 });
  model.answer({ values: { ...VALUES, target: 0.2 }, page: "another", told: 13 });
  assert.deepEqual([state.values.target, state.values.cursor], [0.9, 7]);
  mock.timers.tick(100);
  answered(sent[0]);
  assert.deepEqual([state.values.target, state.values.cursor], [0.9, 7]);
});

test("a text that is no number is told until it is right or something is loaded", () => {
  state.misread("target", "no percentage");
  mock.timers.tick(100);
  assert.deepEqual(sent[0].unread, { target: "no percentage" });
  answered(sent[0]);
  assert.deepEqual(state.unread, { target: "no percentage" });
  model.answer({ values: VALUES, page: state.page, told: 1 });
  assert.deepEqual(state.unread, {});
});

test("the total follows the epochs until it is set itself", () => {
  state.set({ epochs: 3 });
  assert.deepEqual([state.values.in_epochs, state.values.total_steps], [true, 2346]);
  state.set({ drop_last: true });
  assert.equal(state.values.total_steps, 2343);
  state.set({ batch_size: 0 });
  assert.deepEqual([state.values.in_epochs, state.values.total_steps], [true, 2343]);
  state.set({ total_steps: 5000 });
  assert.deepEqual([state.values.in_epochs, state.values.total_steps], [false, 5000]);
  state.set({ batch_size: 64, in_epochs: true });
  assert.equal(state.values.total_steps, 2343);
});
