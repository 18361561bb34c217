"""Reported progress of training and measures: every stage, with every step counted."""

from dataclasses import replace
from fractions import Fraction

import pytest
from helpers import train

from slowpoints.core import progress
from slowpoints.core.presets.regularisation import Regularisation
from slowpoints.core.presets.search import Search
from slowpoints.core.progress import ProgressFile, progress_in, read_progress
from slowpoints.measures.accuracy import measure_accuracy
from slowpoints.measures.formation import measure_formation
from slowpoints.measures.retrieval import measure_in_less_noise, measure_memory
from slowpoints.measures.slow_points import measure_slow_points
from slowpoints.measures.trajectories import measure_trajectories
from slowpoints.task.curricula import class_orders, stages
from slowpoints.task.protocols import PROTOCOLS
from slowpoints.training.checkpoint import ResumeAt, ResumeFile
from slowpoints.training.fine_tuning import regularise

SEARCH = Search(adam_steps=40, max_iterations=5, tolerance=1e-8, images_per_class=10, noise_scale=Fraction(1))
MEMORY = {"delays": [4, 19, 20], "n_images": 30, "noise": "fresh", "bank": 64}
TUNING = Regularisation(steps=6, learning_rate=0.01, lambda_=0.01, noise_frames=4, points=None, refresh=2)
AT_POINTS = ("spectrum", 0), ("lifetimes", 200), ("noise at points", 6)


@pytest.fixture
def reported(tmp_path, monkeypatch):
    """The stages of some work, each with its steps, when every step is written; all are counted but `at_most`."""
    write, written = ProgressFile.write, []

    def noted(self, **changes):
        write(self, **changes)
        written.append(self.progress)

    monkeypatch.setattr(ProgressFile, "write", noted)
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.0)

    def of(work):
        written.clear()
        with progress_in(tmp_path / "job.progress.json"):
            result = work()
        last = {(each.stage, each.steps): each for each in written if each.stage}
        assert [key for key, each in last.items() if each.step > each.steps] == []
        assert [key for key, each in last.items() if each.step < each.steps and not each.at_most] == []
        return result, list(last)

    return of


def test_every_stage_of_a_cell_is_reported(make_networks, images, training, reported):
    training = replace(training, steps=60, learning_rate=0.02)
    networks = make_networks(double=False)
    (networks, _, taken), reports = reported(lambda: train(networks, images, training, snapshots=3))
    assert reports == [("training", 60)]
    _, reports = reported(lambda: measure_accuracy(networks, images, n_images=300))
    assert reports == [("accuracy", 300)]
    _, reports = reported(lambda: measure_memory(networks, images, **MEMORY))
    assert reports == [("memory roll-out", 21)]
    _, reports = reported(lambda: measure_in_less_noise(networks, images, **MEMORY))
    assert reports == [("memory roll-out at noise scale 0.5", 21), ("memory roll-out at noise scale 0", 21)]
    points, reports = reported(lambda: measure_slow_points(networks, images, SEARCH, longest_delay=20))
    searched = [("class centres", 15), ("relaxation", 100), ("descent", 40), ("deep search", 5)]
    assert reports == [*searched, *AT_POINTS]
    _, reports = reported(lambda: measure_trajectories(networks, images, points))
    assert reports == [("trajectories", 0)]
    plan, orders = stages(PROTOCOLS["vocu"], training, 3), class_orders(PROTOCOLS["vocu"], 3, "small", networks.seeds)
    formation = reported(lambda: measure_formation(taken, points.slow_points, plan, orders, max_iterations=2))
    assert formation[1] == [("formation", len(taken) - 1)]  # the searches in each snapshot are part of it

    def fine_tune(mode):
        return regularise(
            networks,
            images,
            points.slow_points,
            training=training,
            search=SEARCH,
            settings=TUNING,
            mode=mode,
            lambda_=0.01,
            protocol=PROTOCOLS["vocu"],
        )

    for mode, before in (("control", []), ("tracking", []), ("settled", [("class centres", 15)])):
        assert reported(lambda mode=mode: fine_tune(mode))[1] == [*before, ("fine-tuning", 6)]


def test_a_resumed_training_counts_the_steps_done_before(make_networks, images, training, tmp_path, monkeypatch):
    class Killed(Exception):
        """Raised in place of a kill."""

    def kill_at_step_5(self, run):
        seen.append(read_progress(file).step)
        save(self, run)
        if run.step == 5 and not resumed:
            raise Killed

    save, seen, resumed = ResumeFile.save_if_due, [], []
    file, resume = tmp_path / "job.progress.json", ResumeAt(tmp_path / "resume.safetensors", 0.0, "code")
    monkeypatch.setattr(ResumeFile, "save_if_due", kill_at_step_5)
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.0)

    def attempt():
        with progress_in(file):
            train(make_networks(double=False), images, training, resume=resume)

    with pytest.raises(Killed):
        attempt()
    assert (read_progress(file).step, read_progress(file).attempt) == (5, 1)
    resumed.append(True)
    seen.clear()
    attempt()
    assert seen == list(range(6, training.steps + 1))
    assert not file.exists()


def test_accuracies_are_those_of_the_last_row_of_the_table(make_networks, images, training, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "WRITE_EVERY", 0.0)
    written = []
    monkeypatch.setattr(ProgressFile, "remove", lambda self: written.append(self.progress))
    with progress_in(tmp_path / "job.progress.json"):
        _, history, _ = train(make_networks(double=False), images, training)
    last = history[history["step"] == history["step"].max()]
    expected = {"report": last["report_accuracy"].mean(), "null": last["null_accuracy"].mean()}
    assert written[-1].accuracy == pytest.approx(expected)
