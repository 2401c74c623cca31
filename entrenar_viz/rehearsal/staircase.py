"""The updates of a training, scaled to the length of a rehearsal: the same sparsities at the same shares of the way."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.analysis.updates import replay
from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.config.steps import Steps
from entrenar_viz.formatting import counted


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
    def updates(self) -> dict[int, float]:
        """The sparsity that is asked for by the end of a step of the rehearsal, at the steps where it changes."""
        run = replay(self.config, self.total_steps)
        steps = self.scaled(run.update_steps)
        last = np.flatnonzero(np.diff(steps, append=-1))
        return dict(zip(steps[last].tolist(), map(float, run.applied[last]), strict=True))

    def scaled(self, steps: ArrayLike) -> NDArray[np.int64]:
        """Steps of the training as steps of the rehearsal, from 1 on."""
        share = np.asarray(steps, np.float64) / max(self.total_steps, 1)
        return np.maximum(np.rint(share * self.steps), 1).astype(np.int64)

    def unscaled(self, steps: ArrayLike) -> Steps:
        """Steps of the rehearsal as steps of the training, uint64."""
        return np.rint(np.asarray(steps, np.float64) / self.steps * self.total_steps).astype(np.uint64)

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
        first, last = self.scaled([start, end]).tolist()
        window = f"steps {start:,} to {end:,} become {first:,} to {last:,}"
        if start == end:
            window = f"step {start:,} becomes {first:,}"
        every = self.config.schedule.every
        often = f", every {every:,} becomes every {_number(every * self.steps / self.total_steps)}" if every else ""
        return f"{self.total_steps:,} steps are rehearsed in {self.steps:,}: {window}{often}"


def _number(steps: float) -> str:
    return f"{steps:,.4g}" if steps < 1000 else f"{round(steps):,}"
