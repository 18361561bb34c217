"""Configuration: what is accepted, what is refused, and the messages."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from config_page import shipped
from helpers import study
from places import ROOT

from slowpoints.core.config import ConfigError, read_yaml
from slowpoints.datasets.readers.idx import NAMES
from slowpoints.networks.units import units
from slowpoints.study import read_study
from slowpoints.task.protocols import PROTOCOLS


def digits(**sections):
    return study(datasets=["digits"], presets={"digits": sections})


def test_an_empty_configuration_is_the_default_study():
    default = study()
    assert default.name == "default"
    assert len(list(default.cells())) == 8
    assert sum(default.seeds(dataset) for dataset, _, _ in default.cells()) == 24


def test_the_default_configuration_adds_nothing_to_other_studies():
    """Snakemake merges a file named on the command line into config/config.yaml, and so any preset set there."""
    named = {"study": "mine", "presets": {"digits": {"network": {"hidden": 32}}}}
    merged = read_yaml(ROOT / "config/config.yaml") | named
    assert not read_yaml(ROOT / "config/config.yaml")["presets"]
    assert read_study(merged, name="merged").settings() == study(**named).settings()


def test_every_shipped_preset_is_complete(data_dir):
    names = [path.stem for path in shipped("presets/*.yaml")]
    presets = study(datasets=names, data_dir=str(data_dir)).presets
    assert set(presets) == set(names)
    assert {
        "digits",
        "digits-sigmoid",
        "digits-tiny",
        "glyphs",
        "mnist",
        "mnist-small",
        "fashion-mnist",
        "cifar10",
    } <= set(names)
    assert presets["mnist-small"].training.batch_size == 64
    assert presets["mnist-small"].source == presets["mnist"].source


def test_a_file_of_one_s_own_must_name_its_study():
    """Otherwise it would continue the study in config/config.yaml, from which it inherits all other keys."""
    config = {"study": "default", "datasets": ["digits"]}
    assert read_study(config, named=config).name == "default"
    with pytest.raises(ConfigError, match=r"^mine.yaml: study is missing; add `study: NAME`"):
        read_study(config, named={"datasets": ["digits"]}, name="mine.yaml")


def test_a_data_set_that_a_study_lacks_is_named():
    with pytest.raises(ConfigError, match=r"^the study default has no data set mnist, but digits, glyphs; add it to"):
        study().presets["mnist"]


def test_an_override_changes_that_key_alone():
    plain, changed = study(datasets=["digits"]), digits(training={"steps": 500})
    before, after = (each.presets["digits"] for each in (plain, changed))
    assert (before.training.steps, after.training.steps) == (3000, 500)
    assert after == replace(before, training=replace(before.training, steps=500))


def test_a_new_data_set_of_a_known_kind_takes_config_alone(tmp_path):
    for name in NAMES:
        (tmp_path / name).touch()
    own = {"base": "mnist-small", "source": {"kind": "idx", "path": str(tmp_path)}}
    made = study(datasets=["kuzushiji"], presets={"kuzushiji": own})
    preset = made.presets["kuzushiji"]
    assert preset.network.hidden == 100
    assert not preset.source.checksums  # those of MNIST's files, which have the same names
    assert made.folders["kuzushiji"] == tmp_path


def test_a_source_without_a_kind_is_merged(data_dir):
    own = {"cifar10": {"source": {"train_files": ["data_batch_1"]}}}
    source = study(datasets=["cifar10"], presets=own, data_dir=str(data_dir)).presets["cifar10"].source
    assert source.kind == "cifar"
    assert source.train_files == ("data_batch_1",)
    assert "test_batch" in source.checksums


def test_presets_may_build_on_one_another():
    chain = {"a": {"base": "b", "seeds": 3}, "b": {"base": "digits", "training": {"steps": 7}}}
    preset = study(datasets=["a"], presets=chain).presets["a"]
    assert (preset.seeds, preset.training.steps) == (3, 7)


def test_a_number_that_yaml_takes_for_text_is_that_number():
    assert digits(training={"learning_rate": "1e-5"}).presets["digits"].training.learning_rate == 1e-5
    assert study(seeds="2").seeds("digits") == 2


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sedes": 4}, "unknown key sedes; allowed are architectures, "),
        ({"datasets": ["digit"]}, "there is no preset 'digit'; there are cifar10, cifar10-small, digits, "),
        ({"protocols": ["vocu", "voco"]}, f"protocols.1 is 'voco'; allowed are {', '.join(PROTOCOLS)}"),
        ({"architectures": ["lstn"]}, f"architectures.0 is 'lstn'; allowed are {', '.join(units())}"),
        ({"architectures": []}, "architectures is []; it must have at least 1 items"),
        ({"datasets": ["digits", "digits"]}, "datasets is ['digits', 'digits']; its items must differ"),
        ({"seeds": 0}, "seeds is 0; it must be at least 1"),
        ({"seeds": 10**6}, "seeds is 1000000; it must be at most 100000"),
        ({"seeds": 2.5}, "seeds is 2.5; it must be a whole number or null"),
        ({"device": "gpu"}, "device is 'gpu'; allowed are auto, cpu, cuda"),
        ({"study": "../up"}, "study is '../up'; it must be letters, digits, dots, dashes and underscores, a letter or"),
        ({"study": "a\n"}, "study is 'a\\n'; it must be letters"),
        ({"study": "reference-cifar"}, "study is 'reference-cifar'; it must be another name: reference-... is for"),
        (
            {"study": "Networks"},
            "study is 'Networks'; it must be another name: reference-... is for published studies, ",
        ),
        ({"study": "datasets"}, "study is 'datasets'; it must be another name"),
        ({"study": "x" * 101}, "a letter or digit first, at most 100 of them"),
        ({"study": "a "}, "study is 'a '; it must be letters"),
        ({"study": ".a"}, "study is '.a'; it must be letters"),
        ({"study": "é"}, "study is 'é'; it must be letters"),
        ({"study": None}, "study is null; it must be text"),
        ({"datasets": "digits"}, "datasets is 'digits'; it must be a list, in brackets: [digits]"),
        ({"datasets": ["../digits"]}, "there is no preset '../digits'; there are"),
        ({"seeds": True}, "seeds is true; it must be a whole number or null"),
        ({"seeds": -1}, "seeds is -1; it must be at least 1"),
        ({"presets": None}, "presets is null; it must be a mapping of keys"),
        ({"presets": {"digits": None}}, "presets.digits is null; it must be a mapping of keys"),
        ({"presets": {"a": {"base": None}}}, "presets.a.base is null; it must be text"),
        ({"study": 7}, "study is 7; it must be text, in quotes: '7'"),
        ({"datasets": [1]}, "datasets.0 is 1; it must be text, in quotes: '1'"),
        ({"presets": {1: {"base": "digits"}}}, "presets has the key 1; it must be text, in quotes: '1'"),
        ({"presets": {"a b": {"base": "digits"}}}, "presets has the key 'a b'; it must be letters, digits"),
        ({"resume_minutes": float("inf")}, "resume_minutes is inf; it must be a finite number"),
        ({"resume_minutes": "nan"}, "resume_minutes is nan; it must be a finite number"),
        ({"seeds": 10**400}, "seeds is too large a number; it must be at most 9223372036854775807"),
    ],
)
def test_what_cannot_be_is_refused_with_key_value_and_what_is_allowed(config, message):
    with pytest.raises(ConfigError) as raised:
        study(**config)
    assert str(raised.value).startswith("config/mine.yaml: ")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"training": {"learning_rate": -1}}, "training.learning_rate is -1; it must be more than 0"),
        ({"training": {"learning_rate": "fast"}}, "training.learning_rate is 'fast'; it must be a number"),
        ({"training": {"clip_norm": float("nan")}}, "training.clip_norm is nan; it must be a finite number"),
        ({"training": {"rate_drop": "1/0"}}, "rate_drop is '1/0'; it must be a number, or text such as \"8/140\""),
        ({"training": {"rate_drop": [1]}}, 'rate_drop is [1]; it must be a number, or text such as "8/140", or null'),
        ({"training": {"schedules": {"delay": [["1/0", 6]]}}}, "schedules.delay.0.0 is '1/0'; it must be a number, or"),
        ({"training": {"schedules": {"response": [[0, float("inf")]]}}}, "response.0.1 is inf; it must be a finite"),
        ({"slow_points": {"noise_scale": "1/0"}}, "noise_scale is '1/0'; it must be a number, or text such as"),
        ({"slow_points": {"noise_scale": float("nan")}}, "noise_scale is nan; it must be a finite number"),
        ({"slow_points": {"noise_scale": -1}}, "noise_scale is -1; it must be at least 0"),
        (
            {"regularisation": {"lambda": "much"}},
            "lambda is 'much'; it must be a number, a list of numbers, or either by",
        ),
        ({"regularisation": {"lambda_": 1}}, "regularisation is {'lambda_': 1}; its key is lambda, not lambda_"),
        ({"regularisation": {"lambda": {}}}, "lambda is {}; it must have at least 1 keys"),
        (
            {"regularisation": {"lambda": {"settled": "much"}}},
            "settled is 'much'; it must be a number or a list of numbers",
        ),
        ({"regularisation": {"lambda": {"settled": [1, -1]}}}, "lambda.settled.1 is -1; it must be at least 0"),
        ({"regularisation": {"mode_steps": {"path": -1}}}, "mode_steps.path is -1; it must be at least 0"),
        (
            {"regularisation": {"lambda": {"setled": 1}}},
            "unknown key presets.digits.regularisation.lambda.setled; allowed",
        ),
        ({"source": {"urls": ["file:///data"]}}, "it must be an address that begins with http://, https:// or ftp://"),
        ({"source": {"checksums": {"a": "md5:0"}}}, "checksums.a is 'md5:0'; it must be \"md5:\" and 32, or"),
        ({"trainig": {}}, "unknown key presets.digits.trainig; allowed are base, "),
        ({"training": {"stesp": 3}}, "unknown key presets.digits.training.stesp"),
        ({"training": {"bank": 3}}, "training.bank is 3; it must be at least 20, the frames of a trial"),
        ({"training": {"readout": "linear"}}, "allowed are softmax, sigmoid_softmax"),
        ({"training": {"rate_drop": "3/2"}}, "rate_drop is 3/2; it must be more than 0 and at most 1"),
        (
            {"training": {"schedules": {"delay": [[0.1, 6], [0.5, 20]]}}},
            "delay is [[1/10, 6], [1/2, 20]]; it must start at 0",
        ),
        ({"training": {"schedules": {"delay": [[0, 6.5], [0.5, 20]]}}}, "its values must be whole numbers"),
        ({"training": {"schedules": {"vocabulary": [[0, 2]]}}}, "it must end at 10, the full task"),
        ({"memory": {"delays": [4, 19, 100]}}, "must increase, hold 19 and 20, and reach beyond"),
        ({"memory": {"delays": [4, 19, 20, 50, 30]}}, "must increase"),
        ({"memory": {"n_images": 401}}, "n_images is 401; it must be a multiple of 10, the number of classes"),
        ({"memory": {"noise": "bank", "bank": 1000}}, "it must be more than the longest delay, 1000"),
        ({"source": {"kind": "idx"}}, "source.path is missing; idx files need a folder"),
        ({"source": {"kind": "idx", "path": "/nowhere"}}, "there is no folder /nowhere; set data_dir"),
        ({"source": {"kind": "idx", "path": "~no_such_user/x"}}, "Could not determine home directory"),
        ({"source": {"kind": "idx", "path": "x" * 300}}, "File name too long"),
        (
            {"source": {"kind": "png", "path": "resources/x"}},
            "resources/ is for downloads only; keep your own files",
        ),
        ({"base": "nothing"}, "base is 'nothing'; it must be another preset"),
        ({"source": {"classes": 3}}, "source.classes is 3; digits are of 10 classes"),
        (
            {"network": {"front_end": {"filters": [4, 4, 4, 4], "dense": [8]}}},
            "front_end.filters is [4, 4, 4, 4]; images of 8x8 can be halved 3 times at most",
        ),
        (
            {"network": {"front_end": {"filters": [3]}}},
            "front_end.dense is missing; presets.digits.network.front_end must",
        ),
    ],
)
def test_presets_that_cannot_be_are_refused(sections, message):
    with pytest.raises(ConfigError) as raised:
        digits(**sections)
    assert message in str(raised.value)


@pytest.mark.parametrize("frames", [60.5, [100, 10]])
def test_trials_of_long_delays_are_whole_frames_of_at_least_20(frames):
    presets = {"digits": {"regularisation": {"lambda": {"long_delays": frames}}}}
    study(datasets=["digits"], presets=presets)  # no mode of this study
    with pytest.raises(ConfigError, match=r"lambda is (60.5|10) for long_delays; it must be a whole number of frames"):
        study(datasets=["digits"], presets=presets, modes=["control", "long_delays"])


@pytest.mark.parametrize(
    ("presets", "message"),
    [
        ({"other": {"base": "digits", "seeds": 0}}, r"presets\.other\.seeds is 0"),
        ({"other": {"base": "digts"}}, r"presets\.other\.base is 'digts'; it must be another preset: cifar10, "),
        (
            {"digts": {"training": {"steps": 5}}},
            r"presets\.digts overrides no preset that ships: cifar10, .*name its base",
        ),
    ],
)
def test_a_preset_nobody_uses_is_checked_too(presets, message):
    with pytest.raises(ConfigError, match=message):
        study(datasets=["digits"], presets=presets)


def test_a_preset_may_stand_by_for_others():
    """An override of a supplied preset, one with its own source, and a base of others: none is an error."""
    shared = {"short": {"training": {"steps": 5}}, "mine": {"base": "short", "source": {"kind": "digits"}}}
    study(datasets=["digits"], presets={"mnist": {"seeds": 2}, **shared})


@pytest.mark.parametrize("fraction", ["1e-1", "0.1", 0.1, "1/10", "01/10"])
def test_a_fraction_may_be_written_as_one_likes(fraction):
    preset = digits(slow_points={"noise_scale": fraction}, training={"rate_drop": fraction}).presets["digits"]
    assert preset.slow_points.noise_scale == preset.training.rate_drop == Fraction(1, 10)


def test_a_whole_number_with_a_point_is_one():
    preset = digits(network={"hidden": 20.0}, memory={"delays": [4, 19, 20, "1e2"]}).presets["digits"]
    assert repr(preset.network.hidden) == "20"
    assert repr(preset.memory.delays) == "(4, 19, 20, 100)"


def test_presets_cannot_go_round_in_circles():
    with pytest.raises(ConfigError, match="must be another preset"):
        study(datasets=["a"], presets={"a": {"base": "b"}, "b": {"base": "a"}})


def test_a_missing_data_folder_is_named(tmp_path):
    with pytest.raises(ConfigError) as raised:
        study(datasets=["mnist-small"], data_dir=str(tmp_path / "none"))
    assert str(tmp_path / "none" / "mnist") in str(raised.value)


@pytest.mark.parametrize("name", ["{a}/0.png", "a/0{b}.png"])
def test_a_file_that_snakemake_takes_for_a_wildcard_is_named(tmp_path, name):
    def files(*names):
        folder = tmp_path / f"a folder {len(names[-1])}"
        paths = [folder / part / name for part in ("test", "train") for name in names]
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        source = {"kind": "png", "path": str(folder), "classes": len(names)}
        preset = {"base": "digits", "source": source, "training": {"schedules": {"vocabulary": [[0, 2]]}}}
        return study(datasets=["x"], presets={"x": preset}).files["x"], paths

    found, usual = files("b/1.png", "ä b/0 {.png")
    assert found == usual
    with pytest.raises(ConfigError, match=f"presets.x.source: .*/test/{re.escape(name)}: Snakemake takes text"):
        files("b/1.png", name)


def test_a_missing_file_is_named_before_anything_runs(data_dir):
    (data_dir / "cifar10/cifar-10-batches-py/data_batch_3").unlink()
    with pytest.raises(ConfigError, match=r"presets\.cifar10\.source: .*data_batch_3 is not there; for a part"):
        study(datasets=["cifar10"], data_dir=str(data_dir))
    part = {"cifar10": {"source": {"train_files": ["data_batch_1"]}}}
    files = study(datasets=["cifar10"], data_dir=str(data_dir), presets=part).files["cifar10"]
    assert [file.name for file in files] == ["data_batch_1", "test_batch"]


def test_without_a_data_folder_files_come_from_their_addresses():
    assert study(datasets=["mnist"]).folders["mnist"] == Path("resources/mnist")
    assert study(datasets=["digits"]).folders["digits"] is None


def test_a_data_folder_of_downloads_is_that_of_none():
    assert study(datasets=["mnist"], data_dir="resources").files == study(datasets=["mnist"]).files


@pytest.mark.parametrize("path", [".", "../x"])
def test_downloads_have_a_folder_of_their_own(path):
    with pytest.raises(ConfigError, match="it must name a folder of its own below resources/"):
        study(datasets=["mnist"], presets={"mnist": {"source": {"path": path}}})


def test_nothing_is_downloaded_without_a_checksum():
    source = {"kind": "idx", "path": "x", "urls": ["https://example.org"]}
    with pytest.raises(ConfigError, match=r"checksums has no train-images-idx3-ubyte\.gz"):
        study(datasets=["x"], presets={"x": {"base": "mnist", "source": source}})
