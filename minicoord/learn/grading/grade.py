"""Grading a folder of submissions: one row for each learner and exercise.

Every answer runs in a child process of its own (``child.py``), which is given arguments and hands back results. The
expected results, the comparison and the table stay in this process. So a submission can neither read the expected
results from its own process nor forge right values; and if it crashes, hangs, prints forever, or ends or stops its
parent process, it loses only its own row. An error in our own code costs that row alone, too. Each answer is given the
files of its learner as they were before the first answer ran.

This protects against accidents and lazy cheating. What a child reports about its code is believed: that the values come
from compiled code, and that the code has a loop or no race. The solutions ship with the package, and a submission can
do whatever its user may do on this machine, which includes ending every process of that user, this one among them: run
code that you do not trust as a user without root's rights, in a container without network.
"""

from __future__ import annotations

import inspect
import math
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from minicoord.learn.checking.check import SEED, not_attempted
from minicoord.learn.checking.recognition import KnownCalls
from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.checking.verdict import NOT_ATTEMPTED, Verdict
from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Case, Exercise
from minicoord.learn.grading.class_folder import submissions_in
from minicoord.learn.grading.exchange import UnusableError, write_value
from minicoord.learn.grading.fingerprint import digest_of_answer, digest_of_files, digest_of_task, fingerprint
from minicoord.learn.grading.fork_server import ForkServers
from minicoord.learn.grading.jobs import Limits, job_folder, run_child
from minicoord.learn.grading.removal import new_folder
from minicoord.learn.grading.reports import Reports, read_report
from minicoord.learn.grading.row import NOT_GRADED, NOT_READABLE, Kept, Known, Row
from minicoord.learn.grading.snapshot import UNREADABLE, ChangedError, KeptSubmission, changed_originals, keep

COMPILED_TIME_FACTOR = 3


@dataclass(frozen=True)
class Task:
    """An exercise, the cases that it is graded on, the digest of both, and what is known of right and wrong results."""

    exercise: Exercise
    cases: list[Case]
    digest: str
    known: KnownCalls = field(default_factory=KnownCalls)


def grade_folder(
    folder: Path,
    ids: Sequence[str],
    *,
    hidden: Callable[[str], Sequence[Case]] = lambda id: (),
    seconds: float = 30.0,
    memory_mb: int = 4096,
    workers: int = 1,
    known: Mapping[str, Mapping[str, Known]] | None = None,
    tell: Callable[[str], None] = lambda sentence: None,
) -> Generator[list[Row | Kept], None, None]:
    """Yield the rows of each learner, in the order of their names.

    All submissions are copied before the first answer runs. When the generator is closed, the processes of answers are
    ended and the copies are removed.

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
    known : mapping, optional
        By learner and exercise, what an earlier table has. Where nothing that led to a row has changed, a `Kept` is
        yielded in its place, and the answer does not run again.
    tell : callable
        It is given a sentence at the end if files of learners have changed in the meantime.

    Raises
    ------
    NotADirectoryError
        If `folder` is not a folder, or contains no submission.
    """
    found, known = submissions_in(folder), known or {}
    tasks = {id: _task(get(id), hidden(id)) for id in ids}
    with new_folder() as store, closing(ForkServers()) as servers:
        limits = Limits(seconds, memory_mb, threading.Event(), servers)
        kept = keep(found, store)

        def rows_of(learner: str) -> list[Row | Kept]:
            return list(_rows(learner, kept[learner], tasks, limits, known.get(learner, {})))

        try:
            with ThreadPoolExecutor(workers) as pool:
                try:
                    yield from pool.map(rows_of, kept)
                finally:
                    limits.stop.set()
        finally:
            changed = changed_originals(kept)
            if changed:
                tell(
                    f"changed since grading began, and graded as they were then: {', '.join(map(in_one_line, changed))}"
                )


def longest_seconds(learners: int, ids: Sequence[str], seconds: float, workers: int) -> float:
    """Return how many seconds `grade_folder` takes at most: every answer, and reading each submission, has a limit."""
    one_learner = seconds * (1 + sum(COMPILED_TIME_FACTOR if get(id).compiled else 1 for id in ids))
    return one_learner * math.ceil(learners / workers)


def visible_cases(exercise: Exercise) -> list[Case]:
    """Return the cases that a learner's own check runs."""
    return list(exercise.cases(np.random.default_rng(SEED)))


def _task(exercise: Exercise, hidden: Sequence[Case]) -> Task:
    cases = [*visible_cases(exercise), *hidden]
    return Task(exercise, cases, digest_of_task(exercise, cases))


