"""The command ``minicoord bench``. What needs Numba is imported when the command runs."""

from __future__ import annotations

import importlib.util
import os
import platform
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer

from minicoord.bench import extras
from minicoord.system.arguments import shown
from minicoord.system.console import prepare_file, print_json, print_table, say

FAILED = 1
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
    before: Annotated[
        Path | None, typer.Option(help="A checkout of another version of minicoord, to measure beside this one.")
    ] = None,
    busy: Annotated[
        bool, typer.Option("--busy", help="A training step with one core kept busy, and with more threads.")
    ] = False,
    training: Annotated[
        bool, typer.Option("--training", help="Training time to 100 % test accuracy, ten seeds; takes minutes.")
    ] = False,
    coordconv: Annotated[bool, typer.Option("--coordconv", help="The cost of CoordConv over a convolution.")] = False,
    epochs: Annotated[bool, typer.Option("--epochs", help="Seconds per epoch of the classification networks.")] = False,
    startup: Annotated[
        bool, typer.Option("--startup", help="Import, and a first run with an empty cache of kernels.")
    ] = False,
    story: Annotated[
        Path | None, typer.Option(help="Measure nine ways to do one training step, and draw them to this PNG file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Measure kernels and training steps; with --against, compare with PyTorch or plain NumPy.

    The contestants take turns, each in a process of its own that is stopped between its turns. At the end stands what
    the run says about each goal; `--rows '*' --against torch --against numpy --before FOLDER --busy --startup` measures
    all of them.
    """
    rivals = _rivals(against or [])
    if floor is not None and "numpy" not in rivals:
        raise typer.BadParameter("this needs --against numpy", param_hint="--floor")
    if story is not None:
        if story.suffix.lower() != ".png":
            message = f"the picture was {story.name!r}, wanted a name that ends in .png"
            raise typer.BadParameter(message, param_hint="--story")
        prepare_file(story, "--story")  # not after minutes of measuring
    if before is not None:
        before = _checkout(before)
    report: dict[str, Any] = {"machine": _machine(rounds, threads, before)}
    only_extras = (busy or training or coordconv or epochs or startup or story is not None) and rows is None
    try:
        if not only_extras:
            _measure(report, rows, rivals, threads, rounds, before, as_json)
        if coordconv:
            extras.show_coordconv(report, as_json)
        if busy:
            extras.show_busy(report, "torch" in rivals, rounds, as_json)
        if training:
            extras.show_training(report, as_json)
        if epochs:
            extras.show_epochs(report, rounds, as_json)
        if startup:
            extras.show_startup(report, as_json)
        if story is not None:
            extras.show_story(report, story, rounds, as_json)
        extras.show_goals(report, as_json)
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
            message = f"there is no {shown(name)}; choose from {', '.join(RIVALS)}"
            raise typer.BadParameter(message, param_hint="--against")
    if "torch" in against and importlib.util.find_spec("torch") is None:
        raise typer.BadParameter("PyTorch is not installed; pip install 'minicoord[bench]'", param_hint="--against")
    return list(dict.fromkeys(against))


def _checkout(folder: Path) -> Path:
    from minicoord.bench.before import check_checkout

    try:
        return check_checkout(folder)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--before") from None


def _machine(rounds: int, threads: int | None, before: Path | None) -> dict[str, Any]:
    from minicoord.bench.before import commit_of
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
        "commit_before": None if before is None else commit_of(before),
        "command": facts["command"],
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "rounds": rounds,
        "threads_asked_for": threads,
        "contestants": {},
    }


def _measure(
    report: dict[str, Any],
    pattern: str | None,
    rivals: list[str],
    threads: int | None,
    rounds: int,
    before: Path | None,
    as_json: bool,
) -> None:
    from minicoord.bench.contest import measure
    from minicoord.bench.report import header, notes, our_columns, table, their_columns
    from minicoord.bench.rows import all_rows, matching

    chosen = matching(pattern)
    if not chosen:
        names = sorted({row.name.split("/")[0] for row in all_rows()})
        raise typer.BadParameter(
            f"no row matches {shown(pattern)}; names begin with {', '.join(names)}", param_hint="--rows"
        )
    measured = measure(chosen, rivals, threads, rounds, before)
    report["machine"]["contestants"] = next(measured)
    report["rows"] = []
    for number, result in enumerate(measured, start=1):
        say(f"[{number}/{len(chosen)}] {result['name']}  {result['ms']:.2f} ms" + _against(result))
        report["rows"].append(result)
    if not as_json:
        print_table(table(report["rows"], our_columns), header(report["machine"]))
        if others := table(report["rows"], their_columns):
            print_table(others, "The others beside ours: their time divided by ours, our memory divided by theirs")
        for note in notes(report["rows"]):
            typer.echo(note)


def _against(result: dict[str, Any]) -> str:
    names = {"ratio": "PyTorch", "numpy_ratio": "NumPy", "before_ratio": "before"}
    return "".join(f"; {name} / ours {result[key]:.2f}" for key, name in names.items() if key in result)
