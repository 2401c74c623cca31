// @ts-check
// What goes between kernel and page, with its types: payload.py has the same for the kernel, settings.py the values.

export {};

/**
 * All that can be set: steps are whole numbers, sparsities fractions.
 * @typedef {object} Values
 * @property {string} schedule
 * @property {number} total_steps
 * @property {number} start_step
 * @property {number} end_step
 * @property {number} one_shot_step
 * @property {number} initial
 * @property {number} target
 * @property {boolean} same_target
 * @property {number} own_target
 * @property {number} frequency
 * @property {string} method
 * @property {string} pattern
 * @property {number} n
 * @property {number} m
 * @property {number} height
 * @property {number} width
 * @property {boolean} fine_tune
 * @property {number} fine_tune_steps
 * @property {number} fine_tune_lr
 * @property {boolean} skip_embed_layers
 * @property {boolean} in_epochs
 * @property {number} dataset_size
 * @property {number} batch_size
 * @property {number} gradient_accumulation
 * @property {number} epochs
 * @property {boolean} drop_last
 * @property {number} cursor
 * @property {number} window_row
 * @property {number} window_column
 */

/** @typedef {{values: Values, page: string, told: number, unread: Record<string, string>}} Settings */
/** @typedef {{names: string[], message: string}} Trouble */
/** @typedef {{severity: string, message: string, fixes: string[]}} Found */
/** @typedef {{language: string, text: string, file: string, media: string, note: string}} Exported */
/** @typedef {{undo: boolean, redo: boolean, reset: boolean}} Can */

/**
 * All that the kernel says of the settings.
 * @typedef {object} Answer
 * @property {Trouble[]} problems
 * @property {Found[]} findings
 * @property {Exported} exported
 * @property {Can} can
 * @property {number | null} fixed
 * @property {number} steps_per_epoch
 * @property {string} counted
 * @property {number[][]} parted
 * @property {string} said
 */

/**
 * What a training log tells of sparsity, at the steps where that changes, and of one metric.
 * @typedef {object} Log
 * @property {string} name
 * @property {number[]} steps
 * @property {number[]} sparsity
 * @property {string} metric
 * @property {number[]} metric_steps
 * @property {(number | null)[]} values
 */

/** @typedef {{do: string, finding?: number, fix?: number, kind?: string, name?: string}} Command */
/** @typedef {{label: string, kind: string, name: string}} Preset */
/** @typedef {{methods: string[], patterns: Record<string, string>, languages: string[], presets: Preset[]}} Choices */
/** @typedef {{message: string, share: number}} Progress */
/** @typedef {{name: string, schedule: import("./math/schedules.js").Schedule, target: number}} Ghost */
/** @typedef {{name: string, type: string, mean: number[], low: number[], high: number[]}} Curve */
/** @typedef {{steps: number[], curves: Curve[], first: number | null, outdated: boolean}} Accuracy */

/**
 * What the page tells the kernel: all of its settings, with the gesture that made them.
 * @typedef {object} Told
 * @property {string} page
 * @property {number} told       how many changes there were here by then
 * @property {Values} values
 * @property {number} gesture
 * @property {[number, Values][]} ended   gestures before that one which the kernel may not have heard of
 * @property {Record<string, string>} unread   what is wrong with texts that are no numbers, by the names of the entries
 * @property {Command} [ask]
 */

/** @typedef {{name: string, weights: number, shape: number[], block: string, role: string}} BarLayer */
/** @typedef {{achieved: number[], kept: number[], error: number[] | null, knee: number | null}} BarCurve */

/**
 * A plan as the kernel has it, and up to which change of which page.
 * @typedef {object} BarPlan
 * @property {string} page
 * @property {number} told
 * @property {number} sparsity
 * @property {number[]} pruned
 * @property {number[]} skipped
 * @property {number[]} locked
 * @property {number[]} least
 * @property {number[]} most
 * @property {boolean} undo
 * @property {boolean} redo
 */

/** @typedef {{do: "undo" | "redo"}} BarCommand */

/**
 * What the page tells the kernel of a plan, at the end of a gesture.
 * @typedef {object} BarTold
 * @property {string} page
 * @property {number} told       how many changes there were here by then
 * @property {number[]} pruned
 * @property {number[]} skipped
 * @property {number[]} locked
 * @property {BarCommand} [ask]
 */

/**
 * The model of a widget, as anywidget gives it.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: any) => void} set
 * @property {() => void} save_changes
 * @property {(content: any) => void} send
 * @property {(event: string, act: () => void) => void} on
 * @property {(event: string, act: () => void) => void} off
 */
