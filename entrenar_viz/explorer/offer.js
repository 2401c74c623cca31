// The file as text, to read, copy and download: one widget, so that a change is one message to the page.
function render({ model, el }) {
  el.classList.add("entrenar-viz-json", "entrenar-viz-offer");
  const text = document.createElement("textarea");
  text.readOnly = true;
  text.rows = 12;
  const copy = document.createElement("button");
  copy.className = "jupyter-button widget-button";
  copy.textContent = "Copy";
  const download = document.createElement("a");
  download.className = "jupyter-button widget-button";
  download.textContent = "Download";

  // What is shown while there is a problem is the last good file: it can be read, not taken.
  function show() {
    text.value = model.get("value");
    text.setAttribute("aria-label", model.get("label"));
    copy.disabled = model.get("blocked");
    download.hidden = model.get("blocked");
    download.download = model.get("file");
    download.href = `data:${model.get("media")};charset=utf-8,${encodeURIComponent(text.value)}`;
  }

  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.value);
      copy.textContent = "Copied";
    } catch {
      text.select(); // no clipboard over plain http
      copy.textContent = "Selected: copy it by key";
    }
    setTimeout(() => (copy.textContent = "Copy"), 1500);
  });
  const buttons = document.createElement("div");
  buttons.className = "entrenar-viz-buttons";
  buttons.append(copy, download);
  el.append(text, buttons);
  model.on("change", show);
  show();
  return () => model.off("change", show);
}

export default { render };
