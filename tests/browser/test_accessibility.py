"""axe-core finds no serious violation in the explorer, in JupyterLab, light and dark."""

from importlib.resources import files

import pytest

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RUN = """async ([root, serious, known]) => {
  const { violations } = await axe.run(root, { resultTypes: ["violations"] });
  const found = violations.filter(({ impact }) => serious.includes(impact));
  const ours = ({ id, target }) => {
    const element = document.querySelector(target[0]);
    return !known.some(([rule, selector]) => rule === id && element.matches(selector));
  };
  return found.flatMap(({ id, nodes }) => nodes.map(({ target, html }) => ({ id, target, html }))).filter(ours);
}"""
GRAVE = ["serious", "critical"]
# Every control has a name, so there is nothing that we would have to leave to ipywidgets.
OF_IPYWIDGETS: list[list[str]] = []


def violations(notebook, known):
    notebook.page.evaluate(AXE)
    return notebook.page.evaluate(RUN, [".entrenar-viz", GRAVE, known])


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_there_is_no_serious_violation_of_ours(open_notebook, theme):
    notebook = open_notebook(SHOW)
    notebook.theme(theme)
    for title in ("Layers", "Whole model", "Compare", "Start from", "Export & import", "Figure", "Masks"):
        notebook.tab(title)
        assert violations(notebook, OF_IPYWIDGETS) == []
    notebook.page.get_by_role("button", name="More ways to export").click()
    assert violations(notebook, OF_IPYWIDGETS) == []
    notebook.page.keyboard.press("Escape")
    assert violations(notebook, OF_IPYWIDGETS) == []
    notebook.type("Steps between updates", "300")
    notebook.page.get_by_text("300 does not divide the window of 4,000 steps").wait_for()
    notebook.type("Start step", "9000")
    notebook.page.get_by_text("the start must not be after the end").wait_for()
    assert violations(notebook, OF_IPYWIDGETS) == []


def test_a_violation_would_be_found(open_notebook):
    notebook = open_notebook(SHOW)
    notebook.page.evaluate(
        "document.querySelector('.entrenar-viz-stage .entrenar-viz-handle').removeAttribute('aria-label')"
    )
    assert [found["id"] for found in violations(notebook, OF_IPYWIDGETS)] == ["aria-input-field-name"]
