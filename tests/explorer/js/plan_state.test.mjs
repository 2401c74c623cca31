// What the page tells the kernel of a plan, and what it makes of the plans that come back.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { PlanState } from "../../../entrenar_viz/explorer/browser/input/plan_state.js";

const LAYERS = [{ name: "a" }, { name: "b" }];
const PLAN = {
  ...{ page: "", told: 0, sparsity: 0.5, pruned: [5, 5], skipped: [], locked: [] },
  ...{ least: [0, 0], most: [10, 10], undo: false, redo: false },
};
let listeners, sent, state, traits;

// A model as anywidget gives it.
beforeEach(() => {
  [listeners, sent] = [{}, []];
  traits = { layers: LAYERS, plan: PLAN };
  const model = {
    get: (name) => traits[name],
    on: (event, act) => (listeners[event] ??= []).push(act),
    send: (message) => sent.push(structuredClone(message)),
  };
  state = new PlanState(model);
});

function comes(changes) {
  Object.assign(traits, changes);
  for (const name of Object.keys(changes)) listeners[`change:${name}`].forEach((act) => act());
}

const answered = ({ page, told, pruned }, more = {}) => comes({ plan: { ...PLAN, page, told, pruned, ...more } });
const put = (pruned) => state.change((plan) => ({ ...plan, pruned }));

test("a gesture is seen at once and told at its end, as a whole", () => {
  let heard = 0;
  state.listen(() => (heard += 1), new AbortController().signal);
  state.begin();
  state.show({ ...state.start, pruned: [6, 4] });
  state.show({ ...state.start, pruned: [7, 3] });
  assert.deepEqual([state.plan.pruned, heard, sent], [[7, 3], 2, []]);
  state.end();
  assert.deepEqual(sent, [{ page: state.page, told: 1, pruned: [7, 3], skipped: [], locked: [] }]);
  assert.ok(!state.settled);
  answered(sent[0]);
  assert.ok(state.settled);
});

test("a gesture that changes nothing is not told, and one that is taken back neither", () => {
  put([5, 5]);
  state.begin();
  state.show({ ...state.start, pruned: [7, 3] });
  state.cancel();
  assert.deepEqual([state.plan.pruned, sent, state.settled], [[5, 5], [], true]);
});

test("what is no plan is not shown", () => {
  state.begin();
  state.show(null);
  state.end();
  assert.deepEqual([state.plan, sent], [PLAN, []]);
});

test("a plan older than what was changed here is left alone", () => {
  put([6, 4]);
  put([7, 3]);
  answered(sent[0]);
  assert.deepEqual(state.plan.pruned, [7, 3]);
  comes({ plan: { ...PLAN, page: "another", told: 40, pruned: [1, 9] } });
  assert.deepEqual(state.plan.pruned, [7, 3]);
  answered(sent[1], { undo: true });
  assert.deepEqual([state.plan.pruned, state.plan.undo], [[7, 3], true]);
  comes({ plan: { ...PLAN, page: "another", told: 41, pruned: [1, 9] } });
  assert.deepEqual(state.plan.pruned, [1, 9]);
});

test("a plan that comes while a gesture lasts waits for its end", () => {
  state.begin();
  state.show({ ...state.start, pruned: [7, 3] });
  comes({ plan: { ...PLAN, pruned: [1, 9] } });
  assert.deepEqual(state.plan.pruned, [7, 3]);
  state.cancel();
  assert.deepEqual(state.plan.pruned, [1, 9]);
});

test("undo is asked for with the plan that it is asked of, where it leads anywhere", () => {
  state.ask("undo");
  assert.deepEqual(sent, []);
  put([6, 4]);
  state.ask("undo");
  assert.deepEqual(sent[1], {
    page: state.page,
    told: 2,
    pruned: [6, 4],
    skipped: [],
    locked: [],
    ask: { do: "undo" },
  });
  answered({ page: state.page, told: 2, pruned: [5, 5] }, { redo: true });
  assert.deepEqual([state.plan.pruned, state.can], [[5, 5], { undo: false, redo: true }]);
});

test("other layers have another plan, whatever was changed before", () => {
  put([6, 4]);
  comes({ plan: { ...PLAN, pruned: [1, 2, 3] } });
  assert.deepEqual(state.plan.pruned, [6, 4]);
  comes({ layers: [...LAYERS, { name: "c" }] });
  assert.deepEqual([state.plan.pruned, state.settled, state.isThere], [[1, 2, 3], true, true]);
  comes({ layers: [], plan: {} });
  assert.ok(!state.isThere);
});
