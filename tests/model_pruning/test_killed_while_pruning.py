"""A run that is killed at any moment leaves nothing at its destination, or all of it."""

import os
import random
import subprocess
import sys

import pytest

from entrenar_viz import PruningConfig, prune_checkpoint
from tests.model_pruning.models import as_entries, checkpoint, drawn, write_safetensors

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
OTHER = PruningConfig(target_sparsity=0.25)
TIMES, LONGEST = 60, 0.03  # runs that are killed, and s that each lives at most
# forks a run for each line of input and kills it so many seconds after its first words
KILLER = """
import os, signal, sys, time
from entrenar_viz import prune_checkpoint
from tests.model_pruning.test_killed_while_pruning import OTHER

for line in sys.stdin:
    reads, writes = os.pipe()
    run = os.fork()
    if run == 0:
        os.write(writes, b"!")
        prune_checkpoint(sys.argv[1], OTHER, sys.argv[2], overwrite=True)
        time.sleep(60)
    os.read(reads, 1)
    time.sleep(float(line))
    os.kill(run, signal.SIGKILL)
    print(os.waitpid(run, 0)[1], flush=True)
    os.close(reads)
    os.close(writes)
"""


def content(path):
    """What is at ``path``: the bytes of all files there, None if there is none."""
    if path.is_dir():
        return {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}
    return {"": path.read_bytes()} if path.exists() else None


def killed(source, output):
    """Kill runs at random moments, and yield after each of them what it has left."""
    rng = random.Random(0)
    command = [sys.executable, "-c", KILLER, str(source), str(output)]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as killer:
        for _ in range(TIMES):
            killer.stdin.write(f"{rng.random() * LONGEST}\n")
            killer.stdin.flush()
            assert killer.stdout.readline().strip() == "9"
            yield content(output)
        killer.stdin.close()
        assert killer.wait() == 0


@pytest.mark.parametrize("is_folder", [False, True])
def test_what_is_there_is_whole(tmp_path, is_folder):
    if is_folder:
        source, output = checkpoint(tmp_path / "llama"), tmp_path / "out"
    else:
        source = write_safetensors(tmp_path / "in.safetensors", as_entries({"fc": drawn((256, 256))}))
        output = tmp_path / "out.safetensors"
    before = content(source)
    (tmp_path / "sure").mkdir()
    whole = content(prune_checkpoint(source, OTHER, tmp_path / "sure" / output.name).path)
    found = list(killed(source, output))
    assert all(one is None or one == whole for one in found)
    assert content(source) == before
    hidden = [path.name for path in tmp_path.iterdir() if path.name.startswith(".")]
    mine = (f".{output.name}.", ".sparsity_metadata.json.")
    assert all(name.startswith(mine) and name.endswith((".tmp", ".tmp.old")) for name in hidden)
    prune_checkpoint(source, OTHER, output, overwrite=True)
    assert content(output) == whole
