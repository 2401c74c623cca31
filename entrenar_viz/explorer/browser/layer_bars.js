// @ts-check
// The layers of a model, a bar for each with its planned sparsity: drawn and dragged from the plan in this page.
import { giveWay } from "./math/plan.js";

export default {
  render() {
    giveWay;
  },
};
