"""What collecting calibration data costs beside the forward passes that it watches, and the memory that it keeps.

    python -m benchmarks.calibration [--batches 8] [--repeat 5] [--rows 1024]

A Llama of random weights (4 blocks, hidden 512, 4 x 256 tokens a batch) and a network of convolutions (16 images of
3 x 64 x 64 a batch), on one thread. Times are processor seconds, medians of runs in turn, so that what else the machine
does falls on all of them or none. Memory is the peak of a process of its own, less that of one without collecting.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median

import torch
from torch import Tensor, nn

from entrenar_viz.masks.calibration import Calibration
from entrenar_viz.torch import calibrate

PEAK = "from benchmarks import calibration, survey_memory; calibration.run({!r}, {}, {}); print(survey_memory.peak())"


class Llama(nn.Module):
    """A Llama that gives its logits for tokens."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import LlamaConfig, LlamaForCausalLM

        sizes = {"hidden_size": 512, "intermediate_size": 1408, "num_hidden_layers": 4, "num_attention_heads": 8}
        self.model = LlamaForCausalLM(LlamaConfig(vocab_size=1000, **sizes))

    def forward(self, tokens: Tensor) -> Tensor:
        """(batch, tokens, words)."""
        return self.model(tokens).logits


def convolutions() -> nn.Sequential:
    sizes = [3, 64, 64, 128, 128]
    layers = [
        layer
        for number, (before, after) in enumerate(pairwise(sizes))
        for layer in (nn.Conv2d(before, after, 3, stride=1 + number % 2, padding=1), nn.ReLU())
    ]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10))


def made(kind: str, count: int) -> tuple[nn.Module, list[Tensor]]:
    """The model and its batches."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if kind == "Llama":
        return Llama().eval(), [torch.randint(0, 1000, (4, 256)) for _ in range(count)]
    return convolutions().eval(), [torch.randn(16, 3, 64, 64) for _ in range(count)]


def plain(model: nn.Module, batches: list[Tensor]) -> None:
    with torch.no_grad():
        for batch in batches:
            model(batch)


def run(kind: str, count: int, rows: int) -> None:
    """One run for the measure of its memory; no collecting if ``rows`` is below 0."""
    model, batches = made(kind, count)
    plain(model, batches) if rows < 0 else calibrate(model, batches, rows=rows)


def seconds(actions: list[Callable[[], object]], repeat: int) -> list[float]:
    times: list[list[float]] = [[] for _ in actions]
    for number in range(repeat + 1):
        for action, taken in zip(actions, times, strict=True):
            start = time.process_time()
            action()
            if number:
                taken.append(time.process_time() - start)
    return [median(taken) for taken in times]


def peak(kind: str, count: int, rows: int) -> int:
    """Bytes at the peak of a process that runs nothing else."""
    command = [sys.executable, "-c", PEAK.format(kind, count, rows)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def kept(found: Calibration) -> int:
    return sum(4 * rows * columns for rows, columns in map(found.shape, found))


def measure(kind: str, count: int, repeat: int, rows: int) -> None:
    model, batches = made(kind, count)
    forward, norms, both = seconds(
        [
            lambda: plain(model, batches),
            lambda: calibrate(model, batches, rows=0),
            lambda: calibrate(model, batches, rows=rows),
        ],
        repeat,
    )
    print(f"{kind}: {count} batches, {forward:.2f} s without collecting")
    print(f"  norms only           {norms / forward:5.2f} x")
    print(f"  norms and {rows:,} rows  {both / forward:5.2f} x")
    bytes_kept, before = kept(calibrate(model, batches, rows=rows)), peak(kind, count, -1)
    for given in (0, rows):
        more = peak(kind, count, given) - before
        print(f"  memory, {given:5,} rows   {more / 1e6:+5.0f} MB at the peak", end="")
        print(f", {bytes_kept / 1e6:.0f} MB kept" if given else "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--rows", type=int, default=1024)
    given = parser.parse_args()
    for kind in ("Llama", "convolutions"):
        measure(kind, given.batches, given.repeat, given.rows)


if __name__ == "__main__":
    main()
