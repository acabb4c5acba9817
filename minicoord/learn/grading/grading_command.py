"""The command ``minicoord learn grade``. What it needs is imported when it runs, so that ``--help`` stays quick."""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.system.console import say

if TYPE_CHECKING:
    from minicoord.learn.grading.grade import Row

INTERRUPTED = 130
NAMES = 3
COLUMNS = ("learner", "lesson", "exercise", "outcome", "passed", "sentence", "cause", "seconds")


def grade(
    submissions: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="A folder with one folder, .py or .ipynb file per learner.")
    ],
    out: Annotated[Path, typer.Option(help="The table: one row for each learner and exercise.")] = Path("grades.csv"),
    hidden: Annotated[Path | None, typer.Option(help="A TOML file of other seeds and cases.")] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long one answer may take; three times that if it is compiled.")
    ] = 30.0,
    memory: Annotated[int, typer.Option(min=512, help="How many MB one answer may take (held to on Linux).")] = 4096,
    lesson: Annotated[int | None, typer.Option(help="Only the exercises of this lesson.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many learners at the same time.")] = 1,
) -> None:
    """Grade a folder of submissions into a table.

    Each answer runs in a process of its own, with limits. That protects from
    accidents and lazy cheating, not from attacks: run code that you do not
    trust in a container without network.

    A file for --hidden may hold one line, seeds = [101, 202]: the cases of
    every exercise are drawn from these seeds, too. How to write single cases
    is told by python -m pydoc minicoord.learn.definition.hidden_cases
    """
    from minicoord.learn.definition.course import COURSE, exercise_ids
    from minicoord.learn.definition.hidden_cases import HiddenCasesError, read_hidden_cases
    from minicoord.learn.grading.grade import grade_folder, longest_seconds, passed_over, second_files, submissions_in

    if lesson is not None and lesson not in COURSE:
        raise typer.BadParameter(f"there is no lesson {lesson}; wanted 0 to {max(COURSE)}", param_hint="--lesson")
    if not math.isfinite(seconds):
        raise typer.BadParameter(f"an answer may take {seconds} seconds, wanted a number", param_hint="--seconds")
    if out.is_dir():
        raise typer.BadParameter(f"{str(out)!r} is a folder, wanted the name of a file", param_hint="--out")
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(out.parent)!r}", param_hint="--out")
    ids = exercise_ids() if lesson is None else list(COURSE[lesson])
    rows: list[Row] = []
    learners: dict[str, Path] = {}
    done = 0
    try:
        cases = (lambda id: []) if hidden is None else read_hidden_cases(hidden)
        for path in passed_over(submissions):
            say(f"not graded: {in_one_line(path.name)}, no folder, .py or .ipynb file")
        learners = submissions_in(submissions)
        for name in second_files(learners):
            say(f"{in_one_line(name)} counts as another learner; the files of one learner belong into one folder")
        minutes = longest_seconds(len(learners), ids, seconds, workers) / 60
        say(f"learners: {len(learners)}, exercises: {len(ids)}, minutes: at most {minutes:,.0f} (if no answer ends)")
        for graded in grade_folder(submissions, ids, hidden=cases, seconds=seconds, memory_mb=memory, workers=workers):
            rows += graded
            done += 1
            say(f"[{done}/{len(learners)}] {_in_words(graded)}")
    except HiddenCasesError as error:
        raise typer.BadParameter(str(error), param_hint="--hidden") from None
    except NotADirectoryError as error:
        raise typer.BadParameter(str(error), param_hint="SUBMISSIONS") from None
    except KeyboardInterrupt:  # hours may lie behind us: what is graded is kept
        say(f"interrupted; {done} of {len(learners)} learners are graded")
        if rows:
            typer.echo(f"written: {_write_somewhere(out, rows)}, {len(rows)} rows")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"written: {_write_somewhere(out, rows)}, {len(rows)} rows")


def _in_words(rows: Sequence[Row]) -> str:
    """Return what came of one learner."""
    passed, attempted = sum(row.passed for row in rows), sum(row.attempted for row in rows)
    return f"{in_one_line(rows[0].learner)}: {passed} of {len(rows)} passed, {attempted} attempted"


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows as CSV, in UTF-8.

    A spreadsheet takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a formula; names and sentences come
    from learners, so that such a cell gets an apostrophe in front, and is made printable.
    """
    from minicoord.system.files import write_atomically

    with write_atomically(path, "w") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for row in rows:
            table.writerow([_cell(getattr(row, column)) for column in COLUMNS])


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = in_one_line(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _write_somewhere(out: Path, rows: Sequence[Row]) -> Path:
    """Write the table under the name wanted or, so that no grading is lost, under another; return the name."""
    number = 1
    other = out
    while True:
        try:
            write_table(other, rows)
            return other
        except OSError as error:
            say(f"{other} cannot be written: {error.strerror or error}")
            number += 1
            if number > NAMES:
                raise typer.Exit(1) from None
            folder = out.parent if number < NAMES else Path(tempfile.mkdtemp(prefix="minicoord-grades-"))
            other = folder / f"{out.stem}-{number}{out.suffix}"
