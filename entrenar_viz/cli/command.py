"""The command ``entrenar-viz``: open the explorer, look at a configuration or a model, prune one."""

import argparse
import os
import sys
from collections.abc import Sequence

from entrenar_viz.cli.arguments import arguments_parser
from entrenar_viz.cli.check_config import check
from entrenar_viz.cli.open_lab import lab
from entrenar_viz.cli.option_values import MAX_WORKERS
from entrenar_viz.cli.plan_options import plan_model
from entrenar_viz.cli.serve_app import app
from entrenar_viz.errors import EntrenarVizError

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
    parser = arguments_parser()
    arguments = parser.parse_args(given)
    if passed_on and arguments.command in ("check", "figure", "survey", "plan", "prune", "rehearse"):
        parser.error(f"{arguments.command} takes nothing after --")
    if arguments.command == "check":
        return check(arguments.file, arguments.steps, arguments.form)
    if arguments.command == "figure":
        return _figure(parser, arguments)
    if arguments.command == "survey":
        return _survey(arguments)
    if arguments.command == "plan":
        return plan_model(parser, arguments)
    if arguments.command == "prune":
        return _prune(arguments)
    if arguments.command == "rehearse":
        return _rehearse(parser, arguments)
    if arguments.command == "app":
        shown = {name: getattr(arguments, name) for name in ("root", "config", "weights")}
        given_port, browser = arguments.port, not arguments.no_browser
        return app(shown, passed_on, port=given_port, theme=arguments.theme, open_browser=browser)
    return lab(passed_on)


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
        plan=arguments.plan,
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
        plan=arguments.plan,
        within=arguments.within,
        overwrite=arguments.force,
    )


def _rehearse(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    from entrenar_viz.cli.rehearse_config import PLANS, Written, rehearse_file, sweep_file

    given = {
        "steps": arguments.steps,
        "rehearsal_steps": arguments.rehearsal_steps,
        "seeds": arguments.seeds,
        "workers": arguments.workers or min(os.cpu_count() or 1, MAX_WORKERS),
        "written": Written(arguments.csv, arguments.output, arguments.theme, arguments.force),
    }
    if arguments.sweep is not None:
        if arguments.plans:
            parser.error("--plans does not go with --sweep: a plan has sparsities of its own")
        of_sweep = {"frequencies": arguments.frequencies, "results": arguments.results}
        return sweep_file(arguments.file, arguments.sweep, **of_sweep, **given)
    for name in ("frequencies", "results"):
        if getattr(arguments, name) is not None:
            parser.error(f"--{name} goes with --sweep")
    return rehearse_file(arguments.file, plans=PLANS if arguments.plans else None, **given)
