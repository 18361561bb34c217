"""The explorer: a study as one page to look around in, drawn from its tables alone.

`data` gathers and packs what is shown, `page` writes the file; the page itself is HTML, CSS and JavaScript beside them.
"""

EXPLORED = (
    "networks",
    "extrapolation",
    "slow_points",
    "relaxation",
    "spectrum",
    "trajectories",
    "formation",
    "regularisation",
)
"""Tables that the explorer is drawn from; of those that a study lacks, nothing is shown."""
