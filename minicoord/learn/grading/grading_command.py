"""The command ``minicoord learn grade``. It imports what it needs when it runs, so that ``--help`` stays quick."""

from __future__ import annotations

import csv
import math
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.system.console import say

if TYPE_CHECKING:
    from minicoord.learn.grading.grade import Row

INTERRUPTED = 130
COLUMNS = ("learner", "lesson", "exercise", "outcome", "passed", "sentence", "cause", "seconds")


def grade(
    submissions: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="A folder with one folder, .py or .ipynb file per learner.")
    ],
    out: Annotated[
        Path, typer.Option(help="The CSV file to write, with one row for each learner and exercise.")
    ] = Path("grades.csv"),
    hidden: Annotated[Path | None, typer.Option(help="A TOML file of further seeds and cases.")] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How many seconds one answer may take; three times as many if it is compiled.")
    ] = 30.0,
    memory: Annotated[int, typer.Option(min=512, help="How many MB one answer may use (enforced on Linux).")] = 4096,
    lesson: Annotated[int | None, typer.Option(help="Only the exercises of this lesson.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many learners to grade at the same time.")] = 1,
) -> None:
    """Grade a folder of submissions into a table.

    Each answer runs in a process of its own, with limits. This protects
    against accidents and lazy cheating, not against attacks: run code that
    you do not trust in a container without network.

    A file for --hidden may consist of one line, seeds = [101, 202]: the cases
    of every exercise are then drawn from these seeds, too. For single cases,
    see python -m pydoc minicoord.learn.definition.hidden_cases
    """
    from minicoord.learn.definition.course import COURSE, exercise_ids
    from minicoord.learn.definition.hidden_cases import HiddenCasesError, read_hidden_cases
    from minicoord.learn.grading.class_folder import ignored_files, submissions_in
    from minicoord.learn.grading.grade import grade_folder

    _check_options(out, seconds, lesson)
    ids = exercise_ids() if lesson is None else list(COURSE[lesson])
    rows: list[Row] = []
    learners: dict[str, Path] = {}
    done = 0
    try:
        cases = (lambda id: []) if hidden is None else read_hidden_cases(hidden)
        for path in ignored_files(submissions):
            say(f"not graded: {in_one_line(path.name)} (not a folder, .py or .ipynb file)")
        learners = submissions_in(submissions)
        _announce(learners, ids, seconds, workers)
        for graded in grade_folder(submissions, ids, hidden=cases, seconds=seconds, memory_mb=memory, workers=workers):
            rows += graded
            done += 1
            say(f"[{done}/{len(learners)}] {_summary(graded)}")
    except HiddenCasesError as error:
        raise typer.BadParameter(str(error), param_hint="--hidden") from None
    except NotADirectoryError as error:
        raise typer.BadParameter(str(error), param_hint="SUBMISSIONS") from None
    except KeyboardInterrupt:  # after hours, perhaps: what has been graded is kept
        say(f"interrupted; {done} of {len(learners)} learners graded")
        if rows:
            typer.echo(f"written: {_write_somewhere(out, rows)}, {len(rows)} rows")
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"written: {_write_somewhere(out, rows)}, {len(rows)} rows")


def _check_options(out: Path, seconds: float, lesson: int | None) -> None:
    """Refuse options that the types of the command line do not catch."""
    from minicoord.learn.definition.course import COURSE

    if lesson is not None and lesson not in COURSE:
        raise typer.BadParameter(f"there is no lesson {lesson}; expected 0 to {max(COURSE)}", param_hint="--lesson")
    if not math.isfinite(seconds):
        raise typer.BadParameter(f"got {seconds}, expected a finite number", param_hint="--seconds")
    if out.is_dir():
        raise typer.BadParameter(f"{str(out)!r} is a folder, expected a file name", param_hint="--out")
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(out.parent)!r}", param_hint="--out")


def _announce(learners: Mapping[str, Path], ids: Sequence[str], seconds: float, workers: int) -> None:
    """Say which submissions may belong to the same learner, and how long grading takes at most."""
    from minicoord.learn.grading.class_folder import names_with_suffix
    from minicoord.learn.grading.grade import longest_seconds

    for name in names_with_suffix(learners):
        say(f"{in_one_line(name)} counts as a separate learner; put all files of one learner into one folder")
    minutes = longest_seconds(len(learners), ids, seconds, workers) / 60
    limit = f"at most {minutes:,.0f} (if every answer uses its time limit)"
    say(f"learners: {len(learners)}, exercises: {len(ids)}, minutes: {limit}")


def _summary(rows: Sequence[Row]) -> str:
    """Return the result of one learner in a line."""
    passed, attempted = sum(row.passed for row in rows), sum(row.attempted for row in rows)
    return f"{in_one_line(rows[0].learner)}: {passed} of {len(rows)} passed, {attempted} attempted"


def write_table(path: Path, rows: Iterable[Row]) -> None:
    """Write the rows as CSV, in UTF-8.

    Names and sentences come from learners, so they are made printable. A spreadsheet takes a cell that begins with
    ``=``, ``+``, ``-`` or ``@`` for a formula; such a cell gets a leading apostrophe.
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
    """Write the table under the given name or, so that no grading is lost, under another; return the name used."""
    for path in _file_names(out):
        try:
            write_table(path, rows)
            return path
        except OSError as error:
            say(f"{path} cannot be written: {error.strerror or error}")
    raise typer.Exit(1)


def _file_names(out: Path) -> Iterator[Path]:
    """Yield names to try for the table: the given one, another beside it, and one in a new temporary folder."""
    yield out
    yield out.with_name(f"{out.stem}-2{out.suffix}")
    yield Path(tempfile.mkdtemp(prefix="minicoord-grades-")) / f"{out.stem}-3{out.suffix}"
