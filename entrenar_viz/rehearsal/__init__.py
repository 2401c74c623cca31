"""Rehearsals: what a schedule costs in accuracy, tried on small trainings. Nothing here draws or knows a widget."""
