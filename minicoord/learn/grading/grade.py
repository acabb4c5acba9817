"""Grading a folder of submissions: one row for each learner and exercise.

Every answer runs in a child process of its own (``child.py``), which is given arguments and hands back results. The
expected results, the comparison and the table stay in this process. So a submission can neither read the expected
results from its own process nor forge right values; and if it crashes, hangs or prints forever, it loses only its own
row.

This protects against accidents and lazy cheating. What a child reports about its code is believed: that the values come
from compiled code, and that the code has a loop or no race. The solutions ship with the package, and a submission can
do whatever its user may do on this machine: run code that you do not trust in a container without network.
"""

from __future__ import annotations

import inspect
import math
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from minicoord.learn.checking.check import SEED, not_attempted
from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.checking.verdict import NOT_ATTEMPTED, Verdict
from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Case, Exercise
from minicoord.learn.grading.class_folder import submissions_in, unread_files
from minicoord.learn.grading.exchange import UnusableError, write_value
from minicoord.learn.grading.jobs import Limits, copied, job_folder, run_child
from minicoord.learn.grading.reports import Reports, read_report

NOT_READABLE = "not readable"
UNREADABLE = "the submission cannot be read"
COMPILED_TIME_FACTOR = 3


@dataclass(frozen=True)
class Row:
    """One row of the table: the verdict on one learner's answer to one exercise.

    Attributes
    ----------
    learner : str
        The name of their folder or file.
    lesson : int
    exercise : str
        The id.
    outcome : str
        One of `minicoord.learn.checking.verdict.OUTCOMES`, or "timed out", "crashed" or "not readable".
    passed : bool
    sentence : str
        What is wrong, or that everything is right.
    cause : str
        The common mistake that gives the same result; empty if none is known.
    seconds : float
        How long the child process ran, in wall-clock time, including the start of Python.
    """

    learner: str
    lesson: int
    exercise: str
    outcome: str
    passed: bool
    sentence: str
    cause: str
    seconds: float

    @property
    def attempted(self) -> bool:
        """Whether the learner wrote something."""
        return self.outcome not in (NOT_ATTEMPTED, NOT_READABLE)


@dataclass(frozen=True)
class Task:
    """An exercise and the cases that it is graded on."""

    exercise: Exercise
    cases: list[Case]


def grade_folder(
    folder: Path,
    ids: Sequence[str],
    *,
    hidden: Callable[[str], Sequence[Case]] = lambda id: (),
    seconds: float = 30.0,
    memory_mb: int = 4096,
    workers: int = 1,
) -> Iterator[list[Row]]:
    """Yield the rows of each learner, in the order of their names.

    Parameters
    ----------
    folder : Path
        One folder, ``.py`` or ``.ipynb`` file for each learner.
    ids : sequence of str
        The exercises that are graded.
    hidden : callable
        Maps the id of an exercise to further cases: see `minicoord.learn.definition.hidden_cases`.
    seconds : float
        How long one answer may run, in wall-clock time, including the start of Python; an answer that is also compiled
        may run `COMPILED_TIME_FACTOR` times as long.
    memory_mb : int
        How much memory an answer may use, in MB, where the system enforces such a limit.
    workers : int
        How many learners are graded at the same time.

    Raises
    ------
    NotADirectoryError
        If `folder` is not a folder, or contains no submission.
    """
    found = submissions_in(folder)
    tasks = {id: Task(get(id), [*visible_cases(get(id)), *hidden(id)]) for id in ids}
    limits = Limits(seconds, memory_mb, threading.Event())
    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(lambda learner: _rows_of_learner(learner, found[learner], tasks, limits), found)
        finally:
            limits.stop.set()


def longest_seconds(learners: int, ids: Sequence[str], seconds: float, workers: int) -> float:
    """Return how many seconds `grade_folder` takes at most: every answer, and reading each submission, has a limit."""
    one_learner = seconds * (1 + sum(COMPILED_TIME_FACTOR if get(id).compiled else 1 for id in ids))
    return one_learner * math.ceil(learners / workers)


def visible_cases(exercise: Exercise) -> list[Case]:
    """Return the cases that a learner's own check runs."""
    return list(exercise.cases(np.random.default_rng(SEED)))


def _rows_of_learner(learner: str, submission: Path, tasks: Mapping[str, Task], limits: Limits) -> list[Row]:
    """Grade a copy of one learner's submission; after Ctrl-C, stop early."""
    with ExitStack() as stack:
        try:
            copy = stack.enter_context(copied(submission))
        except OSError as error:
            problem = f"{UNREADABLE}: {in_one_line(error.strerror or error)}."
            return [
                Row(learner, task.exercise.lesson, id, NOT_READABLE, False, problem, "", 0.0)
                for id, task in tasks.items()
            ]
        rows = []
        for row in _rows(learner, copy, tasks, limits, unread_files(submission)):
            rows.append(row)
            if limits.stop.is_set():
                break
        return rows


def _rows(learner: str, submission: Path, tasks: Mapping[str, Task], limits: Limits, left_out: str) -> Iterator[Row]:
    stubs, problem = _contents(submission, limits)
    for id, task in tasks.items():
        seconds = 0.0
        if stubs.get(id):
            verdict = not_attempted(task.exercise)
        elif id in stubs:
            verdict, seconds = _graded(submission, task, limits)
        elif problem:
            verdict = Verdict(id, NOT_READABLE, problem)
        else:
            verdict = Verdict(id, NOT_ATTEMPTED, f"no answer was submitted.{left_out}")
        columns = verdict.outcome, verdict.passed, verdict.sentence, verdict.cause or "", round(seconds, 2)
        yield Row(learner, task.exercise.lesson, id, *columns)


def _contents(submission: Path, limits: Limits) -> tuple[dict[str, bool], str]:
    """Return for each submitted answer whether it is a stub, and in a sentence what cannot be read."""
    with job_folder() as folder:
        ending = run_child(folder, {"submission": str(submission), "exercise": None}, limits)
        try:
            report = read_report(folder / "reports" / "contents.json")
        except UnusableError as error:
            return {}, f"{UNREADABLE}: {error}."
    if report is None:
        how = f"after {limits.seconds:g} seconds" if ending.timed_out else ending.describe()
        return {}, f"{UNREADABLE}: {how}."
    stubs = {str(id): bool(stub) for id, stub in dict(report.get("stubs", {})).items()}
    return stubs, " ".join(map(in_one_line, report.get("problems", [])))


def _graded(submission: Path, task: Task, limits: Limits) -> tuple[Verdict, float]:
    """Run one answer in a child process, and return the verdict and the seconds it took."""
    exercise = task.exercise
    with job_folder() as folder:
        has_functions = any(callable(argument) for case in task.cases for argument in case.args)
        job = {
            "submission": str(submission),
            "exercise": exercise.id,
            "parameters": list(inspect.signature(exercise.solution).parameters),
            "functions": exercise.solution.__module__ if has_functions else None,
            "cases": [
                write_value(case.args, folder / "cases", str(k), sys.maxsize) for k, case in enumerate(task.cases)
            ],
            "compiled": exercise.compiled,
            "traced": None
            if exercise.traced is None
            else write_value(exercise.traced(), folder / "cases", "traced", sys.maxsize),
        }
        if exercise.compiled:
            limits = replace(limits, seconds=COMPILED_TIME_FACTOR * limits.seconds)
        ending = run_child(folder, job, limits)
        return Reports(folder / "reports", exercise, task.cases, ending).verdict(), ending.seconds
