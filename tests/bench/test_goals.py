"""The goals name what the benchmark measures, and a run says of each whether it is met."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from minicoord.bench import goals, rows, startup
from minicoord.bench.goals import Goal, summary
from minicoord.bench.report import goals_table

EXTRAS = ("busy", "more threads", "start")


@pytest.mark.parametrize("goal", goals.GOALS, ids=lambda goal: goal.about)
def test_every_goal_names_rows_that_are_measured(goal: Goal):
    names = [*EXTRAS, *(row.name for row in rows.all_rows())]
    assert all(any(fnmatch(name, pattern) for name in names) for pattern in goal.rows)


def test_kernels_are_all_rows_that_are_no_steps():
    names = {row.name for row in rows.all_rows()}
    kernels = {name for name in names if any(fnmatch(name, pattern) for pattern in goals.KERNELS)}
    assert kernels == {name for name in names if not name.startswith("step/")}


def report_of(**ratios: float) -> dict:
    return {"rows": [{"name": name.replace("_", "/"), "ratio": ratio} for name, ratio in ratios.items()]}


def test_the_worst_row_counts():
    both = (Goal("fast", ("a/*",), "ratio", 2.0), Goal("small", ("a/*",), "ratio", 2.0, at_most=True))
    fast, small = summary(report_of(a_1=2.0, a_2=5.0, a_3=1.5, b_1=0.1), both)
    assert (fast["measured"], fast["worst"], fast["rows"], fast["missed"], fast["met"]) == (1.5, "a/3", 3, 1, False)
    assert (small["measured"], small["worst"], small["missed"], small["met"]) == (5.0, "a/2", 1, False)
    (equal,) = summary(report_of(a_1=2.0), both[:1])
    assert equal["met"]


def test_of_a_mean_no_row_counts_alone():
    (found,) = summary(report_of(a_1=1.0, a_2=4.0), [Goal("mean", ("a/*",), "ratio", 2.0, mean=True)])
    assert found["measured"] == pytest.approx(2)
    assert (found["worst"], found["missed"], found["met"]) == (None, 1, found["measured"] >= 2)


def test_what_was_not_measured_is_left_out():
    wanted = [Goal("fast", ("a/*",), "ratio", 2.0), Goal("share", ("a/*",), "share", 0.5)]
    assert list(summary({"rows": [{"name": "a/1", "ms": 1.0, "share": None}]}, wanted)) == []
    assert list(summary({"machine": {}})) == []


def test_the_other_parts_of_a_report_count_too(monkeypatch):
    monkeypatch.setattr(goals.os, "cpu_count", lambda: 2)
    who = [{"who": "minicoord", "ratio": 1.5}, {"who": "PyTorch", "ratio": 9.0}]
    threads = [{"threads": n, "ms": ms} for n, ms in ((1, 18.0), (2, 10.0), (4, 10.2), (8, 12.0))]
    report = {"busy": who, "more_threads": threads, "start": {"import_seconds": 0.3, "compile_seconds": 30.0}}
    found = {goal["goal"]: (goal["measured"], goal["met"]) for goal in summary(report)}
    assert found == {
        "beside a busy core / alone: step, CoordConv classifier": (1.5, True),
        "more threads than cores / as many": (1.2, False),
        "seconds to compile what training the classifier needs": (30.0, False),
        "seconds to import minicoord": (0.3, True),
    }


def test_the_table_says_how_far_and_where():
    three = report_of(a_1=2.0, a_2=5.0, a_3=1.5)
    each, mean = Goal("each", ("a/*",), "ratio", 2.0), Goal("mean", ("a/*",), "ratio", 1.5, mean=True)
    small = Goal("small", ("a/1",), "ratio", 0.6, at_most=True)
    assert goals_table(list(summary(three, [each, mean, small]))) == [
        {"goal": "each", "wanted": ">= 2", "measured": "1.50 in a/3; 1 of 3 rows miss", "met": "no"},
        {"goal": "mean", "wanted": ">= 1.5", "measured": "2.47 over 3 rows", "met": "yes"},
        {"goal": "small", "wanted": "<= 0.6", "measured": "2.00", "met": "no"},
    ]


def test_compiling_is_the_difference_of_two_processes_with_one_cache_that_is_empty_at_first(monkeypatch):
    caches = []

    def run(code: str, environment: dict[str, str]) -> str:
        if code == startup.TRAINING:
            folder = Path(environment["NUMBA_CACHE_DIR"])
            caches.append((folder, len(list(folder.iterdir()))))
            (folder / "kernel").touch()
        return "0.5"

    monkeypatch.setattr(startup, "_run", run)
    found = startup.startup(imports=3)
    (first, files), (second, files_later) = caches
    assert (first, files, files_later) == (second, 0, 1)
    assert not first.exists()
    assert found["import_seconds"] == 0.5
    assert found["compile_seconds"] == found["first_seconds"] - found["second_seconds"]


def test_a_new_process_imports_and_one_that_fails_is_told():
    assert 0 < float(startup._run(startup.IMPORT, {})) < 60
    with pytest.raises(RuntimeError, match=r"exit code 1: .*no such thing"):
        startup._run("raise SystemExit('no such thing')", {})
