"""The delayed classification task: timing, trials, loss, and the curricula that lead to it."""
