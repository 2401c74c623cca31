// Undo and redo by key while the focus is inside the explorer, where it stays when a button goes away under it; a text
// that is being typed keeps its own undo.
function asked(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

function typing(target) {
  if (target.readOnly || ["checkbox", "radio", "range"].includes(target.type)) return false;
  if (target.closest(".entrenar-viz-field")) return Boolean(target.dataset.edited);
  return target.matches("input, textarea, [contenteditable=true]");
}

// A button that is disabled or hidden by what it has done loses the focus, and keys would go to the notebook.
function stay(root, button) {
  if (!button?.isConnected || !(button.disabled || !button.checkVisibility({ visibilityProperty: true }))) return;
  root.tabIndex = -1; // only while it has the focus, so that no click gives it one
  root.focus({ preventScroll: true });
  root.addEventListener("blur", () => root.removeAttribute("tabindex"), { once: true });
}

function keepFocus(root, signal) {
  root.addEventListener("focusout", (event) => event.relatedTarget ?? stay(root, event.target), { signal });
  const disabled = new MutationObserver(() => root.contains(document.activeElement) && stay(root, document.activeElement));
  disabled.observe(root, { attributes: true, attributeFilter: ["disabled"], subtree: true });
  signal.addEventListener("abort", () => disabled.disconnect());
}

function render({ model, el }) {
  const aborter = new AbortController();
  const listen = (event) => {
    const what = asked(event);
    if (!what || !el.closest(".entrenar-viz")?.contains(event.target) || typing(event.target)) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook undoes changes of its cells by these keys
    model.send(what);
  };
  window.addEventListener("keydown", listen, { capture: true, signal: aborter.signal }); // before the notebook's own
  const begin = () => {
    const root = el.closest(".entrenar-viz");
    if (root) keepFocus(root, aborter.signal);
    else if (!aborter.signal.aborted) requestAnimationFrame(begin); // it is not in the page yet
  };
  begin();
  return () => aborter.abort();
}

export default { render };
