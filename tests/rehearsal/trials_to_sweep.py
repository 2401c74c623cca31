"""Trials that take no time, for sweeps: the metric follows from schedule, sparsity and seed."""

from entrenar_viz import Cubic, PruningConfig

STEPS = 1000
CONFIG = PruningConfig(schedule=Cubic(start_step=200, end_step=700, final_sparsity=0.5), target_sparsity=0.5)
GRID = {"sparsities": (0.5, 0.9), "seeds": 3}
RUNS = 3 + 3 * 2 * 3  # of GRID: dense, and three schedules at two sparsities


def known(pruner, seed):
    """A metric that tells runs apart."""
    yield STEPS, 0.9 - pruner.config.target_sparsity / (2 + len(pruner.name)) + seed / 1000


def fails_at_seed_1(pruner, seed):
    """Fails where something is pruned in seed 1."""
    if seed == 1 and pruner.name != "dense":
        raise RuntimeError("out of\nmemory")
    yield from known(pruner, seed)
