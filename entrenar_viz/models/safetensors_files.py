"""Files of safetensors: a header of names and places, then the numbers."""

import json
from functools import partial
from typing import IO, Any

from entrenar_viz.models.tensor_files import Again, Stored, from_bytes

_FORMATS = {  # codes: what numpy and ml_dtypes call them
    "F32": "float32",
    "F16": "float16",
    "F64": "float64",
    "BF16": "bfloat16",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3FNUZ": "float8_e4m3fnuz",
    "F8_E5M2FNUZ": "float8_e5m2fnuz",
}


def read_safetensors(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The tensors of a .safetensors by name; only the header is read."""
    from safetensors import safe_open

    with safe_open(file.name, framework="numpy"):
        pass  # opening checks all of the header: sizes, gaps, overlaps, formats
    entries, data = entries_of(file)
    return {name: _tensor(entry, data, again) for name, entry in entries.items()}


def entries_of(file: IO[bytes]) -> tuple[dict[str, Any], int]:
    """What the header says of each tensor, and the byte at which the numbers begin; nothing is checked."""
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    header = json.loads(file.read(length))
    header.pop("__metadata__", None)
    return header, 8 + length


def _tensor(entry: dict[str, Any], data: int, again: Again) -> Stored:
    shape, (begin, _) = tuple(entry["shape"]), entry["data_offsets"]
    dtype = _FORMATS.get(entry["dtype"], entry["dtype"])
    read = partial(from_bytes, again, data + begin, dtype, shape)  # safetensors itself cannot give numpy a float8
    return Stored(shape, dtype, read, part=read)
