"""What has to agree before a release: the version in its three places, and what the release's script promises."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import minicoord

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

ROOT = Path(__file__).resolve().parents[2]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PROJECT = tomllib.loads(text("pyproject.toml"))["project"]


def test_the_version_is_the_same_wherever_it_stands():
    cited = re.search(r"^version: (\S+)$", text("CITATION.cff"), re.M)
    headings = [name for name in re.findall(r"^## \[(.+?)\]", text("CHANGELOG.md"), re.M) if name != "Unreleased"]
    assert cited and cited[1] == headings[0] == minicoord.__version__


def test_the_changelog_says_how_to_upgrade():
    newest = text("CHANGELOG.md").partition("\n## [0.1.0]")[0]
    notes = newest.partition("### Upgrading from 0.1")[2]
    for words in ("records", "checkpoints", "weights", "minicoord-progress.json", "grades"):
        assert words in notes, words


def test_every_python_of_the_classifiers_is_tried_with_its_oldest_numpy_and_numba():
    named = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    script = text(".ci/release")
    (tried,) = re.findall(r"PYTHONS:-([\d. ]+)\}", script)
    assert set(named) <= set(tried.split())
    for version in tried.split():
        case = rf"^ +[\d. |]*{re.escape(version)}[\d. |]*\) echo \"numpy==[\d.*]+ numba==[\d.*]+\""
        assert re.search(case, script, re.M), version


def test_the_oldest_pair_is_that_of_the_dependencies():
    lowest = dict(re.findall(r"^(numpy|numba)>=([\d.]+)", "\n".join(PROJECT["dependencies"]), re.M))
    oldest = re.findall(r"echo \"numpy==([\d.]+)\.\* numba==([\d.]+)\.\*\"", text(".ci/release"))
    assert oldest[0] == (lowest["numpy"], lowest["numba"])


def test_the_security_note_says_what_grading_is_not():
    note = text("SECURITY.md")
    assert "It is not a sandbox" in note and "How to report" in note
    assert "### What grading protects from" in text("lessons/TEACHING.md")
