"""Figures to keep: the schedule with what is applied of it, and masks on weights, as PNG, SVG and PDF.

Sparsities are drawn as fractions from 0 to 1, as everywhere in code; the axis shows them as percent. Margins are fixed
because matplotlib's constrained layout takes longer than all the drawing.
"""

from entrenar_viz.figures.mask_panels import mask_figure, patterns_figure
from entrenar_viz.figures.saving import png_bytes, save_figure
from entrenar_viz.figures.schedule_plot import schedule_figure
from entrenar_viz.palette import COLORS, FORMATS

__all__ = ["COLORS", "FORMATS", "mask_figure", "patterns_figure", "png_bytes", "save_figure", "schedule_figure"]
