"""Figures `control` and `cells`, both views of table `claims`: their data, also with gaps."""

import numpy as np
import pandas as pd
import pytest
from claim_tables import about, made_up

from slowpoints.core.tables import read_table, write_table
from slowpoints.plots.figures import data, draw, schema

NETWORK = {"dataset": "a", "architecture": "gru", "protocol": "vocu"}


def tuning(mode, lambda_, gain, loss, dataset="a"):
    row = about("C4", dataset=dataset, mode=mode, lambda_=lambda_, rival_lambda=0.0)
    return [(row, gain, "supported"), ({**row, "measure": "nominal_accuracy"}, -loss, "supported")]


CLAIMS = made_up(
    *tuning("settled", 300.0, 0.3, 0.01),
    *tuning("slow_points", 0.1, 0.1, 0.0),
    *tuning("slow_points", 1.0, 0.2, 0.02),
    (about("C4", mode="settled", lambda_=300.0), 0.5, "supported"),
    (about("C4", **NETWORK, mode="settled", lambda_=300.0), 0.6, None),
)
MEASURED = pd.DataFrame(
    [
        NETWORK | dict(zip(("mode", "lambda", "seed", "memory_score", "nominal_accuracy"), row, strict=True))
        for row in (
            ("trained", np.nan, 0, 0.0, 0.0),
            ("control", 0.0, 0, 0.5, 0.9),
            ("control", 0.0, 1, 0.6, 0.8),
            ("settled", 300.0, 0, 0.7, 0.8),
            ("settled", 300.0, 1, 0.9, 0.8),
        )
    ]
)
COSTS = pd.DataFrame(
    {
        **NETWORK,
        "mode": ["settled", "settled"],
        "lambda": 300.0,
        "block": ["0-2", "3"],
        "networks": [3, 1],
        "steps": 600,
        "seconds": [30.0, 20.0],
        "seconds_per_network": [10.0, 20.0],
    }
)


def test_points_are_the_rows_of_c4_on_data_sets():
    shown = data("control", {"claims": CLAIMS})
    points = shown[["mode", "lambda", "gain", "loss", "images"]].to_numpy().tolist()
    assert sorted(points) == [
        ["settled", 300.0, 0.3, 0.01, "test"],
        ["slow_points", 0.1, 0.1, 0.0, "test"],
        ["slow_points", 1.0, 0.2, 0.02, "test"],
    ]
    settled = shown[shown["mode"] == "settled"].iloc[0]
    np.testing.assert_allclose(
        settled[["gain_low", "gain_high", "loss_low", "loss_high"]].astype(float), [0.2, 0.4, -0.09, 0.11]
    )
    assert shown["seconds"].isna().all()
    assert len(draw("control", shown).axes) == 1


def test_validation_images_and_times_stand_beside_where_they_are_known(tmp_path):
    shown = data("control", {"claims": CLAIMS, "validation": MEASURED, "costs": COSTS})
    (validated,) = shown[shown["images"] == "validation"].to_dict("records")
    assert (validated["mode"], validated["n"]) == ("settled", 2)
    assert (validated["gain"], validated["loss"]) == (pytest.approx(0.25), pytest.approx(0.05))
    assert shown.loc[shown["mode"] == "settled", "seconds"].tolist() == [12.5, 12.5]  # 50 seconds, 4 networks
    figure = draw("control", shown)
    assert [ax.get_xlabel() for ax in figure.axes] == ["nominal accuracy lost", "seconds per network"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["slow points", "settled", "validation images"]
    write_table(shown, tmp_path / "control.parquet", schema("control"))
    again = read_table(tmp_path / "control.parquet", schema("control"))
    pd.testing.assert_frame_equal(again, shown)


def test_lambdas_are_named_where_a_mode_has_several():
    names = {text.get_text() for text in draw("control", data("control", {"claims": CLAIMS})).axes[0].texts}
    assert names == {"0.1", "1"}


def test_a_figure_says_which_table_it_lacks():
    with pytest.raises(ValueError, match="figure control is drawn from the table claims, which is not given"):
        data("control", {"validation": MEASURED})


def test_without_a_penalty_there_is_nothing_to_gain():
    (ax,) = draw("control", data("control", {"claims": CLAIMS.iloc[:0]})).axes
    assert ax.texts[0].get_text() == "no network was fine-tuned with a penalty"


def correlated(*rows):
    return made_up(*((about("C3", **place), rho, verdict) for place, rho, verdict in rows))


def cells_table(datasets=("a", "b")):
    rows = []
    for dataset in datasets:
        rows += [
            ({"dataset": dataset, "architecture": "gru", "protocol": protocol}, rho, None)
            for protocol, rho in (("vocu", -0.7), ("decu", 0.1))
        ]
        rows.append(({"dataset": dataset}, -0.3, "supported"))
    table = correlated(*rows, ({}, -0.3, "supported"))
    pooled = table["architecture"].isna()
    combined = {"n_cells": 2, "cells_effect": -0.4, "cells_low": -0.8, "cells_high": 0.2, "q": 9.0, "i2": 0.75}
    return table.assign(**{name: np.where(pooled, value, np.nan) for name, value in combined.items()})


def test_cells_of_each_data_set_stand_above_their_mean():
    shown = data("cells", {"claims": cells_table()})
    figure = draw("cells", shown)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == [
        "a, GRU, VoCu", "a, GRU, DeCu", "a: mean over cells", "b, GRU, VoCu", "b, GRU, DeCu", "b: mean over cells",
        "all: mean over cells",
    ]  # fmt: skip
    assert shown["rho"].tolist() == [-0.7, 0.1, -0.4] * 2 + [-0.4]
    assert shown["high"].tolist() == pytest.approx([-0.6, 0.2, 0.2] * 2 + [0.2])
    notes = [text.get_text() for text in figure.axes[0].texts]
    assert notes.count("Q = 9.0, I² = 75 %") == 3
    assert notes.count("n = 8") == 4


def test_of_the_only_data_set_the_mean_stands_once():
    shown = data("cells", {"claims": cells_table(["a"])})
    assert shown["dataset"].tolist() == ["a"] * 3


def test_without_correlations_cells_say_so():
    for table in (cells_table().iloc[:0], cells_table().assign(effect=np.nan, cells_effect=np.nan)):
        assert draw("cells", data("cells", {"claims": table})).axes[0].texts[0].get_text() == "no correlations"
