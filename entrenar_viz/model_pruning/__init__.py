"""Prunes a model file or checkpoint to the sparsity that its schedule ends with, in bounded memory."""
