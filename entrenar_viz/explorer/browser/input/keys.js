// @ts-check
// Keys while the focus is inside the explorer. Plain ones are ours: a notebook would take `d` `d` for "delete this cell".
// Those with Ctrl are the notebook's (save, run), but for undo and redo, which a text that is being typed keeps for itself.
function commandOf(event) {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return null;
  const key = event.key.toLowerCase();
  if (key === "z") return event.shiftKey ? "redo" : "undo";
  return key === "y" && !event.shiftKey ? "redo" : null;
}

const isPlain = (event) => !event.ctrlKey && !event.metaKey && !event.altKey;

function typing(target) {
  if (target.readOnly || ["checkbox", "radio", "range"].includes(target.type)) return false;
  if (target.closest(".entrenar-viz-field")) return Boolean(target.dataset.edited);
  return target.matches("input, textarea, [contenteditable=true]");
}

// A button that is disabled or hidden by what it has done loses the focus, and keys would go to the notebook.
function stay(root, left) {
  if (!left?.isConnected || !(left.disabled || !left.checkVisibility({ visibilityProperty: true }))) return;
  root.tabIndex = -1; // only while it has the focus, so that no click gives it one
  root.focus({ preventScroll: true });
  root.addEventListener("blur", () => root.removeAttribute("tabindex"), { once: true });
}

/**
 * Listen in `root`, the whole explorer, until `signal`; `ask` is told of undo and redo.
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function listenToKeys(root, ask, signal) {
  const listen = (event) => {
    if (!root.contains(event.target)) return;
    const command = typing(event.target) ? null : commandOf(event);
    // Read by the notebook when this key reaches it, of this very element: it looks no further than where it matches.
    if (!isPlain(event)) delete event.target.dataset.lmSuppressShortcuts;
    else if (!("lmSuppressShortcuts" in event.target.dataset)) event.target.dataset.lmSuppressShortcuts = "true";
    if (!command) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook undoes changes of its cells by these keys
    const own = event.target.closest("[data-own-history]"); // a part that keeps a history of its own
    if (own) own.dispatchEvent(new CustomEvent("entrenar-viz-history", { detail: command }));
    else ask(command);
  };
  window.addEventListener("keydown", listen, { capture: true, signal }); // before the notebook's own
  root.addEventListener("keydown", (event) => isPlain(event) && event.stopPropagation(), { signal });
  root.addEventListener("focusout", (event) => event.relatedTarget ?? stay(root, event.target), { signal });
  const disabled = new MutationObserver(
    () => root.contains(document.activeElement) && stay(root, document.activeElement),
  );
  disabled.observe(root, { attributes: true, attributeFilter: ["disabled"], subtree: true });
  signal.addEventListener("abort", () => disabled.disconnect());
}
