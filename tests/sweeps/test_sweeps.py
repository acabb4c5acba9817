"""Sweeps: which runs a grid stands for, and that whatever ends one in the middle costs no run and doubles none."""

import dataclasses
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from typer.testing import CliRunner

from minicoord import experiments
from minicoord.app import cli
from minicoord.sweeps import schedule
from minicoord.sweeps.grids import GRIDS, Run, grid_named, runs_of
from minicoord.sweeps.runs import finished, run_in_process
from minicoord.sweeps.schedule import sweep

SMALL = """
[[grid]]
preset = "quick"
model = "coordconv"
split = "quadrant"
batch_size = 256
epochs = 1
lr = [0.001, 0.002, 0.003]
"""


@pytest.fixture
def small(tmp_path):
    (tmp_path / "grid.toml").write_text(SMALL)
    return tmp_path / "grid.toml"


def test_the_grids_of_the_paper_have_its_number_of_runs():
    count = {name: len(runs_of(name, grids["paper"])) for name, grids in GRIDS.items()}
    by_conv = [run for run in runs_of("classification", GRIDS["classification"]["paper"]) if run.model == "conv"]
    assert len(by_conv) == 2 * 324
    assert count == {"classification": 2 * (324 + 6), "regression": 2 * (2 * 9 + 1), "rendering": 2 * (648 + 8)}


def test_every_run_of_every_grid_has_a_folder_of_its_own():
    for name, grids in GRIDS.items():
        for grid in grids.values():
            runs = runs_of(name, grid, seeds=3)
            assert len({run.folder(Path("out")) for run in runs}) == len(runs)


def test_seeds_that_a_grid_names_are_taken_as_they_are():
    grid = {"model": "coordconv", "split": "uniform", "seed": [100, 101]}
    assert [run.seed for run in runs_of("regression", [grid], seeds=5)] == [100, 101]


@pytest.mark.parametrize(
    "grid, sentence",
    [
        ({"split": "uniform"}, "no 'model'"),
        ({"model": "cov", "split": "uniform"}, "model 'cov'; did you mean 'conv'"),
        ({"model": "conv", "split": ["uniform", "half"]}, "split 'half'"),
        ({"model": "conv", "split": "uniform", "preset": "fast"}, "preset 'fast'"),
        ({"model": "conv", "split": "uniform", "learning_rate": 0.1}, "setting 'learning_rate'"),
        ({"model": "conv", "split": "uniform", "beta2": 1.5}, "beta2 was 1.5"),
        ({"model": "conv", "split": "uniform", "l2": [0, 0.1], "decay": 0.1}, "one of them must be 0"),
        ({"model": "conv", "split": "uniform", "experiment": "rendering"}, "one of 'rendering'"),
    ],
)
def test_a_grid_that_cannot_be_run_is_refused_before_anything_runs(grid, sentence):
    with pytest.raises(ValueError, match=sentence):
        runs_of("classification", [grid])


def test_a_network_that_a_preset_has_no_settings_for_is_refused_before_anything_runs():
    with pytest.raises(ValueError, match="preset 'paper' has no settings for 'drawer', only for conv, coordconv"):
        runs_of("rendering", [{"model": "drawer", "split": "uniform"}])


def test_a_whole_number_is_the_same_run_as_its_float():
    whole, exact = ({"model": "conv", "split": "uniform", "l2": value, "fs": 2} for value in (0, 0.0))
    (run,) = runs_of("classification", [whole, exact])
    assert run.name == "conv-uniform-seed0-fs=2-l2=0.0"


