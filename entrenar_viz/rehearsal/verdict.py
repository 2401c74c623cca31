"""What runs tell of schedules: means with intervals, differences of pairs, and all of it in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from entrenar_viz.formatting import counted, percent, rounded

Compared = Literal["schedules", "plans"]
CONFIDENCE = 0.95
ACCURACY = "accuracy"
CLOSE = 0.01  # of accuracy: an interval within a point of nothing leaves no room for a difference that matters
FEWEST = 3  # seeds: the differences of two can be equal by chance, which would make an interval without length
NO_DIFFERENCE = "no difference at this sparsity"


@dataclass(frozen=True)
class Metric:
    """What a trial yields: its name, and whether more of it is better. Accuracy is a fraction."""

    name: str = ACCURACY
    higher_is_better: bool = True
    grain: float = 0.0
    """The smallest difference that it can show, such as one image of those held out; 0 if that is not known."""

    def amount(self, difference: float) -> str:
        """A difference with its unit: ``2.4 points``."""
        return f"{self.number(difference)} points" if self.name == ACCURACY else rounded(difference)

    def number(self, value: float) -> str:
        """A value without its unit: ``96.8``."""
        return f"{100 * value:.1f}".replace("-0.0", "0.0") if self.name == ACCURACY else rounded(value)

    def interval(self, values: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The ``interval`` of values of this metric, (seeds, ...): of an accuracy within 0 and 1."""
        low, high = interval(values)
        return (np.maximum(low, 0), np.minimum(high, 1)) if self.name == ACCURACY else (low, high)

    def above_zero(self, value: float) -> str:
        """A value above zero without its unit, with as many decimals as show that it is."""
        number = self.number(value)
        return rounded(float(f"{100 * value:.1g}")) if number == "0.0" else number


