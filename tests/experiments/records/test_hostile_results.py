"""A ``result.json`` that somebody else wrote: its path is named in one sentence, and nothing on the disk is lost."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner
from written_runs import write_run

from minicoord.app import cli
from minicoord.experiments.frame.folder import look
from minicoord.experiments.records import upgrade, writing
from minicoord.experiments.records.reading import load_records, run_name
from minicoord.sweeps.runs import finished
from minicoord.system.json_files import read_json

RUN = "regression/paper/coordconv-quadrant-seed0"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, and what an earlier `minicoord record` kept of it."""
    folder = tmp_path_factory.mktemp("good")
    write_run(folder / "runs", "regression", "coordconv", "quadrant", 0.5)
    writing.keep([folder / "runs"], folder / "kept.json")
    return folder


@pytest.fixture
def folder(good: Path, tmp_path: Path) -> Path:
    shutil.copytree(good, tmp_path, dirs_exist_ok=True)
    return tmp_path


def instead(of: str, by: str) -> Callable[[Path], object]:
    """Return what changes a part of the text of a file."""

    def change(path: Path) -> None:
        text = path.read_text()
        assert of in text
        path.write_text(text.replace(of, by, 1))

    return change


def entry(key: str, value: Any) -> Callable[[Path], object]:
    """Return what changes one entry of an object in a file; an Ellipsis removes it."""

    def change(path: Path) -> None:
        content = json.loads(path.read_text())
        content[key] = value
        path.write_text(json.dumps({name: one for name, one in content.items() if one is not ...}))

    return change


