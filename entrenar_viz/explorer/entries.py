"""Numbers that have no slider: typed entries that read strictly, or ipywidgets' own where there are none."""

from typing import Literal

import ipywidgets as w

from entrenar_viz.explorer.canvas import Field
from entrenar_viz.explorer.panels import named
from entrenar_viz.explorer.values import LARGEST_STEP

Kind = Literal["count", "fraction", "number"]


def entry(kind: Kind, value: float, label: str, *, typed: bool, step: float = 1) -> w.Widget:
    """An entry for one number with the accessible name ``label``.

    The boxes of ipywidgets drop what they do not understand: ``0,5`` becomes 5, ``1e3`` in a box of whole numbers 1,
    and what is out of range the nearest end of it. So they serve only where ``typed`` entries cannot be shown.
    """
    if typed:
        largest = 1.0 if kind == "fraction" else LARGEST_STEP
        return Field(value=value, kind=kind, labels=[label], max=largest, step=step)
    layout = {"width": "110px"}
    if kind == "count":
        box = w.BoundedIntText(value=value, min=0, max=LARGEST_STEP, layout=layout)
    elif kind == "fraction":
        box = w.BoundedFloatText(value=value, min=0.0, max=1.0, step=step, layout=layout)
    else:
        box = w.FloatText(value=value, step=step, layout=layout)
    box.tooltip = label
    return named(box, label)
