"""Schedules of the training protocols."""

from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import yaml
from config_page import shipped
from helpers import preset

from slowpoints.task.curricula import (
    Stage,
    check_schedule,
    check_schedules,
    class_orders,
    even_vocabulary,
    snapshot_steps,
    stages,
)
from slowpoints.task.protocol import protocol_of
from slowpoints.task.protocols import PROTOCOLS


def presets(name):
    return preset(name).training


def at_steps(plan, name):
    """(step, value) at which a value changes."""
    changes = {}
    for stage in plan:
        value = getattr(stage, name)
        if not changes or list(changes.values())[-1] != value:
            changes[stage.start] = value
    return changes


def test_mnist_schedules_are_the_authors():
    training = presets("mnist")
    vocu, decu = (stages(PROTOCOLS[protocol], training, 10) for protocol in ("vocu", "decu"))
    thousands = {0: 2, 8: 3, 16: 4, 26: 5, 36: 6, 48: 7, 62: 8, 78: 9, 98: 10}
    assert at_steps(vocu, "classes_in_use") == {1000 * step: used for step, used in thousands.items()}
    assert at_steps(vocu, "t_max") == {0: 20}
    thousands = {0: 6, 20: 8, 30: 10, 40: 12, 50: 14, 60: 16, 70: 18, 80: 20}
    assert at_steps(decu, "t_max") == {1000 * step: frames for step, frames in thousands.items()}
    assert at_steps(decu, "classes_in_use") == {0: 10}
    for plan in (vocu, decu):
        assert at_steps(plan, "learning_rate") == pytest.approx({0: 1e-5, 120_000: 1e-6})
        assert plan[-1].stop == 140_000


def test_cifar_schedules_are_the_authors():
    training = presets("cifar10")
    vocu, decu = (stages(PROTOCOLS[protocol], training, 10) for protocol in ("vocu", "decu"))
    assert at_steps(vocu, "classes_in_use") == {30_000 * k: k + 2 for k in range(9)}
    steps = [0, 100, 120, 140, 160, 180, 200, 220]
    assert at_steps(decu, "t_max") == {1000 * step: 6 + 2 * k for k, step in enumerate(steps)}
    assert at_steps(decu, "learning_rate") == pytest.approx({0: 1e-4, 280_000: 1e-5})


def test_response_curriculum():
    plan = stages(PROTOCOLS["recu"], replace(presets("mnist"), steps=14_000), 10)
    assert at_steps(plan, "null_weight") == {0: 0, 2000: 0.25, 3000: 0.5, 4000: 0.75, 6000: 1}
    assert at_steps(plan, "classes_in_use") == {0: 10}


@pytest.mark.parametrize("steps", [1, 7, 100, 2999])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_stages_cover_every_step_once_and_end_at_the_full_task(protocol, steps):
    plan = stages(PROTOCOLS[protocol], replace(presets("digits"), steps=steps), 10)
    covered = [step for stage in plan for step in range(stage.start, stage.stop)]
    assert covered == list(range(steps))
    if steps > 50:
        last = plan[-1]
        assert (last.classes_in_use, last.t_max, last.null_weight) == (10, 20, 1)
    assert all(stage.start < stage.stop for stage in plan)


def test_no_curriculum_is_the_full_task_throughout():
    (first, second) = stages(PROTOCOLS["none"], presets("mnist"), 10)
    assert (first.classes_in_use, first.t_max, first.null_weight) == (10, 20, 1)
    assert second.start == 120_000  # where the rate drops
    (only,) = stages(PROTOCOLS["none"], replace(presets("mnist"), rate_drop=None), 10)
    assert (only.stop, only.learning_rate) == (140_000, 1e-5)


def test_even_vocabulary_adds_one_class_at_a_time():
    assert [used for _, used in even_vocabulary(5)] == [2, 3, 4, 5]


