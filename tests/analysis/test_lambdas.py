"""The rule that chooses lambda, on simulated tables whose answer is known."""

import numpy as np
import pandas as pd
import pytest

from slowpoints.analysis.lambdas import COLUMNS, at_chosen_lambdas, chosen_lambdas, swept_lambdas

CELLS = [("digits", "gru", "vocu"), ("digits", "gru", "decu"), ("glyphs", "lstm", "decu")]


def validation(effects, seeds=4):
    """A table `validation`: gain in memory and loss of accuracy by mode and lambda, and by data set if a dict.

    Networks differ far more than modes, so that only a comparison in pairs sees the effects.
    """
    rng, rows = np.random.default_rng(0), []
    for cell in CELLS:
        for seed in range(seeds):
            memory, accuracy = rng.uniform(0.2, 0.6), rng.uniform(0.8, 0.95)
            for (mode, lambda_), effect in effects.items():
                gain, loss = effect[cell[0]] if isinstance(effect, dict) else effect
                rows.append((*cell, mode, lambda_, seed, accuracy - loss, memory + gain))
    names = ["dataset", "architecture", "protocol", "mode", "lambda", "seed", "nominal_accuracy", "memory_score"]
    return pd.DataFrame(rows, columns=names)


EFFECTS = {
    ("control", 0.0): (0.0, 0.0),
    ("path", 10.0): (0.1, 0.001),
    ("path", 100.0): (0.3, 0.005),  # just what is allowed
    ("path", 1000.0): (0.35, 0.02),  # the most memory, at too high a price
    ("noise", 1.5): (-0.05, -0.01),
    ("noise", 2.0): {"digits": (-0.02, 0.0), "glyphs": (-0.2, 0.0)},
    ("weight_decay", 0.1): (0.2, 0.3),
}


def test_the_largest_gain_at_a_harmless_loss_is_chosen():
    chosen = chosen_lambdas(validation(EFFECTS)).set_index(["dataset", "mode"])
    assert [*chosen.reset_index()] == COLUMNS
    assert chosen.loc[("digits", "path")].tolist() == pytest.approx([100, 3, 0.3, 0.005, 0.005])
    assert chosen["lambda"].xs("noise", level="mode").to_dict() == {"digits": 2.0, "glyphs": 1.5}
    assert chosen.loc[("glyphs", "weight_decay")].isna().sum() == 4  # none is harmless
    assert chosen["n_lambdas"].to_dict()[("glyphs", "weight_decay")] == 1


def test_the_smaller_of_equal_lambdas_is_chosen():
    effects = {("control", 0.0): (0.0, 0.0), ("path", 30.0): (0.25, 0.0), ("path", 10.0): (0.25, 0.0)}
    table = validation(effects, seeds=1).round(2)
    assert set(chosen_lambdas(table)["lambda"]) == {10.0}


def test_cells_count_alike_and_the_worst_is_named():
    table = validation(EFFECTS)
    path = table["mode"].eq("path") & table["lambda"].eq(10.0)
    table.loc[path & table["protocol"].eq("decu") & table["dataset"].eq("digits"), "nominal_accuracy"] -= 0.01
    more = table[path & table["protocol"].eq("vocu")].assign(seed=lambda rows: rows["seed"] + 10)
    control = table[table["mode"].eq("control") & table["protocol"].eq("vocu")]
    table = pd.concat([table, more, control.assign(seed=control["seed"] + 10)])
    row = swept_lambdas(table).set_index(["dataset", "mode", "lambda"]).loc[("digits", "path", 10.0)]
    assert row.tolist() == pytest.approx([0.1, (0.001 + 0.011) / 2, 0.011])


def test_a_network_without_control_is_named():
    table = validation(EFFECTS)
    table = table[~(table["mode"].eq("control") & table["seed"].eq(2) & table["dataset"].eq("glyphs"))]
    with pytest.raises(ValueError, match="the network glyphs/lstm/decu/2 is not among those of mode control"):
        chosen_lambdas(table)


def test_networks_at_the_chosen_lambdas():
    """One lambda of each mode on each data set; all of a mode that was not validated, and all without a sweep."""
    table = validation(EFFECTS | {("weight_decay", 0.3): (0.3, 0.4)})
    tuned = pd.concat([table.assign(test_images=True), table[table["mode"] == "path"].assign(mode="settled")])
    tuned = tuned.set_axis(np.arange(len(tuned))[::-1])
    chosen = at_chosen_lambdas(tuned, table)
    lambdas = chosen.groupby(["dataset", "mode"])["lambda"].unique().map(list).to_dict()
    assert lambdas["digits", "path"] == lambdas["glyphs", "path"] == [100.0]
    assert (lambdas["digits", "noise"], lambdas["glyphs", "noise"]) == ([2.0], [1.5])
    assert lambdas["digits", "weight_decay"] == [0.1]  # neither is harmless: the one that costs least
    assert lambdas["digits", "settled"] == [10.0, 100.0, 1000.0]
    assert lambdas["digits", "control"] == [0.0]
    pd.testing.assert_frame_equal(chosen, tuned.loc[chosen.index])
    assert at_chosen_lambdas(tuned, None) is tuned
    single = tuned[tuned["lambda"].isin([0.0, 1000.0])]
    assert len(at_chosen_lambdas(single, table)) == len(single)  # a single lambda is not a choice
