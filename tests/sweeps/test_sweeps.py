"""Sweeps: whatever ends one in the middle costs no run and doubles none."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from entry_points import forget, make_visible
from tiny_experiment import DISTURB, POINT
from typer.testing import CliRunner

from minicoord import experiments
from minicoord.app import cli
from minicoord.experiments.frame.plan import Plan
from minicoord.sweeps import schedule
from minicoord.sweeps.grids import grid_named, runs_of
from minicoord.sweeps.runs import finished, run_in_process
from minicoord.sweeps.schedule import sweep
from minicoord.system.files import one_process_at_a_time

SMALL = """
[[grid]]
preset = "quick"
model = "line"
target = "slope"
lr = [0.01, 0.02, 0.03]
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    make_visible(monkeypatch, tmp_path / "installed", POINT)
    yield
    forget()


@pytest.fixture
def small(tmp_path):
    (tmp_path / "grid.toml").write_text(SMALL)
    return tmp_path / "grid.toml"


def plan(seed: int = 0, **changes: Any) -> Plan:
    return experiments.get("tiny").plan("line", "slope", seed=seed, **changes)


def records(out):
    return {path: path.read_bytes() for path in Path(out).rglob("result.json")}


SETTINGS = {"steps": 20, "lr": 0.1, "optimiser": "sgd", "shuffle": True}
RUN = {"experiment": "tiny", "preset": "quick", "model": "line", "variant": "slope", "seed": 0, "settings": SETTINGS}
LENGTH = {"unit": "step", "steps": 20, "train_seconds": 0.5, "parameters": 2, "history": []}
RECORD = {"interrupted": False, "solved": True, "metrics": {"error": 0.1}, **RUN, **LENGTH}


def write_record(run, out, record):
    run.folder(out).mkdir(parents=True)
    (run.folder(out) / "result.json").write_text(record if isinstance(record, str) else json.dumps(record))


@pytest.mark.compiled
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX systems")
def test_a_sweep_that_is_killed_loses_nothing_and_repeats_nothing(small, tmp_path):
    out = tmp_path / "out"
    first, second, third = runs_of("tiny", grid_named("tiny", str(small)))
    list(sweep([first], out, say=lambda line: None))
    arguments = ["sweep", "tiny", "--grid", str(small), "--out", str(out)]
    disturbed = os.environ | {DISTURB: f"12 {tmp_path / 'never'}"}
    command = [sys.executable, "-m", "minicoord", *arguments]
    process = subprocess.Popen(command, env=disturbed, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 60
    while rows_of(second, out) < 2 and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = records(out)
    assert list(before) == [first.folder(out) / "result.json"]
    with one_process_at_a_time(second.folder(out) / ".lock"):  # its process has noticed, and is gone
        assert records(out) == before, "no run goes on without the sweep"
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 0, done.output
    after = records(out)
    assert {path.parent for path in after} == {run.folder(out) for run in (first, second, third)}
    assert {path: text for path, text in after.items() if path in before} == before
    sittings = [len(json.loads(after[run.folder(out) / "result.json"])["sittings"]) for run in (first, second, third)]
    assert sittings == [1, 2, 1], "the second goes on where it was"
    assert "1 of 3 runs are recorded already" in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("minicoord: [")]
    assert len(lines) == 2
    assert "[3/3]" in lines[-1]


def rows_of(run: Plan, out: Path) -> int:
    """Return how many rows the checkpoint of a run has; its files are replaced whole, so any moment will do."""
    from minicoord.experiments.frame.folder import look

    return look(run.folder(out)).rows


def test_the_lines_say_how_far_the_sweep_is(tmp_path, monkeypatch):
    def attempt(run, out, threads, command):
        if run.seed == 1:
            raise RuntimeError("it fell over")
        return {"solved": {0: True, 2: False, 3: None}[run.seed], "interrupted": False}

    monkeypatch.setattr(schedule, "run_in_process", attempt)
    lines: list[str] = []
    outcomes = list(sweep([plan(seed) for seed in range(4)], tmp_path, say=lines.append))
    assert [line.split("; ")[0] for line in lines] == [
        "4 runs to do",
        "[1/4] line-slope-seed0: solved",
        "[2/4] line-slope-seed1: it fell over",
        "[3/4] line-slope-seed2: not solved",
        "[4/4] line-slope-seed3: done",
    ]
    assert [error for _, _, error in outcomes] == [None, "it fell over", None, None]


