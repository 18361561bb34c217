"""pyproject.toml, the two locks and environment.yml agree."""

import json
import re
import tomllib

import licences
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from places import ROOT

import slowpoints


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines):
    return {canonical(name): version for name, version in (line.strip().split("==") for line in lines)}


def read():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    wanted = [Requirement(text) for text in [*project["dependencies"], *(text for extra in extras for text in extra)]]
    lock = pins(line for line in (ROOT / "requirements.lock").read_text().splitlines() if line and line[0] != "#")
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    environment = pins(next(item["pip"] for item in conda if isinstance(item, dict)))
    return wanted, lock, environment


def test_the_environment_pins_what_the_project_needs_as_the_lock_does():
    wanted, lock, environment = read()
    assert set(environment) == {canonical(requirement.name) for requirement in wanted}
    assert {name: lock[name] for name in environment} == environment


def test_the_lock_satisfies_the_project():
    wanted, lock, _ = read()
    for requirement in wanted:
        assert requirement.specifier.contains(Version(lock[canonical(requirement.name)])), requirement


def test_all_but_torch_is_pinned_by_hashes_too():
    _, lock, _ = read()
    pinned = {}
    for line in (ROOT / "hashes.lock").read_text().replace("\\\n", " ").splitlines():
        pin, *hashes = line.split()
        assert hashes
        assert all(re.fullmatch("--hash=sha256:[0-9a-f]{64}", each) for each in hashes), pin
        pinned |= pins([pin])
    assert pinned == {name: version for name, version in lock.items() if name != "torch"}


def test_torch_is_pinned_without_a_build_and_allowed_from_2_10():
    wanted, lock, _ = read()
    assert "+" not in lock["torch"]
    assert str(next(r.specifier for r in wanted if r.name == "torch")) == ">=2.10"


def test_the_page_of_licences_lists_what_is_pinned():
    """Names only, since licences are read from installed packages (`python docs/licences.py`), which may differ."""
    table = licences.PAGE.read_text().partition(licences.MARK)[2]
    listed = [name for row in table.splitlines()[2:] for name in row.split("|")[2].strip().split(", ")]
    assert sorted(listed) == sorted(licences.pinned())


@pytest.mark.parametrize(
    ("folder", "named"),
    [
        ("docs", {"sphinx", "myst-nb", "furo"}),
        ("tests/mutants", {"mutmut", "libcst"}),
        (".ci", {"oxfmt", "oxlint"}),
    ],
)
def test_what_the_site_mutation_tests_and_linting_need_is_pinned_beside_the_lock(folder, named):
    """Together they are installed, so nothing may be pinned twice."""
    _, lock, _ = read()
    lines = (ROOT / folder / "requirements.txt").read_text().splitlines()
    extra = pins(line for line in lines if not line.startswith("#"))
    assert not set(extra) & set(lock)
    assert named <= set(extra)


def test_the_files_to_cite_by_say_the_same():
    """Facts that only the owner knows are marked OWNER in both."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    zenodo = json.loads((ROOT / ".zenodo.json").read_text())
    assert citation["version"] == slowpoints.__version__
    assert (citation["title"], citation["keywords"]) == (zenodo["title"], zenodo["keywords"])
    assert (citation["abstract"], citation["license"]) == (zenodo["description"], zenodo["license"])
    paper = citation["preferred-citation"]
    related = [paper["url"], *(identifier["value"] for identifier in paper["identifiers"])]
    assert [each["identifier"] for each in zenodo["related_identifiers"]] == related
