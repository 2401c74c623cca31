"""Opens and reads thousands of broken model files of every kind: whatever is wrong, only WeightsError may come out.

    python -m benchmarks.mutated_models [--files 10000] [--seed 0] [--only N]

Each model starts whole, is broken in one to three places by a generator that its number seeds, and is then opened and
read to the end. Prints how many were read, refused on opening and refused on reading, per kind, and every escape with
its number, which ``--only`` repeats. A crash ends the command and leaves the folder ``mutated-<number>-...`` in the
temporary folder. Run it after ``ulimit -v 3000000``, so that no file may claim more memory either. Exits with 1 if
anything but WeightsError came out.
"""

import argparse
import faulthandler
import io
import json
import random
import resource
import shutil
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnx

from benchmarks.whole_models import Files, whole
from entrenar_viz.errors import WeightsError
from entrenar_viz.models.model_folder import INDEX
from entrenar_viz.models.weights import load_weights

FLAGS = {"sharded": INDEX, "folder": ".", "no index": ".", "bin folder": "."}  # what is opened, if not the first file
ZIPS = (".npz", ".pt", ".bin", ".keras")
NASTY = (-1, 0, 1, 2**31, 2**32 - 1, 2**63, 2**64, 10**30, 1.5, None, "", [], {}, "\0", "<b>", "../w.safetensors")
NAMES = ("/etc/passwd", "C:\\w.safetensors", "../m/a.safetensors", "b.safetensors", "c.safetensors", INDEX, "x" * 300)


# Breaking -------------------------------------------------------------------------------------------------------------


def broken(files: Files, rng: random.Random) -> Files:
    """``files`` with one to three things wrong; now and then none that matters."""
    files = dict(files)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if not files:
            break
        name = rng.choice(list(files))
        if len(files) > 1 and rng.random() < 0.1:
            _misplace(files, name, rng)
        elif name.endswith(".json"):
            files[name] = rng.choice((_bytes, _json))(files[name], rng)
        elif name.endswith(".safetensors"):
            files[name] = rng.choice((_bytes, _header))(files[name], rng)
        else:
            ways = [_bytes, _number, *[_member] * name.endswith(ZIPS), *[_message] * name.endswith(".onnx")]
            files[name] = rng.choice(ways)(files[name], rng)
    return files


def _misplace(files: Files, name: str, rng: random.Random) -> None:
    """Lose a file, put another in its place, or give it another name."""
    content = files.pop(name)
    what = rng.randrange(3)
    if what == 1:
        files[name] = rng.choice([*files.values()])
    if what == 2:
        files[rng.choice(("c.safetensors", "model.safetensors", "w.bin", "w.npz", INDEX))] = content


def _bytes(content: bytes, rng: random.Random) -> bytes:
    """Bytes changed, cut off, left out, doubled or added."""
    start = _place(content, rng)
    end = min(len(content), start + rng.choice((1, 1, 2, 4, 8, 60)))
    new = bytes(rng.choice((0, 1, 32, 127, 255, rng.randrange(256))) for _ in range(end - start))
    middle = rng.choice((*[new] * 9, b"", content[start:end] * 2, content[start:end] + new))
    return content[:start] if rng.random() < 0.05 else content[:start] + middle + content[end:]


def _number(content: bytes, rng: random.Random) -> bytes:
    """A count or an offset replaced by an extreme one, wherever the bytes may stand for one."""
    size, code = rng.choice(((2, "<H"), (4, "<I"), (8, "<Q")))
    start = _place(content, rng)
    value = rng.choice((0, 1, 2**15, 2 ** (8 * size) - 1, rng.randrange(2 ** (8 * size)))) % 2 ** (8 * size)
    return content[:start] + struct.pack(code, value) + content[start + size :]


def _place(content: bytes, rng: random.Random) -> int:
    """Anywhere, or near one of the ends, where the headers are."""
    near = min(300, len(content))
    return rng.choice((rng.randint(0, len(content)), rng.randint(0, near), len(content) - rng.randint(0, near)))


def _member(content: bytes, rng: random.Random) -> bytes:
    """One member of a sound archive broken, with the checksum of what it is now."""
    file = io.BytesIO()
    try:
        with (
            zipfile.ZipFile(io.BytesIO(content)) as old,
            zipfile.ZipFile(file, "w", old.infolist()[0].compress_type) as new,
        ):
            chosen = rng.choice(old.namelist())
            for name in old.namelist():
                new.writestr(
                    name, rng.choice((_bytes, _number))(old.read(name), rng) if name == chosen else old.read(name)
                )
    except Exception:  # it is broken already, in whatever way
        return content
    return file.getvalue()


