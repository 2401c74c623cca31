"""A small sound model of every kind that opens, as the bytes of its files: what ``mutated_models`` breaks."""

import io
import json
import zipfile
from collections.abc import Callable
from functools import cache

import h5py
import ml_dtypes
import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from safetensors.numpy import save

from entrenar_viz.models.model_folder import INDEX

Files = dict[str, bytes]  # what a model consists of, by file name


@cache
def whole() -> dict[str, Files]:
    """A sound model of each kind; nobody changes it."""
    rng = np.random.default_rng(0)
    arrays = {"w": rng.normal(size=(40, 60)).astype(np.float32), "conv": rng.normal(size=(8, 3, 3, 3)), "b": np.ones(3)}
    half = {"h": arrays["w"].astype(ml_dtypes.bfloat16), "f8": arrays["w"].astype(ml_dtypes.float8_e4m3fn)}
    shards = {"a.safetensors": save(arrays), "b.safetensors": save(half)}
    places = dict.fromkeys(arrays, "a.safetensors") | dict.fromkeys(half, "b.safetensors")
    index = json.dumps({"metadata": {"total_size": 400}, "weight_map": places}).encode()
    return {
        "npy": {"w.npy": _numpy(np.save, arrays["w"])},
        "npz": {"w.npz": _numpy(np.savez, **arrays)},
        "npz, packed": {"w.npz": _numpy(np.savez_compressed, **arrays)},
        "safetensors": {"w.safetensors": save(arrays | half)},
        "sharded": {INDEX: index, **shards},
        "folder": {INDEX: index, **shards},
        "no index": {f"m-0000{number}-of-00002.safetensors": shard for number, shard in enumerate(shards.values(), 1)},
        **_of_frameworks(arrays, half),
    }


def _of_frameworks(arrays: dict[str, np.ndarray], half: dict[str, np.ndarray]) -> dict[str, Files]:
    tensors = {"w": torch.tensor(arrays["w"]), "h": torch.ones(4, 6, dtype=torch.bfloat16), "b": torch.ones(3)}
    training = {"model": tensors, "epoch": 3, "optimizer": {"state": {0: {"exp_avg": tensors["w"]}}}}
    outside = numpy_helper.from_array(arrays["w"], "w")
    outside.ClearField("raw_data")
    outside.data_location = onnx.TensorProto.EXTERNAL
    outside.external_data.add(key="location", value="w.data")
    places = json.dumps({"weight_map": dict.fromkeys(tensors, "a.bin")}).encode()
    inside = [numpy_helper.from_array(values, name) for name, values in (arrays | half).items()]
    return {
        "pt": {"w.pt": _saved(tensors)},
        "pt, training": {"w.pt": _saved(training)},
        "pt, before 1.6": {"w.pt": _saved(tensors, _use_new_zipfile_serialization=False)},
        "bin folder": {"pytorch_model.bin.index.json": places, "a.bin": _saved(tensors)},
        "onnx": {"w.onnx": _graph(inside)},
        "onnx, outside": {"w.onnx": _graph([outside]), "w.data": arrays["w"].tobytes()},
        "h5": {"w.h5": _hdf5(arrays)},
        "h5, packed": {"w.h5": _hdf5(arrays, compression="gzip", shuffle=True, fletcher32=True)},
        "h5, late": {"w.h5": _hdf5(arrays, "latest")},
        "keras": {"w.keras": _zipped({"config.json": b"{}", "model.weights.h5": _hdf5(arrays)})},
    }


def _saved(value: object, **options: bool) -> bytes:
    file = io.BytesIO()
    torch.save(value, file, **options)
    return file.getvalue()


def _graph(tensors: list[onnx.TensorProto]) -> bytes:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"]), helper.make_node("Gemm", ["y", "h"], ["z"], transB=1)]
    content: bytes = helper.make_model(helper.make_graph(nodes, "g", [], [], tensors)).SerializeToString()
    return content


def _hdf5(arrays: dict[str, np.ndarray], version: str = "earliest", **options: object) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w", libver=version) as opened:
        for name, values in arrays.items():
            opened.create_dataset(f"layers/dense/{name}/kernel", data=values, **options)
    return file.getvalue()


def _zipped(members: Files) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def _numpy(write: Callable[..., None], *arrays: object, **named: object) -> bytes:
    file = io.BytesIO()
    write(file, *arrays, **named)
    return file.getvalue()
