"""Reads thousands of broken configurations in JSON and YAML: whatever is wrong, only ConfigError may come out.

    python -m benchmarks.mutated_configs [--files 10000] [--seed 0] [--only N]

Each file starts whole and is broken in one to five places by a generator that its number seeds. What is still read must
be equal when it is written and read again. Prints how many were read and refused, per kind, and every escape with its
number, which ``--only`` repeats. Exits with 1 if anything but ConfigError came out.
"""

import argparse
import random
import sys
import time
import traceback
import warnings
from collections import Counter

from entrenar_viz import NM, Block, ConfigError, Cubic, Gradual, PruningConfig

GRADUAL = Gradual(start_step=1000, end_step=5000, initial_sparsity=0.0, final_sparsity=0.5, frequency=100)
CUBIC = Cubic(start_step=0, end_step=2**53, final_sparsity=0.9)
CONFIGS = (
    PruningConfig(),
    PruningConfig(method="wanda", pattern=NM(n=2, m=4), schedule=GRADUAL),
    PruningConfig(pattern=Block(height=4, width=8), schedule=CUBIC, fine_tune_lr=3e-12),
)
KINDS = {"JSON": PruningConfig.from_json, "YAML": PruningConfig.from_yaml}
INDICATORS = ("- ", "? ", ": ", ", ", *"{}[]#'\"%@`", " #", "&a ", "*a", "|\n", ">-\n")
MARKS = ("<<: ", "---\n", "...\n", "%YAML 1.1\n", "%YAML 1.2\n", "%YAML 9.9\n---\n", "%TAG !e! y\n---\n")
TAGS = ("!", "!t ", "!!", "!!int ", "!!float ", "!!binary ", "!!set ", "!!python/name:os.system ", "!<tag:x>", "!e!x ")
ESCAPES = ("\\", "\\0", "\\x4", '"\\ud800"', '"\\UFFFFFFFF"', "\\\n", "\\N", "\x00", "\x07", "\x7f", "\x85", "\u2028")
SPACES = (" ", "  ", "\t", "\n", "\r", "\r\n", "\ufeff", "é", "\U0001f600")
VALUES = ("~", "null", "NaN", ".nan", "-.inf", "1e400", "0x", "0o17", "017", "1_0", "1:30", "9" * 5000, "true")
NESTED = ("[" * 60, "- " * 60, "{a: " * 60, "? " * 60, "[" * 100_000)
BITS = INDICATORS + MARKS + TAGS + ESCAPES + SPACES + VALUES + NESTED


def broken(kind: str, chance: random.Random) -> str:
    """The text of a configuration with one to five pieces of it replaced."""
    config = chance.choice(CONFIGS)
    text = config.to_json() if kind == "JSON" else config.to_yaml()
    for _ in range(chance.randint(1, 5)):
        place, length = chance.randrange(len(text) + 1), chance.choice((0, 0, 1, 2, 10))
        text = text[:place] + chance.choice(BITS) + text[place + length :]
    return text


def outcome(kind: str, number: int, seed: int) -> str:
    """What became of file ``number``; lets all but ConfigError out."""
    read = KINDS[kind]
    try:
        config = read(broken(kind, random.Random(f"{seed} {kind} {number}")))
    except ConfigError:
        return "refused"
    assert PruningConfig.from_json(config.to_json()) == PruningConfig.from_yaml(config.to_yaml()) == config
    return "read"


def tried(kind: str, number: int, seed: int) -> str:
    """``outcome``; what escapes is printed."""
    try:
        return outcome(kind, number, seed)
    except Exception:
        print(f"escape from file {number} ({kind}):\n{traceback.format_exc()}", file=sys.stderr)
        return "ESCAPED"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="the number of one file to repeat")
    given = parser.parse_args()
    warnings.simplefilter("error")
    counts = {kind: Counter[str]() for kind in KINDS}
    start = time.perf_counter()
    for number in range(given.files) if given.only is None else [given.only]:
        kind = list(KINDS)[number % len(KINDS)]
        counts[kind][tried(kind, number, given.seed)] += 1
    for kind, count in counts.items():
        print(f"{kind}: {', '.join(f'{count[name]:,} {name}' for name in ('read', 'refused', 'ESCAPED'))}")
    print(f"{time.perf_counter() - start:.1f} s")
    sys.exit(any(count["ESCAPED"] for count in counts.values()))


if __name__ == "__main__":
    main()
