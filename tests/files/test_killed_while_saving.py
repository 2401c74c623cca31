"""Files outlive a process that is killed while it writes them: the old one is there or the new one, both whole."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from entrenar_viz import Cubic, OneShot, Pin, PruningConfig, Session
from entrenar_viz.workspace import presets
from entrenar_viz.workspace.presets import FOLDER_VARIABLE, presets_file

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL")
ONE = PruningConfig(schedule=OneShot(step=5), target_sparsity=0.25)
OTHER = PruningConfig(schedule=Cubic(start_step=1, end_step=70_000, final_sparsity=0.9), target_sparsity=0.9)
MOST_SAVES = 3  # that a writer finishes before it is killed in the next one
# forks a writer for each line of input, "saves share", and kills it in the midst of the save after so many
KILLER = """
import itertools, os, signal, sys, time
from tests.files.test_killed_while_saving import ONE, OTHER, SAVES

save, path, took = SAVES[sys.argv[1]], sys.argv[2], 0.0
for line in sys.stdin:
    saves, share = line.split()
    reads, writes = os.pipe()
    writer = os.fork()
    if writer == 0:
        os.write(writes, b"!")
        for config in itertools.cycle((ONE, OTHER)):
            save(path, config)
            os.write(writes, b".")
    os.read(reads, 1)
    began = time.perf_counter()
    for _ in range(int(saves)):
        os.read(reads, 1)
    if int(saves):
        took = (time.perf_counter() - began) / int(saves)  # of a save, on this machine and as busy as it is now
    time.sleep(float(share) * took)
    os.kill(writer, signal.SIGKILL)
    print(os.waitpid(writer, 0)[1], flush=True)
    os.close(reads)
    os.close(writes)
"""
SAVES = {
    "config": lambda path, config: config.save(path, overwrite=True),
    "session": lambda path, config: _session(config).save(path, overwrite=True),
    "preset": lambda _, config: presets.save("mine", config, 9, overwrite=True),
}


def _session(config):
    return Session(config=config, total_steps=9, pins=[Pin(name="as it was", config=config, total_steps=9)])


def killed(kind: str, path: Path, times: int):
    """Kill writers of ``path`` at random moments, and yield after each of them what they have left at ``path``."""
    rng = random.Random(0)
    environment = os.environ | {FOLDER_VARIABLE: str(path.parent)}
    command = [sys.executable, "-c", KILLER, kind, str(path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as killer:
        for number in range(times):
            killer.stdin.write(f"{number % (MOST_SAVES + 1)} {rng.random() if number else 0}\n")
            killer.stdin.flush()
            assert killer.stdout.readline().strip() == "9"  # the writer ended by SIGKILL and by nothing else
            yield path.read_text() if path.exists() else None
        killer.stdin.close()
        assert killer.wait() == 0


def left_over(path: Path, times: int) -> None:
    """Unfinished files are hidden, say whose they are, are at most one a kill, and are in nobody's way."""
    others = [file.name for file in path.parent.iterdir() if file != path]
    assert len(others) <= times
    assert all(name.startswith(f".{path.name}.") and name.endswith(".tmp") for name in others)


def test_an_export_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path):
    path, times = tmp_path / "pruning.json", 200
    found = list(killed("config", path, times))
    assert set(found) - {None} == {ONE.to_json(), OTHER.to_json()}
    assert None not in found[found.index(next(filter(None, found))) :]
    left_over(path, times)
    assert len(list(tmp_path.iterdir())) > 1  # some were killed in the midst of it
    ONE.save(path, overwrite=True)
    assert PruningConfig.load(path) == ONE
    left_over(path, times)


def test_a_session_that_is_killed_is_whole_or_not_there(tmp_path):
    path, times, found = tmp_path / "pruning.session.json", 40, set()
    for content in killed("session", path, times):
        found.add(content)
        path.unlink(missing_ok=True)  # so that there is a first time for every writer
    assert found == {None, *(_session(config).to_json() for config in (ONE, OTHER))}
    left_over(path, times)
    _session(ONE).save(path, overwrite=True)
    assert path.read_text() == _session(ONE).to_json()


def test_a_preset_that_is_killed_is_whole(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    path, times = presets_file(), 40
    presets.save("kept", OTHER, 7)
    for _ in killed("preset", path, times):
        kept = presets.load()
        assert kept.pop("kept").config == OTHER
        assert all(pin.name == "mine" and pin.config in (ONE, OTHER) for pin in kept.values())
    assert "mine" in presets.load()
    left_over(path, times)
    presets.save("mine", ONE, 9, overwrite=True)
    assert presets.load()["mine"].config == ONE
