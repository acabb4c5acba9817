"""The door of the notebooks: check an answer, ask for a hint or the solution, and go on with what there is."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from minicoord.learn.checking.check import plain_function, verdict_of
from minicoord.learn.checking.verdict import NOT_ATTEMPTED, PASSED, Verdict
from minicoord.learn.definition.course import exercise_ids, get, unknown
from minicoord.learn.definition.exercise import Function
from minicoord.learn.submissions.loading import is_loading
from minicoord.learn.submissions.progress import read_progress, record, record_hint, record_solution
from minicoord.learn.submissions.submission import read_submission, verdict_on

NO_CALL = "check takes a function and not a thing of type {}: check(im2col), not check(im2col(x))"

WIDTH = 100
"""Letters in a line of a hint: as many as a notebook shows beside its list of files."""

_passed: dict[str, Function] = {}


def check(fn: Function) -> Verdict:
    """Check an answer, and say what came of it in one sentence; a notebook shows a picture, too.

    The exercise is found by the function's name. What the function raises is part of the verdict and is not raised.
    The outcome goes into ``minicoord-progress.json`` in the current folder.

    Parameters
    ----------
    fn : callable
        The answer, called as the exercise is.

    Returns
    -------
    Verdict
        See `minicoord.learn.checking.verdict.Verdict`.

    Raises
    ------
    KeyboardInterrupt
        If you interrupt it.

    Examples
    --------
    >>> def pixel_index(x, y, height, width):
    ...     raise NotImplementedError
    >>> check(pixel_index)
    pixel_index: not attempted yet.
    """
    if not callable(fn):
        named = isinstance(fn, str) and fn in exercise_ids()
        what = f"check takes the function itself: check({fn})" if named else NO_CALL.format(type(fn).__name__)
        return Verdict("check", NOT_ATTEMPTED, what)
    id = getattr(plain_function(fn), "__name__", type(fn).__name__)
    if id not in exercise_ids():
        sentence = f"a function has to have the name of its exercise, and {unknown(id)}"
        return Verdict(id, NOT_ATTEMPTED, sentence)
    _passed.pop(id, None)
    verdict = verdict_of(get(id), fn)
    if verdict.passed:
        _passed[id] = fn
    if not is_loading():  # a file that is being checked: its verdict is recorded by who checks it
        _complain(record(verdict))
    return verdict


def hint(id: str) -> None:
    """Print the next hint for an exercise; after the last one all of them.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    text, complaint = next_hint(_id_of(id), Path())
    for line in text.splitlines():  # a page breaks a long line within a word
        print(textwrap.fill(line, WIDTH))
    _complain(complaint)


def next_hint(id: str, folder: Path) -> tuple[str, str | None]:
    """Return the next hint for an exercise, and what went wrong about the progress file of this folder."""
    hints = get(id).hints
    progress = read_progress(folder)
    number = progress.of(id).hints
    # A damaged file was set aside by the first to read it: the second finds nothing to complain of.
    trouble = record_hint(id, min(number + 1, len(hints)), folder)
    complaint = progress.complaint or trouble
    if number < len(hints):
        return f"{id}, hint {number + 1} of {len(hints)}: {hints[number]}", complaint
    lines = [f"{id}, all {len(hints)} hints:", *(f"{k}. {text}" for k, text in enumerate(hints, start=1))]
    return "\n".join(lines), complaint


def solution(id: str, now: bool = False) -> None:
    """Print the solution of an exercise, if it was passed before, or is wanted now.

    Parameters
    ----------
    id : str
    now : bool
        True prints it in any case.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    id = _id_of(id)
    text = get(id).solution_text()
    if not now and id not in _passed and not read_progress().of(id).passed:
        print(f'{id} is not passed yet. hint("{id}") helps; solution("{id}", now=True) shows the solution now.')
        return
    print(text, end="")
    _complain(record_solution(id))


def yours_or_ours(id: str) -> Function:
    """Return your function if it passed its check, else the solution; say which.

    Yours is the one that passed in this notebook. If its last check was elsewhere, and passed, it is looked for in the
    notebooks and Python files of the current folder, and checked once more.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> pixel_index = yours_or_ours("pixel_index")
    pixel_index: ours, because yours has not passed its check here
    >>> int(pixel_index(2, 1, 5, 10))
    12
    """
    id = _id_of(id)
    exercise = get(id)
    if id not in _passed and not is_loading() and read_progress().of(id).outcome == PASSED:
        answer = read_submission(Path()).answers.get(id)
        if answer is not None and verdict_on(answer).passed:
            print(f"{id}: yours, from {answer.place}")
            return answer.load()
    if id in _passed:
        print(f"{id}: yours")
        return _passed[id]
    print(f"{id}: ours, because yours has not passed its check here")
    return exercise.solution


def _id_of(exercise: Any) -> str:
    """Return the id of an exercise, where its function was given, too."""
    if isinstance(exercise, str):
        return exercise
    name = getattr(plain_function(exercise), "__name__", "")
    if name in exercise_ids():
        return name
    kind = type(exercise).__name__
    raise ValueError(f'a thing of type {kind} came, wanted the name of an exercise in quotes, such as "im2col"')


def _complain(sentence: Any) -> None:
    if sentence:
        print(f"note: {sentence}")
