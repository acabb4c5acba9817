"""The command ``minicoord record``. What needs Numba is imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from minicoord.system.console import prepare_file, print_table, say, say_problems
from minicoord.system.counting import counted


def record(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folders of finished runs, or above them.")
    ],
    out: Annotated[Path, typer.Option(metavar="NAME.json", help="File of records to write.")],
    maps: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Runs whose arrays for figures to keep; best by default.")
    ] = None,
    weights: Annotated[
        list[str] | None, typer.Option(metavar="RUN", help="Runs whose weights to keep, as float16, at most 1 MB each.")
    ] = None,
) -> None:
    """Make a small record of finished runs: thinned histories, and arrays for the figures.

    RUN is a name such as regression/paper/coordconv-uniform-seed0; "best" stands for the best run of each experiment,
    model and variant. Arrays go to NAME-maps.npz and NAME-weights.npz beside NAME.json.
    """
    from minicoord.experiments.records.writing import BEST, keep

    problems: list[str] = []
    prepare_file(out, "--out")
    try:
        rows = keep(folders, out, maps or [BEST], weights or [], problems)
    except (ValueError, OSError, KeyError) as error:
        raise typer.BadParameter(str(error)) from None
    print_table(rows, counted(len(rows), "run"))
    if any(row["commit"].endswith("+changes") for row in rows):
        say("some runs were made from a source with uncommitted changes; run them again before you keep the record")
    written = [out.with_name(f"{out.stem}{end}") for end in ("-maps.npz", "-weights.npz", ".json")]
    for path in filter(Path.is_file, written):
        say(f"written: {path} ({path.stat().st_size / 1e3:,.0f} kB)")
    say_problems(problems)