@pytest.mark.parametrize(
    "text, sentence",
    [
        ("[[grid]", "g.toml is no TOML"),
        ("# K\xf6ln", "g.toml is no TOML"),
        ("grid = 3", "no table"),
        (None, "cannot read"),
        ("", "no table"),
        ('epochs = 2\n[[grid]]\nmodel = "conv"', "has 'epochs' outside"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, sentence):
    path = tmp_path / "g.toml"
    if text is not None:
        path.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match=sentence):
        grid_named("regression", str(path))
    with pytest.raises(ValueError, match="has no grid 'huge'"):
        grid_named("regression", "huge")


def test_a_file_may_begin_with_the_mark_that_some_editors_write(tmp_path):
    path = tmp_path / "g.toml"
    path.write_text('[[grid]]\nmodel = "conv"\n', encoding="utf-8-sig")
    assert grid_named("regression", str(path)) == [{"model": "conv"}]


def records(out):
    return {path: path.read_bytes() for path in Path(out).rglob("result.json")}


@pytest.mark.compiled
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of POSIX systems")
def test_a_sweep_that_is_killed_loses_nothing_and_repeats_nothing(small, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-m", "minicoord", "sweep", "regression", "--grid", str(small), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 120
    while not records(out) and time.monotonic() < limit:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(1)  # the run that was under way notices
    before = records(out)
    assert 1 <= len(before) < 3
    time.sleep(2)
    assert records(out) == before, "no run goes on without the sweep"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    after = records(out)
    assert len(after) == 3
    assert {path: text for path, text in after.items() if path in before} == before
    assert "recorded already" in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("minicoord: [")]
    assert len(lines) == 3 - len(before)
    assert "[3/3]" in lines[-1]


def test_the_lines_say_how_far_the_sweep_is(tmp_path, monkeypatch):
    def attempt(run, out, threads, command):
        if run.seed == 1:
            raise RuntimeError("it fell over")
        return {"solved": run.seed == 0, "interrupted": False}

    monkeypatch.setattr(schedule, "run_in_process", attempt)
    runs = [Run("regression", "quick", "coordconv", "quadrant", seed) for seed in range(3)]
    lines: list[str] = []
    outcomes = list(sweep(runs, tmp_path, say=lines.append))
    assert [line.split("; ")[0] for line in lines] == [
        "3 runs to do",
        "[1/3] coordconv-quadrant-seed0: solved",
        "[2/3] coordconv-quadrant-seed1: it fell over",
        "[3/3] coordconv-quadrant-seed2: not solved",
    ]
    assert [error for _, _, error in outcomes] == [None, "it fell over", None]


@pytest.mark.compiled
def test_a_run_that_fails_is_reported_and_the_others_go_on(tmp_path):
    good = Run("regression", "quick", "coordconv", "quadrant", 0, {"epochs": 1, "batch_size": 256})
    bad = Run("regression", "quick", "coordconv", "quadrant", 0, {"epochs": -1})
    outcomes = list(sweep([bad, good], tmp_path, say=lambda line: None))
    assert outcomes[0][1] is None
    assert "exit code" in str(outcomes[0][2])
    assert "epochs" in str(outcomes[0][2])
    assert outcomes[1][1] is not None
    assert finished(good, tmp_path) == outcomes[1][1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"interrupted": true}'])
def test_a_damaged_or_interrupted_record_is_no_record(tmp_path, text):
    run = Run("regression", "quick", "coordconv", "quadrant", 0)
    run.folder(tmp_path).mkdir(parents=True)
    (run.folder(tmp_path) / "result.json").write_text(text)
    assert finished(run, tmp_path) is None


def test_what_is_recorded_is_not_done_again(tmp_path):
    run = Run("regression", "quick", "coordconv", "quadrant", 0)
    run.folder(tmp_path).mkdir(parents=True)
    record = {"interrupted": False, "solved": True, "kept": "as it is"}
    (run.folder(tmp_path) / "result.json").write_text(json.dumps(record))
    assert run_in_process(run, tmp_path, threads=1) == record


def test_a_record_of_other_settings_is_not_taken_for_the_run(tmp_path):
    run = Run("regression", "quick", "coordconv", "quadrant", 0)
    run.folder(tmp_path).mkdir(parents=True)
    preset = dataclasses.asdict(experiments.get("regression").PRESETS["quick"]["coordconv"])
    record = {"interrupted": False, "solved": True, "settings": preset}
    (run.folder(tmp_path) / "result.json").write_text(json.dumps(record))
    assert finished(run, tmp_path) == record
    record = {**record, "settings": {**preset, "epochs": 1}}
    (run.folder(tmp_path) / "result.json").write_text(json.dumps(record))
    other = Run("regression", "quick", "coordconv", "quadrant", 1)
    with pytest.raises(ValueError, match=r"other settings \(epochs was 1, now 5\); choose another folder"):
        list(sweep([other, run], tmp_path, say=lambda line: None))
    assert not other.folder(tmp_path).exists(), "it is said before anything runs"


@pytest.mark.compiled
def test_a_damaged_checkpoint_is_named_with_what_to_do(tmp_path):
    run = Run("regression", "quick", "coordconv", "quadrant", 0, {"epochs": 1, "batch_size": 256})
    run.folder(tmp_path).mkdir(parents=True)
    (run.folder(tmp_path) / "checkpoint.npz").write_bytes(b"PK")
    with pytest.raises(RuntimeError, match=r"checkpoint\.npz .*; without that file the run begins anew"):
        run_in_process(run, tmp_path, threads=1)


def test_a_folder_that_cannot_be_written_to_is_said_before_anything_runs(small, tmp_path):
    (tmp_path / "taken").write_text("a file")
    options = ["--grid", str(small), "--out", str(tmp_path / "taken" / "below")]
    result = CliRunner().invoke(cli.app, ["sweep", "regression", *options])
    assert result.exit_code == 2
    assert "cannot write to" in result.output


@pytest.mark.compiled
def test_two_sweeps_into_one_folder_do_each_run_once(tmp_path):
    run = Run("regression", "quick", "coordconv", "quadrant", 0, {"epochs": 1, "batch_size": 256})
    found: list[Any] = []
    both = [Thread(target=lambda: found.append(run_in_process(run, tmp_path, threads=1))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    first, second = found
    assert first == second, "the seconds of two runs would differ"


def test_the_command_lists_without_running(small, tmp_path):
    result = CliRunner().invoke(cli.app, ["sweep", "regression", "--grid", str(small), "--dry-run", "--seeds", "2"])
    assert result.exit_code == 0
    assert len([line for line in result.stdout.splitlines() if "coordconv-quadrant-seed" in line]) == 6
    assert not (tmp_path / "minicoord-results").exists()


@pytest.mark.parametrize(
    "arguments, word", [(["clasification"], "classification"), (["rendering", "--grid", "x"], "paper")]
)
def test_the_command_names_what_is_wrong(arguments, word):
    result = CliRunner().invoke(cli.app, ["sweep", *arguments])
    assert result.exit_code == 2
    assert word in result.output


needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="needs dask.distributed, the extra 'sweep'"
)


@pytest.mark.compiled
@needs_dask
def test_a_worker_that_is_killed_costs_no_run_and_doubles_none(tmp_path):
    from distributed import Client, LocalCluster  # pyright: ignore[reportMissingImports]

    changes = [{"epochs": 1, "batch_size": 256, "lr": lr} for lr in (0.001, 0.002, 0.003, 0.004)]
    runs = [Run("regression", "quick", "coordconv", "quadrant", 0, change) for change in changes]
    options: Any = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    local: Any = LocalCluster(**options)
    with local as cluster:
        connection: Any = Client(cluster)
        with connection as client:
            pids = list(client.run(os.getpid).values())
        outcomes, written = [], {}
        for outcome in sweep(runs, tmp_path, scheduler=cluster.scheduler_address, say=lambda line: None):
            if not outcomes:
                written = records(tmp_path)
                os.kill(pids[0], signal.SIGKILL)
            outcomes.append(outcome)
    assert sorted(run.name for run, _, _ in outcomes) == sorted(run.name for run in runs)
    assert all(error is None for _, _, error in outcomes)
    after = records(tmp_path)
    assert len(after) == 4
    assert {path: after[path] for path in written} == written, "a finished run is not written again"


@needs_dask
def test_dask_gets_each_run_once_and_the_order_of_the_grid(tmp_path, monkeypatch):
    submitted: dict[str, int] = {}

    class Client:
        def __init__(self, *arguments, **options):
            pass

        def submit(self, work, *arguments, key, retries, priority):
            submitted[key] = priority

        def close(self):
            pass

    monkeypatch.setattr("distributed.Client", Client)
    monkeypatch.setattr("distributed.as_completed", lambda futures: [])
    runs = [Run("regression", preset, "coordconv", "quadrant", 0) for preset in ("quick", "paper")]
    assert list(sweep(runs, tmp_path, scheduler="tcp://nowhere", say=lambda line: None)) == []
    assert list(submitted) == [str(run.folder(tmp_path)) for run in runs], (
        "Dask takes two tasks of one key for the same"
    )
    first, second = submitted.values()
    assert first > second, "Dask does not keep the order by itself"


@needs_dask
def test_two_sweeps_of_one_machine_do_not_meet_on_a_port(tmp_path, monkeypatch, recwarn):
    from distributed import LocalCluster  # pyright: ignore[reportMissingImports]

    def no_workers(n_workers, **options):
        return LocalCluster(n_workers=0, processes=False, **options)

    first = LocalCluster(n_workers=0, processes=False)  # on the usual port, if nobody else is
    try:
        monkeypatch.setattr("distributed.LocalCluster", no_workers)
        monkeypatch.setattr("distributed.as_completed", lambda futures: [])
        run = Run("regression", "quick", "coordconv", "quadrant", 0)
        recwarn.clear()
        assert list(sweep([run], tmp_path, workers=2, say=lambda line: None)) == []
    finally:
        first.close()
    assert [str(warning.message) for warning in recwarn] == []


@needs_dask
def test_a_scheduler_that_does_not_answer_is_named(tmp_path):
    run = Run("regression", "quick", "coordconv", "quadrant", 0)
    with pytest.raises(ValueError, match="no Dask scheduler answers"):
        list(sweep([run], tmp_path, scheduler="tcp://127.0.0.1:9", say=lambda line: None))


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="dask.distributed is installed")
def test_without_dask_the_error_says_what_to_install(tmp_path):
    run = Run("regression", "quick", "coordconv", "quadrant", 0)
    with pytest.raises(ValueError, match=r"pip install 'minicoord\[sweep\]'"):
        list(sweep([run], tmp_path, workers=2, say=lambda line: None))
