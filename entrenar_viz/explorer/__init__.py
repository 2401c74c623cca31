"""The dashboard: sliders, live canvas, findings and export in a notebook."""

from entrenar_viz.explorer.explorer import Explorer

__all__ = ["Explorer"]
