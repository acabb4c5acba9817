"""Nothing that was finished is lost: what the folder of a run holds after the same command again, Ctrl-C or a kill."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from entry_points import forget, make_visible
from tiny_experiment import DISTURB, POINT, Tiny

from minicoord import experiments
from minicoord.app import cli
from minicoord.experiments.frame.folder import RunExistsError
from minicoord.experiments.records.reading import load_records
from minicoord.experiments.records.reproduce import table
from minicoord.train.checkpoint import read_checkpoint

pytestmark = pytest.mark.compiled
kills = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX systems")

ONE = ("run", "tiny", "--model", "line", "--target", "slope", "--out", "out")
TWO = ("run", "tiny", "--model", "line", "--seeds", "1", "--out", "out")  # both targets
FOLDER = Path("out", "tiny", "quick", "line-slope-seed0")
FILES = ["checkpoint.npz", "maps.npz", "result.json", "weights.npz"]
DAMAGED = {
    "empty": b"",
    "cut short": b'{"metrics": {"error": 0.1}, "hist',
    "random": b"\x00\xff\x17" * 50,
    "a list": b"[]",
    "of something else": b'{"metrics": 3}',
}


class Answer(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    make_visible(monkeypatch, tmp_path / "installed", POINT)
    monkeypatch.chdir(tmp_path)
    yield
    forget()


@pytest.fixture
def minicoord(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Return a function that runs a command in this process, disturbed as ``tests/tiny_experiment.py`` says."""

    def call(*arguments: str, disturbed: str = "") -> Answer:
        monkeypatch.setenv(DISTURB, disturbed)
        with pytest.raises(SystemExit) as stopped:
            cli.app(list(arguments), prog_name="minicoord")
        captured = capsys.readouterr()
        return Answer(int(stopped.value.code or 0), captured.out, captured.err)

    return call


def start(*arguments: str, disturbed: str = "") -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    command = [sys.executable, "-m", "minicoord", *arguments]
    return subprocess.Popen(command, env=os.environ | {DISTURB: disturbed}, text=True, **pipes)


