"""A plan as a value and as a file: what is written is read again, and nothing else is."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrenar_viz import (
    NM,
    Block,
    ConfigError,
    EntrenarVizError,
    Plan,
    PlannedLayer,
    PlanOrigin,
    PruningConfig,
    Unstructured,
)
from entrenar_viz.plan import layer_plan
from entrenar_viz.plan.budget import fraction_of
from tests.plan.by_hand import layer, plan
from tests.strategies import FRACTIONS, patterns

ERK = plan(
    layer("fc1.weight", (128, 64), 0.8, pattern=NM(n=2, m=4)),
    layer("experts.up[12]", (4, 8, 3), 0.29, locked=True),
    layer("lm_head.weight", (10, 64), skip=True),
    method="erk",
    sparsity=0.75,
)
TEXT = json.loads(ERK.to_json())
NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@st.composite
def plans(draw):
    names = draw(st.lists(NAMES, min_size=1, max_size=6, unique=True))
    shapes = st.lists(st.integers(1, 9), min_size=1, max_size=4)
    layers = []
    for name in names:
        skip, pattern = draw(st.booleans()), draw(st.none() | patterns())
        sparsity = 0.0 if skip else draw(FRACTIONS)
        locked = draw(st.booleans())
        layers.append(layer(name, draw(shapes), sparsity, skip=skip, locked=locked, pattern=pattern))
    options = draw(st.dictionaries(st.sampled_from(["power", "M"]), st.floats(0, 9) | st.booleans() | NAMES))
    origin = PlanOrigin(method="owl", sparsity=draw(FRACTIONS), source=draw(NAMES), options=options)
    return Plan(origin=origin, layers=layers)


@given(plans())
def test_what_is_written_is_read_again(given_plan):
    assert Plan.from_json(given_plan.to_json()) == given_plan
    assert Plan.from_json(given_plan.to_json().encode()) == given_plan
    assert pickle.loads(pickle.dumps(given_plan)) == given_plan


def test_a_file_is_written_once_and_read_again(tmp_path):
    path = tmp_path / "plan.json"
    assert ERK.save(path) == path
    assert Plan.load(path) == Plan.load(str(path)) == ERK
    with pytest.raises(FileExistsError):
        ERK.save(path)
    assert ERK.save(path, overwrite=True) == path


def test_names_that_no_file_can_hold_are_refused(tmp_path):
    odd = plan(layer("fc\ud800", (2, 2), 0.5))
    with pytest.raises(EntrenarVizError, match="a name in it has half a surrogate pair"):
        odd.save(tmp_path / "plan.json")
    assert not any(tmp_path.iterdir())


def test_the_file_says_what_it_is():
    assert (TEXT["format"], TEXT["version"]) == ("entrenar-viz plan", 1)
    assert TEXT["layers"][0] == {
        "name": "fc1.weight",
        "shape": [128, 64],
        "skip": False,
        "sparsity": 0.8,
        "locked": False,
        "pattern": {"type": "nm", "n": 2, "m": 4},
    }
    assert TEXT["layers"][1]["name"] == "experts.up[12]"
    assert TEXT["layers"][2]["pattern"] is None


def refused(change):
    text = json.loads(ERK.to_json())
    change(text)
    with pytest.raises(ConfigError) as error:
        Plan.from_json(json.dumps(text))
    return [str(problem) for problem in error.value.problems]


def at(path, value):
    *before, last = path

    def change(text):
        for key in before:
            text = text[key]
        text[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (at(["layers", 0, "sparsity"], 1.5), "layers[0].sparsity: sparsity (1.5) must be between 0.0 and 1.0"),
        (at(["layers", 2, "sparsity"], 0.5), "layers[2].sparsity: sparsity must be 0 where skip is true"),
        (at(["layers", 0, "sparsity"], "0.5"), "layers[0].sparsity: must be a number, not '0.5'"),
        (at(["layers", 0, "shape"], []), "layers[0].shape: shape must have at least one number"),
        (at(["layers", 0, "shape"], [3, 0]), "layers[0].shape: shape must have at least one number, and none may be 0"),
        (at(["layers", 0, "shape"], [1 << 40, 1 << 9]), "layers[0].shape: shape must not have more than 281,474,976,"),
        (at(["layers", 0, "shape"], [3, 2.5]), "layers[0].shape[1]: must be a whole number"),
        (at(["layers", 0, "name"], 7), "layers[0].name: must be text"),
        (at(["layers", 0, "pattern"], {"type": "2:4"}), "layers[0].pattern: type '2:4' is unknown"),
        (at(["layers", 0, "pattern"], {"type": "nm", "n": 4, "m": 2}), "layers[0].pattern.m: N (4) must be less than"),
        (at(["layers", 0, "sparcity"], 0.5), "layers[0].sparcity: unknown key, did you mean sparsity?"),
        (at(["layers", 1, "name"], "fc1.weight"), "layers: each layer is planned once, but 'fc1.weight' is there more"),
        (at(["layers"], []), "layers: a plan needs at least one layer"),
        (lambda text: text["layers"][1].pop("locked"), "layers[1].locked: is missing"),
        (lambda text: text["layers"][1].pop("pattern"), "layers[1].pattern: is missing"),
        (lambda text: text.pop("origin"), "origin: is missing"),
        (at(["origin", "method"], "lottery"), "origin.method: 'lottery' is unknown: use one of"),
        (at(["origin", "sparsity"], -1), "origin.sparsity: sparsity (-1) must be between"),
        (at(["origin", "options"], {"M": [1]}), "origin.options"),
        (at(["origin", "by"], "me"), "origin.by: unknown key"),
        (at(["more"], 1), "more: unknown key"),
        (at(["format"], "entrenar-viz session"), 'format: is no entrenar-viz plan: it does not say "format"'),
        (at(["version"], 2), "version: is 2, of a newer entrenar_viz: this one reads up to 1, upgrade it"),
        (at(["version"], "1"), "version: must be 1, not '1'"),
    ],
)
def test_each_problem_has_its_place(change, message):
    assert any(problem.startswith(message) for problem in refused(change)), refused(change)


def test_all_problems_come_together():
    def change(text):
        text["layers"][0]["sparsity"] = 2
        text["layers"][1]["shape"] = [0]
        text["origin"]["method"] = "?"

    assert len(refused(change)) == 3


def test_a_key_that_is_written_twice_is_refused():
    text = ERK.to_json().replace('"sparsity": 0.8', '"sparsity": 0.8, "sparsity": 0.1')
    with pytest.raises(ConfigError, match=r"layers\[0\].sparsity: is written more than once"):
        Plan.from_json(text)


def test_other_files_are_told_apart(tmp_path):
    ERK.save(tmp_path / "plan.json")
    PruningConfig().save(tmp_path / "pruning.json")
    with pytest.raises(ConfigError, match=r"pruning.json: is a pruning configuration: load it with PruningConfig.load"):
        Plan.load(tmp_path / "pruning.json")
    with pytest.raises(ConfigError, match=r"plan.json: .*a plan with Plan.load"):
        PruningConfig.load(tmp_path / "plan.json")
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Plan.load(tmp_path / "none.json")


def test_a_plan_of_many_experts_is_larger_than_a_configuration_may_be(tmp_path, monkeypatch):
    large = plan(*(layer(f"model.layers.0.mlp.experts.gate_up_proj[{n}]", (4, 4), 0.5) for n in range(8000)))
    path = large.save(tmp_path / "plan.json")
    assert path.stat().st_size > 1 << 20
    assert Plan.load(path) == large
    assert large["model.layers.0.mlp.experts.gate_up_proj[7999]"].sparsity == 0.5
    assert layer_plan.MOST_BYTES > 1 << 25
    monkeypatch.setattr(layer_plan, "MOST_BYTES", 1 << 20)
    with pytest.raises(ConfigError, match="is not JSON"):  # it is not read further
        Plan.load(path)
    with pytest.raises(ConfigError, match="is larger than 64 MiB: this is not an entrenar-viz plan"):
        Plan.from_json(" " * (1 << 26) + "{}")


def test_a_value_is_checked_as_a_file_is():
    with pytest.raises(ConfigError, match="by name"):
        PlannedLayer("fc", (2, 2))
    with pytest.raises(ConfigError, match="sparsity must be 0 where skip is true"):
        layer("fc", (2, 2), 0.5, skip=True)
    with pytest.raises(ConfigError, match="planned once"):
        plan(layer("fc", (2, 2)), layer("fc", (2, 2)))
    with pytest.raises(AttributeError):
        ERK.layers = ()


def test_it_counts_whole_weights():
    assert ERK.sparsities == {"fc1.weight": 0.8, "experts.up[12]": 0.29, "lm_head.weight": 0.0}
    assert ERK.pruned == {"fc1.weight": 6553, "experts.up[12]": 27, "lm_head.weight": 0}
    assert ERK.weights == 128 * 64 + 96
    assert ERK.sparsity == (6553 + 27) / ERK.weights
    assert "fc1.weight" in ERK
    assert "fc2.weight" not in ERK
    assert ERK.words() == "erk: 79.39% of 8,288 weights in 2 layers, from 29% to 80%; 1 layer left whole"
    whole = plan(layer("a", (2, 2), skip=True))
    assert (whole.sparsity, whole.weights) == (0.0, 0)
    with pytest.raises(EntrenarVizError, match=r"the plan has no layer 'fc2.weight': it has 'fc1.weight', "):
        ERK["fc2.weight"]


def test_no_layer_loses_more_weights_than_it_has():
    """1.00000001 is 1 as an f32, and so it is a fraction; of so many weights it would be 42 too many."""
    assert layer("fc", (1 << 16, 1 << 16), 1.00000001).pruned == 1 << 32


@given(st.integers(1, 1 << 20), st.data())
def test_a_fraction_stands_for_each_count(weights, data):
    count = data.draw(st.integers(0, weights))
    assert layer("a", (weights,), fraction_of(count, weights)).pruned == count


def test_patterns_are_values():
    blocks = layer("a", (4, 4), 0.5, pattern=Block(height=2, width=2))
    assert Plan.from_json(plan(blocks).to_json())["a"].pattern == Block(height=2, width=2)
    assert Plan.from_json(plan(layer("a", (4, 4), pattern=Unstructured())).to_json())["a"].pattern == Unstructured()
