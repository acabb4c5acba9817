"""The command ``minicoord figures``. What needs Numba or matplotlib is imported when the command runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from minicoord.system.console import print_json, print_table, say


def draw_figures(names: Sequence[str], records: Path, out: Path) -> list[dict[str, str]]:
    """Draw figures of the paper from the runs of a folder into another, and return a row for each.

    Parameters
    ----------
    names : sequence of str
        Of `minicoord.experiments.records.paper_figures.FIGURES`; "4", "S2" and "Figure-4" will do too. All if empty.
    records, out : path

    Returns
    -------
    list of dict
        "figure", "file" ("-" if it could not be drawn), and "drawn from", or why it was not.

    Raises
    ------
    ValueError
        If there is no figure of that name, or a file of records is no JSON.
    """
    from minicoord import experiments
    from minicoord.experiments.records.paper_figures import FIGURES, MissingRecordsError
    from minicoord.experiments.records.reading import KeptRuns
    from minicoord.plots import save_figure

    wanted = []
    for name in names:
        low = name.lower().removesuffix(".png")
        found = next((known for known in FIGURES if low in (known, known.removeprefix("figure-"))), None)
        if found is None:
            raise ValueError(f"there is no figure {name!r}; {experiments.suggestion(low, FIGURES)}")
        wanted.append(found)
    kept = KeptRuns(records)
    rows = []
    for name in wanted or FIGURES:
        try:
            drawn = FIGURES[name].draw(kept)
            path = save_figure(drawn.figure, out / f"{name}.png")
            rows.append({"figure": name, "file": path.name, "drawn from": drawn.source})
        except MissingRecordsError as error:
            rows.append({"figure": name, "file": "-", "drawn from": f"not drawn: {error}"})
    return rows


def figures(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Such as figure-4 or 4; all if none is given.")
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records or of results; by default the records of minicoord.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the pictures.")] = Path("minicoord-figures"),
    only_list: Annotated[bool, typer.Option("--list", help="Name the figures and draw none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Draw the figures of the paper from the records of runs, and say which runs are missing."""
    from minicoord.system.paths import lessons_folder

    if only_list:
        from minicoord.experiments.records.paper_figures import FIGURES

        lines = [{"figure": name, "shows": figure.line} for name, figure in FIGURES.items()]
        if as_json:
            print_json(lines)
        else:
            print_table(lines, "Figures")
        return
    folder = records or lessons_folder() / "results"
    try:
        if not folder.is_dir():
            raise ValueError(f"there is no folder {folder}")
        rows = draw_figures(names or [], folder, out)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    except KeyError as error:
        raise typer.BadParameter(f"a run in the records of {folder} has no {error}") from None
    if as_json:
        print_json(rows)
    else:
        lines = [{"figure": row["figure"], "drawn from": row["drawn from"].replace("; ", "\n")} for row in rows]
        print_table(lines, "Figures of the paper, from records")
    missing = sum(row["file"] == "-" for row in rows)
    say(f"{len(rows) - missing} drawn, {missing} not; written to {out}")
