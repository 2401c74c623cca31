"""What goes between kernel and page, with its types; payload.js has the same for the page."""

from typing import Any, Literal, NotRequired, TypedDict


class Settings(TypedDict):
    """The settings as the kernel has them, and up to which change of which page."""

    values: dict[str, Any]
    """All of them by name: ``controls.settings.Settings``."""
    page: str
    told: int
    unread: dict[str, str]
    """What is wrong with texts that stand in entries; empty once other settings were loaded."""


class Trouble(TypedDict):
    """What is wrong with the settings, and in which entries."""

    names: list[str]
    message: str


class Found(TypedDict):
    """A finding, and the labels of its fixes."""

    severity: str
    message: str
    fixes: list[str]


class Exported(TypedDict):
    """The configuration as it is exported, in the language that is chosen."""

    language: str
    text: str
    file: str
    media: str
    note: str
    """What the file has no field for; empty where it has all."""


class Can(TypedDict):
    """Which steps of the history lead anywhere."""

    undo: bool
    redo: bool
    reset: bool


class Log(TypedDict):
    """What a training log tells of sparsity, at the steps where that changes, and of one metric."""

    name: str
    steps: list[int]
    sparsity: list[float]
    metric: str
    metric_steps: list[int]
    values: list[float | None]
    """None where the number was not finite: a gap."""


class Answer(TypedDict):
    """All that the kernel says of the settings."""

    problems: list[Trouble]
    findings: list[Found]
    exported: Exported
    can: Can
    fixed: float | None
    """The share that the pattern takes at the first update, whatever is asked for (N:M); None: as asked."""
    steps_per_epoch: float
    """For an axis of epochs; 0 for one of steps."""
    counted: str
    """What the numbers of a training make, or what is wrong with them."""
    parted: list[list[int]]
    """From which to which step the training log parts from the plan."""
    said: str
    """What has become of what was asked for last; empty once something else has changed."""


class Command(TypedDict):
    """What a page asks for, beyond its settings."""

    do: Literal["undo", "redo", "reset", "fix", "preset", "language", "cancel", "open"]
    finding: NotRequired[int]
    fix: NotRequired[int]
    kind: NotRequired[str]
    name: NotRequired[str]


class Choices(TypedDict):
    """What can be chosen from."""

    methods: list[str]
    patterns: dict[str, str]
    languages: list[str]
    presets: list[dict[str, str]]


class Progress(TypedDict):
    """What is being prepared; nothing with an empty message."""

    message: str
    share: float


class Ghost(TypedDict):
    """The curve of a pin."""

    name: str
    schedule: dict[str, Any]
    target: float


class Curve(TypedDict):
    """The accuracy of a schedule in a rehearsal, or of no pruning: a number for each of ``Accuracy.steps``."""

    name: str
    type: str
    """The type of the schedule, or ``"dense"``."""
    mean: list[float]
    low: list[float]
    """The lower end of the 95% interval over the seeds."""
    high: list[float]


class Accuracy(TypedDict):
    """What a rehearsal has read so far; accuracies are fractions."""

    steps: list[int]
    """Of the training, ascending."""
    curves: list[Curve]
    first: int | None
    """The first update of all schedules; None where there is none."""
    outdated: bool
    """Whether it is of other settings than those that the kernel has."""


class BarLayer(TypedDict):
    """A layer of a model, as a bar of a plan."""

    name: str
    """Text from outside, without control characters."""
    weights: int
    shape: list[int]
    block: str
    """Which part of the model it is in, such as ``"model.layers.12"``; empty where there is none."""
    role: str
    """What it is there, such as ``"mlp.up_proj"``."""


class BarCurve(TypedDict):
    """How sensitive a layer is: what masks leave of it, at the sparsities that they reach."""

    achieved: list[float]
    """Fractions, ascending, the first of them 0."""
    kept: list[float]
    """The share of the squared norm that is kept."""
    error: list[float] | None
    """The relative squared error of the output; None without activations."""
    knee: float | None
    """The sparsity from which on it loses fast; None: nowhere."""


class BarPlan(TypedDict):
    """A plan as the kernel has it, and up to which change of which page.

    ``page`` and ``told`` are of the last message that was heard, also where the kernel changes the plan by itself.
    """

    page: str
    told: int
    sparsity: float
    """The budget: the share of the weights of all layers that are not skipped."""
    pruned: list[int]
    """Weights of each layer."""
    skipped: list[int]
    """Indices of layers that are not pruned and do not count."""
    locked: list[int]
    """Indices of layers that keep their number."""
    least: list[int]
    """The fewest pruned weights of each layer."""
    most: list[int]
    undo: bool
    redo: bool


class BarCommand(TypedDict):
    """What a page asks for, beyond its plan."""

    do: Literal["undo", "redo"]


class BarTold(TypedDict):
    """What a page tells at the end of a gesture: what can be changed of its plan, as a whole."""

    page: str
    told: int
    """How many changes there were in that page by then."""
    pruned: list[int]
    skipped: list[int]
    locked: list[int]
    ask: NotRequired[BarCommand]
