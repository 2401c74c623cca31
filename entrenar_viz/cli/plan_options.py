"""What can be written after ``entrenar-viz plan``."""

import argparse
import os
from pathlib import Path
from typing import Any

from entrenar_viz.cli.option_values import MAX_WORKERS, amount, picture, share, share_of_layer, workers
from entrenar_viz.plan.shares import ALLOCATIONS, OPTIONS

_OF_METHODS = {"power": "power", "no_kernel": "include_kernel", "M": "M", "lam": "lam", "per": "per", "loss": "loss"}


def add_plan(commands: Any) -> None:
    """Add the command and its options."""
    text = "share out a budget among the layers of a model: which gives how much"
    parser = commands.add_parser("plan", help=text, description=text)
    parser.add_argument("model", metavar="MODEL", help="a model file, or the folder of a checkpoint, as for survey")
    what = "the share of the weights that goes, of all layers that are neither fixed nor skipped"
    parser.add_argument("--sparsity", required=True, type=share, metavar="S", help=what)
    parser.add_argument("--method", choices=ALLOCATIONS, default="erk", help="how it is shared out (default: erk)")
    what = "inputs of the layers by their names, .npz or .safetensors: owl needs them"
    parser.add_argument("--calibration", metavar="FILE", help=what)
    _add_given(parser)
    _add_options(parser)
    parser.add_argument("--workers", type=workers, metavar="N", help="layers at a time (default: one a processor)")
    parser.add_argument("-o", "--output", type=Path, metavar="PLAN", help="the plan to write")
    parser.add_argument("--table", action="store_true", help="print all layers (default: 40, and none with -o)")
    parser.add_argument("--sensitivity", type=Path, metavar="CSV", help="measure what layers lose, and write it there")
    parser.add_argument("--figure", type=picture, metavar="OUT", help="the picture of the plan to write")
    parser.add_argument("--theme", choices=["light", "dark"], default="light")
    parser.add_argument("--force", action="store_true", help="replace files that exist")


def _add_given(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("layers that are given", "NAME may have * and ?")
    what = "the sparsity of a layer that is not in the budget, again for each"
    group.add_argument("--fixed", type=share_of_layer, action="append", default=[], metavar="NAME=S", help=what)
    group.add_argument("--count-fixed", action="store_true", help="they are in it, and the others make up for them")
    what = "leave a layer whole, again for each"
    group.add_argument("--skip", action="append", default=[], metavar="NAME", help=what)
    what = "share among embeddings and output heads too, which are left whole without it"
    group.add_argument("--prune-embeddings", action="store_true", help=what)
    for name, default, what in (("min", 0.0, "at least"), ("max", 1.0, "at most")):
        help_text = f"{what} so much of each layer that is not fixed"
        group.add_argument(f"--{name}-sparsity", type=share, default=default, metavar="S", help=help_text)


def _add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("options of the methods")
    group.add_argument("--power", type=amount, metavar="P", help="erk: what the densities are raised to (default: 1)")
    what = "erk: without the height and width of kernels, Erdős-Rényi"
    group.add_argument("--no-kernel", action="store_const", const=False, help=what)
    what = "owl: an outlier is so many times the mean (default: 5)"
    group.add_argument("--M", type=amount, metavar="M", help=what)
    what = "owl: sparsities are so far from their mean (default: 0.08)"
    group.add_argument("--lam", type=amount, metavar="L", help=what)
    group.add_argument("--per", choices=["block", "layer"], help="owl: what outliers are counted in (default: block)")
    what = "sensitivity: what is to be lost least of (default: energy)"
    group.add_argument("--loss", choices=["energy", "output"], help=what)


def plan_model(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """Run the command."""
    from entrenar_viz.cli.plan_layers import Budget, Written, plan

    options = {of: value for name, of in _OF_METHODS.items() if (value := getattr(arguments, name)) is not None}
    for name, of in _OF_METHODS.items():
        if of in options and of not in OPTIONS[arguments.method]:
            method = next(method for method, known in OPTIONS.items() if of in known)
            parser.error(f"--{name.replace('_', '-')} goes with --method {method}")
    budget = Budget(
        sparsity=arguments.sparsity,
        fixed=dict(arguments.fixed),
        skip=arguments.skip,
        min_sparsity=arguments.min_sparsity,
        max_sparsity=arguments.max_sparsity,
        count_fixed=arguments.count_fixed,
        skip_embed_layers=not arguments.prune_embeddings,
    )
    return plan(
        arguments.model,
        budget,
        arguments.method,
        options,
        calibration=arguments.calibration,
        workers=arguments.workers or min(os.cpu_count() or 1, MAX_WORKERS),
        table=arguments.table,
        written=Written(arguments.output, arguments.sensitivity, arguments.figure, arguments.theme, arguments.force),
    )
