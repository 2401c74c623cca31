"""What pruning costs a training step, beside ``torch.nn.utils.prune`` on the same network in the same run.

    python -m benchmarks.pruner [--width 2048] [--batch 128] [--repeat 15]

A perceptron of about 10 million weights (784, width, width, width, 10), trained with SGD and momentum and with Adam.
Prints milliseconds (medians) and ratios: a step without an update to the training step around it, an update to
``torch.kthvalue`` over the same weights, and memory beside that of the weights. ``torch.nn.utils.prune`` computes the
masked weights again in each forward pass, so its step is the difference of two training steps.
"""

import argparse
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from benchmarks.schedules import medians
from entrenar_viz import Cubic, PruningConfig
from entrenar_viz.torch import Pruner

SPARSITY = 0.8
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "SGD, momentum": lambda parameters: torch.optim.SGD(parameters, lr=1e-3, momentum=0.9),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-4),
}


def network(width: int) -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Linear(784, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, 10))


def matrices(model: nn.Module) -> list[Tensor]:
    return [parameter.detach() for parameter in model.parameters() if parameter.ndim == 2]


def training_step(model: nn.Module, make: Callable[..., torch.optim.Optimizer], batch: int) -> Callable[[], None]:
    optimizer = make(model.parameters())
    images, labels = torch.randn(batch, 784), torch.randint(0, 10, (batch,))

    def step() -> None:
        nn.functional.cross_entropy(model(images), labels).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def pruned(width: int) -> tuple[nn.Sequential, Pruner]:
    """A network at SPARSITY whose pruner has no update to make any more."""
    model = network(width)
    last = Cubic(start_step=0, end_step=1, final_sparsity=SPARSITY)
    pruner = Pruner(model, PruningConfig(target_sparsity=SPARSITY, schedule=last, skip_embed_layers=False), 10**9)
    pruner.step()
    return model, pruner


def masked_by_torch(width: int) -> nn.Sequential:
    model = network(width)
    for layer in model:
        if isinstance(layer, nn.Linear):
            prune.l1_unstructured(layer, "weight", SPARSITY)
    return model


def steps(name: str, width: int, batch: int, repeat: int) -> None:
    make = OPTIMIZERS[name]
    model, pruner = pruned(width)
    dense = training_step(network(width), make, batch)
    step, theirs = training_step(model, make, batch), training_step(masked_by_torch(width), make, batch)
    masked = [
        (parameter.detach(), ~pruner.mask(name)) for name, parameter in model.named_parameters() if name in pruner.names
    ]

    def filled() -> None:
        for weights, gone in masked:
            weights.masked_fill_(gone, 0)

    plain, trained, held, filling, torchs = medians(repeat, dense, step, pruner.step, filled, theirs)
    print(f"{name}: a training step takes {trained:.1f} ms ({plain:.1f} ms dense)")
    print(f"  a step of the pruner without update {held:8.2f} ms  {held / trained:6.3f} of it")
    print(f"  the same by masked_fill_            {filling:8.2f} ms  {filling / trained:6.3f}")
    print(f"  what torch.nn.utils.prune adds      {torchs - plain:8.2f} ms  {(torchs - plain) / plain:6.3f} of it")


def updates(width: int, repeat: int) -> None:
    model = network(width)
    weights = matrices(model)
    window = Cubic(start_step=0, end_step=10**6, final_sparsity=SPARSITY)
    pruner = Pruner(model, PruningConfig(target_sparsity=SPARSITY, schedule=window, skip_embed_layers=False), 10**6)

    def kth() -> None:
        for matrix in weights:
            matrix.abs().ravel().kthvalue(max(int(matrix.numel() * SPARSITY), 1))

    def theirs() -> None:
        for layer in network(width):
            if isinstance(layer, nn.Linear):
                prune.l1_unstructured(layer, "weight", SPARSITY)

    made, bare, torchs, drawn = medians(repeat, pruner.step, kth, theirs, lambda: network(width))
    print(f"an update of all masks                {made:8.1f} ms  {made / bare:6.2f} x torch.kthvalue ({bare:.1f} ms)")
    print(f"  torch.nn.utils.prune                {torchs - drawn:8.1f} ms  {(torchs - drawn) / bare:6.2f} x")


def memory(width: int) -> None:
    _, pruner = pruned(width)
    layers = pruner._layers.values()
    weights = sum(layer.parameter.nbytes for layer in layers)
    masks = sum(layer.bits.nbytes for layer in layers if layer.bits is not None)
    theirs = masked_by_torch(width)
    held = sum(
        tensor.nbytes
        for layer in theirs
        if isinstance(layer, nn.Linear)
        for tensor in (layer.weight, layer.weight_mask)
    )
    saved = sum(mask.nbytes for mask in pruner.state_dict()["masks"].values())
    print(f"masks take {masks / weights:.2f} x the weights, {saved / weights:.3f} x in a state dict;", end=" ")
    print(f"torch.nn.utils.prune takes {held / weights:.2f} x (mask and masked weights)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=int, default=2048)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--repeat", type=int, default=15)
    given = parser.parse_args()
    count = sum(matrix.numel() for matrix in matrices(network(given.width)))
    print(f"{count:,} weights, batch {given.batch}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    for name in OPTIMIZERS:
        steps(name, given.width, given.batch, given.repeat)
    updates(given.width, given.repeat)
    memory(given.width)


if __name__ == "__main__":
    main()
