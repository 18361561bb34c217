"""Where files of a source may lie: folders of any name, links that lead nowhere, names that climb out."""

import pytest
from helpers import study

from slowpoints.core.config import ConfigError
from slowpoints.datasets.readers.idx import NAMES


def own(path, kind="idx", **source):
    return {
        "datasets": ["mine"],
        "presets": {"mine": {"base": "digits", "source": {"kind": kind, "path": path, **source}}},
    }


@pytest.mark.parametrize("name", ["two words", "Übungsdaten", "画像", 'it\'s "quoted"', "-rf *", "a\nb"])
def test_a_folder_may_have_any_name(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    for file in NAMES:
        (folder / file).write_bytes(file.encode())
    made = study(**own(name), data_dir=str(tmp_path))
    assert made.files["mine"] == [folder / file for file in NAMES]
    assert made.files_digest("mine")


def test_what_is_between_braces_is_refused_as_a_wildcard(tmp_path):
    folder = tmp_path / "{dataset}"
    folder.mkdir()
    for file in NAMES:
        (folder / file).touch()
    with pytest.raises(ConfigError, match=r"Snakemake takes text between braces for a wildcard; rename it"):
        study(**own(str(folder)))


def test_a_link_to_itself_is_no_folder(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(ConfigError, match=r"there is no folder .*loop; set data_dir"):
        study(**own("loop"), data_dir=str(tmp_path))


@pytest.mark.parametrize("target", ["itself", "nothing"])
def test_a_file_that_is_a_link_to_nowhere_is_refused(tmp_path, target):
    for file in NAMES:
        (tmp_path / file).touch()
    broken = tmp_path / NAMES[0]
    broken.unlink()
    broken.symlink_to(broken if target == "itself" else tmp_path / "not there")
    with pytest.raises(ConfigError, match=rf"presets.mine.source: .*{NAMES[0]}"):
        study(**own(str(tmp_path)))


def test_a_folder_of_images_may_hold_a_loop(tmp_path):
    """Files are read at a fixed depth only."""
    for part in ("train", "test"):
        for name in map(str, range(10)):
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "a.png").touch()
        (tmp_path / part / "0/up").symlink_to(tmp_path)
    assert len(study(**own(str(tmp_path), "png")).files["mine"]) == 20


def test_a_folder_without_images_is_no_plan(tmp_path):
    with pytest.raises(ConfigError, match="folders train and test are needed"):
        study(**own(str(tmp_path), "png"))
    for part in ("train", "test"):
        for name in map(str, range(10)):
            (tmp_path / part / name).mkdir(parents=True)
            (tmp_path / part / name / "a.png").touch()
    (tmp_path / "test/7/a.png").unlink()
    with pytest.raises(ConfigError, match="test/7: no PNG there"):
        study(**own(str(tmp_path), "png"))


@pytest.mark.parametrize("batch", ["../secret", "/etc/hostname", "a/../../secret"])
def test_a_batch_may_not_lie_outside_its_folder(tmp_path, batch):
    folder = tmp_path / "data"
    folder.mkdir()
    for file in (folder / "test_batch", tmp_path / "secret", folder / "a"):
        file.mkdir() if file.name == "a" else file.touch()
    with pytest.raises(ConfigError, match=r"is not below .*data, the folder of its files"):
        study(**own(str(folder), "cifar", train_files=[batch]))
