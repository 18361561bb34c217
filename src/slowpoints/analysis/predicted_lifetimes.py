"""Predicted half-lives of single memories compared with measured ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from slowpoints.analysis.aggregation import CENTRE_FRAME, memory_measures
from slowpoints.analysis.correlation import RESAMPLES, percentiles
from slowpoints.core.schemas.schema import CELL, NETWORK
from slowpoints.core.streams import numpy_generator

NOISY, NOISE_FREE = "predicted_lifetime", "lifetime"
"""Predictions: from single noise frames along a path (`measures.first_passage`), and under the mean input."""
COLUMNS = [*CELL, "prediction", "n", "factor", "factor_low", "factor_high", "ratio"]


def prediction_errors(networks: pd.DataFrame, extrapolation: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """How far predicted half-lives of single memories are from measured ones, cell by cell.

    A memory counts if its network learned and its accuracy falls half-way to chance within the delays measured: a class
    that a network reports by default is never forgotten. Predictions beyond the longest delay are reduced to it.

    Args:
        networks: table `networks`.
        extrapolation: table `extrapolation`, mode trained.
        points: table `slow_points`, mode trained.

    Returns:
        Columns of the cell, `prediction` (`predicted_lifetime` or `lifetime`), `n` memories, the median `factor`
        between prediction and measurement (at least 1) with its 95 % interval (networks resampled), and their median
        `ratio` (above 1 where the prediction is too long). No rows if the study predicted no lifetimes in noise.
    """
    if NOISY not in points or points[NOISY].isna().all():
        return pd.DataFrame(columns=COLUMNS)
    learned = networks.loc[networks["learned"].astype(bool), NETWORK]
    measured = memory_measures(extrapolation, [*NETWORK, "label"])[[*NETWORK, "label", "half_life"]]
    memories = measured.merge(points, on=[*NETWORK, "label"]).merge(learned, on=NETWORK)
    memories[NOISE_FREE] += CENTRE_FRAME
    longest = memories["dataset"].map(extrapolation.groupby("dataset")["delay"].max())
    rows = []
    for prediction in (NOISY, NOISE_FREE):
        predicted = memories.dropna(subset=[prediction, "half_life"])
        predicted = predicted[predicted[prediction] > 0]
        within = predicted[prediction].clip(upper=longest[predicted.index])
        predicted = predicted.assign(error=np.log(within / predicted["half_life"]))
        for cell, of_cell in predicted.groupby(CELL):
            errors = [group.to_numpy() for _, group in of_cell.groupby("seed")["error"]]
            rows.append(dict(zip(CELL, cell, strict=True)) | {"prediction": prediction} | _errors(errors, cell))
    return pd.DataFrame(rows, columns=COLUMNS)


def _errors(errors: list[np.ndarray], cell: tuple[str, ...]) -> dict[str, float]:
    """Median factor and ratio, from the log errors of the memories of each network, and the interval of the factor."""
    rng = numpy_generator("predicted_lifetimes", *cell)
    factors = [np.exp(np.abs(log_error)) for log_error in errors]
    drawn = rng.integers(len(factors), size=(RESAMPLES, len(factors)))
    replicates = np.array([np.median(np.concatenate([factors[network] for network in row])) for row in drawn])
    low, high = percentiles(replicates) if len(factors) > 1 else (np.nan, np.nan)
    pooled = np.concatenate(errors)
    factor, ratio = np.median(np.concatenate(factors)), np.exp(np.median(pooled))
    return {"n": len(pooled), "factor": factor, "factor_low": low, "factor_high": high, "ratio": ratio}
