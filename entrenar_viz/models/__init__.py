"""Weights from arrays, samples and model files, read one tensor at a time. Nothing here scores or prunes."""
