"""A configuration as Python and as Rust."""

import ast
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import METHODS, NM, Block, Cubic, Gradual, OneShot, PruningConfig, as_python, as_rust
from entrenar_viz.export.source_code import ALWAYS, BUILDER, VARIANTS
from tests.strategies import configs

U64 = st.integers(0, 2**64 - 2)
GRADUAL = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=250)


def made_by(source):
    scope = {}
    exec(source, scope)
    return scope["config"]


def arguments(source):
    """The keyword arguments that ``PruningConfig`` is called with."""
    (call,) = [node.value for node in ast.parse(source).body if isinstance(node, ast.Assign)]
    return {keyword.arg for keyword in call.keywords}


@given(configs(U64))
def test_the_python_source_makes_an_equal_configuration(config):
    source = as_python(config)
    assert made_by(source) == config
    assert max(map(len, source.splitlines())) <= 100


@given(configs())
def test_the_python_source_leaves_out_only_defaults(config):
    written, default = arguments(as_python(config)), PruningConfig()
    assert written >= set(ALWAYS)
    assert all(getattr(config, name) == getattr(default, name) for name in BUILDER.keys() - written)


@given(configs())
def test_the_python_source_imports_what_it_uses_and_nothing_else(config):
    tree = ast.parse(as_python(config))
    imported = {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported == {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call)}


def test_a_line_of_python_that_would_be_too_long_is_wrapped():
    assert as_python(PruningConfig(schedule=GRADUAL, pattern=NM(n=2, m=4))) == (
        "from entrenar_viz import NM, Gradual, PruningConfig\n"
        "\n"
        "config = PruningConfig(\n"
        '    method="magnitude",\n'
        "    target_sparsity=0.5,\n"
        "    pattern=NM(n=2, m=4),\n"
        "    schedule=Gradual(\n"
        "        start_step=1000,\n"
        "        end_step=5000,\n"
        "        initial_sparsity=0.0,\n"
        "        final_sparsity=0.5,\n"
        "        frequency=250,\n"
        "    ),\n"
        ")\n"
    )


# Rust ----------------------------------------------------------------------------------------------------------------


def rust_reading(source):
    """What a reader of the builder calls finds: each call's argument, and each field of an enum, as text."""
    calls = dict(re.findall(r"\.(with_\w+)\((.+?)\)(?=\n|;)", source, re.DOTALL))
    fields = {name: dict(re.findall(r"(\w+): ([-+.e\d]+)", argument)) for name, argument in calls.items()}
    return calls, fields


def in_f32(fields):
    return {name: np.float32(value) if isinstance(value, float) else value for name, value in fields.items()}


@given(configs(U64))
def test_the_rust_source_says_every_field(config):
    calls, fields = rust_reading(as_rust(config))
    assert list(calls) == list(BUILDER.values())
    assert np.float32(calls["with_target_sparsity"]) == np.float32(config.target_sparsity)
    assert np.float32(calls["with_fine_tune_lr"]) == np.float32(config.fine_tune_lr)
    assert int(calls["with_fine_tune_steps"]) == config.fine_tune_steps
    assert calls["with_fine_tune"] == str(config.fine_tune_after_pruning).lower()
    assert calls["with_skip_embed_layers"] == str(config.skip_embed_layers).lower()
    for part, call in ((config.schedule, "with_schedule"), (config.pattern, "with_pattern")):
        assert f"::{type(part).__name__}" in calls[call]
        read = {name: type(getattr(part, name))(text) for name, text in fields[call].items()}
        given = {name: getattr(part, name) for name in part.__dataclass_fields__ if name != "type"}
        assert in_f32(read) == in_f32(given)


@given(configs(U64))
def test_floats_of_the_rust_source_are_floats_and_integers_integers(config):
    _, fields = rust_reading(as_rust(config))
    for name, text in (fields["with_schedule"] | fields["with_pattern"]).items():
        assert ("." in text) == ("sparsity" in name)


@pytest.mark.parametrize(
    ("rate", "literal"),
    [(1e-5, "0.00001"), (1, "1.0"), (0.1, "0.1"), (1e30, "1.0e+30"), (-1e-45, "-1.0e-45"), (1e-50, "0.0")],
)
def test_literals_are_the_shortest_of_32_bits(rate, literal):
    assert f".with_fine_tune_lr({literal})" in as_rust(PruningConfig(fine_tune_lr=float(rate)))


def test_every_method_has_a_variant():
    assert set(VARIANTS) == set(METHODS)


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (PruningConfig(pattern=Block(height=4, width=8)), "(SparsityPatternConfig::Block { height: 4, width: 8 })"),
        (PruningConfig(schedule=OneShot(step=7)), "(PruningSchedule::OneShot { step: 7 })"),
        (
            PruningConfig(schedule=Cubic(start_step=0, end_step=9, final_sparsity=0.7)),
            "(PruningSchedule::Cubic {\n        start_step: 0,\n        end_step: 9,\n        final_sparsity: 0.7,\n",
        ),
    ],
)
def test_variants_with_fields(config, text):
    assert text in as_rust(config)


def test_the_text_does_what_the_json_does(tmp_path):
    config = PruningConfig(schedule=GRADUAL, method="wanda")
    path = Path(config.save(tmp_path / "pruning.json"))
    assert made_by(as_python(config)).to_json() == path.read_text("utf-8")
