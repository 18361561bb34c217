"""Figures, drawn from tables only: one module per figure, a common style, and the list of all figures."""
