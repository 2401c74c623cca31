"""Tensors and modules of PyTorch as they are in memory. Nothing here imports torch: whoever has one has loaded it."""

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from entrenar_viz.models.tensor_files import FLOATS, Stored

QUANTIZED = "quantized: prune before quantizing"
LAZY = "has no shape yet: run the model once on a batch"
_WRAPPERS = ("DistributedDataParallel", "DataParallel")
_COMPILED = "_orig_mod"  # where torch.compile keeps the module itself


def is_tensor(value: object) -> bool:
    """Whether ``value`` is a tensor of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_module(value: object) -> bool:
    """Whether ``value`` is a module of PyTorch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def stored_tensor(tensor: Any, kind: str = "") -> Stored:
    """``tensor`` as if it were stored in a file: it is copied to the CPU, or at all, only when it is read."""
    if why := _unreadable(tensor):
        return Stored((), "", partial(_no_numbers, why), refused=why, kind=kind)
    held, dtype = tensor.detach(), dtype_of(tensor)
    return Stored(tuple(held.shape), dtype, partial(as_numpy, held), part=partial(_rows, held), kind=kind)


def dtype_of(tensor: Any) -> str:
    """The number format by its numpy name: PyTorch, numpy and ml_dtypes agree on those that can be pruned."""
    return str(tensor.dtype).removeprefix("torch.")


def as_numpy(tensor: Any) -> NDArray[Any]:
    """The numbers of a tensor, on whatever device it is: a view of it where it is on the CPU."""
    held, dtype = tensor.detach().cpu(), dtype_of(tensor)
    try:
        return np.asarray(held.numpy())
    except TypeError:  # formats that numpy itself lacks: the same bits, by the name that ml_dtypes has for them
        import ml_dtypes

        torch = sys.modules["torch"]
        bits = {1: torch.uint8, 2: torch.int16}[held.element_size()]
        return np.asarray(held.view(bits).numpy()).view(getattr(ml_dtypes, dtype))


def stored_module(model: Any) -> dict[str, Stored]:
    """The parameters of a module by name, tied ones once, each with the class of the module that holds it.

    Names are those of the plain model, also where DistributedDataParallel or torch.compile have wrapped it. Buffers
    are no parameters. Modules that are quantized are named, with the reason that they cannot be pruned.
    """
    model = unwrapped(model)
    kinds = _kinds(model)
    stored = {name: stored_tensor(tensor, kinds.get(id(tensor), "")) for name, tensor in model.named_parameters()}
    packed = [_join(path, name) for path, owner in model.named_modules() if (name := packed_weight(owner))]
    refused = {name: Stored((), "", partial(_no_numbers, QUANTIZED), refused=QUANTIZED) for name in packed}
    return {plain_name(name): one for name, one in (stored | refused).items()}


def _kinds(model: Any) -> dict[int, str]:
    """The class of the module that has a parameter, by its ``id``: of a tied one the first, or that of an embedding."""
    found: dict[int, str] = {}
    for owner in model.modules():
        for name in _own(owner):
            parameter, kind = owner._parameters[name], type(owner).__name__
            if id(parameter) not in found or "Embedding" in kind:
                found[id(parameter)] = kind
    return found


def plain_name(name: str) -> str:
    """The name of a parameter as if no part of the model were compiled."""
    return name.replace(f"{_COMPILED}.", "")


def _unreadable(tensor: Any) -> str:
    """Why no numbers of ``tensor`` can be read, an empty text if they can."""
    torch, name = sys.modules["torch"], type(tensor).__name__
    if name == "DTensor":
        return "DTensor: each process has a part of it, pass tensor.full_tensor()"
    if name.startswith("Uninitialized"):
        return LAZY
    if tensor.is_meta:
        return "on the meta device: it has no numbers, load the weights first"
    if tensor.is_quantized or ("quant" in name.lower() and dtype_of(tensor) in FLOATS):
        return QUANTIZED
    if tensor.is_nested or tensor.layout != torch.strided:
        return f"{'nested' if tensor.is_nested else tensor.layout}: make it dense, tensor.to_dense()"
    return ""


def _rows(tensor: Any, start: int, stop: int) -> NDArray[Any]:
    return as_numpy(tensor[start:stop])


def _no_numbers(why: str) -> NDArray[Any]:
    raise ValueError(why)


def unwrapped(model: Any) -> Any:
    """The model itself, without DistributedDataParallel, DataParallel and torch.compile around it."""
    while True:
        inside = model._modules.get(_COMPILED)
        if inside is None and type(model).__name__ in _WRAPPERS:
            inside = model._modules.get("module")
        if inside is None:
            return model
        model = inside


def packed_weight(module: Any) -> str:
    """The name under which ``module`` itself keeps weights that are quantized and no parameters, empty if it does not.

    Those of PyTorch have ``weight()``, those of GPTQ and AWQ a buffer ``qweight``.
    """
    if "qweight" in module._buffers:
        return "qweight"
    packed = "quantized" in type(module).__module__ and hasattr(module, "weight") and not list(_own(module))
    return "weight" if packed else ""


def _own(module: Any) -> Iterator[str]:
    yield from (name for name, value in module._parameters.items() if value is not None)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
