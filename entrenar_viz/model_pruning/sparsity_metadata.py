"""``sparsity_metadata.json``, as the trainer's exporter writes it beside a pruned model (entrenar 0.7.13)."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

NAME = "sparsity_metadata.json"
_VERSION = "1.0"


def share(zeros: int, count: int) -> float:
    """The sparsity in the exporter's f32, as its shortest decimal; 0 of nothing."""
    return float(str(np.float32(zeros) / np.float32(count))) if count else 0.0


def as_json(tensors: Sequence[tuple[str, int, int]]) -> bytes:
    """The file for all ``tensors`` of floating point numbers, (name, zeros, count): those that are not pruned too."""
    zeros, count = sum(zeros for _, zeros, _ in tensors), sum(count for _, _, count in tensors)
    content = {
        "version": _VERSION,
        "global_sparsity": share(zeros, count),
        "total_parameters": count,
        "parameters_pruned": zeros,
        "tensors": [_entry(*one) for one in sorted(tensors)],
    }
    # half a surrogate pair has no UTF-8, and is written as JSON escapes it
    return json.dumps(content, indent=2, ensure_ascii=False).encode(errors="backslashreplace")


def _entry(name: str, zeros: int, count: int) -> dict[str, Any]:
    return {"name": name, "sparsity": share(zeros, count), "zero_count": zeros, "total_count": count}
