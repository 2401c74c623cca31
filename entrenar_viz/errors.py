"""The errors that this package raises for bad input: what is wrong, where, and how to fix it."""

from collections.abc import Iterable
from dataclasses import dataclass


class EntrenarVizError(ValueError):
    """The common parent: ``except EntrenarVizError`` catches every refusal of this package."""


class StepError(EntrenarVizError):
    """A training step that is not a whole number from 0 to 2**64 - 1."""


class WeightsError(EntrenarVizError):
    """Weights that cannot be read or pruned: names the file, the tensor and the reason."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a configuration.

    ``where`` is the place in the JSON (``schedule.end_step``; empty for the whole file), ``message`` says what is
    wrong there.
    """

    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class ConfigError(EntrenarVizError):
    """A configuration that the trainer would refuse, misread or lose: ``problems`` lists all that is wrong."""

    def __init__(self, problems: Iterable[Problem], source: str = "") -> None:
        self.problems = tuple(problems)
        self.source = source
        super().__init__(self.problems, source)

    def __str__(self) -> str:
        prefix = f"{self.source}: " if self.source else ""
        if len(self.problems) == 1:
            return f"{prefix}{self.problems[0]}"
        lines = "".join(f"\n  {problem}" for problem in self.problems)
        return f"{prefix}{len(self.problems)} problems:{lines}"
