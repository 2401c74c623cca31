// @ts-check
// Bars and their budget in words.
import { marked, shareOf } from "../math/bars.js";
import { percent, thousands } from "../math/format.js";
import { budgetOf } from "../math/plan.js";

/** What a bar is, in words, for those who hear it and for a tip. */
export function barWords(bar, plan) {
  const [locked, skipped] = [marked(bar, plan.locked), marked(bar, plan.skipped)];
  const weights = `${thousands(bar.weights)} weights`;
  if (skipped.all) return `skipped, ${weights}`;
  const state = locked.all ? ", locked" : locked.some ? ", partly locked" : skipped.some ? ", partly skipped" : "";
  return `${percent(shareOf(bar, plan))} of ${weights}${state}`;
}

/** What the budget is, in words. */
export function budgetWords(plan, layers, short) {
  const share = `budget ${percent(plan.sparsity)}`;
  if (short) return share;
  const skipped = new Set(plan.skipped);
  const weights = layers.reduce((sum, layer, i) => (skipped.has(i) ? sum : sum + layer.weights), 0);
  return `${share}: ${thousands(budgetOf(plan, layers))} of ${thousands(weights)} weights`;
}
