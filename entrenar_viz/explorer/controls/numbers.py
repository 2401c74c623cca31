"""Numbers as people type and read them, strictly: nothing is read as something else. numbers.js has the same rules."""

import re
from typing import Literal

import numpy as np

from entrenar_viz.errors import EntrenarVizError
from entrenar_viz.explorer.controls.settings import LARGEST_STEP

Kind = Literal["count", "fraction", "number"]
COUNT = re.compile(r"\d+|\d{1,3}(,\d{3})+", re.ASCII)
PERCENT = re.compile(r"(\d+(\.\d+)?|\.\d+)\s*%?", re.ASCII)
NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def shown(kind: Kind, value: float) -> str:
    """``value`` as it is typed.

    >>> shown("count", 1234567), shown("fraction", 0.7), shown("fraction", 0.9999999), shown("number", 1e-5)
    ('1,234,567', '70%', '99.99999%', '0.00001')
    """
    if kind == "count":
        return f"{value:,}"
    if kind == "number":
        return _decimal(value) if value == 0 or 1e-6 <= abs(value) < 1e16 else repr(value)
    rounded = round(value * 100, 2)
    wrong = (rounded == 0 and value != 0) or (rounded == 100 and value != 1)
    return f"{_decimal(float(f'{value * 100:.12g}') if wrong else rounded)}%"


def _decimal(value: float) -> str:
    """``value`` without an exponent."""
    return str(np.format_float_positional(value, trim="-"))


def parsed(kind: Kind, given: str) -> float:
    """The number in ``given``; EntrenarVizError says how to write it.

    >>> parsed("fraction", "70.1"), parsed("count", "1,000"), parsed("number", "1e-5")
    (0.701, 1000, 1e-05)
    """
    typed = given.strip()
    if kind == "count":
        if not COUNT.fullmatch(typed):
            raise EntrenarVizError(f"“{typed}” is no whole number: write 5000 or 5,000")
        count = int(typed.replace(",", ""))
        if count > LARGEST_STEP:
            raise EntrenarVizError(f"larger than {LARGEST_STEP:,}: a browser cannot count that far")
        return count
    if kind == "number":
        if not NUMBER.fullmatch(typed):
            raise EntrenarVizError(f"“{typed}” is no number: write 0.00001 or 1e-5")
        if float(typed) in (float("inf"), float("-inf")):
            raise EntrenarVizError(f"{typed} is larger than any number here")
        return float(typed)
    return _fraction(typed)


def _fraction(typed: str) -> float:
    if not PERCENT.fullmatch(typed):
        raise EntrenarVizError(f"“{typed}” is no percentage: {_how_to_write(typed)}")
    if _may_be_fraction(typed):
        raise EntrenarVizError(f"“{typed}”: {_both_ways(typed)}")
    fraction = float(f"{typed.rstrip('%').rstrip()}e-2")  # shifted as text: 70.1 / 100 is 0.7009999999999998
    if fraction > 1:
        raise EntrenarVizError(f"{typed} is more than 100%")
    return fraction


def _may_be_fraction(typed: str) -> bool:
    """JSON and Python write 0.5 for 50%."""
    return not typed.endswith("%") and 0 < float(typed) < 1


def _both_ways(typed: str) -> str:
    return f"write {float(typed):g}% or {float(f'{typed}e2'):g}%"


def _how_to_write(typed: str) -> str:
    point = typed.replace(",", ".")
    if re.fullmatch(r"\d+,\d+\s*%?", typed, re.ASCII):
        return _both_ways(point) if _may_be_fraction(point) else f"write {point}"
    return "it must be from 0% to 100%" if typed.startswith("-") else "write a number from 0 to 100, such as 48.75"
