"""The command ``minicoord reproduce``. What needs Numba is imported when the command runs."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Annotated

import typer

from minicoord.console import print_json, print_table


def reproduce(
    rerun: Annotated[str | None, typer.Option(metavar="NAME", help="Do this run again and compare.")] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of the records; by default those that came with minicoord.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for what a run writes.")] = Path("minicoord-results"),
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the table in Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Show what was recorded of every experiment beside what the paper reports."""
    from minicoord.experiments import reproduce as recorded
    from minicoord.paths import lessons_folder

    try:
        found = recorded.load_records(records or lessons_folder() / "results")
        if rerun is None:
            rows, title = recorded.table(found), "The paper against the records"
        else:
            with contextlib.redirect_stdout(sys.stderr):
                rows, title = recorded.rerun(rerun, found, out), f"{rerun}: the record against a new run"
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        print_json(rows)
    elif as_markdown:
        typer.echo(recorded.markdown(rows))
    else:
        print_table(rows, title)
