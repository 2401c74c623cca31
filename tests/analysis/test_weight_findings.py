"""What does not go with the weights of a model: each case with its words, and fixes that remove it."""

import numpy as np
import pytest

from entrenar_viz import NM, Block, Gradual, PruningConfig, Row, Unstructured, WeightsError, load_weights, review
from entrenar_viz.analysis.weight_findings import weight_findings

SOUND = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=500)


def found(weights, **fields):
    return review(PruningConfig(**{"schedule": SOUND} | fields), 10_000, weights)


def layers(**shapes):
    return {name: np.ones(shape, np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("pattern", [Unstructured(), NM(n=2, m=4), Block(height=4, width=8), Row()])
def test_what_fits_has_no_findings(pattern):
    codes = [finding.code for finding in found(layers(fc1=(128, 64), conv=(16, 4, 3, 4)), pattern=pattern)]
    assert set(codes) <= {"nm-fixes-sparsity"}


def test_a_model_of_embeddings_and_heads_alone_is_left_whole():
    weights = layers(**{"embed.weight": (4, 4), "lm_head.weight": (4, 4)})
    (finding,) = found(weights)
    assert (finding.code, finding.severity) == ("layers-left-whole", "error")
    assert "'embed.weight' since 'embed' is in its name, and others like it" in finding.message
    assert review(finding.fix, 10_000, weights) == []


def test_a_layer_left_whole_is_told_of_only_where_it_is_looked_at():
    weights = load_weights(layers(**{"embed.weight": (4, 4), "fc.weight": (4, 4)}))
    config = PruningConfig(schedule=SOUND)
    assert review(config, 10_000, weights) == weight_findings(config, weights, "fc.weight") == []
    (finding,) = weight_findings(config, weights, "embed.weight")
    assert (finding.code, finding.severity) == ("layer-left-whole", "info")
    assert weight_findings(finding.fix, weights, "embed.weight") == []


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        (Block(height=5, width=4), Block(height=4, width=4)),
        (Block(height=4, width=5), Block(height=4, width=4)),
        (Block(height=7, width=1), Block(height=8, width=1)),
        (NM(n=2, m=3), NM(n=1, m=2)),
        (NM(n=0, m=5), NM(n=1, m=4)),
    ],
)
def test_a_pattern_that_does_not_fit_becomes_the_nearest_that_does(pattern, fitting):
    weights = layers(fc1=(128, 64), fc2=(64, 128))
    (finding,) = [one for one in found(weights, pattern=pattern) if one.code == "pattern-does-not-fit"]
    assert finding.severity == "error"
    assert finding.message.startswith("'fc1' and 1 more of 2 layers cannot be pruned: ")
    assert finding.fix.pattern == fitting
    assert "pattern-does-not-fit" not in [one.code for one in review(finding.fix, 10_000, weights)]


def test_sizes_that_only_single_weights_have_in_common_have_no_fix():
    (finding,) = found(layers(fc1=(3, 5), fc2=(7, 11)), pattern=Block(height=2, width=2))
    assert (finding.code, finding.fixes) == ("pattern-does-not-fit", ())
    codes = [one.code for one in found(layers(fc1=(3, 5), fc2=(7, 11)), pattern=NM(n=1, m=2)) if not one.fixes]
    assert codes == ["pattern-does-not-fit"]


def test_blocks_of_two_weights_are_still_blocks():
    (finding,) = found(layers(fc1=(3, 10), fc2=(7, 4)), pattern=Block(height=1, width=3))
    assert finding.fix.pattern == Block(height=1, width=2)


def test_layers_that_are_left_whole_need_not_fit():
    weights = layers(**{"embed.weight": (3, 3), "fc.weight": (4, 4)})
    blocks = Block(height=2, width=2)
    assert found(weights, pattern=blocks) == []
    (finding,) = found(weights, pattern=blocks, skip_embed_layers=False)
    assert finding.message.startswith("'embed.weight' cannot be pruned: ")


def test_weights_that_cannot_be_opened_are_an_error(tmp_path):
    with pytest.raises(WeightsError, match="nothing"):
        found(tmp_path / "nothing.npz")
