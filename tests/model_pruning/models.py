"""Model files for these tests, written byte by byte where no library would write them so."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

from entrenar_viz import PruningConfig
from entrenar_viz.models.model_folder import INDEX

RNG = np.random.default_rng(10)
HALF = PruningConfig(target_sparsity=0.5)
CODES = {
    **{"float32": "F32", "float16": "F16", "float64": "F64", "bfloat16": "BF16", "int64": "I64"},
    **{"float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2"},
    **{"float8_e4m3fnuz": "F8_E4M3FNUZ", "float8_e5m2fnuz": "F8_E5M2FNUZ"},
}
FLOAT_FORMATS = [name for name in CODES if name != "int64"]


def drawn(shape, dtype="float32") -> np.ndarray:
    """Weights of that format, minus zero and zero among them."""
    values = RNG.standard_normal(shape).astype(getattr(ml_dtypes, dtype, dtype))
    flat = values.reshape(-1)
    flat[: len(flat) // 8] = 0
    if not dtype.endswith("fnuz"):
        flat[: len(flat) // 16] = -0.0
    return values


def entry(code, shape, content: bytes):
    return code, list(shape), content


def write_safetensors(path: Path, entries, metadata=None) -> Path:
    """``entries``: (code, shape, bytes) by name; the header has them in this order, the bytes in the reverse one."""
    header, offset = {} if metadata is None else {"__metadata__": metadata}, 0
    places = {}
    for name, (_, _, content) in reversed(entries.items()):
        places[name] = [offset, offset + len(content)]
        offset += len(content)
    for name, (code, shape, _) in entries.items():
        header[name] = {"dtype": code, "shape": shape, "data_offsets": places[name]}
    text = json.dumps(header, indent=1).encode()  # no library writes it so: it must come through as it is
    text += b" " * (-len(text) % 8)
    body = b"".join(content for _, _, content in reversed(entries.values()))
    path.write_bytes(len(text).to_bytes(8, "little") + text + body)
    return path


def as_entries(arrays):
    return {name: entry(CODES[values.dtype.name], values.shape, values.tobytes()) for name, values in arrays.items()}


def checkpoint(folder: Path) -> Path:
    """Two shards, one in a folder of its own, with index, configuration, tokenizer and much that is no part of it."""
    folder.mkdir()
    (folder / "more").mkdir()
    first = {"model.embed_tokens.weight": drawn((16, 8), "bfloat16"), "h.0.weight": drawn((24, 16), "bfloat16")}
    second = {"h.1.weight": drawn((8, 12), "float8_e4m3fn"), "h.1.bias": drawn(8), "h.2.weight": drawn((6, 5))}
    save_file(first, folder / "model-1.safetensors", metadata={"format": "pt"})
    save_file(second, folder / "more" / "model-2.safetensors")
    places = dict.fromkeys(first, "model-1.safetensors") | dict.fromkeys(second, "more/model-2.safetensors")
    index = {"metadata": {"total_size": 4, "note": "ä"}, "weight_map": dict(reversed(places.items()))}
    (folder / INDEX).write_text(json.dumps(index, indent=3), "utf-8")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    (folder / "blob").write_text("{}")
    (folder / "tokenizer.json").symlink_to("blob")
    (folder / "pytorch_model.bin").write_bytes(b"other weights")
    (folder / "adapter.safetensors").write_bytes(b"other weights")
    (folder / "pytorch_model.bin.index.json").write_text("{}")
    (folder / ".git").mkdir()
    (folder / ".hidden").write_text("")
    (folder / "onnx").mkdir()
    return folder
