"""What is measured in the browser: the explorer, a bare slider, and six ways to draw about the same picture."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Contender:
    """A notebook of one cell, a slider in it, and the picture that follows."""

    cell: str
    watch: str  # how browser_stopwatch.js sees the picture
    shows: str  # a selector of the picture
    value: str  # of the slider, in the kernel
    slider: str = ""  # the name of the explorer's
    start: float = 3000
    step: float = 50


EXPLORER = "from entrenar_viz import Explorer\nexplorer = Explorer()\nexplorer"
SLIDER = "from ipywidgets import *\nfrom browser_peers import *\nslider = IntSlider(START, 0, TOTAL_STEPS, EVERY)\n"
WIDGETS = SLIDER + "from browser_widgets import *\n"
FLOOR = "number = IntText(START)\nlink = jslink((slider, 'value'), (number, 'value'))\nVBox([slider, number])"
INTERACT = """
import matplotlib.pyplot as plt
def picture(cursor):
    draw(plt.figure(), cursor)
    plt.show()
interact(picture, cursor=slider);
"""
IPYMPL = """
%matplotlib widget
import matplotlib.pyplot as plt
figure = plt.figure()
move = draw(figure, START)
def follow(change):
    move(change.new)
    figure.canvas.draw_idle()
slider.observe(follow, "value")
display(slider, figure.canvas)
"""
INTERACTIONS = """
%matplotlib widget
import matplotlib.pyplot as plt
figure = plt.figure()
controls = interactions(figure, slider)
display(slider, figure.canvas)
"""
KERNEL_PICTURE = """
{maker}
slider.observe(lambda change: move(change.new), "value")
display(slider, shown)
"""


def _moved(maker: str) -> str:
    return WIDGETS + KERNEL_PICTURE.format(maker=f"shown, move = {maker}(START)")


OURS = "Explorer, cursor"
CANVAS = ".entrenar-viz-canvas"
CURSOR = Contender(EXPLORER, "cursor", CANVAS, "explorer._parts.state.settings.cursor", "Cursor step slider")
TARGET = Contender(EXPLORER, "target", CANVAS, "explorer.config.target_sparsity", "Target sparsity slider", 0.5, 0.005)
BARE = Contender(SLIDER + FLOOR, "text", ".jp-OutputArea input[type=number]", "number.value")
PEERS = {
    "interact": Contender(SLIDER + INTERACT, "image", ".jp-OutputArea img", "slider.value"),
    "ipympl": Contender(SLIDER + IPYMPL, "ipympl", ".jupyter-matplotlib canvas", "slider.value"),
    "mpl-interactions": Contender(WIDGETS + INTERACTIONS, "ipympl", ".jupyter-matplotlib canvas", "slider.value"),
    "ipywidgets.Image": Contender(_moved("image"), "image", ".jp-OutputArea img", "slider.value"),
    "bqplot": Contender(_moved("bqplot"), "label", ".bqplot svg", "slider.value"),
    "plotly": Contender(_moved("plotly"), "label", ".js-plotly-plot svg", "slider.value"),
}
