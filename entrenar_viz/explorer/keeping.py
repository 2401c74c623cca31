"""What the explorer keeps for its user, as methods: the history of the controls."""

import traitlets as tr

from entrenar_viz.explorer.history import Steps


class Keeping(tr.HasTraits):
    """The part of the explorer that remembers."""

    steps: Steps

    def undo(self) -> None:
        """Go back to the configuration before the last gesture; does nothing if there is none."""
        self.steps.undo()

    def redo(self) -> None:
        """Go forward to what was undone last; does nothing if there is nothing."""
        self.steps.redo()

    def reset(self) -> None:
        """Show what the explorer was opened with; ``undo`` takes this back."""
        self.steps.reset()
