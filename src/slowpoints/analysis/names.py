"""What predictors of memory, and levels of correlation, are called in figures and reports."""

PREDICTOR_NAMES = {
    "log10_speed": "speed of slow point",
    "log10_centre_speed": "speed at class centre",
    "log10_speed_1000": "speed after 1,000 steps of descent",
    "log10_deep_speed": "speed after deep search",
    "log10_settled_speed": "settled speed",
    "log10_drift": "drift at slow point",
    "log10_settled_drift": "drift at settled state",
    "leading": "leading eigenvalue",
    "n_unstable": "unstable directions",
    "path_distance": "slow point's distance from path",
    "margin": "readout margin",
    "log10_margin_time_20": "margin time at settled state",
    "log10_margin_time": "margin time at frame 100",
    "log10_point_lifetime": "lifetime from slow point",
    "log10_lifetime": "lifetime from class centre",
    "memory_score_half_noise": "memory score at half the noise",
    "memory_score_no_noise": "memory score without noise",
    "accuracy_20": "accuracy at delay 20",
    "accuracy_34": "accuracy at delay 34",
    "accuracy_50": "accuracy at delay 50",
    "accuracy_100": "accuracy at delay 100",
    "protocol_label": "protocol's label",
}
"""By column; others go by the name of their column. Rows of figure `predictors` are in this order where they look
equally far."""
AMONG = {
    "mixed": "among networks of all protocols together, as in the paper",
    "network": "among networks that differ only in their seed",
    "class": "among the classes of a network",
}
"""Among what networks speed predicts memory, by level of `correlations`."""
