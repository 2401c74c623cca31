"""Runs a configuration in PyTorch: pruner, calibration, adapters. Only here is torch imported, but for its files."""

try:
    import torch as torch
except ImportError as missing:  # what is wrong first, and how to fix it, rather than a missing module in the middle
    raise ImportError('entrenar_viz.torch needs PyTorch: pip install "entrenar-viz[torch]"') from missing

from entrenar_viz.torch.calibration import calibrate as calibrate
from entrenar_viz.torch.pruner import Pruner as Pruner
