// @ts-check
// What is drawn: the settings, and what they amount to, put together for all that draws.
import { wordsOf, colorOf } from "./draw/theme.js";
import { Panel } from "./draw/panels.js";
import { openLayer, openWindow } from "./math/masks.js";
import { KINDS } from "./math/schedules.js";
import { lastStep } from "./input/fields.js";

// The scene of the settings in a theme (see theme.js).
export function sceneOf(values, answer, ghosts, theme) {
  const schedules = Object.entries(KINDS).map(([type, kind]) => ({ type, ...kind.of(values) }));
  return {
    ...theme,
    ...{ values, schedules, ghosts },
    chosen: schedules.find(({ type }) => type === values.schedule),
    corner: [values.window_row, values.window_column],
    stepsPerEpoch: answer.steps_per_epoch,
    fixed: answer.fixed,
    lately: Math.max(values.frequency, 1), // steps: of Gradual, those since its latest update
    target: values.same_target ? values.target : values.own_target,
    totalSteps: values.total_steps,
    cursor: Math.min(values.cursor, values.total_steps),
    lastStep: lastStep(values),
  };
}

// From which step to which is shown where `range` was asked for; null: all.
export function shownSteps(range, lastStep) {
  const [from, to] = range ?? [0, lastStep];
  return to <= lastStep ? [from, to] : [Math.max(from - (to - lastStep), 0), lastStep];
}

// The colours of masks in a theme, by schedule.
export function maskWords(theme) {
  const { colors } = theme;
  return Object.fromEntries(
    Object.keys(KINDS).map((type) => [type, wordsOf(colors.pruned, colorOf(theme, { type }), colors.fresh)]),
  );
}

// A panel for each pattern that is compared, or else for each schedule.
export function panelsOf(model) {
  const [layer, patterns] = [model.get("layer"), model.get("patterns")];
  if (patterns.length) return patterns.map((pattern) => new Panel(pattern.name, openLayer(pattern)));
  const opened = openLayer(layer);
  return Object.values(KINDS).map(({ name }) => new Panel(name, opened));
}

// The weights in the window; null where there is none.
export function weightsOf(model) {
  const [data, layer] = [model.get("window"), model.get("layer")];
  return data.width && !layer.exact && !model.get("patterns").length ? openWindow(data) : null;
}

// What each panel shows at the cursor.
export function statesOf(scene, panels, comparing) {
  return panels.map((panel, i) => panel.state(scene, comparing ? scene.chosen : scene.schedules[i]));
}
