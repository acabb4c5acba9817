"""The command ``minicoord reproduce``. What needs Numba is imported when the command runs."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from minicoord.experiments.records.figures_command import draw_figures
from minicoord.system.console import (
    prepare_folder,
    print_json,
    print_sections,
    print_table,
    print_wrapped,
    say,
    say_problems,
)

if TYPE_CHECKING:
    from minicoord.experiments.records.reading import Record


def reproduce(
    rerun: Annotated[str | None, typer.Option(metavar="NAME", help="Repeat this run and compare.")] = None,
    records: Annotated[
        Path | None, typer.Option(help="Folder of records or results; by default the records of minicoord.")
    ] = None,
    figures: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also draw the figures of the records into this folder.")
    ] = None,
    out: Annotated[Path, typer.Option(file_okay=False, help="With --rerun: folder for the files of the run.")] = Path(
        "minicoord-results"
    ),
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="With --rerun: replace the run in --out once the new one is complete."),
    ] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as Markdown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Show the recorded results of every experiment beside those of the paper.

    NAME is the section and the run of a row of that table, such as classification/quick/coordconv-quadrant.
    """
    from minicoord.experiments.records import reproduce as recorded
    from minicoord.experiments.records.reading import load_records
    from minicoord.system.paths import lessons_folder

    folder = records or lessons_folder() / "results"
    problems: list[str] = []
    try:
        if not folder.is_dir():
            raise ValueError(f"there is no folder {folder}")
        found, sentences, seed = load_records(folder, problems), [], None
        if rerun is None:
            rows = recorded.table(found)
            sentences = _remarks(found, folder, problems)
        else:
            seed = recorded.first_of(rerun, found)["seed"]
            prepare_folder(out)
            with contextlib.redirect_stdout(sys.stderr):
                rows = recorded.rerun(rerun, found, out, overwrite)
        if figures is not None:
            prepare_folder(figures, "--figures")
        drawn = [] if figures is None else draw_figures([], folder, figures, problems)
    except (ValueError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if as_json:
        facts = recorded.numbers(found) if rerun is None else [{}] * len(rows)
        print_json([{**row, **more} for row, more in zip(rows, facts, strict=True)])
    elif as_markdown:
        typer.echo("\n\n".join([recorded.markdown(rows), *sentences]))
    elif not rows:
        say("there is no record of a run in that folder")
    elif rerun is not None:
        print_table(rows, f"{rerun}, seed {seed}: the record against a new run")
        print_wrapped("on the same processor with the same versions all digits agree, elsewhere the first few")
    else:
        sections, commands = recorded.sections(rows)
        print_sections(sections, "The paper against the records")
        for number, command in enumerate(commands, start=1):
            typer.echo(f"command {number}: {command}")
        for sentence in sentences:
            print_wrapped(sentence)
        shortest = min((row["run"] for row in rows), key=len)
        typer.echo(f"to repeat a run: minicoord reproduce --rerun {shortest}")
    for row in drawn:
        say(f"{row['figure']}: {row['drawn from'] if row['file'] == '-' else 'drawn'}")
    say_problems(problems)


def _remarks(records: Sequence[Record], folder: Path, problems: list[str]) -> list[str]:
    """Return the remarks of all experiments; an error about a damaged file is added to `problems` instead."""
    from minicoord import experiments

    sentences: list[str] = []
    loaded, errors = experiments.all_that_load()
    for experiment in loaded:
        try:
            sentences += experiment.remarks(records, folder)
        except ValueError as error:
            problems.append(str(error))
        except Exception as error:  # another package may raise anything
            problems.append(f"{experiment.name} has no remarks on {folder}: {type(error).__name__}: {error}")
    problems += errors
    return sentences
