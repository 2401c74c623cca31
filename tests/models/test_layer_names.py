"""Which tensors ``skip_embed_layers`` means, by the names that real checkpoints have."""

import pytest

from entrenar_viz.models.layer_names import in_block_order, left_whole


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("model.embed_tokens.weight", "embed_tokens"),
        ("bert.embeddings.word_embeddings.weight", "embeddings"),
        ("Tok_Embeddings.weight", "Tok_Embeddings"),
        ("transformer.wte.weight", "wte"),
        ("transformer.wpe.weight", "wpe"),
        ("shared.weight", "shared"),
        ("token_embd.weight", "token_embd"),
        ("emb.weight", "emb"),
        ("lm_head.weight", "lm_head"),
        ("language_model.lm_head.weight", "lm_head"),
        ("embed_out.weight", "embed_out"),
        ("decoder.output_projection.weight", "output_projection"),
        ("cls.predictions.decoder.weight", "predictions.decoder"),
        ("output.weight", "output"),
        ("head.weight", "head"),
        ("proj_out.weight", "proj_out"),
        ("h.0.attention.output.weight", ""),
        ("encoder.layer.0.output.dense.weight", ""),
        ("transformer_blocks.0.proj_out.weight", ""),
        ("mlp.shared_experts.up_proj.weight", ""),
        ("mlp.shared.up_proj.weight", ""),
        ("model.decoder.layers.0.fc1.weight", ""),
        ("remember.weight", ""),
        ("shared", ""),
        ("head", ""),
        ("", ""),
    ],
)
def test_the_word_that_decides(name, word):
    assert left_whole(name) == word


def test_the_class_of_a_module_decides_where_it_is_known():
    assert left_whole("tokens.weight", "Embedding") == "Embedding"
    assert left_whole("fc.weight", "Linear") == ""
    assert left_whole("lm_head.weight", "Linear") == "lm_head"


def test_blocks_that_are_sorted_by_letters_are_put_in_the_order_of_their_numbers():
    parts = [f"{name}.weight" for name in ("mlp.experts.10.up", "mlp.experts.2.up", "self_attn.q_proj")]
    by_letters = sorted(f"model.layers.{i}.{part}" for i in range(12) for part in parts)
    by_number = ["mlp.experts.2.up", "mlp.experts.10.up", "self_attn.q_proj"]
    ordered = in_block_order(["lm_head.weight", *by_letters, "model.norm.weight"])
    assert ordered[0] == "lm_head.weight"
    assert ordered[1:-1] == [f"model.layers.{i}.{part}.weight" for i in range(12) for part in by_number]
    assert in_block_order(ordered) == ordered


def test_what_only_looks_like_a_number_is_text():
    names = ["h.²", "h." + "9" * 5000, "h.1_0", "h.9", "h.10"]
    assert in_block_order(names) == names
