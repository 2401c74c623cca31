"""Where everything stands: rows of controls on the left, the picture on the right, words and files below."""

from collections.abc import Sequence
from pathlib import Path

import ipywidgets as w

from entrenar_viz.errors import Problem
from entrenar_viz.explorer import plain
from entrenar_viz.explorer.controls import Controls
from entrenar_viz.explorer.exchange import Export, Import
from entrenar_viz.explorer.panels import Banner, show, text
from entrenar_viz.explorer.preview import Preview

HERE = Path(__file__).parent
MORE = ("fine_tune_steps", "fine_tune_lr", "target_sparsity")  # rows that can be folded away


class RowOf(plain.VBox):
    """A labelled control, its typed entry, and room for what is wrong with it."""

    def __init__(self, label: str, *parts: w.Widget) -> None:
        self.problem = text("", "entrenar-viz-problem")
        line = plain.HBox([text(label, "entrenar-viz-label"), *parts])
        line.add_class("entrenar-viz-row")
        super().__init__([line, self.problem])
        self.complain("")

    def complain(self, message: str) -> None:
        """Show what is wrong here, or nothing."""
        self.problem.value = message
        show(self.problem, bool(message))


class Layout(plain.VBox):
    """The whole dashboard as widgets, without behaviour.

    ``above`` stands beside the choice of the schedule, ``below`` between the picture and the files, one under another.
    """

    def __init__(
        self,
        controls: Controls,
        preview: Preview,
        picture: Sequence[w.Widget],
        files: tuple[Export, Import],
        *,
        above: Sequence[w.Widget] = (),
        below: Sequence[w.Widget] = (),
    ) -> None:
        self.banner = Banner()
        self.rows = _rows(controls, preview)
        self.sizes = {"nm": _sizes(controls.n, ":", controls.m), "block": _sizes(controls.height, "×", controls.width)}
        self.rows["pattern"].children[0].children += tuple(self.sizes.values())
        more = _more(controls, self.rows)
        self.more = plain.Accordion([more], titles=["Fine-tuning and target_sparsity"])
        left = plain.VBox([*_sections(self.rows), self.more])
        left.add_class("entrenar-viz-controls")
        right = plain.VBox(list(picture))
        right.add_class("entrenar-viz-picture")
        exported = text("is exported; the other two are there to compare", "entrenar-viz-quiet")
        top = plain.HBox([controls.schedule, exported, *above])
        top.add_class("entrenar-viz-top")
        body, in_and_out = plain.HBox([left, right]), plain.HBox(list(files))
        body.add_class("entrenar-viz-body")
        in_and_out.add_class("entrenar-viz-files")
        style = plain.HTML(f"<style>{(HERE / 'explorer.css').read_text('utf-8')}</style>")
        show(style, False)
        super().__init__([style, self.banner, top, body, *below, in_and_out])
        self.add_class("entrenar-viz")

    def fit(self, controls: Controls, preview: Preview) -> None:
        """Show the sizes that the pattern has, and the choice of comparison if there is one."""
        pattern = controls.pattern.value
        show(self.rows["within"], preview.can_rank_within(pattern))
        for name, sizes in self.sizes.items():
            show(sizes, name == pattern)

    def complain(self, problems: Sequence[Problem]) -> None:
        """Show each problem in the row of the control that made it; a typed entry shows its own."""
        messages: dict[str, list[str]] = {name: [] for name in ("window", "pattern", "method", *MORE)}
        for problem in problems:
            part = problem.where.partition(".")[0]
            messages.get("window" if part == "schedule" else part, []).append(problem.message)
        for name, found in messages.items():
            self.rows[name].complain("; ".join(found))
        if any(messages[name] for name in MORE):
            self.more.selected_index = 0


def _rows(c: Controls, preview: Preview) -> dict[str, RowOf]:
    def sliding(label: str, name: str) -> RowOf:
        return RowOf(label, c.sliders[name], *([getattr(c, name)] if c.typed else []))

    return {
        "total_steps": sliding("Total steps", "total_steps"),
        "window": sliding("Window", "window"),
        "one_shot_step": sliding("OneShot step", "one_shot_step"),
        "initial": sliding("Initial", "initial"),
        "target": sliding("Target", "target"),
        "frequency": sliding("Every n steps", "frequency"),
        "method": RowOf("Method", c.method),
        "pattern": RowOf("Pattern", c.pattern),
        "weights": RowOf("Weights", preview.source),
        "layer": RowOf("Layer", preview.layers),
        "path": RowOf("Model file", preview.path, preview.open),
        "calibration": RowOf("Calibration", preview.calibration_path, preview.open_calibration),
        "masks_of": RowOf("Masks of", preview.masks_of),
        "within": RowOf("Rank within", preview.within),
        "cursor": sliding("Cursor", "cursor"),
    }


def _sections(rows: dict[str, RowOf]) -> list[w.Widget]:
    sections = {
        "Schedule": ("total_steps", "window", "one_shot_step", "initial", "target", "frequency"),
        "Pruning": ("method", "pattern"),
        "Preview": ("cursor", "masks_of", "within", "weights", "layer", "path", "calibration"),
    }
    return [
        plain.VBox([text(title, "entrenar-viz-heading"), *(rows[name] for name in names)])
        for title, names in sections.items()
    ]


def _sizes(first: w.Widget, between: str, second: w.Widget) -> plain.HBox:
    sizes = plain.HBox([first, text(between), second])
    sizes.add_class("entrenar-viz-sizes")
    return sizes


def _more(c: Controls, rows: dict[str, RowOf]) -> plain.VBox:
    rows |= {
        "fine_tune_steps": RowOf("fine_tune_steps", c.fine_tune_steps),
        "fine_tune_lr": RowOf("fine_tune_lr", c.fine_tune_lr),
        "target_sparsity": RowOf("target_sparsity", c.own_target),
    }
    steps, rate, target = (rows[name] for name in MORE)
    return plain.VBox([c.fine_tune, steps, rate, c.skip_embed_layers, c.same_target, target])


def all_widgets(*roots: w.Widget) -> list[w.Widget]:
    """Every widget that can be reached from ``roots``, each once: children, layouts, styles and links."""
    found: dict[int, w.Widget] = {}
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
