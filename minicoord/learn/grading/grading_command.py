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
from minicoord.system.console import say

if TYPE_CHECKING:
    from minicoord.learn.grading.grade import Row
    from minicoord.learn.grading.table import Table


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
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep the rows of learners whom the table in --out has completely.")
    ] = False,
) -> None:
    """Grade a folder of submissions into a table, which is written after every learner.

    Each answer runs in a process of its own, with limits. This protects
    against accidents and lazy cheating, not against attacks: run code that
    you do not trust as a user without root's rights, in a container without
    network.

    A file for --hidden may consist of one line, seeds = [101, 202]: the cases
    of every exercise are then drawn from these seeds, too. For single cases,
    see python -m pydoc minicoord.learn.definition.hidden_cases
    """
    from minicoord.learn.definition.course import COURSE, exercise_ids
    from minicoord.learn.definition.hidden_cases import HiddenCasesError, read_hidden_cases
    from minicoord.learn.grading.class_folder import ignored_files, submissions_in
    from minicoord.learn.grading.grade import grade_folder
    from minicoord.learn.grading.signals import every_signal_like_ctrl_c
    from minicoord.learn.grading.table import Table, TableNotWrittenError

    _check_options(out, seconds, lesson)
    ids = exercise_ids() if lesson is None else list(COURSE[lesson])
    table = Table(out)
    learners: dict[str, Path] = {}
    graded: set[str] = set()
    try:
        cases = (lambda id: []) if hidden is None else read_hidden_cases(hidden)
        learners = submissions_in(submissions)
        for path in ignored_files(submissions):
            say(f"not graded: {in_one_line(path.name)} (not a folder, .py or .ipynb file)")
        graded = _resumed(table, learners, ids) if resume else set()
        _announce([learner for learner in learners if learner not in graded], learners, ids, seconds, workers)
        options: Any = {"hidden": cases, "seconds": seconds, "memory_mb": memory, "workers": workers}
        rows_of_learners = grade_folder(submissions, ids, **options, skipped=frozenset(graded), tell=say)
        with every_signal_like_ctrl_c(), contextlib.closing(rows_of_learners):
            for rows in rows_of_learners:
                table.add(rows)
                graded.add(rows[0].learner)
                say(f"[{len(graded)}/{len(learners)}] {_summary(rows)}")
    except HiddenCasesError as error:
        raise typer.BadParameter(str(error), param_hint="--hidden") from None
    except NotADirectoryError as error:
        raise typer.BadParameter(str(error), param_hint="SUBMISSIONS") from None
    except TableNotWrittenError:
        raise typer.Exit(1) from None
    except KeyboardInterrupt as interrupt:  # after hours, perhaps: what has been graded is kept
        say(f"interrupted; {len(graded)} of {len(learners)} learners graded; --resume goes on")
        _tell_place(table)
        raise typer.Exit(128 + getattr(interrupt, "signal", signal.SIGINT)) from None
    _tell_place(table)


def _resumed(table: Table, learners: Mapping[str, Path], ids: Sequence[str]) -> set[str]:
    """Take what is complete from the table of an earlier run; return its learners."""
    from minicoord.learn.grading.table import TableError

    if not table.path.exists():
        say(f"there is no {table.path} yet, so grading begins with the first learner")
        return set()
    try:
        done = table.resume(learners, ids)
    except (OSError, TableError) as error:
        raise typer.BadParameter(str(error), param_hint="--resume") from None
    say(f"kept from {table.path}: {len(done)} of {len(learners)} learners")
    return done


def _tell_place(table: Table) -> None:
    if table.rows:
        typer.echo(f"written: {table.path}, {table.size} rows")


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


def _announce(
    left: Sequence[str], learners: Mapping[str, Path], ids: Sequence[str], seconds: float, workers: int
) -> None:
    """Say what is not protected here, which names may be one learner, and how long grading takes at most."""
    from minicoord.learn.grading.class_folder import names_with_suffix
    from minicoord.learn.grading.grade import longest_seconds

    for name in names_with_suffix(learners):
        say(f"{in_one_line(name)} counts as a separate learner; put all files of one learner into one folder")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        say("you are root, and so is every answer: grade as a user without root's rights, or in a container")
    if not sys.platform.startswith("linux"):
        say("on this system, processes that leave the group of their answer are not ended with it")
    minutes = longest_seconds(len(left), ids, seconds, workers) / 60
    limit = f"at most {minutes:,.0f} (if every answer uses its time limit)"
    say(f"learners: {len(left)}, exercises: {len(ids)}, minutes: {limit}")


def _summary(rows: Sequence[Row]) -> str:
    """Return the result of one learner in a line."""
    passed, attempted = sum(row.passed for row in rows), sum(row.attempted for row in rows)
    return f"{in_one_line(rows[0].learner)}: {passed} of {len(rows)} passed, {attempted} attempted"
