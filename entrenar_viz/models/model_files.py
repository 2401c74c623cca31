"""A model file by its path: which reader opens it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from entrenar_viz.errors import WeightsError
from entrenar_viz.models.keras_files import read_h5, read_keras
from entrenar_viz.models.numpy_files import read_npy, read_npz
from entrenar_viz.models.onnx_files import read_onnx
from entrenar_viz.models.safetensors_files import read_safetensors
from entrenar_viz.models.tensor_files import Again, Stored, blame, reading, stamp_of
from entrenar_viz.models.torch_files import read_torch

Reader = Callable[[IO[bytes], Again], dict[str, Stored]]
PICKLED = (".pt", ".pth", ".bin", ".ckpt")  # as torch.save writes them
READERS: dict[str, Reader] = {
    ".safetensors": read_safetensors,
    ".npz": read_npz,
    ".npy": read_npy,
    **dict.fromkeys(PICKLED, read_torch),
    ".onnx": read_onnx,
    **dict.fromkeys((".h5", ".hdf5"), read_h5),
    ".keras": read_keras,
}
_OTHERS = {  # what is known of formats that are not read, by their endings
    ".gguf": "holds weights that are quantized for inference already",
    ".tflite": "is a model compiled for inference",
    ".pb": "holds a graph of TensorFlow",
    ".msgpack": "is what Flax serialises",
    ".pkl": "is a pickle, which can run code,",
    ".pickle": "is a pickle, which can run code,",
}
_SAVE = "save its weights as .safetensors: safetensors.numpy.save_file({name: array, ...}, path)"


def open_model(path: Path) -> dict[str, Stored]:
    """The tensors of the file there by name, as they are stored; no number is read.

    WeightsError, which names the file, for whatever is wrong with it, and if its format needs an extra.
    """
    suffix = path.suffix.lower()
    with blame(str(path)):
        if suffix not in READERS and not path.exists():
            raise WeightsError(f"{path}: does not exist")
        if suffix in _OTHERS:
            raise WeightsError(f"{path}: {suffix} {_OTHERS[suffix]} and is not read here: {_SAVE}")
        if path.is_dir():
            raise WeightsError(f"{path}: is a folder, not a file")
        if suffix not in READERS:
            raise WeightsError(f"{path}: the name must end in {', '.join(READERS)} or .index.json")
        with reading(path) as file:
            return READERS[suffix](file, partial(reading, path, stamp_of(file)))
