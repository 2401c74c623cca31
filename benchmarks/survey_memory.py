"""What a survey of a large checkpoint needs: peak memory against a limit, and time against reading and sorting.

    python -m benchmarks.survey_memory [--gigabytes 8] [--workers N] [--pattern unstructured] [--folder DIR]

Makes a sharded bfloat16 checkpoint with the layer shapes of Llama 3 8B, surveys it by ``entrenar-viz survey`` in a
process of its own, then reads each tensor and sorts it by ``np.sort``, in another process. The checkpoint is deleted
at the end. Memory is the resident set at its peak: pages that the system caches of files do not count. Exit 1 above
the limit.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import ml_dtypes
import numpy as np
from safetensors.numpy import save_file

from entrenar_viz import NM, Block, Column, Gradual, PruningConfig, Row, Unstructured

LIMIT = 1.5e9  # bytes of peak resident memory
HIDDEN, INNER, KEYS, WORDS = 4096, 14336, 1024, 128_256
ATTENTION = {"q_proj": (HIDDEN, HIDDEN), "k_proj": (KEYS, HIDDEN), "v_proj": (KEYS, HIDDEN), "o_proj": (HIDDEN, HIDDEN)}
MLP = {"gate_proj": (INNER, HIDDEN), "up_proj": (INNER, HIDDEN), "down_proj": (HIDDEN, INNER)}
PATTERNS = {
    "unstructured": Unstructured(),
    "nm": NM(n=2, m=4),
    "block": Block(height=4, width=4),
    "row": Row(),
    "column": Column(),
}
SURVEY = "import sys; from entrenar_viz.cli.command import main; code = main(sys.argv[1:])"
SORT = "import sys, numpy as np; from entrenar_viz import load_weights; weights = load_weights(sys.argv[1])"
SORT += "\nfor name in weights: np.sort(weights.matrix(name), axis=None)"
PEAK = "\nfrom benchmarks.survey_memory import peak; print(peak())"


def shapes(size: float) -> Iterator[tuple[str, tuple[int, int]]]:
    """Names and shapes of about ``size`` bytes in bfloat16: embedding and head, then as many blocks as fit."""
    left = size - 2 * 2 * WORDS * HIDDEN
    yield "model.embed_tokens.weight", (WORDS, HIDDEN)
    yield "lm_head.weight", (WORDS, HIDDEN)
    block = 0
    while left > 0:
        for part, layers in (("self_attn", ATTENTION), ("mlp", MLP)):
            for name, shape in layers.items():
                yield f"model.layers.{block}.{part}.{name}.weight", shape
                left -= 2 * shape[0] * shape[1]
        block += 1


def make(folder: Path, size: float) -> int:
    """Write the checkpoint, a shard for each tensor; its bytes."""
    rng, places, total = np.random.default_rng(0), {}, 0
    drawn = (0.02 * rng.standard_normal(1 << 24, np.float32)).astype(ml_dtypes.bfloat16)
    for number, (name, shape) in enumerate(shapes(size)):
        count = shape[0] * shape[1]
        start = int(rng.integers(1 << 20))
        values = np.resize(drawn[start:], count).reshape(shape)  # repeats, but no two tensors are the same
        places[name] = f"model-{number + 1:05}.safetensors"
        save_file({name: values}, folder / places[name])
        total += values.nbytes
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return total


def peak() -> int:
    """The most bytes that this process has held in memory."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss also counts what the parent held when it started this process
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measured(code: str, *arguments: str) -> tuple[float, int, str]:
    """Seconds, peak bytes and what else was printed, of ``code`` in a fresh interpreter."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code + PEAK, *arguments], check=True, capture_output=True, text=True)
    *said, held = done.stdout.splitlines()
    return time.perf_counter() - start, int(held), said[-1] if said else ""


def run(folder: Path, size: float, workers: int, pattern: str) -> int:
    total = make(folder, size)
    print(f"{total / 1e9:.1f} GB of bfloat16 in {len(list(folder.glob('*.safetensors')))} shards, {pattern}")
    schedule = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=0.5, frequency=10)
    config = PruningConfig(schedule=schedule, pattern=PATTERNS[pattern], skip_embed_layers=False).save(
        folder / "pruning.json"
    )
    seconds, most, said = measured(SURVEY, "survey", str(folder), str(config), "--workers", str(workers))
    print(said)
    print(f"  survey, {workers} workers   {seconds:8.1f} s   peak {most / 1e6:8,.0f} MB   limit {LIMIT / 1e6:,.0f} MB")
    sorting, held, _ = measured(SORT, str(folder))
    print(
        f"  read and np.sort    {sorting:8.1f} s   peak {held / 1e6:8,.0f} MB   survey takes {seconds / sorting:.2f} x"
    )
    return int(most > LIMIT)


def sized(parser: argparse.ArgumentParser, times: float) -> tuple[argparse.Namespace, float]:
    """The arguments, and the bytes of the checkpoint, ``times`` as many of which must be free where it is to go."""
    parser.add_argument("--gigabytes", type=float, default=8)
    parser.add_argument("--pattern", choices=PATTERNS, default="unstructured")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is room for it")
    given = parser.parse_args()
    size = given.gigabytes * 1e9
    if (free := shutil.disk_usage(given.folder).free) < times * size + 3e9:
        parser.error(f"{given.folder} has {free / 1e9:.0f} GB free, too few for {given.gigabytes:g}: use --folder")
    return given, size


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    given, size = sized(parser, 1.2)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        return run(Path(folder), size, given.workers, given.pattern)


if __name__ == "__main__":
    sys.exit(main())
