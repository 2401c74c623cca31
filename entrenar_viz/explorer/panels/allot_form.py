"""What is set of an allocation: method, budget, bounds and the few options that matter, read strictly."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import ipywidgets as w

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.controls.numbers import Kind, parsed, shown
from entrenar_viz.explorer.panels import plain
from entrenar_viz.explorer.panels.layer_words import ABOUT, METHODS
from entrenar_viz.explorer.panels.parts import Guard, line, named, show, text
from entrenar_viz.formatting import percent
from entrenar_viz.plan.planned_layer import NO_BOUNDS, PlanOrigin
from entrenar_viz.plan.shares import OPTIONS, PASSES, Allocation, options_of

LOSSES = [("energy of the weights", "energy"), ("error of the outputs", "output")]
GROUPS = [("per block", "block"), ("per layer", "layer")]


@dataclass(frozen=True)
class AllotRequest:
    """What an allocation is made of, besides the layers."""

    method: Allocation
    sparsity: float
    options: dict[str, Any] = field(default_factory=dict)
    min_sparsity: float = 0.0
    max_sparsity: float = 1.0

    @classmethod
    def of(cls, sparsity: float, method: Allocation, options: Mapping[str, Any]) -> "AllotRequest":
        """What ``allocate`` is given so; EntrenarVizError for what it would not take."""
        bounds = {name: options.get(name, bound) for name, bound in NO_BOUNDS.items()}
        own = options_of(method, {name: value for name, value in options.items() if name not in NO_BOUNDS})
        for name, value in ({"sparsity": sparsity} | bounds).items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise EntrenarVizError(f"{name} must be a fraction from 0 to 1, not {value!r:.40}")
        return cls(method, float(sparsity), own, **bounds)

    @property
    def reads(self) -> bool:
        """Whether it looks at weights, which takes a while."""
        return bool(PASSES[self.method])

    @property
    def bounds(self) -> dict[str, float]:
        """Those of each layer."""
        return {"min_sparsity": self.min_sparsity, "max_sparsity": self.max_sparsity}

    def made(self, origin: PlanOrigin) -> bool:
        """Whether a plan of that ``origin`` was made so."""
        options = options_of(self.method, self.options)
        options |= {name: bound for name, bound in self.bounds.items() if bound != NO_BOUNDS[name]}
        return (origin.method, origin.sparsity, origin.options) == (self.method, self.sparsity, options)


class Entry(plain.HBox):
    """A number that is typed, with its label; ``typed`` hears of each change."""

    def __init__(self, label: str, name: str, value: float, typed: Callable[[], None], kind: Kind = "fraction") -> None:
        self.label, self.kind, self.name = text(label), kind, name
        self.entry = named(plain.Text(value=shown(kind, value), continuous_update=False), name)
        super().__init__([self.label, self.entry])
        self.add_class("entrenar-viz-entry")
        self._typed = typed
        self.entry.observe(lambda _: self._hear(), "value")

    def saying(self, tip: str) -> "Entry":
        """The entry with a tip."""
        self.entry.tooltip = tip
        return self

    @property
    def value(self) -> float:
        """The number; EntrenarVizError says how to write it."""
        try:
            return parsed(self.kind, self.entry.value)
        except EntrenarVizError as error:
            raise EntrenarVizError(f"{self.name}: {error}") from None

    def _hear(self) -> None:
        """Write the number as all others are, and tell of it; what is none stays as it was typed."""
        with suppress(EntrenarVizError):
            self.put(self.value)
        self._typed()

    def is_at(self, value: float) -> bool:
        """Whether that stands there."""
        return bool(self.entry.value == shown(self.kind, value))

    def put(self, value: float) -> None:
        """Let the number be this."""
        self.entry.value = shown(self.kind, value)


class AllotForm(plain.HBox):
    """The controls, and ``buttons`` after them; ``changed`` hears of each change of them."""

    def __init__(self, changed: Callable[[], None], guarded: Guard, *buttons: w.Widget) -> None:
        self._include_kernel = True
        heard = guarded(changed)
        options = [(label, method) for method, label in METHODS.items()]
        self.method = named(plain.Dropdown(options=options, value="erk", tooltip=ABOUT["erk"]), "Method of the plan")
        self.sparsity = Entry("Sparsity", "Sparsity of the plan", 0.5, heard).saying("Of all layers together")
        self.least = Entry("Each layer", "Lowest sparsity of a layer", 0.0, heard)
        self.most = Entry("to", "Highest sparsity of a layer", 1.0, heard)
        self.power = Entry("Power", "Power of ERK", 1.0, heard, "number").saying("0 is uniform, 1 is ERK")
        above, spread = "A score is an outlier above so many times the mean", "Densities differ by up to twice that"
        self.times = Entry("M", "M of OWL", 5.0, heard, "number").saying(above)
        self.lam = Entry("λ", "Lambda of OWL", 0.08, heard, "number").saying(spread)
        tip = "What outliers are counted in"
        self.per = named(plain.Dropdown(options=GROUPS, tooltip=tip), "Outliers per block or layer")
        self.loss = named(plain.Dropdown(options=LOSSES, tooltip="What is to be lost least"), "Loss")
        self.most.add_class("entrenar-viz-range")
        self.of_method = {
            "erk": [self.power],
            "sensitivity": [self.loss],
            "owl": [self.times, self.lam, self.per],
        }
        own = [part for parts in self.of_method.values() for part in parts]
        way = plain.HBox([text("Method"), self.method])
        way.add_class("entrenar-viz-entry")
        super().__init__([way, *own, self.sparsity, self.least, self.most, line(*buttons)])
        self.add_class("entrenar-viz-allot")
        for picker in (self.method, self.per, self.loss):
            picker.observe(lambda _: heard(), "value")
        self.method.observe(lambda _: self._show(), "value")
        self._show()

    @property
    def asked(self) -> AllotRequest:
        """What is set; EntrenarVizError for a text that is no number, or bounds in the wrong order."""
        method = cast(Allocation, self.method.value)
        least, most = self._bounds
        options = {name: self._option(name) for name in OPTIONS[method]}
        options_of(method, options)
        return AllotRequest(method, self.sparsity.value, options, least, most)

    def put(self, asked: AllotRequest) -> None:
        """Let it be what is set."""
        self.method.value = asked.method
        entries = {self.sparsity: asked.sparsity, self.least: asked.min_sparsity, self.most: asked.max_sparsity}
        for entry, value in entries.items():
            entry.put(value)
        for name, value in options_of(asked.method, asked.options).items():
            control = self._controls.get(name)
            if isinstance(control, Entry):
                control.put(value)
            elif control is not None:
                control.value = value
            else:
                self._include_kernel = value

    @property
    def _bounds(self) -> tuple[float, float]:
        least, most = self.least.value, self.most.value
        if least > most:
            why = f"{percent(least)} is more than {percent(most)}, the highest"
            raise EntrenarVizError(f"{self.least.name}: {why}")
        return least, most

    @property
    def _controls(self) -> dict[str, Any]:
        return {"power": self.power, "M": self.times, "lam": self.lam, "per": self.per, "loss": self.loss}

    def _option(self, name: str) -> Any:
        control = self._controls.get(name)
        return self._include_kernel if control is None else control.value

    def _show(self) -> None:
        """Show what the method has, and say what it is."""
        self.method.tooltip = ABOUT[self.method.value]
        for method, parts in self.of_method.items():
            for part in parts:
                show(part, method == self.method.value)
