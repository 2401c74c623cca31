"""calibrate on models of transformers: tiny ones with random weights, and the dicts that tokenizers make."""

import numpy as np
import pytest
import torch
from torch import nn

from entrenar_viz import OneShot, PruningConfig, load_calibration, load_weights, prune_mask, survey
from entrenar_viz.masks.activations import input_norms
from entrenar_viz.torch import Pruner, calibrate

transformers = pytest.importorskip("transformers")
WANDA = PruningConfig(method="wanda", schedule=OneShot(step=1), target_sparsity=0.5)
RNG = np.random.default_rng(2)
BATCHES = [
    transformers.BatchEncoding(
        {"input_ids": torch.from_numpy(RNG.integers(0, 99, (4, 16))), "attention_mask": torch.ones(4, 16)}
    )
    for _ in range(5)
]


def llama():
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(vocab_size=99, **sizes))


def gpt2():
    torch.manual_seed(0)
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 32}
    return transformers.GPT2LMHeadModel(transformers.GPT2Config(vocab_size=99, **sizes))


def outputs_of(model, layer):
    """All that the module called ``layer`` gives in evaluation mode."""
    seen = []
    handle = model.get_submodule(layer).register_forward_hook(lambda *call: seen.append(call[2].detach()))
    with torch.no_grad():
        for batch in BATCHES:
            model.eval()(**batch)
    handle.remove()
    return torch.cat([one.flatten(0, 1) for one in seen]).numpy()


def test_a_saved_llama_is_surveyed_with_what_was_collected(tmp_path):
    model = llama()
    model.save_pretrained(tmp_path / "model")
    calibrate(model, BATCHES, tmp_path / "calibration.safetensors", rows=64)
    weights = load_weights(tmp_path / "model")
    found = load_calibration(tmp_path / "calibration.safetensors", weights)
    assert set(found.names) == {name for name in weights if "embed" not in name and "lm_head" not in name}
    inputs = outputs_of(model, "model.layers.1.post_attention_layernorm")
    for name in ("gate_proj", "up_proj"):
        assert np.array_equal(found.norms(f"model.layers.1.mlp.{name}.weight"), input_norms(inputs))
    table = survey(tmp_path / "model", WANDA, calibration=found).set_index("layer")
    assert table.loc[found.names, "achieved"].tolist() == [0.5] * 14
    assert table.loc[found.names, "output_error"].between(0, 1).all()


def test_the_layers_of_gpt2_keep_inputs_first_and_have_a_column_for_each_input():
    model = gpt2()
    found = calibrate(model, BATCHES, rows=64)
    assert {name.removeprefix("transformer.h.").partition(".")[2]: found.shape(name) for name in found} == {
        "attn.c_attn.weight": (64, 32),
        "attn.c_proj.weight": (64, 32),
        "mlp.c_fc.weight": (64, 32),
        "mlp.c_proj.weight": (64, 128),
    }
    assert set(found.skipped) == {"transformer.wte.weight", "transformer.wpe.weight"}
    name = "transformer.h.1.mlp.c_fc.weight"
    inputs = outputs_of(model, "transformer.h.1.ln_2")
    assert np.array_equal(found.norms(name), input_norms(inputs))
    turned = model.get_parameter(name).detach().numpy().T
    mask = prune_mask(turned.copy(), 0.5, method="wanda", activations=inputs)
    pruner = Pruner(model, WANDA, 1, calibration=found)
    pruner.step()
    assert np.array_equal(pruner.mask(name).numpy(), mask.T)
    table = survey(gpt2(), WANDA, calibration=found).set_index("layer")
    assert table.loc[found.names, "achieved"].tolist() == [0.5] * 8
    assert table.loc[name, "shape"] == (128, 32)


def test_a_tied_head_is_one_tensor_with_its_embedding():
    found = calibrate(gpt2(), BATCHES, skip_embed_layers=False)
    assert found.shape("transformer.wte.weight") == (320, 32)
    assert "lm_head.weight" not in found
    assert set(found.skipped) == {"transformer.wpe.weight"}


def test_experts_in_one_tensor_are_listed():
    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4}
    model = transformers.MixtralForCausalLM(
        transformers.MixtralConfig(vocab_size=99, num_local_experts=4, num_key_value_heads=2, **sizes)
    )
    found = calibrate(model, BATCHES)
    stacked = [name for name, parameter in model.named_parameters() if parameter.ndim == 3]
    apart = [name for name, module in model.named_modules() if "experts." in name and isinstance(module, nn.Linear)]
    assert stacked or apart  # transformers 5 stacks them
    for name in stacked:
        assert "has its experts in one tensor" in found.skipped[name]
    assert "model.layers.0.self_attn.q_proj.weight" in found