def interval(
    values: ArrayLike, chances: int = 1, least: float = 0.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 95% interval of the mean of ``values`` along their first axis, by Student's t; nan for one value.

    With several ``chances`` to be wrong it is longer: as many of them hold together with 95% (Bonferroni). ``least`` is
    what their deviation is taken to be at least.

    >>> low, high = interval([0.95, 0.96, 0.97])
    >>> round(float(low), 3), round(float(high), 3)
    (0.935, 0.985)
    """
    from scipy.special import stdtrit

    given = np.asarray(values, np.float64)
    count, mean = len(given), given.mean(axis=0)
    if count < 2:
        return np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    share = 1 - (1 - CONFIDENCE) / 2 / chances
    half = stdtrit(count - 1, share) * np.maximum(given.std(axis=0, ddof=1), least) / np.sqrt(count)
    return mean - half, mean + half


@dataclass(frozen=True)
class PairedDifference:
    """Two schedules, each seed of the one with the same seed of the other.

    ``difference`` is the mean of what ``first`` has more of the metric than ``second``, and ``low`` to ``high`` its 95%
    interval, or a longer one: that the pairs that are certain differ, and which way, holds for all of them together.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    seeds: int
    metric: Metric = Metric()

    @property
    def is_certain(self) -> bool:
        """Whether the interval leaves no difference out, with seeds enough to tell."""
        return self.seeds >= FEWEST and (self.low > 0 or self.high < 0)

    def words(self) -> str:
        """``Cubic keeps 2.4 points more than Gradual (95%: 1.1 to 3.7)``.

        >>> PairedDifference("Gradual", "Cubic", -0.024, -0.037, -0.011, seeds=5).words()
        'Gradual keeps 2.4 points less than Cubic (95%: 1.1 to 3.7)'
        >>> PairedDifference("Gradual", "Cubic", -0.002, -0.008, 0.004, seeds=5).words()
        'no difference at this sparsity between Gradual and Cubic (-0.2 points, 95%: -0.8 to 0.4)'
        >>> PairedDifference("A", "B", 0.1, -0.023, 0.223, seeds=3).words()
        'no difference at this sparsity that 3 seeds can show between A and B (10.0 points, 95%: -2.3 to 22.3)'
        >>> loss = Metric("loss", higher_is_better=False)
        >>> PairedDifference("Cubic", "Gradual", -0.02, -0.03, -0.01, 5, loss).words()
        "Cubic's loss is 0.02 less than Gradual's (95%: 0.01 to 0.03)"
        """
        if not self.is_certain:
            amount = self.metric.amount(self.difference)
            return f"{self.none_between([self.first, self.second])} ({amount}, 95%: {self.range()})"
        return f"{self._verb()} {self.than()}"

    def none_between(self, names: Sequence[str]) -> str:
        """That there is no difference, as surely as the interval tells: a long one would hide one of some size."""
        short = self.metric.name == ACCURACY and max(-self.low, self.high) <= CLOSE
        seen = "" if short else f" that {counted(self.seeds, 'seed')} can show"
        return f"{NO_DIFFERENCE}{seen} between {', '.join(names[:-1])} and {names[-1]}"

    def than(self) -> str:
        """The second half of the words: ``2.4 points more than Gradual (95%: 1.1 to 3.7)``."""
        more = "more" if self.difference > 0 else "less"
        second = self.second if self.metric.name == ACCURACY else f"{self.second}'s"
        return f"{self.metric.amount(abs(self.difference))} {more} than {second} (95%: {self.range()})"

    def upwards(self) -> "PairedDifference":
        """The same with the greater metric first."""
        if self.difference >= 0:
            return self
        swapped = replace(self, first=self.second, second=self.first)
        return replace(swapped, difference=-self.difference, low=-self.high, high=-self.low)

    def range(self) -> str:
        """The ends of the interval; of what is certain without the sign, which the words have.

        >>> PairedDifference("Cubic", "Gradual", 0.006, 0.0004, 0.0116, seeds=5).range()
        '0.04 to 1.2'
        """
        if not self.is_certain:
            return f"{self.metric.number(self.low)} to {self.metric.number(self.high)}"
        near, far = sorted(map(abs, (self.low, self.high)))
        return f"{self.metric.above_zero(near)} to {self.metric.number(far)}"

    def _verb(self) -> str:
        return f"{self.first} keeps" if self.metric.name == ACCURACY else f"{self.first}'s {self.metric.name} is"


def paired_differences(finals: Mapping[str, NDArray[np.float64]], metric: Metric) -> tuple[PairedDifference, ...]:
    """Each pair of schedules, the better one first, from the metric at the end of each seed, (seeds,) by name.

    Which of them differ, and which way, is right for all pairs together with 95%, by Holm's procedure (Holm 1979, "A
    Simple Sequentially Rejective Multiple Test Procedure"): the clearest difference is tested as one of all pairs, the
    next one as one of those that are left, and after the first one that is not certain none is. Intervals are as long
    as the tests ask: each has its difference in it with at least 95%, all of them together a little less often. Where
    all seeds have the same difference, its deviation is that of two numbers rounded to the metric's grain.
    """
    ranked = sorted(finals, key=lambda name: finals[name].mean(), reverse=metric.higher_is_better)
    least = metric.grain / np.sqrt(6)  # two errors between half a grain less and half a grain more
    pairs = [_Pair(first, second, finals[first] - finals[second], least) for first, second in combinations(ranked, 2)]
    found, chances, certain = dict[int, PairedDifference](), len(pairs), True
    for index in sorted(range(len(pairs)), key=lambda index: pairs[index].clearness, reverse=True):
        found[index] = pairs[index].told(metric, chances)
        certain = certain and found[index].is_certain
        chances -= certain
    return tuple(found[index] for index in range(len(pairs)))


@dataclass(frozen=True, eq=False)
class _Pair:
    first: str
    second: str
    differences: NDArray[np.float64]
    least: float
    """What the deviation of the differences is taken to be at least."""

    @property
    def clearness(self) -> float:
        """The mean in units of its standard error: Student's t, without its sign."""
        mean, deviation = abs(self.differences.mean()), 0.0
        if len(self.differences) > 1:
            deviation = max(self.differences.std(ddof=1), self.least)
        return float(mean / deviation) if deviation else float(np.inf if mean else 0)

    def told(self, metric: Metric, chances: int) -> PairedDifference:
        mean, (low, high) = float(self.differences.mean()), map(float, interval(self.differences, chances, self.least))
        return PairedDifference(self.first, self.second, mean, low, high, len(self.differences), metric)


def verdict(found: Sequence[PairedDifference], compared: Compared = "schedules") -> str:
    """What ``paired_differences`` say of the best of what is ``compared``, in a sentence.

    It is the first of each pair that it is in. Where no pair differs, the sentence says so.
    """
    if not found:
        return f"fewer than two of the {compared} prune anything, so that there is nothing to compare"
    if found[0].seeds < FEWEST:
        return (
            f"{counted(found[0].seeds, 'seed')} cannot tell a difference from chance: rehearse with at least {FEWEST}"
        )
    if not any(pair.is_certain for pair in found):
        return _none(found)
    best = found[0].first
    own = [pair for pair in found if pair.first == best]
    certain = [pair for pair in own if pair.is_certain]
    if not certain:  # the others differ among themselves
        certain = [next(pair for pair in found if pair.is_certain)]
    words = " and ".join([certain[0].words(), *(pair.than() for pair in certain[1:])])
    return "; ".join([words, *(pair.words() for pair in own if not pair.is_certain)])


def _none(found: Sequence[PairedDifference]) -> str:
    if len(found) == 1:
        return found[0].words()
    most = max(found, key=lambda pair: abs(pair.difference)).upwards()
    widest = max(found, key=lambda pair: max(-pair.low, pair.high))
    names = list(dict.fromkeys(name for pair in found for name in (pair.first, pair.second)))
    apart = f"{most.first} and {most.second} are furthest apart, by {most.metric.amount(most.difference)}"
    return f"{widest.none_between(names)} ({apart}, 95%: {most.range()})"


def uneven(sparsities: Mapping[str, float], grain: float = 0.0) -> list[str]:
    """Which schedules end at less than others, so that they are not taken to be compared at one sparsity.

    ``grain`` is what rounding to whole weights may take.

    >>> uneven({"Gradual": 0.4875, "Cubic": 0.5})
    ['Gradual ends at 48.75%, not 50%']
    """
    most = max(sparsities.values(), default=0.0)
    less = [(name, its) for name, its in sparsities.items() if its < most - grain]
    return [f"{name} ends at {percent(its)}, not {percent(most)}" for name, its in less]