@pytest.mark.compiled
def test_a_run_that_fails_is_reported_and_the_others_go_on(tmp_path):
    good, bad = plan(), plan(lr=1e30)
    outcomes = list(sweep([bad, good], tmp_path, say=lambda line: None))
    assert outcomes[0][1] is None
    assert "exit code" in str(outcomes[0][2])
    assert "the loss became" in str(outcomes[0][2])
    assert outcomes[1][1] is not None
    assert finished(good, tmp_path) == outcomes[1][1]


@pytest.mark.compiled
def test_a_run_has_the_settings_of_its_plan_and_the_command_of_the_sweep(tmp_path):
    run = experiments.get("tiny").plan("curve", "bend", preset="paper", seed=3, lr=1e-05, shuffle=False, steps=7)
    record = run_in_process(run, tmp_path, threads=1, command="minicoord sweep tiny")
    assert record["settings"] == {"steps": 7, "lr": 1e-05, "width": 8, "optimiser": "adam", "shuffle": False}
    told = {key: record[key] for key in ("experiment", "preset", "model", "variant", "seed", "steps")}
    assert told == {
        "experiment": "tiny",
        "preset": "paper",
        "model": "curve",
        "variant": "bend",
        "seed": 3,
        "steps": 7,
    }
    assert record["command"] == "minicoord sweep tiny"
    assert record["threads"] == 1
    assert run.folder(tmp_path).name == "curve-bend-seed3-lr=1e-05-shuffle=False-steps=7"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"interrupted": true}', '{"interrupted": true, "metrics": {}}'])
def test_a_damaged_or_interrupted_record_is_no_record(tmp_path, text):
    write_record(plan(), tmp_path, text)
    assert finished(plan(), tmp_path) is None


@pytest.mark.compiled
def test_a_damaged_record_is_named_with_what_to_do_and_stays_as_it_is(tmp_path):
    write_record(plan(), tmp_path, '{"metrics": {"error": 0.1')
    with pytest.raises(RuntimeError, match=r"result\.json is damaged.*; remove that file"):
        run_in_process(plan(), tmp_path, threads=1)
    assert list(records(tmp_path).values()) == [b'{"metrics": {"error": 0.1']


def test_what_is_recorded_is_not_done_again(tmp_path):
    record = {**RECORD, "kept": "as it is"}
    write_record(plan(), tmp_path, record)
    assert run_in_process(plan(), tmp_path, threads=1) == record


def test_a_foreign_record_is_the_failure_of_its_run_and_the_others_go_on(tmp_path):
    write_record(plan(), tmp_path, {"metrics": {}})
    foreign, other = list(sweep([plan(), plan(seed=1)], tmp_path, say=lambda line: None))
    assert "result.json has no 'experiment', wanted the result of a run; remove that file" in str(foreign[2])
    assert other[1] is not None


def test_a_record_of_version_0_1_is_a_finished_run(tmp_path):
    run = experiments.get("regression").plan("coordconv", "uniform")
    values = {name: getattr(run.settings, name) for name in ("epochs", "lr", "l2", "schedule", "batch_size", "beta2")}
    values |= {name: getattr(run.settings, name) for name in ("decay", "init_scale", "start_at_mean")}
    old = {**RECORD, "experiment": "regression", "model": "coordconv", "split": "uniform", "epochs": 5, "c": None}
    old |= {"settings": {**values, "c": None}, "raw_input": False}
    write_record(run, tmp_path, {key: value for key, value in old.items() if key not in ("variant", "unit", "steps")})
    result = finished(run, tmp_path)
    assert result is not None
    assert (result["variant"], result["unit"], result["settings"]) == ("uniform", "epoch", values)


def test_one_run_is_not_several(tmp_path):
    write_record(plan(), tmp_path, RECORD)
    lines: list[str] = []
    list(sweep([plan()], tmp_path, say=lines.append))
    assert lines == ["1 of 1 run is recorded already"]


def test_a_record_of_other_settings_is_not_taken_for_the_run(tmp_path):
    write_record(plan(), tmp_path, RECORD)
    assert finished(plan(), tmp_path) == RECORD
    without_a_new_setting = {key: value for key, value in SETTINGS.items() if key != "shuffle"}
    for same in (without_a_new_setting, {**SETTINGS, "a setting of another time": 1}):
        (plan().folder(tmp_path) / "result.json").write_text(json.dumps({**RECORD, "settings": same}))
        assert finished(plan(), tmp_path) is not None
    (plan().folder(tmp_path) / "result.json").write_text(json.dumps({**RECORD, "settings": {**SETTINGS, "steps": 1}}))
    other = plan(seed=1)
    with pytest.raises(ValueError, match=r"other settings \(steps was 1, now 20\); choose another folder"):
        list(sweep([other, plan()], tmp_path, say=lambda line: None))
    assert not other.folder(tmp_path).exists(), "it is said before anything runs"


