// @ts-check
// The trainer's schedules in the browser, so that a drag never waits for the kernel. Every operation is rounded to
// f32 as the trainer rounds it; the tests hold this file to the same numbers as config/schedules.py.
const f32 = Math.fround;

/** @typedef {{type: string} & Record<string, any>} Schedule   as the JSON has it */

function progress({ start_step: start, end_step: end }, step) {
  const elapsed = Math.min(Math.max(step, start), end) - start;
  return f32(f32(elapsed) / f32(end - start));
}

// The window of the settings and where it ends; one without length has one step.
const windowIn = ({ start_step, end_step, target }) => ({
  ...{ start_step, end_step: Math.max(end_step, start_step + 1), final_sparsity: target },
});

// What those have in common that go from one sparsity to another within a window.
const ramp = {
  window: ({ start_step, end_step }) => [start_step, end_step],
  target: (schedule) => schedule.final_sparsity,
  requestedAt(schedule, _, step) {
    return this.sparsityAt(schedule, step);
  },
};

// Each kind knows its own facts, of a schedule as the JSON has it. A fourth one is one more object: what is applied,
// drawn and said follows from these.
//   name          on screen
//   of            the schedule that the settings add up to
//   window        its first and last step; twice the same where there is only one
//   updates       first and last step at which the trainer may change the mask, and the steps between two of them
//   target        the sparsity to end with in a configuration with that target_sparsity
//   sparsityAt    what the formula says
//   requestedAt   what it asks for in a configuration with that target_sparsity
//   bends         whether the curve bends between its corners
//   labels        shares of the window at which its name is tried, the best place first
export const KINDS = {
  one_shot: {
    name: "OneShot",
    of: ({ one_shot_step }) => ({ step: one_shot_step }),
    window: ({ step }) => [step, step],
    updates: ({ step }) => [step, step, 1],
    target: (_, target) => target,
    sparsityAt: ({ step: at }, step) => (step >= at ? 1 : 0),
    requestedAt: (schedule, target, step) => (step >= schedule.step ? f32(target) : 0), // its 1 is a multiplier
    bends: false,
    labels: [0.5, 0.3, 0.7, 0.15, 0.85],
  },
  gradual: {
    ...ramp,
    name: "Gradual",
    of: (values) => ({ ...windowIn(values), initial_sparsity: values.initial, frequency: values.frequency }),
    updates: ({ start_step, end_step, frequency }) =>
      frequency === 0 ? [start_step, start_step, 1] : [start_step, end_step, frequency],
    sparsityAt(schedule, step) {
      const [initial, final] = [f32(schedule.initial_sparsity), f32(schedule.final_sparsity)];
      if (step >= schedule.end_step) return final;
      return f32(initial + f32(progress(schedule, step) * f32(final - initial)));
    },
    bends: false,
    labels: [0.6, 0.7, 0.5, 0.8, 0.4, 0.3],
  },
  cubic: {
    ...ramp,
    name: "Cubic",
    of: windowIn,
    updates: ({ start_step, end_step }) => [start_step, end_step, 1],
    sparsityAt(schedule, step) {
      const final = f32(schedule.final_sparsity);
      if (step >= schedule.end_step) return final;
      const left = f32(1 - progress(schedule, step));
      return f32(final * f32(1 - f32(f32(left * left) * left)));
    },
    bends: true,
    labels: [0.3, 0.2, 0.45, 0.6, 0.1],
  },
};

// The schedule to export.
export const scheduleOf = (values) => ({ type: values.schedule, ...KINDS[values.schedule].of(values) });

export const kindOf = (schedule) => KINDS[schedule.type];
export const nameOf = (schedule) => kindOf(schedule).name;
export const windowOf = (schedule) => kindOf(schedule).window(schedule);
export const targetOf = (schedule, target) => kindOf(schedule).target(schedule, target);
export const sparsityAtStep = (schedule, step) => kindOf(schedule).sparsityAt(schedule, step);
export const requestedAt = (schedule, target, step) => kindOf(schedule).requestedAt(schedule, target, step);

export function shouldPruneAtStep(schedule, step) {
  const [first, last, every] = kindOf(schedule).updates(schedule);
  return step >= first && step <= last && (step - first) % every === 0;
}
