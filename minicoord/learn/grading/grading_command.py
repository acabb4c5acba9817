"""The command ``minicoord learn grade``. It imports what it needs when it runs, so that ``--help`` stays quick."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.system.console import as_wrong_option, say

if TYPE_CHECKING:
    from minicoord.learn.grading.row import Kept, Known, Row
    from minicoord.learn.grading.table import Table
    from minicoord.learn.marks.roster import Roster
    from minicoord.learn.marks.scheme import Scheme

MOST_WORKERS = 4


def grade(
    submissions: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="A folder with one folder, .py or .ipynb file per learner.")
    ],
    out: Annotated[
        Path, typer.Option(help="The CSV file to write, with one row for each learner and exercise.")
    ] = Path("grades.csv"),
    scheme: Annotated[Path | None, typer.Option(help="A TOML file of points, weights and due dates.")] = None,
    feedback: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a page for each student into this folder.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option(help="A CSV file that tells whose submission is which, for Canvas and Moodle.")
    ] = None,
    hidden: Annotated[Path | None, typer.Option(help="A TOML file of further seeds and cases.")] = None,
    seconds: Annotated[
        float, typer.Option(min=1, help="How many seconds one answer may take; three times as many if it is compiled.")
    ] = 30.0,
    memory: Annotated[int, typer.Option(min=512, help="How many MB one answer may use (enforced on Linux).")] = 4096,
    lesson: Annotated[int | None, typer.Option(help="Only the exercises of this lesson.")] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help=f"How many learners to grade at the same time; by default one a core, {MOST_WORKERS} at most."
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the rows of the table in --out to which nothing has changed.")
    ] = False,
) -> None:
    """Grade a folder of submissions into a table, which is written after every learner.

    Beside grades.csv you get grades-students.csv and grades-exercises.csv, a
    summary of each student and of each exercise, and grades-moodle.csv and
    grades-canvas.csv for the import into a gradebook.

    Each answer runs in a process of its own, with limits. This protects
    against accidents and lazy cheating, not against attacks: run code that
    you do not trust as a user without root's rights, in a container without
    network.

    With --resume, an answer runs again only if it has changed, or what it is
    checked with: the exercise, hidden cases, minicoord itself.

    A file for --hidden may consist of one line, seeds = [101, 202]: the cases
    of every exercise are then drawn from these seeds, too. For single cases,
    see python -m pydoc minicoord.learn.definition.hidden_cases; for --scheme
    and --roster, minicoord.learn.marks.scheme and minicoord.learn.marks.roster
    """
    from minicoord.learn.definition.course import COURSE, exercise_ids
    from minicoord.learn.definition.hidden_cases import HiddenCasesError, read_hidden_cases
    from minicoord.learn.grading.class_folder import ignored_files, submissions_in
    from minicoord.learn.grading.grade import grade_folder
    from minicoord.learn.grading.signals import every_signal_like_ctrl_c
    from minicoord.learn.grading.table import Table, TableNotWrittenError

    _check_options(out, seconds, lesson, feedback, submissions)
    marking, students = _read_marking(scheme, roster)
    ids = exercise_ids() if lesson is None else list(COURSE[lesson])
    workers = _cores() if workers is None else workers
    table, done = Table(out, marking), 0
    learners: dict[str, Path] = {}
    try:
        cases = (lambda id: []) if hidden is None else read_hidden_cases(hidden)
        learners = submissions_in(submissions)
        for path in ignored_files(submissions):
            say(f"not graded: {in_one_line(path.name)} (not a folder, .py or .ipynb file)")
        known = _resumed(table, learners) if resume else {}
        _announce(learners, ids, seconds, workers)
        options: Any = {"hidden": cases, "seconds": seconds, "memory_mb": memory, "workers": workers}
        rows_of_learners = grade_folder(submissions, ids, **options, known=known, tell=say)
        with every_signal_like_ctrl_c(), contextlib.closing(rows_of_learners):
            for rows in rows_of_learners:
                table.add(rows)
                done += 1
                say(f"[{done}/{len(learners)}] {_summary(rows, table)}")
    except HiddenCasesError as error:
        raise typer.BadParameter(str(error), param_hint="--hidden") from None
    except NotADirectoryError as error:
        raise typer.BadParameter(str(error), param_hint="SUBMISSIONS") from None
    except TableNotWrittenError:
        raise typer.Exit(1) from None
    except KeyboardInterrupt as interrupt:  # after hours, perhaps: what has been graded is kept
        say(f"interrupted; {done} of {len(learners)} learners graded; --resume goes on")
        _tell_place(table)
        raise typer.Exit(128 + getattr(interrupt, "signal", signal.SIGINT)) from None
    _tell_place(table)
    _write_the_rest(table, learners, students, feedback)


def _read_marking(scheme: Path | None, roster: Path | None) -> tuple[Scheme, Roster | None]:
    """Return the marking scheme and the roster; a mistake in one of the files is reported before anything runs."""
    from minicoord.learn.marks.roster import RosterError, read_roster
    from minicoord.learn.marks.scheme import Scheme, SchemeError, read_scheme

    try:
        return Scheme() if scheme is None else read_scheme(scheme), None if roster is None else read_roster(roster)
    except SchemeError as error:
        raise typer.BadParameter(str(error), param_hint="--scheme") from None
    except RosterError as error:
        raise typer.BadParameter(str(error), param_hint="--roster") from None


def _resumed(table: Table, learners: Mapping[str, Path]) -> dict[str, dict[str, Known]]:
    """Take the rows of an earlier run, and return what is known of each learner's answers."""
    from minicoord.learn.grading.table import TableError

    if not table.path.exists():
        say(f"there is no {table.path} yet, so grading begins with the first learner")
        return {}
    try:
        return table.resume(learners)
    except (OSError, TableError) as error:
        raise typer.BadParameter(str(error), param_hint="--resume") from None


