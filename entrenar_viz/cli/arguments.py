"""What can be written after ``entrenar-viz``: the commands and their options."""

import argparse
from pathlib import Path
from typing import Any

from entrenar_viz import __version__
from entrenar_viz.cli.open_lab import NOTEBOOK
from entrenar_viz.cli.option_values import fractions, frequencies, picture, port, seeds, some_steps, steps, workers
from entrenar_viz.cli.plan_options import add_plan


def arguments_parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="entrenar-viz",
        description="See what a pruning schedule will really do. Without a command: open the explorer.",
    )
    parser.add_argument("--version", action="version", version=f"entrenar-viz {__version__}")
    commands = parser.add_subparsers(dest="command", title="commands", metavar="")
    text = f"open the explorer in JupyterLab, as {NOTEBOOK} in this folder; what follows -- goes to JupyterLab"
    commands.add_parser("lab", help=text, description=text)
    _add_app(commands)
    _add_check(commands)
    _add_figure(commands)
    _add_survey(commands)
    add_plan(commands)
    _add_prune(commands)
    _add_rehearse(commands)
    return parser


def _add_app(commands: Any) -> None:
    text = "serve the dashboard alone, by Voila, on this machine; what follows -- goes to Voila"
    parser = commands.add_parser("app", help=text, description=text)
    parser.add_argument("--root", metavar="FOLDER", help="visitors may open the model files below it (default: none)")
    parser.add_argument("--config", metavar="FILE", help="the configuration to start with")
    parser.add_argument("--weights", metavar="PATH", help="a model file or folder to preview masks on")
    parser.add_argument("--port", type=port, default=8866, metavar="N", help="the first port to try (default: 8866)")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def _add_check(commands: Any) -> None:
    text = (
        "say what the trainer will do with a configuration; exit 1 if it is invalid or has a finding of severity error"
    )
    parser = commands.add_parser("check", help=text, description=text)
    _add_file_and_steps(parser)
    forms = parser.add_mutually_exclusive_group()
    for form, what in (("json", "one JSON object"), ("markdown", "a report in Markdown")):
        forms.add_argument(f"--{form}", action="store_const", const=form, dest="form", help=f"print {what} instead")
    parser.set_defaults(form="text")


def _add_figure(commands: Any) -> None:
    text = "draw the schedule of a configuration as .svg, .png or .pdf"
    parser = commands.add_parser("figure", help=text, description=text)
    _add_file_and_steps(parser)
    parser.add_argument("-o", "--output", required=True, type=picture, metavar="OUT", help="the picture to write")
    parser.add_argument("--log", metavar="FILE", help="draw what a training has reported over it, .jsonl or .csv")
    parser.add_argument("--metric", action="append", default=[], metavar="NAME", help="and this metric of the log")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def _add_survey(commands: Any) -> None:
    text = "say what a configuration does to each layer of a model, those that lose most first"
    parser = commands.add_parser("survey", help=text, description=text)
    parser.add_argument(
        "model",
        metavar="MODEL",
        help="a model file (.safetensors .npz .npy .pt .onnx .h5 .keras), or the folder of a checkpoint",
    )
    parser.add_argument(
        "file", metavar="CONFIG", help="the configuration as the trainer loads it, JSON, or YAML in .yaml or .yml"
    )
    parser.add_argument("--steps", type=steps, metavar="N", help="training steps (default: to the schedule's end)")
    parser.add_argument(
        "--calibration", metavar="FILE", help="inputs of the layers by their names, .npz or .safetensors"
    )
    _add_plan(parser)
    parser.add_argument("--workers", type=workers, metavar="N", help="layers at a time (default: one a processor)")
    parser.add_argument("--csv", type=Path, metavar="OUT", help="write all layers there; names stand as in the model")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")


def _add_prune(commands: Any) -> None:
    text = "write a model, pruned to the sparsity that the schedule ends with, to another file or folder"
    parser = commands.add_parser("prune", help=text, description=text)
    parser.add_argument("model", metavar="MODEL", help=".safetensors, .npz or .npy, or the folder of a checkpoint")
    parser.add_argument(
        "file", metavar="CONFIG", help="the configuration as the trainer loads it, JSON, or YAML in .yaml or .yml"
    )
    parser.add_argument("-o", "--output", required=True, metavar="OUT", help="a file for a file, a folder for a folder")
    parser.add_argument("--steps", type=steps, metavar="N", help="training steps (default: to the schedule's end)")
    parser.add_argument(
        "--calibration", metavar="FILE", help="inputs of the layers by their names, .npz or .safetensors"
    )
    _add_plan(parser)
    parser.add_argument("--within", choices=["tensor", "row"], default="tensor", help="what a weight is ranked in")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists; never the model itself")


def _add_rehearse(commands: Any) -> None:
    text = "train a small network under each schedule, or plan of its layers, and say which keeps more accuracy"
    parser = commands.add_parser("rehearse", help=text, description=text)
    _add_file_and_steps(parser)
    parser.add_argument(
        "--rehearsal-steps", type=some_steps, metavar="N", help="steps of each small training (default: 2,000)"
    )
    parser.add_argument("--seeds", type=seeds, default=5, metavar="N", help="trainings of each schedule (default: 5)")
    parser.add_argument("--workers", type=workers, metavar="N", help="runs at a time (default: one a processor)")
    what = "compare plans instead: the schedule with the same sparsity for each layer, and with that of ERK"
    parser.add_argument("--plans", action="store_true", help=what)
    what = "rehearse at each of these sparsities (default: 0.5,0.7,0.8,0.9,0.95,0.98)"
    parser.add_argument("--sweep", nargs="?", const=(), type=fractions, metavar="S,S", help=what)
    what = "of a sweep: with each of these numbers of steps between Gradual's updates"
    parser.add_argument("--frequencies", type=frequencies, metavar="N,N", help=what)
    what = "of a sweep: keep finished runs there, and make only those that are missing"
    parser.add_argument("--results", type=Path, metavar="FILE", help=what)
    parser.add_argument(
        "--csv", type=Path, metavar="OUT", help="write a row for each reading, or run of a sweep, there"
    )
    parser.add_argument("-o", "--output", type=picture, metavar="OUT", help="the picture to write")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists; never the results")


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plan", metavar="FILE", help="a plan: which layer gives how much (default: each the same)")


def _add_file_and_steps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="the configuration as the trainer loads it, JSON, or YAML in .yaml or .yml"
    )
    parser.add_argument(
        "--steps", type=steps, metavar="N", help="training steps (default: so many that 40%% follow the schedule)"
    )
