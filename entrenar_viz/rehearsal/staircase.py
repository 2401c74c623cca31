"""The updates of a training, scaled to the length of a rehearsal: the same sparsities at the same shares of the way."""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.analysis.updates import replay
from entrenar_viz.config.pruning_config import PruningConfig, fixed_sparsity
from entrenar_viz.config.steps import Steps
from entrenar_viz.formatting import counted

FEW = 10  # steps of a window: with fewer, schedules that differ become alike


@dataclass(frozen=True)
class Staircase:
    """What is asked of the masks of a rehearsal of ``steps`` steps, for a training of ``total_steps``.

    An update at step u of the training is made at step ``round(u * steps / total_steps)``, at the first one if that is
    0; of those that fall together the last counts, which is the highest.
    """

    config: PruningConfig
    total_steps: int
    steps: int

    @cached_property
    def rises(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The steps of the rehearsal at which another sparsity is asked for, ascending, and these sparsities."""
        run = replay(self.config, self.total_steps)
        steps = self.scaled(run.update_steps)
        last = np.flatnonzero(np.diff(steps, append=-1))
        return steps[last], run.applied[last].astype(np.float64)

    @property
    def updates(self) -> dict[int, float]:
        """The sparsity that is asked for by the end of a step of the rehearsal, at the steps where it changes."""
        steps, asked = self.rises
        return dict(zip(steps.tolist(), asked.tolist(), strict=True))

    @property
    def applied(self) -> float:
        """What the schedule has come to in the end, a fraction, as the shortest decimal of the trainer's f32."""
        _, asked = self.rises
        return float(str(np.float32(asked[-1]))) if len(asked) else 0.0

    @property
    def final_sparsity(self) -> float:
        """What the masks have in the end, which for N:M is its own share."""
        fixed = fixed_sparsity(self.config.pattern)
        return self.applied if fixed is None or not self.applied else float(str(np.float32(fixed)))

    @property
    def squeezed(self) -> int | None:
        """The steps of the rehearsal that the window has become, if scaling has left too few of them; None if not."""
        start, end = self.config.schedule.window
        first, last = self.scaled([start, end]).tolist()
        few = start < end and self.steps < self.total_steps and last - first < FEW
        return last - first if few else None

    def scaled(self, steps: ArrayLike) -> NDArray[np.int64]:
        """Steps of the training as steps of the rehearsal, from 1 on."""
        share = np.asarray(steps, np.float64) / max(self.total_steps, 1)
        return np.maximum(np.rint(share * self.steps), 1).astype(np.int64)

    def unscaled(self, steps: ArrayLike) -> Steps:
        """Steps of the rehearsal as steps of the training, uint64: the last one as its last one, however long it is."""
        given = np.asarray(steps, np.uint64)
        if self.steps == self.total_steps:
            return given
        whole = [round(Fraction(step * self.total_steps, self.steps)) for step in given.ravel().tolist()]
        return np.array(whole, np.uint64).reshape(given.shape)

    def in_words(self) -> str:
        """How the training was scaled.

        >>> from entrenar_viz import Gradual
        >>> schedule = Gradual(start_step=1000, end_step=6000, initial_sparsity=0, final_sparsity=0.8, frequency=500)
        >>> Staircase(PruningConfig(schedule=schedule), 10_000, 2000).in_words()
        '10,000 steps are rehearsed in 2,000: steps 1,000 to 6,000 become 200 to 1,200, every 500 becomes every 100'
        """
        if self.steps == self.total_steps:
            return f"{counted(self.steps, 'step')}, as in the training"
        start, end = self.config.schedule.window
        verb = "is" if self.total_steps == 1 else "are"
        rehearsed = f"{counted(self.total_steps, 'step')} {verb} rehearsed in {self.steps:,}"
        if start > self.total_steps:
            return f"{rehearsed}: the schedule begins at step {start:,}, after the training"
        first, last = self.scaled([start, end]).tolist()
        window = f"steps {start:,} to {end:,} become {first:,} to {last:,}"
        if start == end:
            window = f"step {start:,} becomes {first:,}"
        return f"{rehearsed}: {window}{self._often()}"

    def _often(self) -> str:
        """How often there is an update, and whether some of them fall together.

        >>> from entrenar_viz import Gradual
        >>> schedule = Gradual(start_step=1000, end_step=5000, initial_sparsity=0, final_sparsity=0.8, frequency=500)
        >>> Staircase(PruningConfig(schedule=schedule), 5_000_000, 2000).in_words().partition("become ")[2]
        '1 to 2, every 500 becomes every step, with several updates in one'
        """
        if not (every := self.config.schedule.every):
            return ""
        scaled = every * self.steps / self.total_steps
        becomes = f"every {_number(scaled)}" if scaled >= 1 else "every step, with several updates in one"
        return f", every {every:,} becomes {becomes}"


def _number(steps: float) -> str:
    return f"{steps:,.4g}" if steps < 1000 else f"{round(steps):,}"