def _rows(
    learner: str,
    submission: KeptSubmission,
    tasks: Mapping[str, Task],
    limits: Limits,
    known: Mapping[str, Known],
) -> Iterator[Row | Kept]:
    """Yield the rows of one learner, until grading is stopped; no error in one of them costs another."""
    everything = digest_of_files(submission)

    def prints(id: str, answer: str, outcome: str) -> str:
        return fingerprint(tasks[id].digest, everything, answer, outcome, (limits.seconds, limits.memory_mb))

    def stays(id: str, answer: str, half: int) -> bool:
        there = known.get(id)
        return there is not None and _same(there.fingerprint, prints(id, answer, there.outcome), half)

    if all(stays(id, "", 0) for id in tasks):
        yield from (Kept(learner, id, known[id].fingerprint) for id in tasks)
        return
    contents, failure = Contents(), ""
    if not submission.problem:
        try:
            contents = _contents(submission, limits)
        except Exception as error:
            failure = _failure(error)
    for id, task in tasks.items():
        if limits.stop.is_set():
            return
        seconds, answer = 0.0, ""
        if submission.problem:
            verdict = Verdict(id, NOT_READABLE, submission.problem)
        elif failure:
            verdict = Verdict(id, NOT_GRADED, failure)
        elif contents.stubs.get(id):
            verdict = not_attempted(task.exercise)
        elif id in contents.stubs:
            answer = digest_of_answer(contents.digests.get(id, ""), contents.notes.get(id, ""), submission)
            if stays(id, answer, 1):
                yield Kept(learner, id, prints(id, answer, known[id].outcome))
                continue
            try:
                verdict, seconds = _graded(submission, task, limits)
            except Exception as error:
                verdict = Verdict(id, NOT_GRADED, _failure(error))
        elif contents.problem:
            verdict = Verdict(id, NOT_READABLE, contents.problem)
        else:
            verdict = Verdict(id, NOT_ATTEMPTED, f"no answer was submitted.{submission.unread}")
        sentence = " ".join(filter(None, [verdict.sentence, contents.notes.get(id)]))
        columns = verdict.outcome, verdict.passed, sentence, verdict.cause or "", round(seconds, 2)
        saved = submission.saved_at(contents.files.get(id, ""))
        # What went wrong in grading itself is tried again.
        mark = "" if verdict.outcome == NOT_GRADED else prints(id, answer, verdict.outcome)
        yield Row(learner, task.exercise.lesson, id, *columns, saved, mark)


def _same(old: str, new: str, half: int) -> bool:
    """Whether one of the two fingerprints of a row, 0 or 1, is still the same; an earlier table has none."""
    return bool(old) and old.split("-")[half : half + 1] == new.split("-")[half : half + 1]


def _failure(error: Exception) -> str:
    if isinstance(error, ChangedError):
        return str(error)
    return f"grading it raised {type(error).__name__}: {in_one_line(error)}"


@dataclass(frozen=True)
class Contents:
    """What a submission contains.

    Attributes
    ----------
    stubs, notes, files, digests : mapping
        By the id of an exercise: whether the answer is a stub, a note on other answers, the file that the answer is
        in, and the digest of its text.
    problem : str
        What cannot be read.
    """

    stubs: Mapping[str, bool] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def _contents(submission: KeptSubmission, limits: Limits) -> Contents:
    """Return what a child process finds in a submission, without running any of it."""
    with job_folder(submission) as folder:
        ending = run_child(folder, {"exercise": None}, limits)
        try:
            report = read_report(folder / "reports" / "contents.json")
        except UnusableError as error:
            return Contents(problem=f"{UNREADABLE}: {error}.")
    if report is None:
        how = f"after {limits.seconds:g} seconds" if ending.timed_out else ending.describe()
        return Contents(problem=f"{UNREADABLE}: {how}.")
    stubs = {str(id): bool(stub) for id, stub in dict(report.get("stubs", {})).items()}
    notes = {str(id): in_one_line(note) for id, note in dict(report.get("notes", {})).items()}
    files, digests = (
        {str(id): str(text) for id, text in dict(report.get(key, {})).items()} for key in ("files", "digests")
    )
    problem = " ".join(map(in_one_line, report.get("problems", [])))
    return Contents(stubs, notes, problem, files, digests)


def _graded(submission: KeptSubmission, task: Task, limits: Limits) -> tuple[Verdict, float]:
    """Run one answer in a child process, and return the verdict and the seconds it took."""
    exercise = task.exercise
    with job_folder(submission) as folder:
        has_functions = any(callable(argument) for case in task.cases for argument in case.args)
        job = {
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
        return Reports(folder / "reports", exercise, task.cases, ending, task.known).verdict(), ending.seconds
