"""The weight of a penalty: the largest whose cost is allowed, or of those the one with the longest memory."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from slowpoints import choose_weight

WEIGHTS = (1, 3, 10, 30, 100)


class Tuned:
    """Fine-tuning that leaves the weight and a random number in the copy; the measure falls with the weight."""

    def __init__(self, fails_at=math.inf):
        self.tried, self.fails_at = [], fails_at

    def __call__(self, module, weight):
        if weight >= self.fails_at:
            raise KeyboardInterrupt
        self.tried.append(weight)
        with torch.no_grad():
            module.weight.fill_(weight)
            module.bias.copy_(torch.randn(1))


def validate(module):
    return 0.9 - 0.001 * module.weight.item()


def fresh():
    torch.manual_seed(0)
    return nn.Linear(1, 1)


@pytest.mark.filterwarnings("ignore:the (largest weight tried|smallest weight)")
@pytest.mark.parametrize(
    ("allowed", "weight", "tried"),
    [(None, 3, [0, 1, 3, 10]), (0.0305, 30, [0, 1, 3, 10, 30, 100]), (0.0005, 0, [0, 1]), (1, 100, [0, *WEIGHTS])],
)
def test_it_is_the_last_before_the_first_that_costs_too_much(allowed, weight, tried):
    module, tune = fresh(), Tuned()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    choice = choose_weight(module, tune, validate, weights=WEIGHTS[::-1], allowed=allowed)
    assert choice.weight == weight
    assert choice.module.weight.item() == weight
    assert choice.control.weight.item() == 0
    assert choice.control.bias.item() == choice.module.bias.item() != module.bias.item()
    assert tune.tried == tried
    assert choice.table["weight"].tolist() == tried
    assert choice.table["measure"].tolist() == pytest.approx([0.9 - 0.001 * each for each in tried])
    assert choice.table["change"].tolist() == pytest.approx([-0.001 * each for each in tried])
    assert choice.table["passed"].tolist() == [0.001 * each <= (allowed or 0.005) for each in tried]
    assert all(torch.equal(module.state_dict()[name], tensor) for name, tensor in before.items())


def test_a_copy_that_diverged_costs_too_much():
    choice = choose_weight(fresh(), Tuned(), lambda module: math.nan if module.weight > 5 else np.float32(0.5))
    assert choice.weight == 3


@pytest.mark.parametrize("folder", [None, "weights"])
def test_a_penalty_without_effect_is_an_error_and_its_copy_is_not_saved(tmp_path, folder):
    """As when it was built from the original module: all copies would be alike, and the greatest weight would pass."""
    folder, module = folder and tmp_path / folder, fresh()

    def of_the_original(copy, weight):
        optimiser = torch.optim.SGD(copy.parameters(), lr=0.1)
        (copy(torch.ones(1)).sum() + weight * module.weight.square().sum()).backward()
        optimiser.step()

    with pytest.raises(ValueError, match=r"fine_tune\(copy, 3\) left the same copy as fine_tune\(copy, 0\)"):
        choose_weight(module, of_the_original, validate, weights=(3, 10), folder=folder)
    assert choose_weight(module, Tuned(), validate, weights=(2, 9), folder=folder).table["weight"].tolist() == [0, 2, 9]


def test_all_copies_draw_the_same_random_numbers_and_leave_those_of_the_caller():
    module, random = fresh(), torch.get_rng_state()
    drawn, seen = set(), []

    def noisy(copy):
        seen.append(torch.randn(()).item())
        return validate(copy)

    for weight in (6, 7):
        drawn.add(choose_weight(module, Tuned(), noisy, weights=[1, weight]).control.bias.item())
    assert len(drawn) == len(set(seen)) == 1
    assert not drawn & set(seen)
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("best", "allowed", "weight", "tried"),
    [
        (10, 0.0305, 10, [0, 1, 3, 10, 30, 100]),
        (90, 0.0305, 30, [0, 1, 3, 10, 30, 100]),
        (-5, 0.002, 0, [0, 1, 3]),
    ],
)
def test_of_the_weights_that_pass_the_one_with_the_longest_memory_is_chosen(best, allowed, weight, tried):
    """Memory is longest near one weight; where that costs too much, or is below zero, at the nearest that passes."""
    of_weight = {each: 1 - abs(each - best) / 100 for each in (0, *WEIGHTS)}
    choice = choose_weight(
        fresh(),
        Tuned(),
        validate,
        weights=WEIGHTS,
        allowed=allowed,
        memory=lambda copy: of_weight.get(copy.weight.item(), 0),
    )
    assert (choice.weight, choice.module.weight.item(), choice.control.weight.item()) == (weight, weight, 0)
    assert list(choice.table) == ["weight", "measure", "change", "passed", "memory", "seconds"]
    assert choice.table["weight"].tolist() == tried
    assert choice.table["memory"][:-1].tolist() == [of_weight[each] for each in tried[:-1]]
    assert np.isnan(choice.table["memory"].iloc[-1])  # it cost too much


def test_of_equally_long_memories_the_smaller_weight_is_chosen():
    assert choose_weight(fresh(), Tuned(), validate, memory=lambda copy: 0.5).weight == 0


def test_that_no_weight_costs_too_much_is_said():
    with pytest.warns(UserWarning, match=r"the largest weight tried, 3, is chosen: it cost no more .*pass `memory`"):
        choice = choose_weight(fresh(), Tuned(), validate, weights=(1, 3))
    assert choice.weight == 3


def test_that_memory_was_still_increasing_is_said():
    with pytest.warns(UserWarning, match="the largest weight tried, 3, is chosen: memory was still increasing"):
        choice = choose_weight(
            fresh(), Tuned(), validate, weights=(1, 3), memory=lambda copy: 1 + copy.weight.item() / 10
        )
    assert choice.weight == 3


def test_that_the_control_is_worse_than_the_module_is_said():
    """As when `validate` returns a loss between 0 and 1, which fine-tuning reduces."""
    loss = {0: 0.5, 1: 0.5, 2: 0.4}
    with pytest.warns(UserWarning, match=r"lowered the measure from 0.7 to 0.5, .* higher for a better network"):
        choose_weight(fresh(), Tuned(), lambda module: loss.get(module.weight.item(), 0.7), weights=(1, 2))


@pytest.mark.parametrize("broken", ["validate", "memory"])
def test_what_cannot_be_measured_is_found_before_training(broken):
    tune = Tuned()
    measures = {"validate": validate, "memory": validate, broken: lambda module: pd.DataFrame({"n": range(99)})}
    with pytest.raises(TypeError, match=f"the value of {broken} is a DataFrame; it must be a number"):
        choose_weight(fresh(), tune, **measures)
    assert not tune.tried


@pytest.mark.parametrize(
    "measure", [lambda module: 90 - module.weight.item(), lambda module: -abs(module.weight.item())]
)
def test_a_measure_that_is_no_accuracy_needs_its_own_allowed_drop(measure):
    with pytest.raises(
        ValueError, match=r"the measure of (module|the copy with weight \d) is .*; it must be from 0 to 1"
    ):
        choose_weight(fresh(), Tuned(), measure, weights=WEIGHTS)
    assert choose_weight(fresh(), Tuned(), measure, weights=WEIGHTS, allowed=5).weight == 3


def test_what_is_read_from_a_folder_is_validated_again(tmp_path, caplog):
    """The validation has changed since; the log says that the copies are those of before."""
    first = choose_weight(fresh(), Tuned(), validate, weights=WEIGHTS, folder=tmp_path)
    assert not caplog.records
    stricter = choose_weight(
        fresh(), Tuned(), lambda m: 0.8 - 0.003 * m.weight.item(), weights=WEIGHTS, folder=tmp_path
    )
    assert (first.weight, stricter.weight) == (3, 1)
    assert stricter.table["measure"].tolist() == pytest.approx([0.8, 0.797, 0.791])
    said = [record.getMessage() for record in caplog.records]
    assert said[1] == f"weight 1 read from {tmp_path / 'weight-1.safetensors'}, not trained again"
    assert len(said) == 3


def test_an_interrupted_choice_goes_on_where_it_was(tmp_path):
    wanted = choose_weight(fresh(), Tuned(), validate, weights=WEIGHTS)
    first, second = Tuned(fails_at=3), Tuned()
    with pytest.raises(KeyboardInterrupt):
        choose_weight(fresh(), first, validate, weights=WEIGHTS, folder=tmp_path / "weights")
    module = fresh()
    torch.manual_seed(1)  # the random numbers are those that it began with, not these
    choice = choose_weight(module, second, validate, weights=WEIGHTS, folder=tmp_path / "weights")
    assert torch.equal(torch.get_rng_state(), torch.manual_seed(1).get_state())
    assert (first.tried, second.tried) == ([0, 1], [3, 10])
    assert choice.weight == wanted.weight
    assert choice.table.drop(columns="seconds").equals(wanted.table.drop(columns="seconds"))
    assert torch.equal(choice.module.bias, wanted.module.bias)
    third = Tuned()
    again = choose_weight(fresh(), third, validate, weights=WEIGHTS, folder=tmp_path / "weights")
    assert not third.tried
    assert again.table.equals(choice.table)
    with pytest.raises(ValueError, match=r"weight-0.safetensors holds a copy of another module"):
        choose_weight(nn.Linear(1, 1), Tuned(), validate, weights=WEIGHTS, folder=tmp_path / "weights")


def test_that_the_smallest_weight_costs_too_much_is_said():
    with pytest.warns(UserWarning, match="the smallest weight, 10, costs too much: try smaller ones"):
        choice = choose_weight(fresh(), Tuned(), validate, weights=(10, 100))
    assert choice.weight == 0


def test_a_memory_that_is_not_finite_is_not_chosen():
    """As the half-life of a copy that remembers beyond the longest delay."""
    memory = {0: 0.3, 1: 0.4, 3: math.nan}
    with pytest.warns(UserWarning, match=r"memory of the copy with weight 3 is nan; .*: this copy cannot be chosen"):
        choice = choose_weight(
            fresh(), Tuned(), validate, weights=WEIGHTS, memory=lambda copy: memory.get(copy.weight.item(), 0.2)
        )
    assert choice.weight == 1
    assert choice.table["passed"].tolist() == [True, True, True, False]
    assert choice.table["memory"].isna().tolist() == [False, False, True, True]


@pytest.mark.parametrize("trained", ["nothing", "module"])
def test_a_copy_that_was_not_trained_is_found_after_the_control(trained, tmp_path):
    """As when the optimiser was built outside `fine_tune`, or it trains the caller's module."""
    module, tried = fresh(), []

    def fine_tune(copy, weight):
        tried.append(weight)
        if trained == "module":
            Tuned()(module, weight)

    message = {"nothing": r"fine_tune\(copy, 0\) left the copy as it was", "module": "changed `module` itself"}
    with pytest.raises(ValueError, match=message[trained]):
        choose_weight(module, fine_tune, validate, folder=tmp_path)
    assert tried == [0]
    assert not [*tmp_path.iterdir()]


