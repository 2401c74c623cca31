"""Figures to keep, drawn by matplotlib, and the palette that the live view shares with them.

Only here is matplotlib.
"""
