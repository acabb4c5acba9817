"""Grading a folder of submissions: one row for each learner and exercise.

Every answer runs in a child process of its own (``child.py``), which gets arguments and hands back results.
What is right stays here: the comparison, the solutions' results and the table. So a submission can neither read the
answers from its own process nor forge right values, and if it crashes, loops or prints for ever, it loses its own row.

That is protection against accidents and lazy cheating. What a child says of the way to its values, that they are those
of compiled code and that the code has a loop or no race, is believed. The solutions ship with the package, and a
submission can do whatever its user may do on this machine: code that is not trusted belongs in a container without
network.
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
from minicoord.learn.grading.answers import Answers, read_report
from minicoord.learn.grading.exchange import UnusableError, write_value
from minicoord.learn.grading.jobs import Limits, copied, job_folder, run_child, why_not_copied
from minicoord.learn.submissions.submission import SUFFIXES

NOT_READABLE = "not readable"
COMPILING = 3
MAX_NAMES = 5


@dataclass(frozen=True)
class Row:
    """One line of the table: what came of one learner's answer to one exercise.

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
        What is wrong, or that nothing is.
    cause : str
        Which usual mistake gives the same result; empty if none is known.
    seconds : float
        How long the child process ran, the start of Python included.
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


def grade_folder(
    folder: Path,
    ids: Sequence[str],
    *,
    hidden: Callable[[str], Sequence[Case]] = lambda id: (),
    seconds: float = 30.0,
    memory_mb: int = 4096,
    workers: int = 1,
) -> Iterator[list[Row]]:
    """Yield the rows of one learner after the other, in the order of their names.

    Parameters
    ----------
    folder : Path
        One folder, ``.py`` or ``.ipynb`` file for each learner.
    ids : sequence of str
        The exercises that are graded.
    hidden : callable
        From the id of an exercise to further cases: see `minicoord.learn.definition.hidden_cases`.
    seconds : float
        How long one answer may run, on the clock of the wall, the start of Python included; one that is compiled, too,
        may run `COMPILING` times as long.
    memory_mb : int
        How much memory it may take, where the system has such a limit.
    workers : int
        How many learners are graded at the same time.

    Raises
    ------
    NotADirectoryError
        If `folder` is none, or there is no submission in it.
    """
    found = submissions_in(folder)
    tasks = {id: Task(get(id), [*visible_cases(get(id)), *hidden(id)]) for id in ids}

    stop = threading.Event()

    def rows_of(learner: str) -> list[Row]:
        rows = []
        with ExitStack() as stack:
            try:
                submission = stack.enter_context(copied(found[learner]))
            except OSError as error:
                problem = f"what was handed in cannot be read: {in_one_line(error.strerror or error)}."
                return [Row(learner, get(id).lesson, id, NOT_READABLE, False, problem, "", 0.0) for id in ids]
            left_out = _left_out(found[learner])
            for row in _rows(learner, submission, tasks, Limits(seconds, memory_mb, stop), left_out):
                rows.append(row)
                if stop.is_set():  # on Ctrl-C, or where nobody wants the rest
                    break
        return rows

    with ThreadPoolExecutor(workers) as pool:
        try:
            yield from pool.map(rows_of, found)
        finally:
            stop.set()


def submissions_in(folder: Path) -> dict[str, Path]:
    """Return the submission of each learner: their folder or file, by its name without suffix.

    Raises
    ------
    NotADirectoryError
        If `folder` is none, or there is no submission in it.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder; wanted one with a folder, .py or .ipynb file per learner")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not _is_submission(path):
            continue
        name = path.name if path.is_dir() else path.stem
        found[name if name not in found else path.name] = path
    if not found:
        raise NotADirectoryError(f"there is no submission in {folder}; wanted a folder, .py or .ipynb file per learner")
    return found


def second_files(learners: Mapping[str, Path]) -> list[str]:
    """Return the learners who have their suffix in their name because another one is called the same without it."""
    return [name for name, path in learners.items() if not path.is_dir() and name != path.stem]


def longest_seconds(learners: int, ids: Sequence[str], seconds: float, workers: int) -> float:
    """Return how long `grade_folder` takes if every answer, and the reading of every submission, uses up its time."""
    one = seconds * (1 + sum(COMPILING if get(id).compiled else 1 for id in ids))
    return one * math.ceil(learners / workers)


def passed_over(folder: Path) -> list[Path]:
    """Return what lies beside the submissions and is none, hidden files and the like left out."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not _is_hidden(path) and not _is_submission(path))


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__"))


def _is_submission(path: Path) -> bool:
    return not _is_hidden(path) and (path.is_dir() or path.suffix.lower() in SUFFIXES)


def visible_cases(exercise: Exercise) -> list[Case]:
    """Return the cases that a learner's own check runs."""
    return list(exercise.cases(np.random.default_rng(SEED)))


@dataclass(frozen=True)
class Task:
    """An exercise and the cases that it is graded on."""

    exercise: Exercise
    cases: list[Case]


def _left_out(submission: Path) -> str:
    """Return a sentence if answers may lie where none are read: in a subfolder, in an archive, in a file too large."""
    if not submission.is_dir():
        return ""
    inner, others = [], []
    for path in sorted(path for path in submission.iterdir() if not _is_hidden(path)):
        reason = why_not_copied(path)
        if reason == "a folder":
            inner.append(in_one_line(path.name))
        elif reason is not None:
            others.append(f"{in_one_line(path.name)} ({reason})")
        elif path.suffix.lower() not in SUFFIXES:
            others.append(in_one_line(path.name))
    sentence = f" Not read: {', '.join(others[:MAX_NAMES])}{', ...' * (len(others) > MAX_NAMES)}." if others else ""
    return sentence + (f" Subfolders are not read: {', '.join(inner)}." if inner else "")


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
            verdict = Verdict(id, NOT_ATTEMPTED, f"there is no answer to it among what was handed in.{left_out}")
        facts = verdict.outcome, verdict.passed, verdict.sentence, verdict.cause or "", round(seconds, 2)
        yield Row(learner, task.exercise.lesson, id, *facts)


def _contents(submission: Path, limits: Limits) -> tuple[dict[str, bool], str]:
    """Return for each answer that was handed in whether it is a stub, and in a sentence what cannot be read."""
    with job_folder() as folder:
        ending = run_child(folder, {"submission": str(submission), "exercise": None}, limits)
        try:
            report = read_report(folder / "answers" / "contents.json")
        except UnusableError as error:
            return {}, f"what was handed in cannot be read: {error}."
    if report is None:
        how = f"after {limits.seconds:g} seconds" if ending.timed_out else ending.in_words()
        return {}, f"what was handed in cannot be read: {how}."
    stubs = {str(id): bool(stub) for id, stub in dict(report.get("stubs", {})).items()}
    return stubs, " ".join(map(in_one_line, report.get("problems", [])))


def _graded(submission: Path, task: Task, limits: Limits) -> tuple[Verdict, float]:
    """Run one answer in a child process, and return the verdict and how long it took."""
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
        }
        if exercise.compiled:
            limits = replace(limits, seconds=COMPILING * limits.seconds)
        ending = run_child(folder, job, limits)
        return Answers(folder / "answers", exercise, task.cases, ending).verdict(), ending.seconds
