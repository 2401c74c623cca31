"""Numbers as they are typed: the kernel reads and shows them as the page does."""

import json
from pathlib import Path

import pytest

from entrenar_viz import EntrenarVizError
from entrenar_viz.explorer.controls.numbers import parsed, shown

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "typed_numbers.json").read_text("utf-8"))


@pytest.mark.parametrize(("kind", "text", "number"), VECTORS["parsed"])
def test_what_is_typed_is_read(kind, text, number):
    assert parsed(kind, text) == number


@pytest.mark.parametrize(("kind", "text", "message"), VECTORS["refused"])
def test_what_is_no_number_is_refused_and_says_how_to_write_it(kind, text, message):
    with pytest.raises(EntrenarVizError) as refused:
        parsed(kind, text)
    assert str(refused.value) == message


@pytest.mark.parametrize(("kind", "number", "text"), VECTORS["shown"])
def test_numbers_are_shown_as_they_are_typed(kind, number, text):
    assert shown(kind, number) == text
    if number not in (0.2165994,):  # which is rounded
        assert parsed(kind, text) == number
