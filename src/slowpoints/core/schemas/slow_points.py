"""Tables of slow points, their eigenvalues, the paths to them, and the states around them."""

import pyarrow as pa

from slowpoints.core.schemas.schema import NETWORK, NETWORK_COLUMNS, TUNED_COLUMNS, TUNED_NETWORK, TableSchema, typed

SLOW_POINTS = TableSchema(
    "slow_points",
    {
        **TUNED_COLUMNS,
        "label": pa.int16(),
        **typed(pa.float64(), "centre_speed", "speed_1000", "speed"),
        "readout": pa.int16(),
        **typed(pa.float64(), "distance", "deep_speed"),
        "deep_readout": pa.int16(),
        **typed(pa.float64(), "deep_distance", "projected_gradient"),
        "converged": pa.bool_(),
        "iterations": pa.int32(),
        "deep_kind": pa.string(),
        **typed(pa.float64(), "raw_speed", "leading"),
        "n_unstable": pa.int32(),
        **typed(pa.float64(), "time_constant", "lifetime"),
        "lifetime_capped": pa.bool_(),
        "state": pa.list_(pa.float64()),
        **typed(pa.float64(), "settled_speed", "margin", "margin_time"),
        "margin_capped": pa.bool_(),
        "point_lifetime": pa.float64(),
        "point_lifetime_capped": pa.bool_(),
        **typed(pa.float64(), "path_distance", "drift", "diffusion", "settled_drift", "settled_diffusion"),
        **typed(pa.float64(), "margin_drift", "margin_diffusion", "predicted_lifetime"),
        "predicted_lifetime_capped": pa.bool_(),
        "spectral_lifetime": pa.float64(),
    },
    key=(*TUNED_NETWORK, "label"),
)
SPECTRUM = TableSchema(
    "spectrum",
    {
        **TUNED_COLUMNS,
        "label": pa.int16(),
        "index": pa.int32(),
        **typed(pa.float64(), "real", "imag"),
    },
    key=(*TUNED_NETWORK, "label", "index"),
    sparse=True,
)
RELAXATION = TableSchema(
    "relaxation",
    {
        **TUNED_COLUMNS,
        "label": pa.int16(),
        "frame": pa.int32(),
        **typed(pa.float64(), "speed", "margin"),
        "readout": pa.int16(),
    },
    key=(*TUNED_NETWORK, "label", "frame"),
    sparse=True,
)
TRAJECTORIES = TableSchema(
    "trajectories",
    {
        **NETWORK_COLUMNS,
        "kind": pa.string(),
        **typed(pa.int16(), "label", "trial", "frame"),
        **typed(pa.float64(), "pc1", "pc2", "pc3"),
    },
    key=(*NETWORK, "kind", "label", "trial", "frame"),
)