def test_a_damaged_copy_is_named(tmp_path):
    (tmp_path / "weight-0.safetensors").write_bytes(b"half of")
    with pytest.raises(ValueError, match=r"weight-0.safetensors: not a whole .* remove it to train this copy again"):
        choose_weight(fresh(), Tuned(), validate, folder=tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "copies").write_text("")
    with pytest.raises(ValueError, match=r"folder is .*copies, which is a file"):
        choose_weight(fresh(), Tuned(), validate, folder=tmp_path / "copies")


REFUSED = {
    "module is a str": {"module": "network"},
    "fine_tune is a NoneType": {"fine_tune": None},
    "validate is a float": {"validate": 0.9},
    "memory is a float": {"memory": 0.9},
    "the value of memory is 'long'": {"memory": lambda module: "long"},
    "the memory of module is nan; it must be finite": {"memory": lambda module: math.nan},
    "weights is 3": {"weights": 3},
    r"weights is \[\]": {"weights": []},
    r"weights is \[0.0, 1.0\]; it must hold positive": {"weights": [1, 0]},
    r"weights is \[-1.0\]; it must hold positive": {"weights": [-1]},
    "each of weights is 'one'": {"weights": ["one"]},
    "allowed is -1": {"allowed": -1},
    "folder is an int": {"folder": 3},
    "the measure of module is nan": {"validate": lambda module: math.nan},
    "the value of validate is 'good'": {"validate": lambda module: "good"},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_it_cannot_use_is_refused(message):
    arguments = {"module": fresh(), "fine_tune": Tuned(), "validate": validate, **REFUSED[message]}
    with pytest.raises((TypeError, ValueError), match=message):
        choose_weight(**arguments)
