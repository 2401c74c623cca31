// Undo and redo by key while the focus is inside the explorer; a text that is being typed keeps its own undo.
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
  return () => aborter.abort();
}

export default { render };