def _message(content: bytes, rng: random.Random) -> bytes:
    """A sound model of ONNX of which one tensor says something else."""
    try:
        model = onnx.ModelProto.FromString(content)
        tensor = rng.choice(model.graph.initializer)
    except Exception:  # it is broken already, in whatever way
        return content
    what = rng.randrange(5)
    if what == 0:
        tensor.data_type = rng.randrange(40)
    elif what == 1:
        tensor.dims.insert(rng.randrange(3), rng.choice((-1, 0, 1, 2, 2**31, 2**62)))
    elif what == 2:
        tensor.data_location = rng.choice((onnx.TensorProto.DEFAULT, onnx.TensorProto.EXTERNAL))
    elif what == 3:
        key = rng.choice(("location", "offset", "length"))
        tensor.external_data.add(key=key, value=rng.choice((*map(str, NASTY), *NAMES, "w.data")))
    else:
        tensor.float_data.append(1.0)
        tensor.ClearField(rng.choice(("raw_data", "name", "dims")))
    changed: bytes = model.SerializeToString()
    return changed


def _header(content: bytes, rng: random.Random) -> bytes:
    """A header of safetensors that is sound as text and says something else."""
    length = int.from_bytes(content[:8], "little")
    text = _json(content[8 : 8 + length], rng)
    return struct.pack("<Q", len(text)) + text + content[8 + length :]


def _json(content: bytes, rng: random.Random) -> bytes:
    """One value of a JSON text replaced, one key renamed, or one left out."""
    try:
        found = json.loads(content)
    except ValueError:
        return _bytes(content, rng)
    inside = found
    while isinstance(inside, (dict, list)) and inside:
        key = rng.choice(list(inside)) if isinstance(inside, dict) else rng.randrange(len(inside))
        if not isinstance(inside[key], (dict, list)) or not inside[key] or rng.random() < 0.2:
            _change(inside, key, rng)
            break
        inside = inside[key]
    text = json.dumps(found)
    return (text.replace("}", ', "w": "b.safetensors"}', 1) if rng.random() < 0.1 else text).encode()


def _change(inside: dict[str, object] | list[object], key: str | int, rng: random.Random) -> None:
    value = inside.pop(key)  # type: ignore[arg-type]
    what = rng.randrange(3)
    if isinstance(inside, list):
        inside.insert(int(key), rng.choice(NASTY) if what else [value, value])
    elif what:
        inside[str(key) if what == 1 else rng.choice(("w", "b", "", "é", "\ud800", "x" * 9999))] = rng.choice(
            (*NASTY, *NAMES, "F32", "BF16", "F8_E8M0", value, value)
        )


# Reading --------------------------------------------------------------------------------------------------------------


def outcome(folder: Path, kind: str, number: int, seed: int = 0) -> str:
    """Break file ``number`` in ``folder`` and read it to the end: what became of it. Lets all but WeightsError out."""
    files = broken(whole()[kind], random.Random(f"{seed} {kind} {number}"))
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        tensors = load_weights(folder / FLAGS.get(kind, next(iter(files), "w.npy")))
    except WeightsError as error:
        if str(folder) not in str(error):
            raise AssertionError("the message names no file") from error
        return "refused on opening"
    return "refused on reading" if sum(_refused(tensors, name) for name in tensors) else "read"


def _refused(tensors: object, name: str) -> bool:
    try:
        matrix = tensors[name]  # type: ignore[index]
    except WeightsError:
        return True
    assert matrix.dtype == np.float32
    assert matrix.ndim == 2
    assert np.isfinite(matrix).all()
    return False


def tried(kind: str, number: int, seed: int) -> str:
    """``outcome`` in a folder of its own; what escapes is printed."""
    folder = Path(tempfile.mkdtemp(prefix=f"mutated-{number}-"))
    try:
        return outcome(folder, kind, number, seed)
    except Exception:
        print(f"escape from file {number} ({kind}):\n{traceback.format_exc()}", file=sys.stderr)
        return "ESCAPED"
    finally:
        shutil.rmtree(folder)


def report(counts: dict[str, Counter[str]], slowest: tuple[float, int], took: float) -> None:
    columns = ("read", "refused on opening", "refused on reading", "ESCAPED")
    print(f"{'':<16}{''.join(f'{name:>20}' for name in columns)}")
    for kind, count in counts.items():
        print(f"{kind:<16}{''.join(f'{count[name]:>20,}' for name in columns)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    files = sum(count.total() for count in counts.values())
    print(f"{files:,} files in {took:.1f} s, the slowest (file {slowest[1]}) {1000 * slowest[0]:.0f} ms")
    print(f"peak memory {peak:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one file to repeat")
    given = parser.parse_args()
    faulthandler.enable()
    warnings.simplefilter("ignore")  # numpy's, about headers of Python 2
    kinds = list(whole())
    counts = {kind: Counter[str]() for kind in kinds}
    slowest, start = (0.0, 0), time.perf_counter()
    for number in range(given.files) if given.only is None else [given.only]:
        began = time.perf_counter()
        kind = kinds[number % len(kinds)]
        counts[kind][tried(kind, number, given.seed)] += 1
        slowest = max(slowest, (time.perf_counter() - began, number))
    report(counts, slowest, time.perf_counter() - start)
    sys.exit(any(count["ESCAPED"] for count in counts.values()))


if __name__ == "__main__":
    main()
