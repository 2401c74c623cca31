"""What boxes say is not cut off, however wide the explorer is."""

import pytest

pytestmark = pytest.mark.browser
SHOW = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
# A page of 1,280 px leaves the explorer 848 beside JupyterLab's files, and one of 700 leaves it 584.
WIDTHS = [500, 584, 700, 847, 848, 1100, 1900]
CUT_OFF = """(width) => {
  const explorer = document.querySelector(".entrenar-viz"), pen = document.createElement("canvas").getContext("2d");
  explorer.style.width = `${width}px`;
  const cut = (box) => {
    const style = getComputedStyle(box);
    pen.font = `${style.fontSize} ${style.fontFamily}`;  // style.font is empty where digits are tabular
    const room = box.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    return pen.measureText(box.value || box.placeholder).width > room;
  };
  const boxes = [...explorer.querySelectorAll("input:not([type=range], [type=checkbox])")];
  return boxes.filter((box) => box.checkVisibility() && cut(box)).map((box) => box.value || box.placeholder);
}"""


def test_no_box_cuts_off_what_it_says(open_notebook):
    notebook = open_notebook(SHOW)
    for title in ("Masks", "Accuracy", "Layers", "Compare", "Start from", "Export & import", "Figure"):
        notebook.tab(title)
        assert {width: notebook.page.evaluate(CUT_OFF, width) for width in WIDTHS} == {width: [] for width in WIDTHS}
