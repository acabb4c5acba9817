"""The command ``minicoord bench``. What needs Numba is imported when the command runs."""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from minicoord.system.console import prepare_file, print_json, print_table, say

FAILED = 1
BUSY_ROW = "step/coordconv-classifier/16"
SEEDS = range(10)
RIVALS = ("torch", "numpy")


def bench(
    rows: Annotated[
        str | None, typer.Option(help="Only matching rows: a glob such as 'step/*', or a part of the name.")
    ] = None,
    against: Annotated[list[str] | None, typer.Option(help="torch or numpy; can be given twice.")] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="For every contestant; by default as each library chooses.")
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Turns for each contestant.")] = 9,
    floor: Annotated[
        float | None, typer.Option(min=0, help="Fail if NumPy / ours is below this in any row; needs --against numpy.")
    ] = None,
    busy: Annotated[
        bool, typer.Option("--busy", help="A training step with one core kept busy, and with more threads.")
    ] = False,
    training: Annotated[
        bool, typer.Option("--training", help="Training time to 100 % test accuracy, ten seeds; takes minutes.")
    ] = False,
    coordconv: Annotated[bool, typer.Option("--coordconv", help="The cost of CoordConv over a convolution.")] = False,
    epochs: Annotated[bool, typer.Option("--epochs", help="Seconds per epoch of the classification networks.")] = False,
    story: Annotated[
        Path | None, typer.Option(help="Measure nine ways to do one training step, and draw them to this PNG file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Measure kernels and training steps; with --against, compare with PyTorch or plain NumPy.

    The contestants take turns, each in a process of its own that is stopped between its turns.
    """
    rivals = _rivals(against or [])
    if floor is not None and "numpy" not in rivals:
        raise typer.BadParameter("this needs --against numpy", param_hint="--floor")
    if story is not None:
        if story.suffix.lower() != ".png":
            message = f"the picture was {story.name!r}, wanted a name that ends in .png"
            raise typer.BadParameter(message, param_hint="--story")
        prepare_file(story, "--story")  # not after minutes of measuring
    report: dict[str, Any] = {"machine": _machine(rounds, threads)}
    only_extras = (busy or training or coordconv or epochs or story is not None) and rows is None
    try:
        if not only_extras:
            _measure(report, rows, rivals, threads, rounds, as_json)
        if coordconv:
            _coordconv(report, as_json)
        if busy:
            _busy(report, "torch" in rivals, rounds, as_json)
        if training:
            _training(report, as_json)
        if epochs:
            _epochs(report, rounds, as_json)
        if story is not None:
            _story(report, story, rounds, as_json)
    except RuntimeError as error:
        say(str(error))
        raise typer.Exit(FAILED) from None
    if as_json:
        print_json(report)
    slow = [r["name"] for r in report.get("rows", []) if floor is not None and r["numpy_ratio"] < floor]
    if slow:
        say(f"less than {floor:g} times as fast as plain NumPy: {', '.join(slow)}")
        raise typer.Exit(FAILED)


def _rivals(against: Sequence[str]) -> list[str]:
    for name in against:
        if name not in RIVALS:
            raise typer.BadParameter(f"there is no {name!r}; choose from {', '.join(RIVALS)}", param_hint="--against")
    if "torch" in against and importlib.util.find_spec("torch") is None:
        raise typer.BadParameter("PyTorch is not installed; pip install 'minicoord[bench]'", param_hint="--against")
    return list(dict.fromkeys(against))


def _machine(rounds: int, threads: int | None) -> dict[str, Any]:
    from minicoord.experiments.frame.provenance import provenance
    from minicoord.system.machine import processor_name

    facts = provenance()
    return {
        "processor": processor_name(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "load_before": facts["machine"]["load_before"],
        "versions": facts["versions"],
        "commit": facts["commit"],
        "command": facts["command"],
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "rounds": rounds,
        "threads_asked_for": threads,
        "contestants": {},
    }


def _measure(
    report: dict[str, Any], pattern: str | None, rivals: list[str], threads: int | None, rounds: int, as_json: bool
) -> None:
    from minicoord.bench.measure import measure
    from minicoord.bench.report import header, notes, table
    from minicoord.bench.rows import all_rows, matching

    chosen = matching(pattern)
    if not chosen:
        names = sorted({row.name.split("/")[0] for row in all_rows()})
        raise typer.BadParameter(
            f"no row matches {pattern!r}; names begin with {', '.join(names)}", param_hint="--rows"
        )
    measured = measure(chosen, rivals, threads, rounds)
    report["machine"]["contestants"] = next(measured)
    report["rows"] = []
    for number, result in enumerate(measured, start=1):
        say(f"[{number}/{len(chosen)}] {result['name']}  {result['ms']:.2f} ms" + _against(result))
        report["rows"].append(result)
    if not as_json:
        print_table(table(report["rows"]), header(report["machine"]))
        for note in notes(report["rows"]):
            typer.echo(note)


def _against(result: dict[str, Any]) -> str:
    names = {"ratio": "PyTorch", "numpy_ratio": "NumPy"}
    return "".join(f"; {name} / ours {result[key]:.2f}" for key, name in names.items() if key in result)


def _coordconv(report: dict[str, Any], as_json: bool) -> None:
    from minicoord.bench.coordconv_cost import coordconv_cost

    report["coordconv"] = list(coordconv_cost())
    if not as_json:
        cells = [
            {"shape": r["name"], "Conv2D ms": f"{r['conv_ms']:.2f}", "CoordConv2D / Conv2D": f"{r['ratio']:.3f}"}
            for r in report["coordconv"]
        ]
        print_table(cells, "Forward and backward with ReLU, batch 16, float32")


def _busy(report: dict[str, Any], torch: bool, rounds: int, as_json: bool) -> None:
    from minicoord.bench.robust import busy, more_threads
    from minicoord.bench.rows import matching

    row = matching(BUSY_ROW)[0]
    say(f"{row.name} alone, and while another process keeps one core busy")
    report["busy"] = list(busy(row, torch, rounds))
    say(f"{row.name} with 1, 2, 4, 8 and 16 threads")
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


def _training(report: dict[str, Any], as_json: bool) -> None:
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


def _epochs(report: dict[str, Any], rounds: int, as_json: bool) -> None:
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


def _story(report: dict[str, Any], picture: Path, rounds: int, as_json: bool) -> None:
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