def _tell_place(table: Table) -> None:
    if table.rows:
        typer.echo(f"written: {table.path}, {table.size} rows")


def _write_the_rest(table: Table, learners: Mapping[str, Path], roster: Roster | None, feedback: Path | None) -> None:
    """Write what is made of the table: summaries, files for gradebooks, and the pages of the students."""
    from minicoord.learn.grading.table import name_cell
    from minicoord.learn.marks.feedback import write_feedback
    from minicoord.learn.marks.gradebooks import write_gradebooks
    from minicoord.learn.marks.outcomes import outcomes_in
    from minicoord.learn.marks.summaries import write_summaries

    outcomes = outcomes_in(table.all_rows)
    if roster is not None:
        strangers = sorted(set(map(name_cell, learners)) - set(map(name_cell, roster)))
        if strangers:
            say(f"not in the roster, so they keep their submissions' names: {', '.join(map(in_one_line, strangers))}")
    with as_wrong_option(table.path.parent, "--out"):
        for path in (*write_summaries(table.path, outcomes), *write_gradebooks(table.path, outcomes, roster)):
            typer.echo(f"written: {path}")
    if feedback is not None:
        with as_wrong_option(feedback, "--feedback"):
            pages, new = write_feedback(feedback, outcomes, learners)
        typer.echo(f"written: {feedback}, {pages} pages, {new} of them new or changed")


def _check_options(out: Path, seconds: float, lesson: int | None, feedback: Path | None, submissions: Path) -> None:
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
    if feedback is not None and submissions.resolve() in (feedback.resolve(), *feedback.resolve().parents):
        message = (
            f"{str(feedback)!r} lies in SUBMISSIONS, where it would count as a submission; expected another folder"
        )
        raise typer.BadParameter(message, param_hint="--feedback")


def _cores() -> int:
    """Return how many cores this process may use, and `MOST_WORKERS` at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def _announce(learners: Mapping[str, Path], ids: Sequence[str], seconds: float, workers: int) -> None:
    """Say what is not protected here, which names may be one learner, and how long grading takes at most."""
    from minicoord.learn.grading.class_folder import names_with_suffix
    from minicoord.learn.grading.grade import longest_seconds

    for name in names_with_suffix(learners):
        say(f"{in_one_line(name)} counts as a separate learner; put all files of one learner into one folder")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("you are root, and so is every answer: grade as a user without root's rights, or in a container")
    if not sys.platform.startswith("linux"):
        say("on this system, processes that leave the group of their answer are not ended with it")
    minutes = longest_seconds(len(learners), ids, seconds, workers) / 60
    limit = f"at most {minutes:,.0f} (if every answer uses its time limit)"
    say(f"learners: {len(learners)}, exercises: {len(ids)}, minutes: {limit}")


def _summary(rows: Sequence[Row | Kept], table: Table) -> str:
    """Return the result of one learner in a line."""
    from minicoord.learn.grading.row import Row
    from minicoord.learn.grading.table import name_cell
    from minicoord.learn.marks.outcomes import outcomes_in

    there = table.rows[name_cell(rows[0].learner)]
    outcomes = outcomes_in(there[row.exercise] for row in rows)
    passed, attempted = sum(row.passed for row in outcomes), sum(row.attempted for row in outcomes)
    kept = sum(not isinstance(row, Row) for row in rows)
    unchanged = f"; {kept} kept" if kept else ""
    return f"{in_one_line(rows[0].learner)}: {passed} of {len(rows)} passed, {attempted} attempted{unchanged}"
