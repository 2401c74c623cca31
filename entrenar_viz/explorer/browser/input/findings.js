// @ts-check
// What the kernel says of the settings: problems, else findings with their fixes. Text from elsewhere is only ever text.
import { button, element } from "./dom.js";

const NOTHING = "No findings: the trainer reaches the target and leaves time to recover.";

export class Findings {
  /** @param {import("./state.js").State} state */
  constructor(state) {
    this.state = state;
    this.root = element("div", { class: "entrenar-viz-findings", role: "region", "aria-label": "Findings", "aria-live": "polite" });
  }

  /** @param {import("../payload.js").Answer} answer */
  show({ problems, findings, said }) {
    const now = JSON.stringify([problems, findings, said]);
    if (now === this.now) return;
    this.now = now;
    const lines = problems.length ? problems.map(({ message }) => lineOf("error", message)) : findings.map((found, i) => this.found(found, i));
    if (said) lines.unshift(element("div", {}, said));
    else if (!lines.length) lines.push(element("div", { class: "entrenar-viz-quiet" }, NOTHING));
    this.root.replaceChildren(...lines);
    this.root.tabIndex = this.root.scrollHeight > this.root.clientHeight ? 0 : -1; // then it scrolls, by keys too
  }

  found({ severity, message, fixes }, finding) {
    const buttons = fixes.map((label, fix) => button(label, "", () => this.state.ask({ do: "fix", finding, fix, name: label })));
    return lineOf(severity, message, ...buttons);
  }
}

function lineOf(severity, message, ...buttons) {
  const word = element("strong", { class: "entrenar-viz-severity" }, severity);
  return element("div", { class: `entrenar-viz-finding entrenar-viz-${severity}` }, word, element("span", {}, message), ...buttons);
}
