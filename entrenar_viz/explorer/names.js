// What assistive technology is told of the controls of ipywidgets that have no way to say it themselves: a row of
// toggle buttons is a group with a name, and which of its buttons is pressed.

// Names the groups around `element` once they are in the page, and keeps their buttons up to date until `signal`.
export function nameGroups(element, signal) {
  if (signal.aborted) return;
  const groups = [...(element.closest(".entrenar-viz")?.querySelectorAll(".widget-toggle-buttons.entrenar-viz-named") ?? [])];
  if (!groups.length) {
    requestAnimationFrame(() => nameGroups(element, signal));
    return;
  }
  const observer = new MutationObserver((changes) => new Set(changes.map(({ target }) => target)).forEach(tell));
  for (const group of groups) {
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", group.querySelector(".widget-label")?.textContent ?? "");
    group.querySelectorAll("button").forEach(tell);
    observer.observe(group, { attributes: true, attributeFilter: ["class"], subtree: true });
  }
  signal.addEventListener("abort", () => observer.disconnect());
}

function tell(button) {
  if (button.tagName === "BUTTON") button.setAttribute("aria-pressed", String(button.classList.contains("mod-active")));
}
