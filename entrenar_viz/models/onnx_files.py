"""Models of ONNX: their initializers, and from the operations that take them which side of a matrix is out.

The file itself is one message and is read as a whole, without data that it keeps in other files; those stay in its
folder and are read a tensor at a time.
"""

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.tensor_files import (
    FLOATS,
    Again,
    Stored,
    as_numbers,
    from_bytes,
    optional,
    reading,
    shown,
    stamp_of,
)

MAX_MODEL = 2 << 30  # bytes; protobuf allows a message no more
_FORMATS = {  # names of ONNX: those of numpy and ml_dtypes, and the field that may hold the numbers
    "FLOAT": ("float32", "float_data"),
    "DOUBLE": ("float64", "double_data"),
    "FLOAT16": ("float16", "int32_data"),
    "BFLOAT16": ("bfloat16", "int32_data"),
    "FLOAT8E4M3FN": ("float8_e4m3fn", "int32_data"),
    "FLOAT8E4M3FNUZ": ("float8_e4m3fnuz", "int32_data"),
    "FLOAT8E5M2": ("float8_e5m2", "int32_data"),
    "FLOAT8E5M2FNUZ": ("float8_e5m2fnuz", "int32_data"),
    "FLOAT8E8M0": ("float8_e8m0fnu", ""),
    "FLOAT4E2M1": ("float4_e2m1fn", ""),
}


def read_onnx(file: IO[bytes], again: Again) -> dict[str, Stored]:
    """The initializers of an .onnx by name."""
    path = Path(file.name)
    optional("onnx", "onnx", f"{path}: {path.suffix}")
    graph = _Graph(again)
    kinds = dict(_kinds(graph.model().graph))
    stored: dict[str, Stored] = {}
    for number, tensor in enumerate(graph.model().graph.initializer):
        if tensor.name in stored:
            raise WeightsError(f"{path}: holds {shown(tensor.name)} twice")
        stored[tensor.name] = _stored(path, graph, number, tensor, kinds.get(tensor.name, ""))
    return stored


class _Graph:
    """A model, parsed when it is first asked for. Another process parses the file for itself."""

    def __init__(self, again: Again) -> None:
        self._again = again
        self._model: Any = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_again": self._again, "_model": None}

    def model(self) -> Any:
        """The message."""
        if self._model is None:
            import onnx

            with self._again() as file:
                content = file.read(MAX_MODEL + 1)
            if len(content) > MAX_MODEL:
                raise ValueError(f"has more than {MAX_MODEL:,} bytes, which no model of ONNX has in one file")
            self._model = onnx.ModelProto.FromString(content)
        return self._model

    def read(self, number: int, dtype: str, shape: tuple[int, ...], field: str) -> NDArray[Any]:
        """The initializer of that number, kept in this file."""
        with self._again():  # the file is still the same
            tensor = self.model().graph.initializer[number]
        if tensor.HasField("raw_data"):
            return as_numbers(np.frombuffer(tensor.raw_data, np.uint8), dtype).reshape(shape)
        values = getattr(tensor, field)
        if field == "int32_data":  # the bits of a number each
            unsigned = np.array(values, np.int32).astype(f"<u{FLOATS[dtype]}")
            return as_numbers(unsigned.view(np.uint8), dtype).reshape(shape)
        return np.array(values, dtype).reshape(shape)


def _kinds(graph: Any) -> Iterator[tuple[str, str]]:
    """The operation that takes a tensor, the first one last: it is the one that counts."""
    for node in reversed(graph.node):
        for place, name in enumerate(node.input):
            yield name, _kind(node, place)


def _kind(node: Any, place: int) -> str:
    """What a tensor is as input number ``place``; a product of matrices keeps its second one (in, out)."""
    if node.op_type == "Gemm" and place == 1:
        turned = any(attribute.name == "transB" and attribute.i for attribute in node.attribute)
        return "Gemm" if turned else "Gemm without transB"
    if node.op_type == "MatMul" and place != 1:
        return "MatMul, on the left"
    return str(node.op_type)


def _stored(path: Path, graph: _Graph, number: int, tensor: Any, kind: str) -> Stored:
    import onnx

    shape, code = tuple(tensor.dims), onnx.TensorProto.DataType.Name(tensor.data_type)
    dtype, field = _FORMATS.get(code, (code.lower(), ""))
    kind = "" if kind in ("MatMul", "Gemm without transB") and len(shape) != 2 else kind
    if not field:
        return Stored(shape, dtype, partial(graph.read, number, dtype, shape, field), kind=kind)
    if min(shape, default=0) < 0:
        raise WeightsError(f"{path}: {shown(tensor.name)}: has the shape {list(shape)}")
    if tensor.data_location == onnx.TensorProto.EXTERNAL:
        return _elsewhere(path, tensor, dtype, shape, kind)
    _check_count(path, tensor, dtype, shape, field)
    return Stored(shape, dtype, partial(graph.read, number, dtype, shape, field), kind=kind)


def _check_count(path: Path, tensor: Any, dtype: str, shape: tuple[int, ...], field: str) -> None:
    raw, each = tensor.HasField("raw_data"), FLOATS[dtype]
    found = len(tensor.raw_data) if raw else len(getattr(tensor, field)) * each
    promised = math.prod(shape) * each
    if found != promised:
        broken = f"is broken: it holds {found:,} bytes, but {list(shape)} {dtype} takes {promised:,}"
        raise WeightsError(f"{path}: {shown(tensor.name)}: {broken}")


def _elsewhere(path: Path, tensor: Any, dtype: str, shape: tuple[int, ...], kind: str) -> Stored:
    """A tensor that is kept in another file of the same folder."""
    where = f"{path}: {shown(tensor.name)}"
    told = {entry.key: entry.value for entry in tensor.external_data}
    other = _inside(where, path, told.get("location", ""))
    offset, size = int(told.get("offset") or 0), math.prod(shape) * FLOATS[dtype]
    with reading(other) as file:
        stamp = stamp_of(file)
    if int(told.get("length") or size) != size or not 0 <= offset <= stamp[1] - size:
        raise WeightsError(f"{where}: is not in {shown(other.name)}, where it says it is: {list(shape)} at {offset:,}")
    read = partial(from_bytes, partial(reading, other, stamp), offset, dtype, shape)
    return Stored(shape, dtype, read, file=str(other), part=read, kind=kind)


def _inside(where: str, path: Path, location: str) -> Path:
    """The file in or below the folder of the model, by its name; links are followed, as those of shards are."""
    names = PurePosixPath(location), PureWindowsPath(location)
    if not location or any(name.anchor or ".." in name.parts for name in names):
        raise WeightsError(f"{where}: its file {shown(location)} is outside the folder of the model")
    found = path.parent / location
    if not found.exists():
        raise WeightsError(f"{where}: its file {shown(location)} is missing")
    return found
