"""A finding: something to know before a training starts, with the numbers, and what would remove it."""

from dataclasses import dataclass
from typing import Literal

from entrenar_viz.config.pruning_config import PruningConfig

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True)
class Fix:
    """A changed configuration that removes a finding; ``label`` says in a few words what changes."""

    label: str
    config: PruningConfig


@dataclass(frozen=True)
class Finding:
    """Something to know before the training starts: a stable ``code``, and a sentence with the numbers."""

    code: str
    severity: Severity
    message: str
    fixes: tuple[Fix, ...] = ()

    @property
    def fix(self) -> PruningConfig | None:
        """The first of ``fixes``, if there is one."""
        return self.fixes[0].config if self.fixes else None


def by_severity(findings: list[Finding]) -> list[Finding]:
    """Errors first, then warnings; otherwise in their order."""
    return sorted(findings, key=lambda finding: ("error", "warning", "info").index(finding.severity))
