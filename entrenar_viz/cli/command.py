"""The command ``entrenar-viz``: open the explorer, check a configuration, draw it, survey or prune a model."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from entrenar_viz import __version__
from entrenar_viz.cli.check_config import check
from entrenar_viz.cli.open_lab import NOTEBOOK, lab
from entrenar_viz.cli.serve_app import app
from entrenar_viz.config.validation import U64_MAX
from entrenar_viz.errors import EntrenarVizError

MAX_WORKERS = 64
FAILED, INTERRUPTED, PIPE_CLOSED = 1, 130, 141  # the last two as shells count them: 128 + signal


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0 fine, 1 a bad file or a finding of severity error, 2 wrong usage."""
    given = list(sys.argv[1:] if argv is None else argv)
    split = given.index("--") if "--" in given else len(given)
    try:
        code = _run(given[:split], given[split + 1 :])
        sys.stdout.flush()  # here, where a closed pipe can still be told from a crash
    except EntrenarVizError as error:
        return _complain(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _complain(message: str) -> int:
    print(f"entrenar-viz: {message}", file=sys.stderr)
    return FAILED


def _run(given: list[str], passed_on: list[str]) -> int:
    parser = _parser()
    arguments = parser.parse_args(given)
    if passed_on and arguments.command in ("check", "figure", "survey", "prune"):
        parser.error(f"{arguments.command} takes nothing after --")
    if arguments.command == "check":
        return check(arguments.file, arguments.steps, arguments.form)
    if arguments.command == "figure":
        return _figure(parser, arguments)
    if arguments.command == "survey":
        return _survey(arguments)
    if arguments.command == "prune":
        return _prune(arguments)
    if arguments.command == "app":
        shown = {name: getattr(arguments, name) for name in ("root", "config", "weights")}
        given_port, browser = arguments.port, not arguments.no_browser
        return app(shown, passed_on, port=given_port, theme=arguments.theme, open_browser=browser)
    return lab(passed_on)


def _parser() -> argparse.ArgumentParser:
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
    _add_prune(commands)
    return parser


def _add_app(commands: Any) -> None:
    text = "serve the dashboard alone, by Voila, on this machine; what follows -- goes to Voila"
    parser = commands.add_parser("app", help=text, description=text)
    parser.add_argument("--root", metavar="FOLDER", help="visitors may open the model files below it (default: none)")
    parser.add_argument("--config", metavar="FILE", help="the configuration to start with")
    parser.add_argument("--weights", metavar="PATH", help="a model file or folder to preview masks on")
    parser.add_argument("--port", type=_port, default=8866, metavar="N", help="the first port to try (default: 8866)")
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
    parser.add_argument("-o", "--output", required=True, type=_picture, metavar="OUT", help="the picture to write")
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
    parser.add_argument("--steps", type=_steps, metavar="N", help="training steps (default: to the schedule's end)")
    parser.add_argument(
        "--calibration", metavar="FILE", help="inputs of the layers by their names, .npz or .safetensors"
    )
    parser.add_argument("--workers", type=_workers, metavar="N", help="layers at a time (default: one a processor)")
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
    parser.add_argument("--steps", type=_steps, metavar="N", help="training steps (default: to the schedule's end)")
    parser.add_argument(
        "--calibration", metavar="FILE", help="inputs of the layers by their names, .npz or .safetensors"
    )
    parser.add_argument("--within", choices=["tensor", "row"], default="tensor", help="what a weight is ranked in")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists; never the model itself")


def _add_file_and_steps(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE", help="the configuration as the trainer loads it, JSON, or YAML in .yaml or .yml"
    )
    parser.add_argument(
        "--steps", type=_steps, metavar="N", help="training steps (default: the schedule, and 40%% for recovery)"
    )


def _steps(text: str) -> int:
    try:
        steps = int(text.replace(",", ""))
    except ValueError:
        steps = -1
    if not 0 <= steps <= U64_MAX:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no whole number from 0 to {U64_MAX}")
    return steps


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 1 << 16:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no port: use 1 to 65535")
    return int(text)


def _workers(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_WORKERS:
        raise argparse.ArgumentTypeError(f"{text!r:.40} is no number of workers from 1 to {MAX_WORKERS}")
    return int(text)


def _picture(text: str) -> Path:
    from entrenar_viz.figures.saving import format_of

    try:
        format_of(Path(text))
    except EntrenarVizError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return Path(text)


def _figure(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    from entrenar_viz.cli.draw_figure import draw

    if arguments.metric and arguments.log is None:
        parser.error("--metric goes with --log")
    return draw(
        arguments.file,
        arguments.output,
        steps=arguments.steps,
        log_file=arguments.log,
        metrics=arguments.metric,
        theme=arguments.theme,
        overwrite=arguments.force,
    )


def _survey(arguments: argparse.Namespace) -> int:
    from entrenar_viz.cli.survey_model import survey

    return survey(
        arguments.model,
        arguments.file,
        steps=arguments.steps,
        calibration=arguments.calibration,
        workers=arguments.workers or min(os.cpu_count() or 1, MAX_WORKERS),
        output=arguments.csv,
        overwrite=arguments.force,
    )


def _prune(arguments: argparse.Namespace) -> int:
    from entrenar_viz.cli.prune_model import prune

    return prune(
        arguments.model,
        arguments.file,
        arguments.output,
        steps=arguments.steps,
        calibration=arguments.calibration,
        within=arguments.within,
        overwrite=arguments.force,
    )
