"""The command ``minicoord figures``. What needs Numba or matplotlib is imported when the command runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from minicoord.system.arguments import shown
from minicoord.system.console import prepare_folder, print_json, print_table, say, say_problems
from minicoord.system.suggestion import suggestion


def draw_figures(names: Sequence[str], records: Path, out: Path, problems: list[str]) -> list[dict[str, str]]:
    """Draw figures from the runs in a folder, and return a row for each.

    Parameters
    ----------
    names : sequence of str
        Names from `minicoord.experiments.records.figures.all_figures`, also as "4", "S2" or "Figure-4". All if empty.
    records : path
        The folder of records.
    out : path
        The folder for the image files.
    problems : list of str
        Receives a message for each damaged file, without which the figures are drawn, and for each figure whose
        drawing fails.

    Returns
    -------
    list of dict
        ``figure``, ``file`` ("-" if it could not be drawn) and ``drawn from``: the runs, or why it was not drawn.

    Raises
    ------
    ValueError
        If there is no figure of that name.
    """
    from minicoord.experiments.records.figures import MissingRecordsError, all_figures
    from minicoord.experiments.records.reading import KeptRuns
    from minicoord.plots import save_figure

    known = all_figures()
    wanted = []
    for name in names:
        lower = name.lower().removesuffix(".png")
        found = next((figure for figure in known if lower in (figure, figure.removeprefix("figure-"))), None)
        if found is None:
            raise ValueError(f"there is no figure {shown(name)}; {suggestion(lower, known)}")
        wanted.append(found)
    kept = KeptRuns(records)
    rows: list[dict[str, str]] = []
    failed: list[str] = []
    for name in wanted or known:
        row = {"figure": name, "file": "-"}
        try:
            drawn = known[name].draw(kept)
            path = save_figure(drawn.figure, out / f"{name}.png")
            row |= {"file": path.name, "drawn from": drawn.source}
        except OSError:  # `out` cannot be written to, which the other figures would say too
            raise
        except MissingRecordsError as error:
            row["drawn from"] = f"not drawn: {error}"
        except Exception as error:  # whatever an odd record or odd arrays do to the code that draws
            row["drawn from"] = f"not drawn: {type(error).__name__}: {error}"
            failed.append(f"{name} cannot be drawn from the records in {records}: {type(error).__name__}: {error}")
        rows.append(row)
    problems += failed
    problems += [problem for problem in kept.problems if problem not in problems]
    return rows


def figures(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME]...", help="Such as figure-4 or 4; by default all figures."),
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records or results; by default the records of minicoord.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="Folder for the figures.")] = Path("minicoord-figures"),
    only_list: Annotated[bool, typer.Option("--list", help="List the figures without drawing them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Draw the figures of the paper from recorded runs, and report which runs are missing."""
    from minicoord.system.paths import lessons_folder

    if only_list:
        from minicoord.experiments.records.figures import all_figures

        lines = [{"figure": name, "shows": figure.line} for name, figure in all_figures().items()]
        if as_json:
            print_json(lines)
        else:
            print_table(lines, "Figures")
        return
    folder = records or lessons_folder() / "results"
    problems: list[str] = []
    try:
        if not folder.is_dir():
            raise ValueError(f"there is no folder {folder}")
        prepare_folder(out)
        rows = draw_figures(names or [], folder, out, problems)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print_json(rows)
    else:
        lines = [{"figure": row["figure"], "drawn from": row["drawn from"].replace("; ", "\n")} for row in rows]
        print_table(lines, "Figures of the paper, from records")
    missing = sum(row["file"] == "-" for row in rows)
    say(f"{len(rows) - missing} drawn, {missing} not; written to {out}")
    say_problems(problems)
