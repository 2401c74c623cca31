"""Runs a configuration in PyTorch: pruner, calibration, adapters. Only here is torch imported, but for its files."""
