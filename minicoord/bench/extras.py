"""What the command measures besides the rows: each function puts its numbers into the report and prints its table.

What needs Numba is imported when a function runs.
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path
from typing import Any

import typer

from minicoord.system.console import print_table, say

BUSY_ROW = "step/coordconv-classifier/16"
SEEDS = range(10)


def show_coordconv(report: dict[str, Any], as_json: bool) -> None:
    """Measure what CoordConv costs beside a convolution."""
    from minicoord.bench.coordconv_cost import coordconv_cost

    report["coordconv"] = list(coordconv_cost())
    if not as_json:
        cells = [
            {"shape": r["name"], "Conv2D ms": f"{r['conv_ms']:.2f}", "CoordConv2D / Conv2D": f"{r['ratio']:.3f}"}
            for r in report["coordconv"]
        ]
        print_table(cells, "Forward and backward with ReLU, batch 16, float32")


def show_busy(report: dict[str, Any], torch: bool, rounds: int, as_json: bool) -> None:
    """Measure a step beside a busy core, and with more threads than cores."""
    from minicoord.bench.robust import THREADS, busy, more_threads
    from minicoord.bench.rows import matching

    row = matching(BUSY_ROW)[0]
    say(f"{row.name} alone, and while another process keeps one core busy")
    report["busy"] = list(busy(row, torch, rounds))
    say(f"{row.name} with {', '.join(map(str, THREADS))} threads")
    report["more_threads"] = more_threads(row, rounds=rounds)
    if not as_json:
        cells = [
            {"who": r["who"], "alone ms": f"{r['idle_ms']:.1f}", "busy ms": f"{r['busy_ms']:.1f}"}
            | {"busy / alone": f"{r['ratio']:.2f}"}
            for r in report["busy"]
        ]
        print_table(cells, f"{row.name}, alone and with one of {os.cpu_count()} cores kept busy by another process")
        cells = [{"threads": str(r["threads"]), "ms": f"{r['ms']:.1f}"} for r in report["more_threads"]]
        print_table(cells, f"{row.name} by threads, on {os.cpu_count()} cores")


def show_training(report: dict[str, Any], as_json: bool) -> None:
    """Measure the training time to 100 % test accuracy."""
    from minicoord.bench.training_time import seconds_to_solve

    runs: list[dict[str, Any]] = []
    for run in seconds_to_solve(SEEDS):
        runs.append(run)
        when = "never reached" if run["seconds"] is None else f"reached after {run['seconds']:.1f} s of training"
        say(f"seed {run['seed']}: 100 % of the test pixels {when}")
    reached = [run["seconds"] for run in runs if run["seconds"] is not None]
    median = statistics.median(reached) if reached else None
    report["training"] = {"runs": runs, "median_seconds": median, "reached": len(reached)}
    if not as_json and median is not None:
        typer.echo(
            f"CoordConv classifier, uniform split: 100 % of the test pixels after {median:.1f} s of training, the "
            f"median of the {len(reached)} of {len(runs)} seeds that reached it; the paper: 10 to 20 s."
        )


def show_epochs(report: dict[str, Any], rounds: int, as_json: bool) -> None:
    """Measure the time of an epoch of each classification network."""
    from minicoord.bench.epoch_time import epoch_time

    say(f"{rounds} epochs of each network, in turns")
    report["epochs"] = list(epoch_time(rounds))
    if not as_json:
        cells = [
            {
                "network": " ".join([r["model"], *(f"{key}={value}" for key, value in r["settings"].items())]),
                "parameters": f"{r['parameters']:,}",
                "multiply-adds per image": f"{r['multiply_adds'] / 1e6:.1f} million",
                "seconds per epoch": f"{r['seconds_per_epoch']:.2f}",
            }
            for r in report["epochs"]
        ]
        print_table(cells, "One epoch of classification, uniform split, batch 16: training only")


def show_story(report: dict[str, Any], picture: Path, rounds: int, as_json: bool) -> None:
    """Measure the ways to do a training step, and draw them."""
    from minicoord.bench.story import story
    from minicoord.plots import save_figure, speed_story

    report["story"] = []
    for way in story(rounds):
        say(f"{way['way']}: {way['ms']:.1f} ms")
        report["story"].append(way)
    save_figure(speed_story(report["story"]), picture)
    say(f"written: {picture}")
    if not as_json:
        cells = [
            {"way": way["way"], "ms": f"{way['ms']:.1f}", "gain": "-" if way["gain"] is None else f"{way['gain']:.2f}"}
            for way in report["story"]
        ]
        print_table(cells, "One training step of the CoordConv classifier, batch 16")


def show_startup(report: dict[str, Any], as_json: bool) -> None:
    """Measure import and compiling."""
    from minicoord.bench.startup import startup

    say("minicoord is imported, and what a run of the CoordConv classifier needs is compiled, in new processes")
    report["start"] = startup()
    if not as_json:
        cells = [{"what": name.replace("_seconds", ""), "seconds": f"{s:.2f}"} for name, s in report["start"].items()]
        print_table(cells, "Import; first and second run of one epoch, and the difference: compiling")


def show_goals(report: dict[str, Any], as_json: bool) -> None:
    """Compare what was measured with the goals."""
    from minicoord.bench.goals import summary
    from minicoord.bench.report import goals_table

    report["goals"] = list(summary(report))
    if report["goals"] and not as_json:
        met = sum(goal["met"] for goal in report["goals"])
        print_table(goals_table(report["goals"]), f"Goals that this run measured: {met} of {len(report['goals'])} met")
