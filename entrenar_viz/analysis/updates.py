"""What the trainer will apply: a staircase, which is not always what the formula of the schedule promises.

At the end of a step the trainer prunes only if the schedule allows an update there **and** asks for more sparsity than
is applied already (0 at first). A training counts its steps from 1 to ``total_steps``: step 0 never comes.
"""

import operator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity
from entrenar_viz.config.steps import Steps, as_steps, num_steps
from entrenar_viz.config.validation import U64_MAX
from entrenar_viz.errors import StepError

MAX_OPPORTUNITIES = 200_000_000  # one Cubic window; 2 GB of steps and sparsities
CHUNK = 1 << 20


@dataclass(frozen=True, eq=False)
class Replay:
    """The updates of one training run; sparsities are float32 fractions, steps are whole numbers."""

    total_steps: int
    target: np.float32
    """The sparsity that the schedule is meant to end with."""
    update_steps: Steps = field(repr=False)
    """The steps at whose end the mask changes, uint64, ascending."""
    applied: NDArray[np.float32] = field(repr=False)
    """The sparsity applied by each update, ascending."""

    @property
    def num_updates(self) -> int:
        """How many updates change the mask."""
        return len(self.update_steps)

    @property
    def first_update(self) -> int | None:
        """The step of the first update, None if there is none."""
        return int(self.update_steps[0]) if self.num_updates else None

    @property
    def last_update(self) -> int | None:
        """The step of the last update, None if there is none."""
        return int(self.update_steps[-1]) if self.num_updates else None

    @property
    def final_sparsity(self) -> np.float32:
        """The sparsity applied when the training ends."""
        return np.float32(self.applied[-1] if self.num_updates else 0)

    @property
    def shortfall(self) -> np.float32:
        """Target minus final sparsity; 0 if the target is reached."""
        return max(self.target - self.final_sparsity, np.float32(0))

    @property
    def largest_jump(self) -> np.float32:
        """The largest increase of sparsity in one update; 0 if there is none."""
        return np.float32(np.diff(self.applied, prepend=np.float32(0)).max(initial=0))

    @property
    def recovery_steps(self) -> int:
        """Training steps left after the last update; 0 if there is no update to recover from."""
        return 0 if self.last_update is None else self.total_steps - self.last_update

    def applied_at(self, steps: ArrayLike) -> NDArray[np.float32] | np.float32:
        """The sparsity applied at the end of ``steps``, float32; StepError if they are no steps."""
        staircase = np.concatenate([[np.float32(0)], self.applied])
        values = staircase[np.searchsorted(self.update_steps, as_steps(steps), side="right")]
        return values if np.ndim(steps) else values[()]


def replay(config: PruningConfig, total_steps: int) -> Replay:
    """Play ``config`` through a training of ``total_steps`` steps.

    Its steps are 1 to ``total_steps``. Raises StepError if that is not a whole number from 0 on, or if the schedule has
    more than 200 million opportunities to update (a Cubic window of that length).

    >>> from entrenar_viz import Gradual, PruningConfig
    >>> run = replay(PruningConfig(schedule=Gradual(start_step=0, end_step=100, initial_sparsity=0.0,
    ...                                             final_sparsity=0.8, frequency=30)), total_steps=200)
    >>> run.update_steps, run.final_sparsity
    (array([30, 60, 90], dtype=uint64), np.float32(0.71999997))
    """
    total = whole_steps(total_steps)
    due = updates_due(config, total)
    count = num_steps(due)
    if count > MAX_OPPORTUNITIES:
        raise StepError(f"{count:,} updates are too many to replay (limit {MAX_OPPORTUNITIES:,}): shorten the window")
    found: list[tuple[Steps, NDArray[np.float32]]] = []
    applied = np.float32(0)
    for begin in range(0, count, CHUNK):  # a window of 10**7 steps in pieces that stay in the cache
        indices = np.arange(begin, min(begin + CHUNK, count), dtype=np.uint64)
        steps, sparsities = _increases(config, np.uint64(due.start) + indices * np.uint64(due.step), applied)
        if len(steps):
            found.append((steps, sparsities))
            applied = sparsities[-1]
    return Replay(total, config.schedule.target(config.target_sparsity), *_joined(found))


def in_the_mask(config: PruningConfig, run: Replay) -> Replay:
    """``run`` with what the mask of ``config`` gets: an N:M pattern takes its share at the first update.

    >>> from entrenar_viz import NM, OneShot, PruningConfig
    >>> config = PruningConfig(target_sparsity=0.8, pattern=NM(n=2, m=4), schedule=OneShot(step=1))
    >>> run = replay(config, total_steps=200)
    >>> run.final_sparsity, in_the_mask(config, run).final_sparsity
    (np.float32(0.8), np.float32(0.5))
    """
    fixed = fixed_sparsity(config.pattern)
    return run if fixed is None else replace(run, applied=np.full_like(run.applied, fixed))


def updates_due(config: PruningConfig, total_steps: int) -> range:
    """The steps of a training of ``total_steps`` at which the schedule allows an update."""
    due = config.schedule.update_steps
    first = due.start or due.step  # step 0 never comes, the next one may
    return range(first, min(due.stop, total_steps + 1), due.step)


def sparsity_in_the_end(config: PruningConfig, total_steps: int | None) -> float:
    """The sparsity that is applied by the end of a training, as the shortest decimal of the trainer's f32.

    Without ``total_steps`` the training ends with the schedule; a schedule whose only update is at step 0 is then taken
    to prune after the training, to ``target_sparsity``. StepError for a bad ``total_steps``.
    """
    end = config.schedule.window[1]
    if total_steps is None and end == 0:
        return float(str(np.float32(config.target_sparsity)))
    run = replay(config, end if total_steps is None else total_steps)
    return float(str(run.final_sparsity))  # 0.7 rather than 0.699999988


def requested_at(config: PruningConfig, steps: ArrayLike) -> NDArray[np.float32]:
    """What the formula asks for at ``steps``: for OneShot its multiplier times the target, in f32."""
    return config.schedule.requested_at(steps, config.target_sparsity)


def whole_steps(steps: int, name: str = "total_steps") -> int:
    """``steps`` as a Python integer; StepError, by its ``name``, if it is no whole number from 0 to 2**64 - 1."""
    try:
        total = operator.index(steps)
    except TypeError:
        given: object = steps
        fix = f": write {int(given)}" if isinstance(given, float) and given.is_integer() else ""
        raise StepError(f"{name} must be a whole number, not {steps!r:.60}{fix}") from None
    if isinstance(steps, bool) or not 0 <= total <= U64_MAX:
        raise StepError(f"{name} must be a whole number from 0 to {U64_MAX}, not {steps!r:.60}")
    return total


def _increases(config: PruningConfig, steps: Steps, applied: np.float32) -> tuple[Steps, NDArray[np.float32]]:
    """Those of ``steps`` at which the schedule asks for more than ``applied`` and all before them."""
    asked = requested_at(config, steps)
    before = np.maximum.accumulate(np.concatenate([[applied], asked[:-1]]))
    rises = asked > before
    return steps[rises], asked[rises]


def _joined(found: list[tuple[Steps, NDArray[np.float32]]]) -> tuple[Steps, NDArray[np.float32]]:
    if not found:
        return np.empty(0, np.uint64), np.empty(0, np.float32)
    steps, sparsities = zip(*found, strict=True)
    return np.concatenate(steps), np.concatenate(sparsities)
