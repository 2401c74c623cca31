// A button that puts a text on the clipboard: only the browser can.
function render({ model, el }) {
  const button = document.createElement("button");
  el.classList.add("entrenar-viz-copy");
  button.className = "jupyter-button widget-button";
  button.textContent = "Copy";
  const enable = () => (button.disabled = !model.get("text"));
  const say = (word) => {
    button.textContent = word;
    setTimeout(() => (button.textContent = "Copy"), 1500);
  };
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(model.get("text"));
      say("Copied");
    } catch {
      say("Select and copy by hand"); // no clipboard over plain http
    }
  });
  model.on("change:text", enable);
  enable();
  el.append(button);
  return () => model.off("change:text", enable);
}

export default { render };