def test_a_copied_folder_is_not_taken_for_the_run_of_its_name(tmp_path):
    write_record(plan(), tmp_path, {**RECORD, "experiment": "tiny", "model": "line", "variant": "slope", "seed": 7})
    with pytest.raises(ValueError, match=r"other settings \(seed was 7, now 0\)"):
        finished(plan(), tmp_path)


@pytest.mark.compiled
def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path):
    plan().folder(tmp_path).mkdir(parents=True)
    (plan().folder(tmp_path) / "checkpoint.npz").write_bytes(b"PK")
    with pytest.raises(RuntimeError, match=r"checkpoint\.npz .*; remove that file"):
        run_in_process(plan(), tmp_path, threads=1)


@pytest.mark.compiled
def test_a_checkpoint_of_another_run_is_named_with_what_to_do(tmp_path):
    other = plan(seed=1)
    run_in_process(other, tmp_path, threads=1)
    (other.folder(tmp_path) / "result.json").unlink()
    other.folder(tmp_path).rename(plan().folder(tmp_path))
    with pytest.raises(RuntimeError, match=r"checkpoint\.npz belongs to .*seed was 1, now 0; without that file"):
        run_in_process(plan(), tmp_path, threads=1)


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_runs(small, tmp_path):
    (tmp_path / "taken").write_text("a file")
    options = ["--grid", str(small), "--out", str(tmp_path / "taken" / "below")]
    result = CliRunner().invoke(cli.app, ["sweep", "tiny", *options])
    assert result.exit_code == 2
    assert "cannot write to" in result.output


@pytest.mark.compiled
def test_two_sweeps_into_one_folder_do_each_run_once(tmp_path):
    found: list[Any] = []
    both = [Thread(target=lambda: found.append(run_in_process(plan(), tmp_path, threads=1))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    first, second = found
    assert first == second, "the seconds of two runs would differ"
    assert len(first["sittings"]) == 1


def test_a_sweep_finishes_what_a_killed_process_had_begun_to_move(tmp_path):
    write_record(plan(), tmp_path, {**RECORD, "date": "the old one"})
    new = plan().folder(tmp_path) / "new"
    new.mkdir()
    (new / "maps.npz").write_bytes(b"new maps")
    (new / "result.json").write_text(json.dumps({**RECORD, "date": "the new one"}))
    result = finished(plan(), tmp_path)
    assert result is not None
    assert result["date"] == "the new one"
    assert not new.exists()
    assert (plan().folder(tmp_path) / "maps.npz").read_bytes() == b"new maps"


def test_the_command_lists_without_running(small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.app, ["sweep", "tiny", "--grid", str(small), "--dry-run", "--seeds", "2"])
    assert result.exit_code == 0
    assert len([line for line in result.stdout.splitlines() if "line-slope-seed" in line]) == 6
    assert "6 runs" in result.stderr
    assert not (tmp_path / "minicoord-results").exists()


@pytest.mark.compiled
def test_the_command_prints_a_table_or_json_and_tells_what_failed(small, tmp_path, capfd):
    small.write_text(SMALL.replace("0.03", "1e30"))
    arguments = ["sweep", "tiny", "--grid", str(small), "--out", str(tmp_path / "out")]
    failed = CliRunner().invoke(cli.app, arguments)
    assert failed.exit_code == 1
    assert "Tiny [bold] Fit: all runs of the sweep" in failed.stdout
    assert "1 of 3 runs failed; the same command tries them again" in failed.stderr
    small.write_text(SMALL.replace(", 0.03", ""))
    done = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert done.exit_code == 0
    assert [record["settings"]["lr"] for record in json.loads(done.stdout)] == [0.01, 0.02]
    assert capfd.readouterr().out == ""


@pytest.mark.parametrize(
    "arguments, word", [(["clasification"], "classification"), (["rendering", "--grid", "x"], "paper")]
)
def test_the_command_names_what_is_wrong(arguments, word):
    result = CliRunner().invoke(cli.app, ["sweep", *arguments])
    assert result.exit_code == 2
    assert word in result.output


def test_a_broken_experiment_of_another_package_is_one_sentence(tmp_path, monkeypatch):
    make_visible(monkeypatch, tmp_path / "broken", "broken = no_such_module:Experiment")
    result = CliRunner().invoke(cli.app, ["sweep", "broken"])
    assert result.exit_code == 1
    assert "broken cannot be loaded from no_such_module:Experiment" in result.stderr