def finished_files(folder: Path = FOLDER) -> dict[str, bytes]:
    """Return what lies in the folder of a run, without the place where a run that is to replace it works."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def result_in(folder: Path = FOLDER) -> dict[str, Any]:
    return json.loads((folder / "result.json").read_text())


def learned(folder: Path = FOLDER) -> tuple[Any, ...]:
    """Return all that does not depend on when and how fast a run was: numbers, settings, weights and arrays."""
    result = result_in(folder)
    rows = [{key: value for key, value in row.items() if key != "train_seconds"} for row in result["history"]]
    arrays = []
    for name in ("weights.npz", "maps.npz"):
        with np.load(folder / name) as file:
            arrays += [(key, file[key].tobytes()) for key in sorted(file.files) if key != "meta"]
    return rows, result["metrics"], result["settings"], result["solved"], arrays


@pytest.fixture
def finished(minicoord) -> dict[str, bytes]:
    """Return the files of a finished run."""
    assert minicoord(*ONE).code == 0
    assert sorted(finished_files()) == FILES
    return finished_files()


# The same command again


def test_the_same_command_again_says_what_is_there_and_changes_no_byte(finished, minicoord):
    answer = minicoord(*ONE)
    assert answer.code == 2
    assert f"{FOLDER} holds a finished run of {result_in()['date']}" in answer.err
    assert "--resume keeps it, --overwrite replaces it" in answer.err
    assert answer.out == ""
    assert finished_files() == finished
    assert not (FOLDER / "new").exists()


def test_resume_shows_a_finished_run_and_trains_nothing(finished, minicoord, monkeypatch):
    monkeypatch.setattr(Tiny, "trainer", None)
    answer = minicoord(*ONE, "--resume")
    assert answer.code == 0
    assert "1 of 1" in answer.out
    assert finished_files() == finished


def test_a_finished_run_is_found_where_it_lies_now(finished, minicoord):
    Path("out").rename("elsewhere")
    answer = minicoord(*ONE[:-1], "elsewhere", "--resume", "--json")
    assert json.loads(answer.out)[0]["folder"] == str(Path("elsewhere", *FOLDER.parts[1:]))


def test_overwrite_replaces_a_finished_run_with_all_that_belongs_to_it(finished, minicoord):
    before = learned()
    (FOLDER / "result.json").write_text(json.dumps({**result_in(), "date": "of the old one"}))
    assert minicoord(*ONE, "--overwrite").code == 0
    assert result_in()["date"] != "of the old one"
    assert result_in()["folder"] == str(FOLDER)
    assert sorted(finished_files()) == FILES
    assert learned() == before
    assert not (FOLDER / "new").exists()


def test_where_one_of_several_runs_is_finished_nothing_is_begun(finished, minicoord):
    answer = minicoord(*TWO)
    assert answer.code == 2
    assert str(FOLDER) in answer.err
    assert finished_files() == finished
    assert [path.name for path in FOLDER.parent.iterdir()] == [FOLDER.name]
    assert minicoord(*TWO, "--resume").code == 0
    assert finished_files() == finished
    assert sorted(path.name for path in FOLDER.parent.iterdir()) == ["line-bend-seed0", "line-slope-seed0"]


def test_other_settings_are_another_folder(finished, minicoord):
    assert minicoord(*ONE, "--lr", "0.2").code == 0
    assert finished_files() == finished
    assert result_in(FOLDER.with_name("line-slope-seed0-lr=0.2"))["settings"]["lr"] == 0.2


def test_python_is_told_the_same(finished):
    run = experiments.get("tiny").run
    with pytest.raises(RunExistsError, match=r"holds a finished run of .*--overwrite replaces it"):
        run("line", "slope", out=Path("out"), progress=False)
    assert finished_files() == finished
    assert run("line", "slope", out=Path("out"), progress=False, resume=True) == result_in()
    assert finished_files() == finished
    assert run("line", "slope", out=Path("out"), progress=False, overwrite=True)["metrics"] == result_in()["metrics"]
    assert finished_files() != finished


# Ctrl-C


def test_ctrl_c_while_a_finished_run_is_replaced_leaves_it_and_it_goes_on(finished, minicoord):
    before = learned()
    answer = minicoord(*ONE, "--overwrite", disturbed="12 SIGINT")
    assert answer.code == 130
    assert "--overwrite --resume" in answer.err
    assert finished_files() == finished
    assert minicoord(*ONE, "--resume").code == 0
    assert finished_files() == finished
    assert minicoord(*ONE, "--overwrite", "--resume").code == 0
    assert [sitting["after_step"] for sitting in result_in()["sittings"]] == [0, 10]
    assert learned() == before
    assert not (FOLDER / "new").exists()


def test_a_run_that_was_interrupted_is_never_solved_and_goes_on(minicoord):
    answer = minicoord(*ONE, disturbed="12 SIGINT")
    assert answer.code == 130
    assert "interrupted; what it has learned so far is being measured, which another Ctrl-C leaves out" in answer.err
    assert "0 of 1" in answer.out
    result = result_in()
    assert Tiny().solved(result["metrics"]), "its numbers look solved"
    assert (result["interrupted"], result["solved"], result["steps"]) == (True, False, 10)
    before = finished_files()
    again = minicoord(*ONE)
    assert again.code == 2
    assert f"{FOLDER} holds an unfinished run, 2 rows of its history; --resume continues it" in again.err
    assert finished_files() == before
    assert minicoord(*ONE, "--resume").code == 0
    assert (result_in()["interrupted"], result_in()["solved"], result_in()["steps"]) == (False, True, 20)
    assert [sitting["after_step"] for sitting in result_in()["sittings"]] == [0, 10]
    went_on = learned()
    assert minicoord(*ONE, "--overwrite").code == 0
    assert learned() == went_on


def test_a_run_that_was_interrupted_before_its_first_row_loses_nothing_by_beginning_anew(minicoord):
    answer = minicoord(*ONE, disturbed="3 SIGINT")
    assert answer.code == 130
    assert result_in()["history"] == []
    assert minicoord(*ONE).code == 0
    assert result_in()["steps"] == 20


def test_ctrl_c_between_training_and_the_result_costs_no_step(minicoord, monkeypatch):
    def interrupted(self, trainer):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Tiny, "watch", lambda self, trainer: {})
        patch.setattr(Tiny, "measure", interrupted)
        assert minicoord(*ONE).code == 130
    assert not (FOLDER / "result.json").exists()
    monkeypatch.setattr("minicoord.experiments.frame.run.train", _that_must_not_step(monkeypatch))
    assert minicoord(*ONE, "--resume").code == 0
    assert result_in()["steps"] == 20


def _that_must_not_step(monkeypatch):
    from minicoord.train.loop import train

    def all_steps_are_done(trainer, *arguments, **options):
        monkeypatch.setattr(trainer, "step", None)
        return train(trainer, *arguments, **options)

    return all_steps_are_done


def test_a_failure_while_a_finished_run_is_replaced_leaves_it(finished, minicoord, monkeypatch):
    monkeypatch.setattr(Tiny, "measure", lambda self, trainer: 1 / 0)
    monkeypatch.setattr(Tiny, "watch", lambda self, trainer: {})
    assert minicoord(*ONE, "--overwrite").code == 1
    assert finished_files() == finished


def test_overwriting_several_runs_goes_on_where_it_was(minicoord):
    first, second, third, fourth = (
        FOLDER.with_name(f"line-{target}-seed{seed}") for seed in range(2) for target in ("slope", "bend")
    )
    several = ("run", "tiny", "--model", "line", "--seeds", "2", "--out", "out")
    assert minicoord(*several).code == 0
    old = {folder: finished_files(folder) for folder in (first, second, third, fourth)}
    assert minicoord(*several, "--overwrite", disturbed="12:bend SIGINT").code == 130
    new = finished_files(first)
    assert new != old[first]
    assert [finished_files(folder) for folder in (second, third, fourth)] == [old[f] for f in (second, third, fourth)]
    assert minicoord(*several, "--overwrite", "--resume").code == 0
    assert finished_files(first) == new, "what was replaced before is not done a third time"
    assert [len(result_in(folder)["sittings"]) for folder in (second, third, fourth)] == [2, 1, 1]
    after = {folder: finished_files(folder) for folder in old}
    assert [after[folder] != old[folder] for folder in old] == [True] * 4
    assert minicoord(*several, "--overwrite", "--resume").code == 0
    assert {folder: finished_files(folder) for folder in old} == after, "nothing is left to be replaced"


# SIGKILL


@kills
def test_a_kill_while_a_finished_run_is_replaced_leaves_it_and_it_goes_on(finished, minicoord):
    before = learned()
    killed = start(*ONE, "--overwrite", disturbed="12 SIGKILL")
    killed.communicate()
    assert killed.returncode == -9
    assert finished_files() == finished
    assert (FOLDER / "new" / "checkpoint.npz").exists()
    assert minicoord(*ONE).code == 2
    assert finished_files() == finished
    assert minicoord(*ONE, "--overwrite", "--resume").code == 0
    assert [sitting["after_step"] for sitting in result_in()["sittings"]] == [0, 10]
    assert learned() == before
    assert not (FOLDER / "new").exists()


@pytest.mark.parametrize("count", range(len(FILES)))
@pytest.mark.parametrize("next_start", [("--resume",), (), ("--overwrite",)])
def test_an_end_between_the_moves_of_the_files_is_made_good_by_the_next_start(
    finished, minicoord, monkeypatch, count, next_start
):
    new: dict[str, bytes] = {}
    moved: list[str] = []

    def replace(source, target):
        if not new:
            new.update(finished_files(FOLDER / "new"))
        if len(moved) == count:
            raise KeyboardInterrupt
        moved.append(Path(target).name)
        os.replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("minicoord.experiments.frame.folder.os", SimpleNamespace(replace=replace))
        assert minicoord(*ONE, "--overwrite").code == 130
    assert sorted(new) == FILES
    assert len(moved) == count
    assert finished_files()["result.json"] == finished["result.json"], "the result is moved last"
    disturbed = "12 SIGINT" if next_start == ("--overwrite",) else ""
    assert minicoord(*ONE, *next_start, disturbed=disturbed).code == {"--resume": 0, "--overwrite": 130}.get(
        "".join(next_start), 2
    )
    assert finished_files() == new
    assert (FOLDER / "new").exists() == bool(disturbed)


# Damage


@pytest.mark.parametrize("bytes_there", DAMAGED.values(), ids=DAMAGED)
@pytest.mark.parametrize("options", [(), ("--resume",)], ids=["again", "resume"])
def test_a_damaged_result_is_named_and_stays_as_it_is(finished, minicoord, bytes_there, options):
    (FOLDER / "result.json").write_bytes(bytes_there)
    before = finished_files()
    answer = minicoord(*ONE, *options)
    assert answer.code == 2
    assert f"{FOLDER / 'result.json'} is " in answer.err
    assert "remove that file, or replace the run with --overwrite" in answer.err
    assert finished_files() == before
    with pytest.raises(RunExistsError, match=r"result\.json is "):
        experiments.get("tiny").run("line", "slope", out=Path("out"), progress=False, resume=bool(options))
    assert finished_files() == before


def test_a_damaged_result_is_replaced_by_overwrite_or_made_again_from_the_checkpoint(finished, minicoord):
    before = learned()
    (FOLDER / "result.json").write_bytes(b"{")
    assert minicoord(*ONE, "--overwrite").code == 0
    assert learned() == before
    (FOLDER / "result.json").unlink()
    assert minicoord(*ONE, "--resume").code == 0
    assert learned() == before


@pytest.mark.parametrize(
    "bytes_there", [b"", b"PK\x03\x04 and nothing more", DAMAGED["random"]], ids=["empty", "cut short", "random"]
)
@pytest.mark.parametrize("options", [(), ("--resume",)], ids=["again", "resume"])
def test_a_damaged_checkpoint_of_an_unfinished_run_is_named_and_stays(minicoord, bytes_there, options):
    assert minicoord(*ONE, disturbed="12 SIGINT").code == 130
    (FOLDER / "checkpoint.npz").write_bytes(bytes_there)
    before = finished_files()
    answer = minicoord(*ONE, *options)
    assert answer.code == 2
    assert f"{FOLDER / 'checkpoint.npz'} is " in answer.err
    assert finished_files() == before
    assert minicoord(*ONE, "--overwrite").code == 0
    assert result_in()["solved"]


def test_a_damaged_checkpoint_beside_a_finished_result_loses_nothing(finished, minicoord):
    (FOLDER / "checkpoint.npz").write_bytes(b"")
    assert minicoord(*ONE).code == 2
    assert minicoord(*ONE, "--resume").code == 0
    assert finished_files() == {**finished, "checkpoint.npz": b""}


def test_a_folder_with_the_run_of_another_seed_is_refused(finished, minicoord):
    FOLDER.rename(FOLDER.with_name("line-slope-seed7"))
    answer = minicoord(*ONE, "--seed", "7", "--resume")
    assert answer.code == 2
    assert "other settings (seed was 0, now 7); choose another folder" in answer.err
    assert finished_files(FOLDER.with_name("line-slope-seed7")) == finished


# Two processes


@pytest.mark.parametrize(("options", "code"), [((), 2), (("--resume",), 0)])
def test_a_second_process_at_the_same_run_waits_for_the_first(tmp_path, options, code):
    first = start(*ONE, disturbed=f"3 {tmp_path / 'go'}")
    limit = time.monotonic() + 60
    while not (FOLDER / "checkpoint.npz").exists() and time.monotonic() < limit:
        time.sleep(0.02)
    second = start(*ONE, "--json", *options)
    assert second.stderr is not None
    assert "[1/1] line, slope target, seed 0" in second.stderr.readline(), "no row is there yet that could be lost"
    time.sleep(0.2)
    assert second.poll() is None
    assert not (FOLDER / "result.json").exists()
    (tmp_path / "go").touch()
    first.communicate()
    assert first.returncode == 0
    files = finished_files()
    out, err = second.communicate()
    assert second.returncode == code
    assert finished_files() == files
    assert len(result_in()["sittings"]) == 1
    if code == 0:
        assert json.loads(out) == [result_in()]
    else:
        assert "holds a finished run" in err


def test_a_second_process_that_looks_during_the_moves_waits_for_their_end(finished, minicoord, monkeypatch):
    from minicoord.experiments.frame import folder

    (FOLDER / "new").mkdir()
    for name, content in finished.items():
        (FOLDER / "new" / name).write_bytes(content)
    held: list[Path] = []
    monkeypatch.setattr(folder, "one_process_at_a_time", _noting(folder.one_process_at_a_time, held))
    assert minicoord(*ONE).code == 2
    assert held == [FOLDER / ".lock"]
    assert finished_files() == finished


def _noting(lock, held):
    def noted(path):
        held.append(path)
        return lock(path)

    return noted


# Who had a part in a run


def commits(monkeypatch: pytest.MonkeyPatch, commit: str, processor: str) -> None:
    """Make this process look like one of another checkout, on another machine."""
    from minicoord.experiments.frame import provenance

    facts = {**provenance.machine_facts(), "processor": processor}
    monkeypatch.setattr(provenance, "commit", lambda: commit)
    monkeypatch.setattr(provenance, "machine_facts", lambda: facts)


def test_a_resumed_result_names_every_commit_and_machine_that_had_a_part(minicoord, monkeypatch):
    commits(monkeypatch, "a" * 40, "the first machine")
    assert minicoord(*ONE, disturbed="7 SIGINT").code == 130
    commits(monkeypatch, "b" * 40 + "+changes", "the second machine")
    assert minicoord(*ONE, "--resume", disturbed="3 SIGINT").code == 130  # before its first row: it has no part
    commits(monkeypatch, "c" * 40, "the third machine")
    assert minicoord(*ONE, "--resume", disturbed="7 SIGINT").code == 130
    commits(monkeypatch, "d" * 40, "the fourth machine")
    assert minicoord(*ONE, "--resume").code == 0
    sittings = result_in()["sittings"]
    assert [sitting["commit"][0] for sitting in sittings] == ["a", "c", "d"]
    assert [sitting["machine"]["processor"] for sitting in sittings] == [
        "the first machine",
        "the third machine",
        "the fourth machine",
    ]
    assert [sitting["after_step"] for sitting in sittings] == [0, 5, 10]
    assert result_in()["commit"] == "d" * 40
    (row,) = table(load_records(Path("out")))
    assert row["commit"] == "aaaaaaa, ccccccc, ddddddd"


def test_whoever_measured_what_another_process_trained_is_named(minicoord, monkeypatch):
    commits(monkeypatch, "a" * 40, "the first machine")
    assert minicoord(*ONE).code == 0
    (FOLDER / "result.json").unlink()  # as if it had been killed before it wrote that
    commits(monkeypatch, "b" * 40, "the second machine")
    assert minicoord(*ONE, "--resume").code == 0
    (row,) = table(load_records(Path("out")))
    assert row["commit"] == "aaaaaaa, bbbbbbb"


# What killed writes leave


def test_leftovers_of_a_killed_write_are_removed_at_the_next_start(finished, minicoord, tmp_path):
    from minicoord.system.files import remove_leftovers

    name = ".result.json.0123456789abcdef0123456789abcdef.tmp"
    left = [folder / name for folder in (tmp_path / "elsewhere", FOLDER, FOLDER / "new")]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{")
    assert remove_leftovers(left[0].parent) == [left[0]]
    assert minicoord(*ONE, "--resume").code == 0
    assert finished_files() == finished
    assert [path.exists() for path in left] == [False] * 3


# Version 0.1


def as_version_0_1_wrote_it(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result with the names of version 0.1; its runs were counted in epochs."""
    renamed = {"variant": "split", "steps": "epochs", "background_load": "cores_of_others"}
    return {renamed.get(key, key): value for key, value in result.items() if key != "unit"}


