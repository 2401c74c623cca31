"""The dashboard: the only package that knows ipywidgets and anywidget."""
