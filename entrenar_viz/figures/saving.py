"""Figures as files: the same figure gives the same bytes, in every process and on every day."""

import io
import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.figures.palette import FORMATS
from entrenar_viz.files.atomic import write_atomically

# Without these, matplotlib writes the time of saving.
_METADATA: dict[str, dict[str, Any]] = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}


class ShownFigure(Figure):
    """A Figure that a notebook shows by itself: matplotlib leaves that to pyplot, which keeps global state."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        width, height = (int(inches * 100) for inches in self.get_size_inches())
        return png_bytes(self, dpi=200), {"width": width, "height": height}  # sharp on a dense screen


def save_figure(figure: Figure, path: str | os.PathLike[str], *, overwrite: bool = False, dpi: float = 200) -> Path:
    """Write ``figure`` to ``path`` as one atomic step, in the format of its suffix (``FORMATS``).

    ``dpi`` counts for .png and for the pictures of masks inside the others. EntrenarVizError for another suffix,
    FileExistsError unless ``overwrite``.
    """
    target = Path(path)
    return write_atomically(target, figure_bytes(figure, format_of(target), dpi), overwrite=overwrite)


def png_bytes(figure: Figure, *, dpi: float = 100) -> bytes:
    """``figure`` as a PNG with ``dpi`` pixels an inch."""
    return figure_bytes(figure, ".png", dpi)


def format_of(path: Path) -> str:
    """The suffix of ``path``, lower case; EntrenarVizError if it is none of ``FORMATS``."""
    suffix = path.suffix.lower()
    if suffix not in FORMATS:
        raise EntrenarVizError(f"{path}: the name of a figure must end in {', '.join(FORMATS)}")
    return suffix


def figure_bytes(figure: Figure, suffix: str, dpi: float = 200) -> bytes:
    """``figure`` as a file in the format of ``suffix``, one of ``FORMATS``; ``dpi`` as in ``save_figure``."""
    buffer = io.BytesIO()
    # matplotlib otherwise draws the ids inside an SVG at random
    with mpl.rc_context({"svg.hashsalt": "entrenar_viz", "savefig.bbox": None}):
        figure.savefig(buffer, format=suffix[1:], dpi=dpi, facecolor=figure.get_facecolor(), metadata=_METADATA[suffix])
    return buffer.getvalue()