def test_a_finished_run_of_version_0_1_is_shown_by_resume(finished, minicoord):
    (FOLDER / "result.json").write_text(json.dumps(as_version_0_1_wrote_it(result_in())))
    before = finished_files()
    answer = minicoord(*ONE, "--resume", "--json")
    assert answer.code == 0
    (result,) = json.loads(answer.out)
    assert (result["variant"], result["unit"], result["epochs"]) == ("slope", "epoch", 20)
    assert "1 of 1" in minicoord(*ONE, "--resume").out
    assert finished_files() == before


def test_an_unfinished_run_of_version_0_1_is_refused_in_one_sentence_and_begun_anew(minicoord):
    assert minicoord(*ONE, disturbed="12 SIGINT").code == 130
    checkpoint = read_checkpoint(FOLDER / "checkpoint.npz")
    checkpoint.settings = {"seed": 0, "settings": {"experiment": "tiny", "model": "line", "split": "slope"}}
    checkpoint.save(FOLDER / "checkpoint.npz")
    answer = minicoord(*ONE, "--resume")
    assert answer.code == 2
    assert answer.err == (
        f"minicoord: {FOLDER / 'checkpoint.npz'} was written by version 0.1, and this version cannot continue it; "
        "start from the beginning with --overwrite\n"
    )
    assert minicoord(*ONE, "--overwrite").code == 0


