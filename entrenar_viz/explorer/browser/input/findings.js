// @ts-check
// What the kernel says of the settings: problems, else findings with their fixes. Text from elsewhere is only ever text.
import { button, element } from "./dom.js";

const NOTHING = "No findings: the trainer reaches the target and leaves time to recover.";
const WAITS = "Export waits until the marked entry is right.";

export class Findings {
  /** @param {import("./state.js").State} state */
  constructor(state) {
    this.state = state;
    this.root = element("div", {
      class: "entrenar-viz-findings",
      role: "region",
      "aria-label": "Findings",
      "aria-live": "polite",
    });
  }

  /** @param {import("../payload.js").Answer} answer */
  show({ problems, findings, said }) {
    const now = JSON.stringify([problems, findings, said]);
    if (now === this.now) return;
    this.now = now;
    const lines = problems.length ? this.wrong(problems) : findings.map((found, i) => this.found(found, i));
    if (said) lines.unshift(element("div", {}, said));
    else if (!lines.length) lines.push(element("div", { class: "entrenar-viz-quiet" }, NOTHING));
    const focused = this.root.contains(document.activeElement);
    this.root.replaceChildren(...lines);
    this.root.tabIndex = this.root.scrollHeight > this.root.clientHeight ? 0 : -1; // then it scrolls, by keys too
    if (focused) this.root.focus({ preventScroll: true }); // a fix that is pressed goes, and keys would go to the notebook
  }

  // An entry says by itself what is wrong with its text.
  wrong(problems) {
    const others = problems.filter(({ names }) => !names.every((name) => name in this.state.unread));
    if (!others.length) return [element("div", { class: "entrenar-viz-quiet" }, WAITS)];
    return others.map(({ message }) => lineOf("error", message));
  }

  found({ severity, message, fixes }, finding) {
    const buttons = fixes.map((label, fix) =>
      button(label, "", () => this.state.ask({ do: "fix", finding, fix, name: label })),
    );
    return lineOf(severity, message, ...buttons);
  }
}

function lineOf(severity, message, ...buttons) {
  const word = element("strong", { class: "entrenar-viz-severity" }, severity);
  return element(
    "div",
    { class: `entrenar-viz-finding entrenar-viz-${severity}` },
    word,
    element("span", {}, message),
    ...buttons,
  );
}
