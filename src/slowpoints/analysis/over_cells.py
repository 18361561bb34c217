"""Cells of the grid as a sample: their mean, their heterogeneity, and the prediction for a further cell.

Random effects: the variance between cells after Paule & Mandel (1982), the interval of the mean after Hartung & Knapp
(2001), the prediction interval after Higgins, Thompson & Spiegelhalter (2009).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

LEAST_CELLS, LEAST_TO_PREDICT = 2, 3
"""Fewest cells for a mean with an interval, and for a prediction interval."""
CONFIDENCE = 0.95
FIELLER = 1.06
"""Variance of a rank correlation's Fisher z, times n - 3 (Fieller, Hartley & Pearson 1957)."""
LEAST_RANKED = 4
"""Fewest networks of a cell for its rank correlation to have a variance."""


class OverCells(NamedTuple):
    """Statistics of cells as a sample, by column of the table `claims`.

    Attributes:
        n_cells: number of cells with an effect.
        n_cells_agree: number of those whose effect has the claimed sign.
        cells_effect, cells_low, cells_high: mean over cells, and its 95 % interval.
        prediction_low, prediction_high: 95 % prediction interval for the effect of a further cell.
        q, i2: Cochran's Q, and the share of the scatter that exceeds the errors within cells, in [0, 1].
    """

    n_cells: int
    n_cells_agree: int
    cells_effect: float = np.nan
    cells_low: float = np.nan
    cells_high: float = np.nan
    prediction_low: float = np.nan
    prediction_high: float = np.nan
    q: float = np.nan
    i2: float = np.nan


def over_cells(effects: np.ndarray, variances: np.ndarray, agree: np.ndarray) -> OverCells:
    """Effects of cells combined.

    The interval of the mean is at least as wide as that from errors within cells alone (Röver, Knapp & Friede 2015).

    Args:
        effects: effects of K cells, `[K]`.
        variances: squared standard errors, `[K]`; cells where it is NaN or zero are counted, but not combined.
        agree: whether each effect has the claimed sign, `[K]`.

    Returns:
        The statistics, NaN for those that need more cells.
    """
    counts = OverCells(len(effects), int(np.sum(agree)))
    usable = variances > 0
    effects, variances = effects[usable], variances[usable]
    k = len(effects)
    if k < LEAST_CELLS:
        return counts
    from statsmodels.stats.meta_analysis import combine_effects  # seconds to import

    with np.errstate(divide="ignore"):  # by zero, with identical cells
        combined = combine_effects(effects, variances, method_re="pm")
    mean, error = combined.mean_effect_re, np.sqrt(max(combined.var_hksj_re, combined.var_eff_w_re))
    half = stats.t.ppf((1 + CONFIDENCE) / 2, k - 1) * error
    mean_and_scatter = counts._replace(
        cells_effect=float(mean),
        cells_low=float(mean - half),
        cells_high=float(mean + half),
        q=float(combined.q),
        i2=float(max(0.0, 1 - (k - 1) / combined.q)) if combined.q > 0 else 0.0,
    )
    if k < LEAST_TO_PREDICT:
        return mean_and_scatter
    half = stats.t.ppf((1 + CONFIDENCE) / 2, k - 2) * np.sqrt(combined.tau2 + error**2)
    return mean_and_scatter._replace(prediction_low=float(mean - half), prediction_high=float(mean + half))


def mean_over_cells(samples: list[np.ndarray], agree: np.ndarray) -> OverCells:
    """Means of cells combined.

    Args:
        samples: values of the networks of each cell, `[n]` each.
        agree: as for `over_cells`.
    """
    errors = [sample.var(ddof=1) / len(sample) if len(sample) > 1 else np.nan for sample in samples]
    return over_cells(np.array([sample.mean() for sample in samples]), np.array(errors), agree)


def fisher_variance(n: np.ndarray) -> np.ndarray:
    """Variance of the Fisher z of Spearman correlations over `n` networks each, NaN for too few."""
    return np.where(n >= LEAST_RANKED, FIELLER / np.maximum(n - LEAST_RANKED + 1, 1), np.nan)


def correlation_over_cells(r: np.ndarray, n: np.ndarray, agree: np.ndarray) -> OverCells:
    """Spearman correlations of cells, combined as Fisher's z and transformed back.

    Args:
        r: `[K]`; a perfect correlation is counted, but not combined, since its z is infinite.
        n: number of networks of each cell, `[K]`.
        agree: as for `over_cells`.
    """
    perfect = np.abs(r) >= 1
    z = np.arctanh(np.where(perfect, 0.0, r))
    of_z = over_cells(z, np.where(perfect, np.nan, fisher_variance(n)), agree)
    return OverCells._make([*of_z[:2], *np.tanh(of_z[2:7]).tolist(), *of_z[7:]])