# Fields of a result


@pytest.mark.parametrize(
    "change",
    [
        {"unit": 3}, {"steps": "20"}, {"steps": None}, {"solved": "yes"}, {"parameters": 1.5}, {"parameters": [2]},
        {"train_seconds": "long"}, {"train_seconds": 10**400}, {"model": 1}, {"variant": None}, {"history": [1]},
        {"metrics": {"error": "small"}}, {"settings": []}, {"seed": True},
    ],
)  # fmt: skip
def test_an_odd_field_of_a_result_is_named(finished, minicoord, change):
    ((name, value),) = change.items()
    (FOLDER / "result.json").write_text(json.dumps({**result_in(), **change}))
    before = finished_files()
    answer = minicoord(*ONE, "--resume")
    assert answer.code == 2
    assert f"result.json has {repr(value)[:20]}" in answer.err
    assert f" as {name!r}, wanted the result of a run; remove that file" in answer.err
    assert answer.err.count("\n") == 1
    assert finished_files() == before


@pytest.mark.parametrize(
    "name", ["experiment", "preset", "model", "variant", "seed", "steps", "solved", "parameters", "train_seconds"]
)
def test_a_missing_field_of_a_result_is_named(finished, minicoord, name):
    result = result_in()
    del result[name]
    (FOLDER / "result.json").write_text(json.dumps(result))
    answer = minicoord(*ONE, "--resume")
    assert answer.code == 2
    assert f"result.json has no {name!r}, wanted the result of a run; remove that file" in answer.err


