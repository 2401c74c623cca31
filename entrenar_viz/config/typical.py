"""The typical values of the chapter on pruning schedules, and the frequencies that reach the end of a window."""

from fractions import Fraction
from math import ceil, isqrt

RECOVERY = Fraction(2, 5)  # share of the training that the chapter keeps for recovery
MANY_UPDATES = 100
TYPICAL_UPDATES = 20
_SEARCHED = 1_000_000  # of the divisors of huge numbers, those up to here and their counterparts are found


def latest_end(total_steps: int) -> int:
    """The last step at which an update leaves the recovery share of ``total_steps``."""
    return total_steps - ceil(RECOVERY * total_steps)


def divisors(number: int) -> list[int]:
    """The divisors of ``number``, ascending; of huge numbers, those found among the first million and by them."""
    small = [d for d in range(1, min(isqrt(number), _SEARCHED) + 1) if number % d == 0]
    return sorted({d for s in small for d in (s, number // s)})


def nearest_divisor(window: int, near: int, at_least: int = 1) -> int:
    """The divisor of ``window`` nearest to ``near`` and not below ``at_least``; of two as near, the smaller."""
    return min((d for d in divisors(window) if d >= at_least), key=lambda divisor: (abs(divisor - near), divisor))


def typical_frequency(window: int) -> int:
    """A divisor of ``window`` that makes about 20 updates and not more than 100."""
    return nearest_divisor(window, max(window // TYPICAL_UPDATES, 1), at_least=-(-window // MANY_UPDATES))


def reaching_frequency(window: int, every: int) -> int:
    """The frequency nearest to ``every`` with which the last update comes at the end of a window of that length."""
    return nearest_divisor(window, every) if 0 < every <= window else typical_frequency(window)
