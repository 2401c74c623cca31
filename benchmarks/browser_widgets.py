"""The picture of browser_peers.py by the widget libraries: bqplot, plotly, mpl-interactions and an Image.

Each function draws it at a value of the cursor, and answers with the widget and what moves it to another value. bqplot
and plotly write the value into the picture, last of all that changes, so that the browser can tell which it shows.
"""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
from browser_peers import EVERY, SCHEDULES, SIZE, START, TOTAL_STEPS, draw, mask, sparsities
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

Moved = tuple[Any, Callable[[int], None]]
WIDTH, HEIGHT = (int(100 * inches) for inches in SIZE)
STEPS = np.linspace(0, TOTAL_STEPS, 400).astype(int)


def curves() -> np.ndarray:
    """The three sparsities at STEPS, (3, 400)."""
    return np.array([sparsities(int(step)) for step in STEPS]).T


def masks(cursor: int) -> list[np.ndarray]:
    """The three masks, each 128 x 64."""
    return [mask(sparsity).astype(np.uint8) for sparsity in sparsities(cursor)]


def image(cursor: int) -> Moved:
    """matplotlib's figure as a PNG in an ``ipywidgets.Image``."""
    import ipywidgets

    figure = Figure()
    move_figure, canvas, shown = draw(figure, cursor), FigureCanvasAgg(figure), ipywidgets.Image()

    def move(cursor: int) -> None:
        move_figure(cursor)
        png = io.BytesIO()
        canvas.print_png(png)
        shown.value = png.getvalue()

    move(cursor)
    return shown, move


def bqplot(cursor: int) -> Moved:
    """Four bqplot figures: lines, and heat maps."""
    import bqplot as bq
    import ipywidgets

    x, y = bq.LinearScale(min=0, max=TOTAL_STEPS), bq.LinearScale(min=0, max=1)
    scales = {"x": x, "y": y}
    line = bq.Lines(x=[cursor, cursor], y=[0, 1], scales=scales, colors=["black"])
    label = bq.Label(x=[TOTAL_STEPS / 2], y=[0.95], text=[""], scales=scales, colors=["black"])
    lines = bq.Lines(x=STEPS, y=curves(), scales=scales, labels=list(SCHEDULES), display_legend=True)
    axes = [bq.Axis(scale=x, label="training step"), bq.Axis(scale=y, label="sparsity", orientation="vertical")]
    size = {"width": f"{WIDTH}px", "height": f"{HEIGHT // 2}px"}
    plot = bq.Figure(marks=[lines, line, label], axes=axes, layout=size, animation_duration=0)
    maps = [_heat_map(values) for values in masks(cursor)]
    small = {"width": f"{WIDTH // 3}px", "height": f"{HEIGHT // 2}px"}
    figures = [bq.Figure(marks=[each], layout=small, animation_duration=0) for each in maps]

    def move(cursor: int) -> None:
        for each, figure, values, sparsity in zip(maps, figures, masks(cursor), sparsities(cursor), strict=True):
            each.color = values
            figure.title = f"{100 * sparsity:.2f}%"
        line.x = [cursor, cursor]
        label.text = [f"step {cursor}"]

    move(cursor)
    return ipywidgets.VBox([plot, ipywidgets.HBox(figures)]), move


def _heat_map(values: np.ndarray) -> Any:
    import bqplot as bq

    scales = {"x": bq.LinearScale(), "y": bq.LinearScale(), "color": bq.ColorScale(min=0, max=1, scheme="Greys")}
    rows, columns = values.shape
    return bq.HeatMap(x=np.arange(columns), y=np.arange(rows), color=values, scales=scales)


def plotly(cursor: int) -> Moved:
    """A plotly ``FigureWidget``, moved by one batched update."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    specs = [[{"colspan": 3}, None, None], [{}, {}, {}]]
    shown = go.FigureWidget(make_subplots(2, 3, specs=specs, subplot_titles=["", *SCHEDULES]))
    for name, curve in zip(SCHEDULES, curves(), strict=True):
        shown.add_trace(go.Scatter(x=STEPS, y=curve, name=name), 1, 1)
    shown.add_trace(go.Scatter(x=[cursor, cursor], y=[0, 1], line_color="black", showlegend=False), 1, 1)
    for column, values in enumerate(masks(cursor), 1):
        shown.add_trace(go.Heatmap(z=values, zmin=0, zmax=1, showscale=False, colorscale="Greys"), 2, column)
    shown.update_layout(width=WIDTH, height=HEIGHT, title_text=f"step {cursor}")

    def move(cursor: int) -> None:
        with shown.batch_update():
            shown.data[3].x = [cursor, cursor]
            for trace, values in zip(shown.data[4:], masks(cursor), strict=True):
                trace.z = values
            shown.layout.title.text = f"step {cursor}"

    return shown, move


def interactions(figure: Figure, slider: Any) -> Any:
    """The controls of mpl-interactions, which move a cursor, masks and titles in an ipympl figure."""
    from mpl_interactions import interactive_axvline, interactive_imshow, interactive_title
    from mpl_interactions.controller import Controls

    draw(figure, START)
    plot, *axes = figure.axes
    strip = figure.artists[0]

    def cursor_at(cursor: int) -> int:
        strip.set_facecolor((200 / 255, 1 / 255, cursor // EVERY / 255))
        return cursor

    controls = Controls(cursor=slider, use_ipywidgets=True)
    given = {"controls": controls, "display_controls": False}
    interactive_axvline(cursor_at, ax=plot, color="black", **given)
    for i, axis in enumerate(axes):
        axis.clear()
        interactive_imshow(lambda cursor, i=i: masks(cursor)[i], ax=axis, vmin=0, vmax=1, cmap="gray_r", **given)
        interactive_title(lambda cursor, i=i: f"{100 * sparsities(cursor)[i]:.2f}%", ax=axis, **given)
    return controls