# What is not a regular file

needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are of POSIX systems")


def everything(folder: Path = FOLDER) -> dict[str, Any]:
    """Return what lies in a folder and below it: the kind and, of regular files, the content."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes() if path.is_file() else path.is_symlink() and os.readlink(path)
        found[str(path)] = (path.lstat().st_mode, content)
    return {name: value for name, value in found.items() if not name.endswith(".lock")}


def must_not_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tiny, "trainer", None)


@needs_pipes
@pytest.mark.parametrize("name", ["result.json", "checkpoint.npz", "maps.npz", "weights.npz", ".lock", "new"])
@pytest.mark.parametrize("make", ["pipe", "folder", "dangling link"])
@pytest.mark.parametrize("options", [("--overwrite",), ("--overwrite", "--resume"), ("--resume",), ()], ids=str)
def test_what_cannot_be_replaced_is_named_before_training(finished, minicoord, monkeypatch, name, make, options):
    if (name, make) == ("new", "folder"):
        return
    place = FOLDER / name
    place.unlink(missing_ok=True)
    {"pipe": os.mkfifo, "folder": os.mkdir, "dangling link": lambda path: path.symlink_to("nowhere")}[make](place)
    before = everything()
    must_not_train(monkeypatch)
    answer = minicoord(*ONE, *options)
    assert answer.code == 2
    assert answer.err.startswith(f"minicoord: {place} ")
    assert answer.err.count("\n") == 1
    assert everything() == before


@needs_pipes
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to(Path("..", "maps.npz"))])
def test_new_with_something_other_than_files_is_named_before_training(finished, minicoord, monkeypatch, make):
    (FOLDER / "new").mkdir()
    make(FOLDER / "new" / "maps.npz")
    before = everything()
    must_not_train(monkeypatch)
    for options in ((), ("--resume",), ("--overwrite",)):
        answer = minicoord(*ONE, *options)
        assert answer.code == 2
        assert f"{FOLDER / 'new' / 'maps.npz'} is a" in answer.err
        assert everything() == before


def test_a_link_to_a_folder_in_place_of_new_is_named(finished, minicoord, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (FOLDER / "new").symlink_to(tmp_path / "elsewhere")
    answer = minicoord(*ONE, "--overwrite")
    assert answer.code == 2
    assert f"{FOLDER / 'new'} is a link, wanted a folder" in answer.err
    assert finished_files() == finished


def test_overwrite_follows_a_link_to_a_file(finished, minicoord, tmp_path):
    (FOLDER / "maps.npz").rename(tmp_path / "kept.npz")
    (FOLDER / "maps.npz").symlink_to(tmp_path / "kept.npz")
    (tmp_path / "kept.npz").write_bytes(b"of the old one")
    assert minicoord(*ONE, "--overwrite").code == 0
    assert (FOLDER / "maps.npz").is_symlink()
    assert (tmp_path / "kept.npz").read_bytes() == finished["maps.npz"]


def test_overwrite_follows_a_link_to_another_disk(finished, minicoord, tmp_path, monkeypatch):
    from minicoord.experiments.frame import folder

    (FOLDER / "maps.npz").rename(tmp_path / "kept.npz")
    (FOLDER / "maps.npz").symlink_to(tmp_path / "kept.npz")
    (tmp_path / "kept.npz").write_bytes(b"of the old one")

    def replace(source, target):
        if Path(target).name == "kept.npz":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        os.replace(source, target)

    monkeypatch.setattr(folder, "os", SimpleNamespace(replace=replace))
    assert minicoord(*ONE, "--overwrite").code == 0
    assert (tmp_path / "kept.npz").read_bytes() == finished["maps.npz"]
    assert not (FOLDER / "new").exists()


def test_a_complete_run_that_cannot_be_moved_waits_until_it_can(finished, minicoord):
    (FOLDER / "new").mkdir()
    for name, content in finished.items():
        (FOLDER / "new" / name).write_bytes(content)
    (FOLDER / "maps.npz").unlink()
    (FOLDER / "maps.npz").mkdir()
    for options in ((), ("--resume",), ("--overwrite",)):
        answer = minicoord(*ONE, *options)
        assert answer.code == 2
        assert f"{FOLDER / 'maps.npz'} is a folder" in answer.err
    (FOLDER / "maps.npz").rmdir()
    assert minicoord(*ONE, "--resume").code == 0
    assert finished_files() == finished
    assert not (FOLDER / "new").exists()


def test_a_run_whose_move_ended_just_before_its_last_step_is_not_trained_again(finished, minicoord, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rmdir", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
        assert minicoord(*ONE, "--overwrite").code == 130
    after = finished_files()
    assert after["result.json"] != finished["result.json"]
    must_not_train(monkeypatch)
    assert minicoord(*ONE, "--overwrite", "--resume").code == 0
    assert finished_files() == after


def test_overwrite_refuses_the_finished_run_of_something_else(finished, minicoord, monkeypatch):
    (FOLDER / "result.json").write_text(json.dumps({**result_in(), "experiment": "another"}))
    before = everything()
    must_not_train(monkeypatch)
    answer = minicoord(*ONE, "--overwrite")
    assert answer.code == 2
    assert "other settings (experiment was 'another', now 'tiny'); choose another folder" in answer.err
    assert everything() == before
    with pytest.raises(RunExistsError, match="experiment was 'another'"):
        experiments.get("tiny").run("line", "slope", out=Path("out"), progress=False, overwrite=True)


@pytest.mark.parametrize("place", ["look", "mark_to_replace"])
def test_a_folder_that_may_not_be_used_is_one_sentence(finished, minicoord, monkeypatch, place):
    def refuse(path):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(f"minicoord.experiments.frame.folder.{place}", refuse)
    answer = minicoord(*ONE, "--overwrite")
    assert answer.code == 2
    assert answer.err.startswith(f"minicoord: {FOLDER} cannot be ")
    assert answer.err.endswith(": Permission denied\n")
    assert finished_files() == finished


# What an experiment measures


def test_arrays_may_have_any_name_and_metrics_may_be_numbers_of_numpy(minicoord, monkeypatch):
    names = ("file", "allow_pickle", "args", "kwds", "a/b", "self")
    metrics = {"error": np.float32(0.25), "near": np.int64(1), "good": np.bool_(True), "odd": np.float32("nan")}
    monkeypatch.setattr(Tiny, "watch", lambda self, trainer: {"error": np.float32(0.25)})
    monkeypatch.setattr(Tiny, "measure", lambda self, trainer: (metrics, {name: np.arange(3) for name in names}))
    for options in ((), ("--resume",)):
        answer = minicoord(*ONE, "--json", *options)
        assert answer.code == 0
        assert json.loads(answer.out) == [result_in()]
    assert result_in()["metrics"] == {"error": 0.25, "near": 1, "good": True, "odd": None}
    with np.load(FOLDER / "maps.npz") as file:
        assert {name: file[name].tolist() for name in file.files} == {name: [0, 1, 2] for name in names}
    result = experiments.get("tiny").run("line", "slope", out=Path("other"), progress=False)
    assert [type(value) for value in result["metrics"].values()] == [float, int, bool, float]
    assert type(result["history"][-1]["error"]) is float


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are of Linux")
def test_a_name_that_is_not_utf_8_costs_no_result():
    out = os.fsdecode(b"K\xf6ln")
    folder = Path(out, *FOLDER.parts[1:])
    for options in ((), ("--resume",)):
        process = start(*ONE[:-1], out, *options)
        _, err = process.communicate()
        assert process.returncode == 0, err
        assert result_in(folder)["folder"] == str(folder)


def test_a_folder_that_cannot_be_written_to_is_found_before_training(minicoord, monkeypatch):
    def refuse(dir):
        raise PermissionError(errno.EACCES, "Permission denied", str(dir))

    must_not_train(monkeypatch)
    monkeypatch.setattr("minicoord.experiments.frame.run.tempfile", SimpleNamespace(TemporaryFile=refuse))
    answer = minicoord(*ONE)
    assert answer.code == 1
    assert f"line, slope target, seed 0 failed: [Errno 13] Permission denied: '{FOLDER}'" in answer.err
