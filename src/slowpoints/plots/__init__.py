"""Figures, each drawn from tables alone: a module a figure, one style, and the list of what each is drawn from."""