def test_shuffled_order_is_a_permutation_of_its_own_for_each_seed():
    orders = class_orders(PROTOCOLS["vocu-shuffled"], 10, "digits", range(5))
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    np.testing.assert_array_equal(orders[[3]], class_orders(PROTOCOLS["vocu-shuffled"], 10, "digits", [3]))
    np.testing.assert_array_equal(class_orders(PROTOCOLS["vocu"], 10, "digits", [3, 4]), [np.arange(10)] * 2)
    others = (PROTOCOLS["vocu-shuffled"], "glyphs"), (replace(PROTOCOLS["vocu-shuffled"], name="other"), "digits")
    for protocol, dataset in others:
        assert (class_orders(protocol, 10, dataset, range(5)) != orders).any(axis=1).all()


@pytest.mark.parametrize("protocol", PROTOCOLS.values())
def test_a_protocol_comes_back_from_plain_text_without_its_look(protocol):
    plain = protocol.plain()
    assert "look" not in plain
    back = protocol_of(plain)
    assert (replace(back, look=protocol.look), back.look.label) == (protocol, protocol.name)


@pytest.mark.parametrize(
    ("schedule", "complaint"),
    [
        ([(0.1, 2), (0.5, 10)], "must start at 0"),
        ([(0, 2), (0.5, 4), (0.5, 10)], "must increase"),
        ([(0, 2), (1, 10)], "stay below 1"),
        ([(0, 2), (0.5, 4), (1, 10)], "stay below 1"),
        ([(0, 2), (0.5, 11), (0.6, 10)], "between 1 and 10"),
        ([(0, 2), (0.5, 9)], r"vocabulary is \[\[0, 2\], \[1/2, 9\]\]; it must end at 10"),
    ],
)
def test_schedules_that_are_none_are_refused(schedule, complaint):
    written = tuple((Fraction(at), value) for at, value in schedule)
    with pytest.raises(ValueError, match=complaint):
        check_schedule("schedules.vocabulary", written, low=1, high=10, last=10)


@pytest.mark.parametrize(
    ("name", "least", "most", "whole"),
    [("vocabulary", 1, 10, True), ("delay", 5, 20, True), ("response", 0, 1, False)],
)
def test_each_schedule_has_its_own_bounds(name, least, most, whole):
    """From one class, the shortest delay, or nulls of zero weight, to the full task."""
    shipped = presets("mnist").schedules

    def check(first):
        schedule = ((Fraction(0), first), (Fraction(1, 2), most))
        check_schedules(replace(shipped, **{name: schedule}), 10)

    check(least)
    check(most)
    with nullcontext() if not whole else pytest.raises(ValueError, match=f"^schedules.{name} is .* whole numbers"):
        check(most - 0.5)
    for outside in (least - 0.5, most + 0.5):
        with pytest.raises(ValueError, match=f"^schedules.{name} is .* between {least} and {most}"):
            check(outside)


def test_shipped_presets_are_valid_yaml_with_a_reason_on_top():
    for path in shipped("presets/*.yaml"):
        assert path.read_text().startswith("# "), f"{path.name} does not say what it is"
        assert yaml.safe_load(path.read_text())


def cut(*steps):
    """A plan whose stages are cut at these steps."""
    return [Stage(start, stop, 3, 20, 1.0, 0.01) for start, stop in pairwise(steps)]


def test_snapshots_are_even_and_denser_where_memories_are_born():
    even, changes, quarters = {320, 640, 960, 1280, 1600}, {400, 1000}, {550, 1150}
    halvings = {160, 80, 40, 20, 10}  # of 320, the first of the others
    assert snapshot_steps(cut(0, 400, 1000, 1600), 5) == sorted(even | changes | quarters | halvings)
    assert snapshot_steps(cut(0, 400, 1000, 1600), 0) == []


def test_early_snapshots_halve_the_first_step_of_all_others():
    assert snapshot_steps(cut(0, 64, 1000), 2)[:6] == [2, 4, 8, 16, 32, 64]  # a change comes before the first even one


def test_snapshots_of_a_short_run_are_neither_doubled_nor_at_its_start():
    assert snapshot_steps(cut(0, 2, 4, 5), 100) == [1, 2, 3, 4, 5]
    assert snapshot_steps(cut(0, 1), 1) == [1]
