"""Files on the cost of fine-tuning, and their table."""

import json

import pytest

from slowpoints.core.costs import COLUMNS, COST, collate_costs, write_cost


def written(folder, place, **changes):
    path = folder.joinpath("networks", *place.split("/"), COST)
    cost = {"mode": "path", "lambda_": 30.0, "steps": 600, "networks": 4, "seconds": 12.0, "device": "cpu"}
    write_cost(path, **cost | changes)
    return path


def test_costs_are_rows_by_cell_mode_and_block(tmp_path):
    files = [
        written(tmp_path, "digits/gru/vocu/path/4-5", networks=2, seconds=5.0),
        written(tmp_path, "digits/gru/vocu/path/0-3"),
        written(tmp_path, "digits/gru/decu/control/0-3", mode="control", lambda_=0.0),
    ]
    table = collate_costs(files)
    assert list(table) == COLUMNS
    assert table.iloc[0].tolist() == ["digits", "gru", "decu", "control", 0.0, "0-3", 4, 600, 12.0, 3.0, "cpu"]
    assert table[["block", "seconds_per_network"]].values.tolist() == [["0-3", 3.0], ["0-3", 3.0], ["4-5", 2.5]]
    assert list(collate_costs([])) == COLUMNS


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"seconds": 1, "networks": 0})])
def test_a_file_that_holds_no_cost_is_named(tmp_path, content):
    path = written(tmp_path, "digits/gru/vocu/path/0-3")
    path.write_text(content)
    with pytest.raises(ValueError, match=f"^{path} does not hold the cost of a fine-tuning job"):
        collate_costs([path])
