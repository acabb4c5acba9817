"""Sweeps of several runs at a time: whichever worker dies, each run is done, and once."""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from entry_points import forget, make_visible
from tiny_experiment import POINT

from minicoord import experiments
from minicoord.experiments.frame.plan import Plan
from minicoord.sweeps.schedule import QUIET, sweep

needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="needs dask.distributed, the extra 'sweep'"
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    make_visible(monkeypatch, tmp_path / "installed", POINT)
    yield
    forget()


def plan(preset: str = "quick", **changes: Any) -> Plan:
    return experiments.get("tiny").plan("line", "slope", preset=preset, **changes)


@pytest.mark.compiled
@needs_dask
def test_a_worker_that_is_killed_costs_no_run_and_doubles_none(tmp_path):
    from distributed import Client, LocalCluster  # pyright: ignore[reportMissingImports]

    out = tmp_path / "out"
    runs = [plan(lr=lr) for lr in (0.01, 0.02, 0.03, 0.04)]
    options: Any = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    local: Any = LocalCluster(**options)
    with local as cluster:
        connection: Any = Client(cluster)
        with connection as client:
            pids = list(client.run(os.getpid).values())
        outcomes, written = [], {}
        for outcome in sweep(runs, out, scheduler=cluster.scheduler_address, say=lambda line: None):
            if not outcomes:
                written = {path: path.read_bytes() for path in out.rglob("result.json")}
                os.kill(pids[0], signal.SIGKILL)
            outcomes.append(outcome)
    assert sorted(run.name for run, _, _ in outcomes) == sorted(run.name for run in runs)
    assert all(error is None for _, _, error in outcomes)
    after = {path: path.read_bytes() for path in out.rglob("result.json")}
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
    runs = [plan(preset) for preset in ("quick", "paper")]
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
        recwarn.clear()
        assert list(sweep([plan()], tmp_path, workers=2, say=lambda line: None)) == []
    finally:
        first.close()
    assert [str(warning.message) for warning in recwarn] == []


@needs_dask
def test_the_workers_of_a_sweep_leave_the_cores_to_the_runs(tmp_path, monkeypatch):
    import dask.config  # pyright: ignore[reportMissingImports]
    from distributed import LocalCluster  # pyright: ignore[reportMissingImports]

    seen = {}

    def no_workers(n_workers, **options):
        seen.update({name: dask.config.get(name) for name in QUIET})
        return LocalCluster(n_workers=0, processes=False, **options)

    monkeypatch.setattr("distributed.LocalCluster", no_workers)
    monkeypatch.setattr("distributed.as_completed", lambda futures: [])
    before = {name: dask.config.get(name) for name in QUIET}
    assert list(sweep([plan()], tmp_path, workers=2, say=lambda line: None)) == []
    assert seen == QUIET and {name: dask.config.get(name) for name in QUIET} == before != QUIET


@needs_dask
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nowhere"])
def test_a_scheduler_that_does_not_answer_is_named(tmp_path, address):
    with pytest.raises(ValueError, match=f"no Dask scheduler answers at {address}"):
        list(sweep([plan()], tmp_path, scheduler=address, say=lambda line: None, timeout=0.5))


@pytest.mark.skipif(importlib.util.find_spec("distributed") is not None, reason="dask.distributed is installed")
def test_without_dask_the_error_says_what_to_install(tmp_path):
    with pytest.raises(ValueError, match=r"pip install 'minicoord\[sweep\]'"):
        list(sweep([plan()], tmp_path, workers=2, say=lambda line: None))
