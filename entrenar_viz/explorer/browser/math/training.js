// @ts-check
// The length of a training from its epochs, as config/training.py has it.

/**
 * Steps in a training, a batch each; null where the numbers make none, or more than a browser can count.
 * @param {import("../payload.js").Values} values
 */
export function trainingSteps({ dataset_size, batch_size, gradient_accumulation, epochs, drop_last }) {
  if (Math.min(dataset_size, batch_size, gradient_accumulation, epochs) < 1) return null;
  const rest = dataset_size % batch_size;
  const batches = (dataset_size - rest) / batch_size + (rest && !drop_last ? 1 : 0);
  const steps = epochs * batches;
  return steps && steps <= Number.MAX_SAFE_INTEGER ? steps : null;
}
