"""Timing of trials, noise, loss and accuracies."""

import numpy as np
import pytest
import reference
import torch
from scipy import stats

from slowpoints.task.loss import accuracies, in_use_mask, targets, trial_loss
from slowpoints.task.timing import FRAMES
from slowpoints.task.trials import DRAWS, Batch, ImageTable, NoiseBank, Trials, draw_trials, fresh_rows, place_rows

N_DRAWS = 100_000


@pytest.fixture
def table():
    """1,000 images in 4 classes of 100, 200, 300 and 400."""
    labels = np.repeat(np.arange(4), [100, 200, 300, 400])
    return ImageTable(np.zeros((1000, 1), np.uint8), labels, 4, "cpu")


def draw(table, t_max=FRAMES, in_use=4, order=(0, 1, 2, 3)):
    uniform = torch.rand(1, N_DRAWS, DRAWS, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    return draw_trials(uniform, table, torch.tensor([order]), in_use, t_max)


def uniform_p(values, expected):
    """p of a chi-square test that each expected value is equally frequent."""
    counts = np.bincount(values.numpy().ravel(), minlength=max(expected) + 1)[list(expected)]
    return stats.chisquare(counts).pvalue


@pytest.mark.parametrize("t_max", [6, 14, 20])
def test_timing_over_many_draws(table, t_max):
    trials = draw(table, t_max)
    assert trials.stimulus.unique().tolist() == list(range(t_max - 4))  # {0, ..., t_max - 5}
    assert uniform_p(trials.stimulus, range(t_max - 4)) > 1e-3
    delay = trials.report - trials.stimulus
    assert delay.unique().tolist() == list(range(4, t_max))
    assert trials.report.max() == t_max - 1
    for stimulus in range(t_max - 5):  # from the last possible stimulus there is one report frame only
        reports = trials.report[trials.stimulus == stimulus]
        assert uniform_p(reports, range(stimulus + 4, t_max)) > 1e-4


def test_delays_of_the_full_task_are_4_to_19(table):
    trials = draw(table)
    delay = trials.report - trials.stimulus
    assert (int(delay.min()), int(delay.max())) == (4, 19)


def test_classes_are_uniform_whatever_their_size(table):
    trials = draw(table)
    assert uniform_p(trials.label, range(4)) > 1e-3
    for label, (first, last) in enumerate([(0, 99), (100, 299), (300, 599), (600, 999)]):
        rows = trials.image[trials.label == label]
        assert (rows.min(), rows.max()) == (first, last)
        assert uniform_p(rows - first, range(last - first + 1)) > 1e-4


def test_which_image_is_shown_does_not_depend_on_when(table):
    trials = draw(table)
    place = (trials.image - table.first[trials.label]) / table.count[trials.label]
    both = torch.stack([place.ravel(), trials.stimulus.ravel(), trials.report.ravel(), trials.label.ravel()])
    off = torch.corrcoef(both)[0, 1:]
    assert (off.abs() < 4 / N_DRAWS**0.5).all()


def test_a_trial_takes_four_numbers_beside_those_of_its_noise(table):
    uniform = torch.rand(1, 9, DRAWS, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    whole, cut = (draw_trials(part, table, torch.arange(4)[None], 4, FRAMES) for part in (uniform, uniform[..., :4]))
    assert torch.equal(whole.report, cut.report)


def test_a_table_holds_images_by_class_as_inputs():
    """Images of a class keep their order, and a pixel of 255 becomes 1."""
    labels = np.array([2, 0, 1, 2, 0], np.int16)
    images = np.array([[[[10, 11]]], [[[20, 21]]], [[[30, 31]]], [[[40, 41]]], [[[255, 0]]]], np.uint8)
    table = ImageTable(images, labels, 3, "cpu")
    expected = [[20, 21], [255, 0], [30, 31], [10, 11], [40, 41]]
    np.testing.assert_allclose(table.pixels(torch.arange(5)[None]), np.array([expected]) / 255)
    assert (table.labels.tolist(), table.labels.dtype) == ([0, 0, 1, 2, 2], torch.long)
    assert (table.count.tolist(), table.first.tolist()) == ([2, 1, 2], [0, 2, 3])
    assert table.pixels(torch.tensor([1])).max() == 1


def test_only_classes_in_use_are_drawn_in_the_order_given(table):
    trials = draw(table, in_use=2, order=(3, 1, 0, 2))
    assert sorted(trials.label.unique().tolist()) == [1, 3]


def test_the_last_uniform_number_stays_inside(table):
    uniform = torch.full((1, 1, DRAWS), np.nextafter(1.0, 0.0), dtype=torch.float64)
    trials = draw_trials(uniform, table, torch.arange(4)[None], 4, FRAMES)
    assert (trials.label.item(), trials.image.item()) == (3, 999)
    assert (trials.stimulus.item(), trials.report.item()) == (15, 19)


@pytest.mark.parametrize("size", [20, 23, 64, 128, 256])
def test_a_trial_meets_no_bank_frame_twice(size):
    uniform = torch.rand(1, 500, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows = NoiseBank(size).rows(uniform, FRAMES)[:, 0]
    assert rows.min() >= 0
    assert rows.max() < size
    assert all(len(trial.unique()) == FRAMES for trial in rows.T)


def test_a_bank_is_walked_from_its_first_frame_with_every_stride_that_misses_none():
    """Through 12 frames by 1, 5, 7 or 11, for any second number; a bank of one frame repeats it."""
    numbers = torch.zeros(1, 400, 2, dtype=torch.float64)
    numbers[0, :, 1] = torch.arange(400) / 400
    rows = NoiseBank(12).rows(numbers, 12)[:, 0].T
    assert rows[0].tolist() == list(range(12))
    walks, times = rows.unique(dim=0, return_counts=True)
    assert walks.tolist() == [[stride * frame % 12 for frame in range(12)] for stride in (1, 5, 7, 11)]
    assert times.tolist() == [100] * 4
    assert torch.equal(NoiseBank(1).rows(numbers, 3), torch.zeros(3, 1, 400, dtype=torch.long))


@pytest.mark.parametrize("size", [23, 64])
def test_every_bank_frame_is_met_equally_often_at_every_frame(size):
    uniform = torch.rand(1, N_DRAWS, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    for rows in NoiseBank(size).rows(uniform, FRAMES)[[0, 7, 19]]:
        assert uniform_p(rows, range(size)) > 1e-4


def test_fresh_rows_are_all_different():
    rows = fresh_rows(2, 3, 20, "cpu")
    assert rows.shape == (20, 2, 3)
    assert sorted(rows[:, 0].ravel().tolist()) == list(range(60))


def test_images_stand_at_their_stimulus_frame():
    rows = torch.zeros(20, 1, 2, dtype=torch.long)
    placed = place_rows(rows, torch.tensor([[3, 15]]), first=50)
    assert placed[3, 0, 0] == 50
    assert placed[15, 0, 1] == 51
    assert placed.sum() == 101


def test_a_batch_shows_each_trial_s_image_after_the_frames_of_noise():
    batch = Batch(2, 3, 5, 4, "cpu")
    assert batch.frames.shape == (2, 8, 4)
    batch.noise.zero_()
    rows = torch.arange(5).repeat(4)[:, None, None].expand(20, 2, 3)
    images = torch.arange(24.0).view(2, 3, 4) + 1
    stimulus = torch.tensor([[0, 3, 15], [1, 2, 9]])
    trials = Trials(stimulus, stimulus, stimulus, stimulus + 4)
    batch.show(trials, images, rows)
    assert batch.trials is trials
    seen = batch.frames[torch.arange(2)[:, None], batch.rows]  # [T, S, B, N]
    for network, trial in np.ndindex(2, 3):
        shown = seen[:, network, trial]
        assert torch.equal(shown[stimulus[network, trial]], images[network, trial])
        assert shown.count_nonzero() == 4  # the image alone: all else is noise, here 0


def test_targets_are_null_but_at_the_report():
    trials = Trials(*(torch.tensor([[value]]) for value in (0, 2, 1, 7)))
    assert targets(trials, 10).ravel().tolist() == [0] * 7 + [3] + [0] * 2


@pytest.mark.parametrize("readout", ["softmax", "sigmoid_softmax"])
@pytest.mark.parametrize(("in_use", "null_weight"), [(3, 1.0), (2, 0.25), (3, 0.0)])
def test_loss_equals_the_sum_over_frames(readout, in_use, null_weight):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(8, 2, 5, 4, generator=generator, dtype=torch.float64)
    order = torch.tensor([[0, 1, 2], [2, 0, 1]])
    label = torch.stack([used[torch.arange(5) % in_use] for used in order])
    trials = Trials(label, label, torch.zeros_like(label), torch.tensor([4, 5, 6, 7, 4]).expand(2, 5))
    loss = trial_loss(logits, trials, in_use_mask(order, in_use), null_weight, readout)
    for network in range(2):
        expected = [
            reference.trial_loss(
                logits[:, network, trial].numpy(),
                int(label[network, trial]),
                int(trials.report[network, trial]),
                sorted(order[network, :in_use].tolist()),
                null_weight,
                readout,
            )
            for trial in range(5)
        ]
        assert loss[network].item() == pytest.approx(np.mean(expected), abs=1e-12)


def test_the_authors_readout_cannot_fall_below_its_floor():
    """Best values of 1 and 0 for 11 outputs: -log(e / (e + 10) + 1e-4) = 1.543."""
    logits = torch.full((20, 1, 1, 11), -1e3)
    logits[..., 0] = 1e3
    logits[19, ..., 0], logits[19, ..., 5] = -1e3, 1e3
    trials = Trials(*(torch.tensor([[value]]) for value in (0, 4, 0, 19)))
    loss = trial_loss(logits, trials, torch.ones(1, 11, dtype=torch.bool), 1.0, "sigmoid_softmax")
    assert loss.item() / ((19 + 20) / 20) == pytest.approx(1.543, abs=5e-4)


def test_accuracies_count_reports_and_nulls_apart():
    """Two networks; the second is always correct, although its largest output is not in use."""
    trials = Trials(*(torch.tensor([[value, value]] * 2) for value in (0, 1, 0, 2)))
    logits = torch.zeros(4, 2, 2, 4)
    logits[..., 0] = 1  # null everywhere
    logits[2, 0, 0, 2] = logits[2, 1, :, 2] = 5  # right report of the first trial; the second says null
    logits[3, 0, 1, 1] = 5  # a wrong answer where null is wanted
    logits[..., 3] = 9
    mask = torch.tensor([[True, True, True, False]] * 2)
    report, null = accuracies(logits, trials, mask)
    assert report.tolist() == [0.5, 1]
    assert null.tolist() == pytest.approx([5 / 6, 1])
