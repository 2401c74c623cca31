// @ts-check
// Export in one press, and a menu for the other languages, to copy, and to read first. What is exported is always what is
// to be seen: a press waits until the kernel has answered to the last change.
import { popUp } from "./controls.js";
import { button, element, signed } from "./dom.js";

export class Exporting {
  /**
   * @param {import("./state.js").State} state
   * @param {import("../payload.js").Choices} choices
   */
  constructor(state, choices) {
    this.state = state;
    this.main = button("Export JSON", "", () => this.whenSettled(() => this.download()));
    this.main.classList.add("mod-primary");
    this.more = signed("▾", "More ways to export", () => popUp(this.menu, this.more));
    this.more.setAttribute("aria-haspopup", "dialog");
    this.languages = choices.languages.map((language) =>
      signed(language, `Export as ${language}`, () => state.ask({ do: "language", name: language })),
    );
    const group = element(
      "div",
      { class: "entrenar-viz-toggles", role: "group", "aria-label": "Export as" },
      ...this.languages,
    );
    this.text = element("textarea", { readOnly: true, rows: 16 });
    this.note = element("div", { class: "entrenar-viz-quiet" });
    this.take = button("Download", "Download this file", () => this.whenSettled(() => this.download()));
    this.copy = button("Copy", "Copy this text", () => this.whenSettled(() => this.copied()));
    const save = button("Save to a file …", "By its path, in the tab Export & import", () => this.open());
    const buttons = element("div", { class: "entrenar-viz-buttons" }, this.take, this.copy, save);
    this.menu = element(
      "div",
      { class: "entrenar-viz-popover entrenar-viz-menu", popover: "auto", role: "dialog", "aria-label": "Export" },
      ...[group, this.text, this.note, buttons],
    );
    this.root = element("span", { class: "entrenar-viz-export entrenar-viz-pop" }, this.main, this.more, this.menu);
  }

  open() {
    this.menu.hidePopover();
    this.state.ask({ do: "open", name: "Export & import" });
  }

  /** @param {import("../payload.js").Answer} answer */
  show({ exported, problems }) {
    const blocked = problems.length > 0;
    if (this.blocked !== blocked) {
      this.blocked = this.main.disabled = this.take.disabled = this.copy.disabled = blocked;
    }
    this.main.title = blocked ? "Export waits until the problems are fixed" : `Download ${exported.file}`;
    if (this.waiting && this.state.settled) {
      const act = this.waiting;
      this.waiting = undefined;
      if (!blocked) act();
    }
    if (this.shown === exported) return;
    this.shown = exported;
    this.main.textContent = `Export ${exported.language}`;
    this.note.textContent = exported.note;
    this.note.hidden = !exported.note;
    if (this.text.value !== exported.text) this.text.value = exported.text;
    this.text.setAttribute("aria-label", `Configuration as ${exported.language}`);
    for (const one of this.languages) one.setAttribute("aria-pressed", String(one.textContent === exported.language));
  }

  whenSettled(act) {
    if (this.state.settled) return act();
    this.waiting = act;
    this.state.tell();
  }

  download() {
    const { text, file, media } = this.state.answer.exported;
    const url = URL.createObjectURL(new Blob([text], { type: media }));
    element("a", { href: url, download: file }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  }

  async copied() {
    const { text } = this.state.answer.exported;
    this.text.value = text;
    try {
      await navigator.clipboard.writeText(text);
      this.copy.textContent = "Copied";
    } catch {
      this.text.select(); // no clipboard over plain http
      this.copy.textContent = "Selected: copy it by key";
    }
    setTimeout(() => (this.copy.textContent = "Copy"), 1500);
  }
}
