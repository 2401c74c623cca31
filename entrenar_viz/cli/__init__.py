"""The command line: open the explorer, check a configuration, draw its schedule."""

from entrenar_viz.cli.command import main

__all__ = ["main"]
