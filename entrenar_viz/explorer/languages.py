"""What a configuration can be taken away as: the trainer's JSON, source text, or a report."""

from collections.abc import Callable
from dataclasses import dataclass

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.export.markdown import as_markdown
from entrenar_viz.export.source_code import as_python, as_rust


@dataclass(frozen=True)
class Language:
    """A way to write a configuration in a training of so many steps, and the file that it goes to."""

    name: str
    suffix: str
    media: str
    write: Callable[[PruningConfig, int], str]

    @property
    def file(self) -> str:
        """The name of a file of it."""
        return f"pruning{self.suffix}"


LANGUAGES = (
    Language("JSON", ".json", "application/json", lambda config, _: config.to_json()),
    Language("Python", ".py", "text/x-python", lambda config, _: as_python(config)),
    Language("Rust", ".rs", "text/x-rust", lambda config, _: as_rust(config)),
    Language("Markdown", ".md", "text/markdown", as_markdown),
)
JSON = LANGUAGES[0]
