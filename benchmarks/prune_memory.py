"""What pruning a large checkpoint needs: peak memory against a limit, and time against a survey and a plain copy.

    python -m benchmarks.prune_memory [--gigabytes 8] [--one-tensor] [--pattern unstructured] [--folder DIR]

Makes the checkpoint of ``survey_memory``, or with ``--one-tensor`` a file with a single float32 matrix, which with
``--turned`` is a kernel of Keras, (in, out). Copies it by ``cp``, surveys it by ``entrenar-viz survey``, one worker,
and prunes it by ``entrenar-viz prune``, each in a process of its own. All of it is deleted at the end. Memory is the
resident set at its peak: pages that the system caches of files do not count. Exit 1 above the limit.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.survey_memory import LIMIT, PATTERNS, SURVEY, make, measured, sized
from entrenar_viz import Gradual, PruningConfig

COLUMNS = 16_384


def make_one(path: Path, size: float, *, turned: bool) -> int:
    """Write a single float32 matrix of about ``size`` bytes, some rows at a time; its bytes."""
    rows = max(int(size / 4 / COLUMNS) // 16 * 16, 16)
    shape = [COLUMNS, rows] if turned else [rows, COLUMNS]
    count = rows * COLUMNS
    entry = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * count]}
    header = json.dumps({"dense.kernel" if turned else "fc.weight": entry}).encode()
    header += b" " * (-len(header) % 8)
    rng = np.random.default_rng(0)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for start in range(0, count, 1 << 24):
            file.write(rng.standard_normal(min(1 << 24, count - start), np.float32).data)
    return 4 * count


def copied(source: Path, target: Path) -> float:
    """Seconds that ``cp`` and writing the copy to the disk take."""
    start = time.perf_counter()
    subprocess.run(["cp", "-rL", source, target], check=True)
    subprocess.run(["sync", target if target.is_file() else next(target.iterdir())], check=True)
    return time.perf_counter() - start


def run(folder: Path, size: float, given: argparse.Namespace) -> int:
    model, output = folder / "model", folder / "pruned"
    if given.one_tensor:
        model, output = model.with_suffix(".safetensors"), output.with_suffix(".safetensors")
        total = make_one(model, size, turned=given.turned)
    else:
        model.mkdir()
        total = make(model, size)
    print(f"{total / 1e9:.1f} GB{' in one tensor' if given.one_tensor else ''}, {given.pattern}")
    schedule = Gradual(start_step=0, end_step=100, initial_sparsity=0.0, final_sparsity=0.5, frequency=10)
    config = PruningConfig(schedule=schedule, pattern=PATTERNS[given.pattern], skip_embed_layers=False)
    file = config.save(folder / "pruning.json")
    copying = copied(model, output)
    shutil.rmtree(output) if output.is_dir() else output.unlink()
    surveying, held, _ = measured(SURVEY, "survey", str(model), str(file), "--workers", "1")
    seconds, most, said = measured(SURVEY, "prune", str(model), str(file), "-o", str(output))
    print(said)
    print(f"  prune               {seconds:8.1f} s   peak {most / 1e6:8,.0f} MB   limit {LIMIT / 1e6:,.0f} MB")
    print(f"  survey, 1 worker    {surveying:8.1f} s   peak {held / 1e6:8,.0f} MB   {seconds / surveying:.2f} x")
    print(f"  cp                  {copying:8.1f} s                      {seconds / copying:.2f} x")
    return int(most > LIMIT)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--one-tensor", action="store_true")
    parser.add_argument("--turned", action="store_true", help="with --one-tensor: a kernel, (in, out)")
    given, size = sized(parser, 2.2)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        return run(Path(folder), size, given)


if __name__ == "__main__":
    sys.exit(main())
