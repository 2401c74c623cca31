"""What the schedules and their replay cost beside plain numpy, and the package beside its two dependencies.

    python benchmarks/schedules.py [--repeat 15]

Three tables: a million steps in one array call, the replay of ten million steps of Cubic, and the import in a fresh
interpreter. Times are in milliseconds; ratios are of medians taken in turn, so that a busy machine slows both sides.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from entrenar_viz import Cubic, Gradual, OneShot, PruningConfig, replay

MILLION, TEN_MILLION = 1_000_000, 10_000_000
HEAVY = ("matplotlib", "ipywidgets", "anywidget", "traitlets", "safetensors", "ml_dtypes")
ONE_DATACLASS = "pydantic.dataclasses.dataclass(type('A', (), {'__annotations__': {'x': int}}))(x=1)"
Steps = NDArray[np.int64]
Sparsity = NDArray[np.float32]


def plain_one_shot(steps: Steps, step: int) -> Sparsity:
    return np.where(steps < step, np.float32(0), np.float32(1))


def plain_gradual(steps: Steps, start: int, end: int, initial: np.float32, final: np.float32) -> Sparsity:
    progress = (steps - start).astype(np.float32) / np.float32(end - start)
    line = initial + progress * (final - initial)
    return np.where(steps < start, initial, np.where(steps >= end, final, line))


def plain_cubic(steps: Steps, start: int, end: int, final: np.float32) -> Sparsity:
    left = np.float32(1) - (steps - start).astype(np.float32) / np.float32(end - start)
    curve = final * (np.float32(1) - left * left * left)
    return np.where(steps < start, np.float32(0), np.where(steps >= end, final, curve))


def medians(repeat: int, *actions: Callable[[], object]) -> list[float]:
    """Milliseconds of each action, run in turn ``repeat`` times after one run to warm up."""
    times: list[list[float]] = [[] for _ in actions]
    for turn in range(repeat + 1):
        for action, taken in zip(actions, times, strict=True):
            begin = time.perf_counter()
            action()
            if turn:
                taken.append(1000 * (time.perf_counter() - begin))
    return [statistics.median(taken) for taken in times]


def line(what: str, ours: float, plain: float, limit: float) -> None:
    ratio = ours / plain
    verdict = "ok" if ratio <= limit else "MISSED"
    print(f"  {what:<22}{ours:10.2f}{plain:10.2f}{ratio:8.2f} x   at most {limit:g} x: {verdict}")


def head(title: str, plain: str) -> None:
    print(f"{title}\n  {'':<22}{'ours':>10}{plain:>10}{'ratio':>10}")


def array_calls(repeat: int) -> None:
    steps = np.arange(MILLION)
    start, end, final = 100_000, 600_000, np.float32(0.7)
    window = {"start_step": start, "end_step": end, "final_sparsity": 0.7}
    gradual = Gradual(**window, initial_sparsity=0.1, frequency=500)
    one_shot, cubic = OneShot(step=end), Cubic(**window)
    pairs: dict[str, tuple[Callable[[], Sparsity], Callable[[], Sparsity]]] = {
        "OneShot": (lambda: one_shot.sparsity_at_step(steps), lambda: plain_one_shot(steps, end)),
        "Gradual": (
            lambda: gradual.sparsity_at_step(steps),
            lambda: plain_gradual(steps, start, end, np.float32(0.1), final),
        ),
        "Cubic": (lambda: cubic.sparsity_at_step(steps), lambda: plain_cubic(steps, start, end, final)),
    }
    head("a million steps in one array call, ms", "numpy")
    for name, (ours, plain) in pairs.items():
        np.testing.assert_array_equal(ours(), plain())
        line(name, *medians(repeat, ours, plain), limit=3)


def replayed(repeat: int) -> None:
    end = TEN_MILLION
    config = PruningConfig(schedule=Cubic(start_step=0, end_step=end, final_sparsity=0.7))
    steps = np.arange(end + 1)
    ours, plain = medians(repeat, lambda: replay(config, end), lambda: plain_cubic(steps, 0, end, np.float32(0.7)))
    head("replay of ten million steps of Cubic, ms", "numpy")
    print(f"  {'one pass of it':<22}{ours:10.1f}{plain:10.1f}{ours / plain:8.2f} x   ", end="")
    print(f"under 1,000 ms: {'ok' if ours < 1000 else 'MISSED'}")


def imports(repeat: int) -> None:
    """Pydantic loads most of itself on first use, so the second pair compares what both sides cost once in use."""
    statements = (
        "import entrenar_viz",
        "import numpy, pydantic",
        "import entrenar_viz; entrenar_viz.PruningConfig()",
        f"import numpy, pydantic; {ONE_DATACLASS}",
    )
    ours, plain, ours_used, plain_used = medians(repeat, *map(fresh, statements))
    head("import in a fresh interpreter, ms", "plain")
    line("numpy, pydantic", ours, plain, limit=1.5)
    line("the same, in use", ours_used, plain_used, limit=1.5)
    ask = f"{statements[2]}; import json, sys; print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    found = json.loads(subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True).stdout)
    print(f"  loaded of {', '.join(HEAVY)}: {', '.join(found) or 'none'}")


def fresh(statement: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", statement], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeat", type=int, default=15, help="runs of each side")
    repeat = parser.parse_args().repeat
    print(f"Python {sys.version.split()[0]}, numpy {np.__version__}, median of {repeat}")
    array_calls(repeat)
    replayed(max(repeat // 3, 3))
    imports(repeat)


if __name__ == "__main__":
    main()
