"""What runs tell of schedules: means with intervals, differences of pairs, and all of it in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.formatting import counted, percent, rounded

CONFIDENCE = 0.95
ACCURACY = "accuracy"
FEWEST = 3  # seeds: the differences of two can be equal by chance, which would make an interval without length
NO_DIFFERENCE = "no difference at this sparsity"


@dataclass(frozen=True)
class Metric:
    """What a trial yields: its name, and whether more of it is better. Accuracy is a fraction."""

    name: str = ACCURACY
    higher_is_better: bool = True

    def amount(self, difference: float) -> str:
        """A difference with its unit: ``2.4 points``."""
        return f"{self.number(difference)} points" if self.name == ACCURACY else rounded(difference)

    def number(self, value: float) -> str:
        """A value without its unit: ``96.8``."""
        return f"{100 * value:.1f}".replace("-0.0", "0.0") if self.name == ACCURACY else rounded(value)


def interval(values: ArrayLike, comparisons: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95% interval of the mean of ``values`` along their first axis, by Student's t; nan for one value.

    With several ``comparisons`` all of their intervals hold together with 95% (Bonferroni).

    >>> low, high = interval([0.95, 0.96, 0.97])
    >>> round(float(low), 3), round(float(high), 3)
    (0.935, 0.985)
    """
    from scipy.special import stdtrit

    given = np.asarray(values, np.float64)
    count, mean = len(given), given.mean(axis=0)
    if count < 2:
        return np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    share = 1 - (1 - CONFIDENCE) / 2 / comparisons
    half = stdtrit(count - 1, share) * given.std(axis=0, ddof=1) / np.sqrt(count)
    return mean - half, mean + half


@dataclass(frozen=True)
class Comparison:
    """Two schedules, each seed of the one with the same seed of the other.

    ``difference`` is the mean of what ``first`` has more of the metric than ``second``, and ``low`` to ``high`` its 95%
    interval; those of all pairs hold together.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    metric: Metric

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves no difference out."""
        return self.low > 0 or self.high < 0

    def words(self) -> str:
        """``Cubic keeps 2.4 points more than Gradual (95%: 1.1 to 3.7)``.

        >>> Comparison("Gradual", "Cubic", -0.024, -0.037, -0.011, Metric()).words()
        'Gradual keeps 2.4 points less than Cubic (95%: 1.1 to 3.7)'
        >>> Comparison("Gradual", "Cubic", -0.004, -0.011, 0.003, Metric()).words()
        'no difference at this sparsity between Gradual and Cubic (-0.4 points, 95%: -1.1 to 0.3)'
        >>> Comparison("Cubic", "Gradual", -0.02, -0.03, -0.01, Metric("loss", higher_is_better=False)).words()
        "Cubic's loss is 0.02 less than Gradual's (95%: 0.01 to 0.03)"
        """
        if not self.is_certain:
            amount = self.metric.amount(self.difference)
            return f"{NO_DIFFERENCE} between {self.first} and {self.second} ({amount}, 95%: {self._range()})"
        return f"{self._verb()} {self.than()}"

    def than(self) -> str:
        """The second half of the words: ``2.4 points more than Gradual (95%: 1.1 to 3.7)``."""
        more = "more" if self.difference > 0 else "less"
        second = self.second if self.metric.name == ACCURACY else f"{self.second}'s"
        return f"{self.metric.amount(abs(self.difference))} {more} than {second} (95%: {self._range()})"

    def upwards(self) -> "Comparison":
        """The same with the greater metric first."""
        if self.difference >= 0:
            return self
        return Comparison(self.second, self.first, -self.difference, -self.high, -self.low, self.metric)

    def _verb(self) -> str:
        return f"{self.first} keeps" if self.metric.name == ACCURACY else f"{self.first}'s {self.metric.name} is"

    def _range(self) -> str:
        """From the end nearer to nothing to the other; of what is certain without the sign, which the words have."""
        ends = sorted((self.low, self.high))
        if self.is_certain:
            ends = sorted(map(abs, ends))
        return " to ".join(map(self.metric.number, ends))


def comparisons(finals: dict[str, NDArray[np.float64]], metric: Metric) -> tuple[Comparison, ...]:
    """Each pair of schedules, the better one first, from the metric at the end of each seed, (seeds,) by name."""
    ranked = sorted(finals, key=lambda name: finals[name].mean(), reverse=metric.higher_is_better)
    pairs = list(combinations(ranked, 2))
    return tuple(_compared(first, second, finals, metric, len(pairs)) for first, second in pairs)


def _compared(
    first: str, second: str, finals: dict[str, NDArray[np.float64]], metric: Metric, pairs: int
) -> Comparison:
    differences = finals[first] - finals[second]
    low, high = interval(differences, pairs)
    return Comparison(first, second, float(differences.mean()), float(low), float(high), metric)


def verdict(found: Sequence[Comparison], seeds: int) -> str:
    """What ``comparisons`` say of the best schedule, in a sentence.

    It is the first of each pair that it is in. Where no pair differs, the sentence says so.
    """
    if not found:
        return "there are no two schedules that prune, so that nothing can be compared"
    if seeds < FEWEST:
        return f"{counted(seeds, 'seed')} cannot tell a difference from chance: rehearse with at least {FEWEST}"
    if not any(pair.is_certain for pair in found):
        return _none(found)
    best = found[0].first
    own = [pair for pair in found if pair.first == best]
    certain = [pair for pair in own if pair.is_certain]
    if not certain:  # the others differ among themselves
        certain = [next(pair for pair in found if pair.is_certain)]
    words = " and ".join([certain[0].words(), *(pair.than() for pair in certain[1:])])
    return "; ".join([words, *(pair.words() for pair in own if not pair.is_certain)])


def _none(found: Sequence[Comparison]) -> str:
    names = list(dict.fromkeys(name for pair in found for name in (pair.first, pair.second)))
    if len(found) == 1:
        return found[0].words()
    most = max(found, key=lambda pair: abs(pair.difference)).upwards()
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    apart = f"{most.first} and {most.second} are furthest apart, by {most.metric.amount(abs(most.difference))}"
    return f"{NO_DIFFERENCE} between {listed} ({apart}, 95%: {most._range()})"


def uneven(sparsities: Mapping[str, float]) -> list[str]:
    """Which schedules end at less than others, so that they are not taken to be compared at one sparsity.

    >>> uneven({"Gradual": 0.4875, "Cubic": 0.5})
    ['Gradual ends at 48.75%, not 50%']
    """
    most = max(sparsities.values(), default=0.0)
    return [f"{name} ends at {percent(its)}, not {percent(most)}" for name, its in sparsities.items() if its < most]
