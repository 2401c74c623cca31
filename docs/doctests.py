"""For the site: doctests in docstrings are shown as code, which Markdown takes for quotations."""

import re
from typing import Any

from griffe import Extension, Object

# an example, up to the next empty line, with its own indentation
_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)


def fenced(text: str) -> str:
    """``text`` with each doctest in a fence of its own."""
    return _EXAMPLE.sub(lambda found: f"{found[1]}```pycon\n{found[0]}\n{found[1]}```", text)


class Doctests(Extension):
    """Fences the doctests of whatever has a docstring."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Change the docstring of ``obj`` before it is parsed."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)
