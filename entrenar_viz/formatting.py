"""How numbers are written for people: percent, points, counts, sizes; and text from outside. The page has format.js."""

from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np

_THREE = Context(prec=3, rounding=ROUND_HALF_UP)
_BYTES = ("B", "kB", "MB", "GB", "TB")


def percent(sparsity: float | np.float32) -> str:
    """A sparsity as it is shown on screen, with at most two decimals. What is not quite all or nothing says so.

    >>> percent(0.4875), percent(0.5), percent(1e-7), percent(0.9999999)
    ('48.75%', '50%', '<0.01%', '>99.99%')
    """
    hundredths = float(sparsity) * 100
    text = str(Decimal(hundredths).quantize(Decimal("0.01"), ROUND_HALF_UP))  # as the page rounds
    if hundredths > 0 and text == "0.00":
        return "<0.01%"
    if hundredths < 100 and text == "100.00":
        return ">99.99%"
    return text.rstrip("0").rstrip(".") + "%"


def points(difference: float | np.float32) -> str:
    """A difference of sparsities in percentage points, three digits.

    >>> points(0.0125)
    '1.25 points'
    """
    return f"{float(difference) * 100:.3g} points"


def rounded(number: float) -> str:
    """A number of any size and meaning, such as a loss, with four digits.

    >>> rounded(0.123456), rounded(1234.5678), rounded(3), rounded(1.5e-7)
    ('0.1235', '1235', '3', '1.5e-7')
    """
    digits = float(f"{float(number):.4g}")
    if digits == 0 or 1e-6 <= abs(digits) < 1e21:  # where a browser writes no exponent
        return np.format_float_positional(digits, trim="-")
    mantissa, _, exponent = f"{digits:.3e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent):+d}"


def counted(number: int, noun: str) -> str:
    """``1 step``, ``5,000 steps``.

    >>> counted(1, "step"), counted(5000, "step")
    ('1 step', '5,000 steps')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def sentence(words: str) -> str:
    """``words`` as a sentence: with a capital letter and a full stop.

    >>> sentence("no difference at this sparsity"), sentence("Cubic keeps more")
    ('No difference at this sparsity.', 'Cubic keeps more.')
    """
    return f"{capitalized(words)}."


def capitalized(words: str) -> str:
    """``words`` with a capital letter at the beginning; the others stay."""
    return words[:1].upper() + words[1:]


def size(count: float) -> str:
    """Bytes in decimal units, three digits.

    >>> size(117_440_512), size(33_554_432), size(999)
    ('117 MB', '33.6 MB', '999 B')
    """
    unit = 0
    while count >= 999.5 and unit < len(_BYTES) - 1:
        count, unit = count / 1000, unit + 1
    if not unit:
        return f"{count:,} B"
    digits = _THREE.create_decimal(count).normalize()
    return f"{digits:f} {_BYTES[unit]}"


def printable(text: str) -> str:
    r"""``text`` as one line that a terminal cannot take for commands.

    >>> print(printable("fc\x1b[2J\n"))
    fc\x1b[2J\n
    """
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
