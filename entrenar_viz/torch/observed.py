"""Watches the layers of a model at work: hooks that hand on what enters each, and nothing of the model changed."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from entrenar_viz.models.layer_names import reason_left_whole
from entrenar_viz.models.layout import layout_of
from entrenar_viz.models.torch_tensors import LAZY
from entrenar_viz.torch.collector import Collector
from entrenar_viz.torch.entering import Entering, entering
from entrenar_viz.torch.model_layers import Shared, shared_parameters

Reader = Callable[[Tensor], Entering]
Watched = dict[str, list[tuple[nn.Module, Reader]]]  # the modules that multiply by the tensor of that name


def layers_to_watch(model: nn.Module, *, skip_embed_layers: bool) -> tuple[Watched, dict[str, str]]:
    """The layers by the names of their weight tensors; why the others of two or more dimensions have none."""
    watched: Watched = {}
    skipped: dict[str, str] = {}
    for shared in shared_parameters(model):
        if is_lazy(shared.parameter):
            skipped[shared.name] = LAZY
            continue
        if shared.parameter.ndim < 2:
            continue
        found = [(module, _reader(shared, module)) for _, module in shared.places]
        readers = [(module, reader) for module, reader in found if not isinstance(reader, str)]
        reasons = [reader for _, reader in found if isinstance(reader, str)]
        if why := _left_out(shared, skip_embed_layers=skip_embed_layers):
            skipped[shared.name] = why
        elif readers:
            watched[shared.name] = readers
        else:
            skipped[shared.name] = reasons[0]
    return watched, skipped


def _left_out(shared: Shared, *, skip_embed_layers: bool) -> str:
    if not shared.parameter.is_floating_point():
        return f"{shared.parameter.dtype} is quantized or no weight: calibrate before quantizing"
    places = shared.places if skip_embed_layers else []
    return next(filter(None, (reason_left_whole(name, type(module).__name__) for name, module in places)), "")


def _reader(shared: Shared, module: nn.Module) -> Reader | str:
    """What reads the input of a module as rows for this parameter of it, or why there is nothing to read."""
    if layout_of(shared.name, tuple(shared.parameter.shape), type(module).__name__).experts:
        return f"{type(module).__name__} has its experts in one tensor: no layer is called for one of them"
    if type(module).__name__ == "ParametrizationList":
        return "a part of a parametrization, not a weight itself"
    if module._parameters.get("weight") is not shared.parameter:
        return f"{type(module).__name__} computes with it by itself: no layer is called whose input could be seen"
    return entering(module)


@contextmanager
def watching(watched: Watched, collectors: dict[str, Collector]) -> Iterator[None]:
    """Let each call of a watched layer add to the collector of its name, until the end."""
    with ExitStack() as hooks:
        for name, readers in watched.items():
            for module, reader in readers:
                hook = partial(_collect, reader, collectors[name])
                hooks.callback(module.register_forward_hook(hook, with_kwargs=True).remove)
        yield


def _collect(reader: Reader, collector: Collector, _: nn.Module, args: Any, kwargs: dict[str, Any], __: Any) -> None:
    """Called after the layer, which has its own words for what it cannot multiply."""
    collector.add(reader((*args, *kwargs.values())[0].detach()))


@contextmanager
def undisturbed(model: nn.Module) -> Iterator[None]:
    """Evaluation without gradients and compiled code; at the end modes and states of randomness are those of before."""
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({parameter.device.index or 0 for parameter in model.parameters() if parameter.is_cuda})
    fast = torch.backends.mha.get_fastpath_enabled()
    try:
        torch.backends.mha.set_fastpath_enabled(False)  # it computes whole encoder layers without calling their parts
        with torch.random.fork_rng(devices), _uncompiled(), torch.no_grad():
            model.eval()
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module, mode in modes:
            module.training = mode


def _uncompiled() -> AbstractContextManager[object]:
    """Let compiled code run as it is written, hooks included; no compiler is loaded for that (80 MB)."""
    return torch.compiler.set_stance("force_eager") if "torch._dynamo" in sys.modules else nullcontext()
