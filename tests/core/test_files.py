"""Files that are either complete or absent."""

import pytest

from slowpoints.core.files import atomic


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_what_fails_on_the_way_leaves_the_file_as_it_was(tmp_path):
    (tmp_path / "table").write_text("before")
    with pytest.raises(TypeError), atomic(tmp_path / "table") as temporary:
        temporary.write_text(half := "half") and temporary.write_text(len(half))
    assert (tmp_path / "table").read_text() == "before"
    assert names(tmp_path) == {"table"}


def test_what_a_killed_writer_left_behind_goes_with_the_next(tmp_path):
    (tmp_path / ".table[1].abc").write_text("half")
    (tmp_path / ".table1.abc").write_text("of another file")
    with atomic(tmp_path / "table[1]") as temporary:
        temporary.write_text("whole")
    assert names(tmp_path) == {"table[1]", ".table1.abc"}


def test_writers_of_one_file_leave_each_other_alone(tmp_path):
    """Like two jobs that make the same data set."""
    with atomic(tmp_path / "table") as mine:
        mine.write_text("mine")
        with atomic(tmp_path / "table") as theirs:
            theirs.write_text("theirs")
    assert names(tmp_path) == {"table"}
    assert (tmp_path / "table").read_text() == "mine"


def test_an_error_names_the_file_that_could_not_be_written(tmp_path):
    with pytest.raises(OSError, match=r"No space left on device: '.*table'"), atomic(tmp_path / "table"):
        raise OSError(28, "No space left on device")
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError, match=r"/file'"), atomic(tmp_path / "file/table"):
        pass
    assert names(tmp_path) == {"file"}


def test_permissions_are_those_of_any_new_file(tmp_path):
    (tmp_path / "plain").touch()
    with atomic(tmp_path / "table") as temporary:
        assert temporary.stat().st_mode != (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "table").stat().st_mode == (tmp_path / "plain").stat().st_mode
