"""A configuration as source text: Python that makes an equal one, and Rust that makes what the trainer would load.

The names in the Rust text are those of the trainer's module ``entrenar::prune``: its files src/prune/config/method.rs,
pattern.rs and pruning_config.rs, and src/prune/schedule/types.rs.
"""

from typing import Any

import numpy as np

from entrenar_viz.config.pruning_config import PruningConfig

WIDTH = 100
ALWAYS = ("method", "target_sparsity", "pattern", "schedule")
BUILDER = {  # the trainer's method for each field; all but one are with_ and the name of the field
    **{name: f"with_{name}" for name in PruningConfig.__dataclass_fields__},
    "fine_tune_after_pruning": "with_fine_tune",
}
VARIANTS = {  # of the trainer's enums
    "magnitude": "Magnitude",
    "wanda": "Wanda",
    "sparse_gpt": "SparseGpt",
    "minitron_depth": "MinitronDepth",
    "minitron_width": "MinitronWidth",
}
RUST_USE = "use entrenar::prune::{PruneMethod, PruningConfig, PruningSchedule, SparsityPatternConfig};"


def as_python(config: PruningConfig) -> str:
    """Python source that leaves a configuration equal to ``config`` in the variable ``config``.

    Method, target, pattern and schedule are always written, the other fields where they differ from their default.
    Lines have at most 100 columns.

    >>> print(as_python(PruningConfig(fine_tune_steps=200)), end="")
    from entrenar_viz import OneShot, PruningConfig, Unstructured
    <BLANKLINE>
    config = PruningConfig(
        method="magnitude",
        target_sparsity=0.5,
        pattern=Unstructured(),
        schedule=OneShot(step=0),
        fine_tune_steps=200,
    )
    """
    default = PruningConfig()
    names = sorted({"PruningConfig", type(config.pattern).__name__, type(config.schedule).__name__}, key=_import_order)
    fields = {
        name: value for name, value in _fields(config).items() if name in ALWAYS or value != getattr(default, name)
    }
    lines = "".join(f"    {name}={_python(value, len(name) + 5)},\n" for name, value in fields.items())
    return f"from entrenar_viz import {', '.join(names)}\n\nconfig = PruningConfig(\n{lines})\n"


def as_rust(config: PruningConfig) -> str:
    """Rust source that leaves what the trainer loads from ``config.to_json()`` in the variable ``config``.

    All eight fields are written, as in the JSON, so that the text does not hang on the defaults of the trainer. Floats
    are the shortest decimals of their ``f32``. The builder checks nothing; ``config`` has been checked here.

    >>> from entrenar_viz import NM
    >>> print(as_rust(PruningConfig(method="sparse_gpt", pattern=NM(n=2, m=4))), end="")
    use entrenar::prune::{PruneMethod, PruningConfig, PruningSchedule, SparsityPatternConfig};
    <BLANKLINE>
    let config = PruningConfig::new()
        .with_method(PruneMethod::SparseGpt)
        .with_target_sparsity(0.5)
        .with_pattern(SparsityPatternConfig::NM { n: 2, m: 4 })
        .with_schedule(PruningSchedule::OneShot { step: 0 })
        .with_fine_tune(true)
        .with_fine_tune_steps(1000)
        .with_fine_tune_lr(0.00001)
        .with_skip_embed_layers(true);
    """
    calls = "".join(f"\n    .{BUILDER[name]}({_rust(value)})" for name, value in _fields(config).items())
    return f"{RUST_USE}\n\nlet config = PruningConfig::new(){calls};\n"


def _import_order(name: str) -> tuple[bool, str]:
    return not name.isupper(), name  # as import sorters have it: NM, which is all capitals, first


def _fields(part: Any) -> dict[str, Any]:
    return {name: getattr(part, name) for name in part.__dataclass_fields__ if name != "type"}


def _python(value: Any, used: int) -> str:
    """``value`` as an argument that begins in column ``used``; the comma behind it fits too."""
    if isinstance(value, str):
        return f'"{value}"'
    if not hasattr(value, "__dataclass_fields__"):
        return repr(value)
    arguments = [f"{name}={field!r}" for name, field in _fields(value).items()]
    line = f"{type(value).__name__}({', '.join(arguments)})"
    if used + len(line) + 1 <= WIDTH:
        return line
    return f"{type(value).__name__}(\n" + "".join(f"        {argument},\n" for argument in arguments) + "    )"


def _rust(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _rust_float(value)
    if isinstance(value, str):
        return f"PruneMethod::{VARIANTS[value]}"
    return _rust_variant(value) if hasattr(value, "__dataclass_fields__") else str(value)


def _rust_float(value: float) -> str:
    """The shortest literal of the ``f32`` that the trainer makes of ``value``."""
    number = np.float32(value)
    if number == 0 or 1e-9 <= abs(number) < 1e9:
        return np.format_float_positional(number, trim="0")
    return np.format_float_scientific(number, trim="0", exp_digits=1)


def _rust_variant(part: Any) -> str:
    enum = "PruningSchedule" if hasattr(part, "sparsity_at_step") else "SparsityPatternConfig"
    name, fields = f"{enum}::{type(part).__name__}", _fields(part)
    if not fields:
        return name
    values = [f"{field}: {_rust(value)}" for field, value in fields.items()]
    line = f"{name} {{ {', '.join(values)} }}"
    if not hasattr(part, "sparsity_at_step") or len(values) == 1:
        return line
    return f"{name} {{\n" + "".join(f"        {value},\n" for value in values) + "    }"
