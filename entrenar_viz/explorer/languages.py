"""What a configuration can be taken away as: the trainer's JSON or YAML, source text, or a report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from entrenar_viz.config.pruning_config import PruningConfig
from entrenar_viz.explorer.browser import payload
from entrenar_viz.export.markdown import as_markdown
from entrenar_viz.export.source_code import as_python, as_rust
from entrenar_viz.files.writing import YAML_SUFFIXES


@dataclass(frozen=True)
class Language:
    """A way to write a configuration in a training of so many steps, and the file that it goes to."""

    name: str
    suffixes: tuple[str, ...]
    media: str
    write: Callable[[PruningConfig, int], str]

    @property
    def suffix(self) -> str:
        """How the name of a file of it ends, if nobody asks for another of its suffixes."""
        return self.suffixes[0]

    def fits(self, path: str) -> bool:
        """Whether a file of it may be called so."""
        return Path(path).suffix.lower() in self.suffixes

    @property
    def file(self) -> str:
        """The name of a file of it."""
        return f"pruning{self.suffix}"

    def exported(self, config: PruningConfig, total_steps: int, note: str = "") -> payload.Exported:
        """``config`` in a training of ``total_steps`` steps, as the page shows it with a ``note``."""
        text = self.write(config, total_steps)
        return payload.Exported(language=self.name, text=text, file=self.file, media=self.media, note=note)


LANGUAGES = (
    Language("JSON", (".json",), "application/json", lambda config, _: config.to_json()),
    Language("YAML", YAML_SUFFIXES, "application/yaml", lambda config, _: config.to_yaml()),
    Language("Python", (".py",), "text/x-python", lambda config, _: as_python(config)),
    Language("Rust", (".rs",), "text/x-rust", lambda config, _: as_rust(config)),
    Language("Markdown", (".md",), "text/markdown", as_markdown),
)
JSON, YAML = LANGUAGES[:2]


def saved_as(path: str, chosen: Language) -> Language:
    """The language of the file at ``path``: ``chosen``, but of JSON and YAML the one that the path says."""
    said = [language for language in (JSON, YAML) if language.fits(path)]
    return said[0] if said and chosen in (JSON, YAML) else chosen