def another(make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Return what removes a file, and makes something else of its name."""

    def change(path: Path) -> None:
        path.unlink()
        make(path)

    return change


NO_JSON: dict[str, tuple[Callable[[Path], object], str]] = {
    "NaN": (instead('"test_distance": 0.5', '"test_distance": NaN'), "it has the number NaN"),
    "infinity": (instead('"lr": 0.01', '"lr": -Infinity'), "it has the number -Infinity"),
    "1e400": (instead('"train_seconds": 3.0', '"train_seconds": 1e400'), "it has the number 1e400"),
    "5000 digits": (instead('"seed": 0', f'"seed": {"9" * 5000}'), "a number in it has too many digits"),
    "one name twice": (instead('"seed": 0', '"seed": 0, "seed": 7'), "it has 'seed' twice in one object"),
    "one metric twice": (instead('"test_distance": 0.5', '"test_distance": 0.5, "test_distance": 0'), "twice"),
    "deep lists": (lambda path: path.write_text("[" * 100_000), "it is nested too deeply"),
    "deep objects": (lambda path: path.write_text('{"metrics":' * 100_000), "it is nested too deeply"),
    "two objects": (lambda path: path.write_text(path.read_text() * 2), "it is not valid JSON"),
    "truncated": (lambda path: path.write_text(path.read_text()[:200]), "it is not valid JSON"),
    "empty": (lambda path: path.write_text(""), "it is not valid JSON"),
    "a byte order mark": (lambda path: path.write_text(path.read_text(), "utf-8-sig"), "it is not valid JSON"),
    "UTF-16": (lambda path: path.write_text(path.read_text(), "utf-16"), "it is not text in UTF-8"),
    "zeros": (lambda path: path.write_bytes(bytes(1000)), "it is not valid JSON"),
    "a folder": (another(Path.mkdir), "is a folder, wanted a file"),
    "a dangling link": (another(lambda path: path.symlink_to("nowhere")), "is a link to a name that does not exist"),
    "a circle": (another(lambda path: path.symlink_to(path.name)), "is a link that leads back to itself"),
    "a device": (another(lambda path: path.symlink_to("/dev/zero")), "is a character device, wanted a file"),
}
if hasattr(os, "mkfifo"):
    NO_JSON["a pipe"] = another(os.mkfifo), "is a pipe, wanted a file"

NO_RECORD: dict[str, tuple[Callable[[Path], object], str]] = {
    "400 digits": (
        instead('"test_distance": 0.5', f'"test_distance": {"9" * 400}'),
        "as test_distance, wanted a number",
    ),
    "a flag for a number": (instead('"epoch": 1', '"epoch": true'), "has True as epoch in its history"),
    "no history": (entry("history", ...), "has no 'history'"),
    "a history of text": (entry("history", ["a"]), "has a history whose rows"),
    "no seed": (entry("seed", ...), "has no 'seed'"),
    "a negative seed": (entry("seed", -1), "has -1 as its seed"),
    "a flag for a seed": (entry("seed", True), "has True as its seed"),
    "a fraction for a seed": (entry("seed", 1.0), "has no 'seed'"),
    "negative epochs": (entry("epochs", -1), "has -1 as its epochs"),
    "a list of parameters": (entry("parameters", [1]), r"has [1] as its parameters"),
    "seconds in words": (entry("train_seconds", "long"), "has 'long' as its train_seconds"),
    "a text without end": (entry("model", "x" * 10**6), "as its model, wanted one line of at most 10,000 characters"),
    "a command without end": (entry("command", "'" * 10**6), "as its command, wanted one line"),
    "two lines": (entry("variant", "a\nb"), r"has 'a\nb' as its variant, wanted one line"),
    "a control sequence": (entry("commit", "\x1b[2J"), "as its commit, wanted one line"),
    "a folder above": (entry("folder", "a/../../../etc"), "as its folder, wanted that of a run, without '..'"),
    "levels": (entry("more", json.loads("[" * 50 + "]" * 50)), "is nested more than 30 levels deep"),
    "no metrics": (entry("metrics", {}), "has no 'test_distance' among its metrics"),
    "metrics of lists": (entry("metrics", {"test_distance": [1]}), "has [1] as test_distance, wanted a number"),
    "no settings": (entry("settings", []), "has no 'settings'"),
    "an unknown experiment": (entry("experiment", "x" * 10**6), "of an unknown experiment"),
}
HOSTILE = {**NO_JSON, **NO_RECORD}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refused(code: int, *arguments: str | Path) -> str:
    """Run a command that fails without an exception, and return what it wrote on stderr, on one line."""
    result = CliRunner().invoke(cli.app, list(map(str, arguments)), env={"COLUMNS": "2000"})
    assert isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code == code, result.output
    words = " ".join(result.stderr.replace("│", " ").replace("─", "").split())
    assert len(words) < 1500
    return words


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_result_is_named_and_what_was_kept_stays(folder: Path, kind: str):
    path = folder / "runs" / RUN / "result.json"
    damage, sentence = HOSTILE[kind]
    damage(path)
    before = files_of(folder)
    words = refused(2, "record", folder / "runs", "--out", folder / "kept.json")
    assert str(path) in words and sentence in words
    assert files_of(folder) == before
    records = load_records(folder / "runs", problems := [])
    assert (
        records == [] and [problem for problem in problems if str(path) in problem and sentence in problem] == problems
    )


@pytest.mark.parametrize("kind", NO_JSON)
def test_a_run_does_not_count_as_finished_whose_result_is_no_json(folder: Path, kind: str):
    path = folder / "runs" / RUN / "result.json"
    damage, sentence = NO_JSON[kind]
    damage(path)
    found = look(path.parent)
    reason = found.in_the_way(path.parent, resume=True)
    assert found.result is None and str(path) in reason
    assert "wanted a regular file" in reason or (
        sentence in reason and "remove that file, or replace the run" in reason
    )
    plan: Any = type("Plan", (), {"folder": lambda self, out: out / RUN})()
    assert finished(plan, folder / "runs") is None, "a sweep does this run, and does not believe the file"


@pytest.mark.parametrize("kind", ["NaN", "one name twice", "a command without end"])
def test_tables_and_figures_leave_a_hostile_result_out(folder: Path, kind: str):
    path = folder / "runs" / RUN / "result.json"
    damage, sentence = HOSTILE[kind]
    damage(path)
    words = refused(1, "reproduce", "--records", folder / "runs", "--json")
    assert str(path) in words and sentence in words
    words = refused(1, "figures", "figure-3", "--records", folder / "runs", "--out", folder / "pictures", "--json")
    assert str(path) in words and sentence in words


def test_a_record_is_not_replaced_by_one_without_a_run_that_was_damaged_since(folder: Path):
    write_run(folder / "runs", "regression", "coordconv", "quadrant", 0.25, seed=1)
    path = folder / "runs" / RUN / "result.json"
    path.write_text("")
    before = files_of(folder)
    words = refused(2, "record", folder / "runs", "--out", folder / "kept.json")
    assert f"kept.json is left as it is, because it holds {RUN}, which would be lost; {path} is damaged" in words
    assert files_of(folder) == before
    words = refused(1, "record", folder / "runs", "--out", folder / "new.json")
    assert f"{path} is damaged" in words
    assert [run_name(record) for record in load_records(folder)] == [RUN, RUN.replace("seed0", "seed1")]


def test_lists_of_records_are_read_as_strictly(folder: Path):
    path = folder / "kept.json"
    instead('"seed": 0', '"seed": 0, "seed": 7')(path)
    with pytest.raises(ValueError, match=r"kept\.json is damaged: it has 'seed' twice in one object"):
        load_records(folder)
    before = files_of(folder)
    with pytest.raises(SystemExit, match=r"kept\.json is damaged: it has 'seed' twice"):
        upgrade.main([str(folder)])
    assert files_of(folder) == before


def test_strict_reading_takes_what_json_allows(tmp_path: Path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, -2.5e-3, null, true, "\\ud800 \\n"], "b": {"a": 1}, "": 123456789012345678901}')
    assert read_json(path) == {"a": [1, -0.0025, None, True, "\ud800 \n"], "b": {"a": 1}, "": 123456789012345678901}
