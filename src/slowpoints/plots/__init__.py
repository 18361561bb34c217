"""Figures, each drawn from tables only: one module per figure, one common style, and the list of all figures."""
