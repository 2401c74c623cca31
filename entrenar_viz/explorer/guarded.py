"""The one guard of all callbacks: JupyterLab hides the exceptions of widgets."""

from collections.abc import Callable
from functools import wraps
from typing import Any


class Guarded:
    """Called with a callback, gives the same that never raises: ``say`` is told instead, and ``errors`` keeps it."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.errors: list[Exception] = []

    def __call__(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """The guarded ``callback``."""

        @wraps(callback)
        def run(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:
                self.errors.append(error)
                self._say(f"Something went wrong ({type(error).__name__}): {error}")

        return run
