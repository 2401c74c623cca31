"""The widgets of ipywidgets, sent later and with less: the explorer is on the screen in half the time.

ipywidgets sends a widget when it is made, and each change after that as a message by itself; and it gives each widget a
layout and a style, which are widgets too. These here are sent when they are first shown, as they are by then, and have
no layout and no style: what those would say is in explorer.css.
"""

from typing import Any

import ipywidgets as w
import traitlets as tr


class Plain(w.Widget):  # type: ignore[misc]
    """A widget that is sent when it is first referred to, and that has a layout only if it is given one."""

    layout = tr.Instance(w.Layout, allow_none=True).tag(sync=True, **w.widget_serialization)
    _asked_for = False

    def open(self) -> None:
        """Send the widget, once something that is sent refers to it."""
        if self._asked_for:
            super().open()

    @property
    def model_id(self) -> str:
        """The name of the widget in the page, which makes it known there."""
        self._ask()
        return str(super().model_id)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """What a notebook shows, which needs the widget in the page."""
        self._ask()
        return super()._repr_mimebundle_(**options)

    def _ask(self) -> None:
        if not self._asked_for:
            self._asked_for = True
            self.open()


class Unstyled(Plain):
    """A plain widget that has a style only if it is given one."""

    style = tr.Instance(w.Style, allow_none=True).tag(sync=True, **w.widget_serialization)


class HBox(Plain, w.HBox):  # type: ignore[misc]
    """Widgets side by side."""


class VBox(Plain, w.VBox):  # type: ignore[misc]
    """Widgets one below another."""


class Tab(Plain, w.Tab):  # type: ignore[misc]
    """Widgets of which one is shown."""


class Image(Plain, w.Image):  # type: ignore[misc]
    """A picture."""


class Button(Unstyled, w.Button):  # type: ignore[misc]
    """A button."""


class Dropdown(Unstyled, w.Dropdown):  # type: ignore[misc]
    """A choice of one."""


class Combobox(Unstyled, w.Combobox):  # type: ignore[misc]
    """Text that is typed, or picked from a list."""


class Checkbox(Unstyled, w.Checkbox):  # type: ignore[misc]
    """A choice of yes or no."""


class FileUpload(Unstyled, w.FileUpload):  # type: ignore[misc]
    """A button for files of the browser's machine."""


class FloatProgress(Unstyled, w.FloatProgress):  # type: ignore[misc]
    """How much is done."""


class HTML(Unstyled, w.HTML):  # type: ignore[misc]
    """Markup, never from elsewhere."""


class Label(Unstyled, w.Label):  # type: ignore[misc]
    """Text that is not typed."""


class Text(Unstyled, w.Text):  # type: ignore[misc]
    """Text that is typed, a line of it."""


class Textarea(Unstyled, w.Textarea):  # type: ignore[misc]
    """Text that is typed, in lines."""


class IntSlider(Unstyled, w.IntSlider):  # type: ignore[misc]
    """A whole number."""


class FloatSlider(Unstyled, w.FloatSlider):  # type: ignore[misc]
    """A number."""


def all_widgets(*roots: Any) -> list[Any]:
    """Every widget that can be reached from ``roots``, each once: children, layouts and styles."""
    found: dict[int, Any] = {}
    waiting = list(roots)
    while waiting:
        widget = waiting.pop()
        if id(widget) in found:
            continue
        found[id(widget)] = widget
        for name in widget.keys:
            value = getattr(widget, name)
            parts = value if isinstance(value, list | tuple) else (value,)
            waiting += [part for part in parts if isinstance(part, w.Widget)]
    return list(found.values())
