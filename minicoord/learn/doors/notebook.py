"""What a notebook calls: check an answer, show a hint or the solution, and go on with a function that works."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path
from typing import Any

from minicoord.learn.checking.check import plain_function, verdict_of
from minicoord.learn.checking.verdict import NOT_ATTEMPTED, PASSED, Verdict
from minicoord.learn.definition.course import exercise_ids, get, unknown
from minicoord.learn.definition.exercise import Function
from minicoord.learn.definition.sealed import ASK
from minicoord.learn.doors.other_cells import names_of_other_cells
from minicoord.learn.submissions.answer import verdict_on
from minicoord.learn.submissions.loading import is_loading
from minicoord.learn.submissions.progress import read_progress, record, record_hint, record_solution
from minicoord.learn.submissions.submission import read_submission
from minicoord.system.arguments import check_flag

NOT_A_FUNCTION = "check takes a function, got a value of type {}: write check(im2col), not check(im2col(x))"

FROM_OTHER_CELLS = (
    "the cell of {id} uses {names} of other cells. In the terminal, in pytest and in grading it runs on its own, with "
    "the imports of the others: put the rest into this cell."
)

WIDTH = 100
"""Characters in a line of a hint or note: as many as a notebook shows beside the file browser."""

_passed: dict[str, Function] = {}
"""The functions that passed their check in this session, by exercise."""


def check(fn: Function, show: bool = False) -> Verdict:
    """Check an answer, and return the verdict: one sentence, and in a notebook a picture of what is wrong.

    The function's name says which exercise it answers. An exception of the function becomes part of the verdict. The
    outcome is recorded in ``minicoord-progress.json`` in the current folder. A note names what the answer takes from
    other cells and would lack where its cell runs on its own: in the terminal, in pytest and in grading.

    Parameters
    ----------
    fn : callable
        The answer, with the name of its exercise.
    show : bool
        Whether the verdict on a wrong answer ends with the smallest case that fails, written out: the arguments, what
        the function returned, and what was expected.

    Returns
    -------
    Verdict
        See `minicoord.learn.checking.verdict.Verdict`.

    Raises
    ------
    KeyboardInterrupt
        If you interrupt the check.

    Examples
    --------
    >>> def pixel_index(x, y, height, width):
    ...     raise NotImplementedError
    >>> check(pixel_index)
    pixel_index: not attempted yet.
    """
    if isinstance(fn, str) and fn in exercise_ids():
        return Verdict("check", NOT_ATTEMPTED, f"check takes the function itself: check({fn})")
    if not callable(fn):
        return Verdict("check", NOT_ATTEMPTED, NOT_A_FUNCTION.format(type(fn).__name__))
    id = getattr(plain_function(fn), "__name__", type(fn).__name__)
    if id not in exercise_ids():
        return Verdict(id, NOT_ATTEMPTED, f"a function must have the name of its exercise, and {unknown(id)}")
    _passed.pop(id, None)
    verdict = verdict_of(get(id), fn)
    if verdict.passed:
        _passed[id] = fn
    elif show:
        from minicoord.learn.checking.smallest_case import smallest_failure

        verdict = replace(verdict, smallest=smallest_failure(get(id), fn, verdict))
    others = names_of_other_cells(plain_function(fn)) if verdict.outcome != NOT_ATTEMPTED else []
    if others:
        _complain(FROM_OTHER_CELLS.format(id=id, names=", ".join(others)))
    if not is_loading():  # if so, whoever loads the file records its verdict
        _complain(record(verdict))
    return verdict


def hint(id: str) -> None:
    """Print the next hint for an exercise; after the last one, all of them.

    Raises
    ------
    ValueError
        If there is no such exercise.
    """
    text, complaint = next_hint(_id_of(id), Path())
    for line in text.splitlines():  # a web page would break long lines inside words
        print(textwrap.fill(line, WIDTH))
    _complain(complaint)


def next_hint(id: str, folder: Path) -> tuple[str, str | None]:
    """Return the next hint for an exercise, and what went wrong with the progress file of this folder."""
    hints = get(id).hints
    progress = read_progress(folder)
    number = progress.of(id).hints
    # Reading sets a damaged file aside, so recording the hint no longer reports it.
    complaint_of_recording = record_hint(id, min(number + 1, len(hints)), folder)
    complaint = progress.complaint or complaint_of_recording
    if number < len(hints):
        return f"{id}, hint {number + 1} of {len(hints)}: {hints[number]}", complaint
    lines = [f"{id}, all {len(hints)} hints:", *(f"{k}. {text}" for k, text in enumerate(hints, start=1))]
    return "\n".join(lines), complaint


def solution(id: str, now: bool = False) -> None:
    """Print the solution of an exercise that has been passed, or of any exercise on request.

    In an edition for a course that marks, it says to ask the teacher.

    Parameters
    ----------
    id : str
    now : bool
        Whether to print it even if the exercise has not been passed.

    Raises
    ------
    TypeError
        If `now` is neither True nor False.
    ValueError
        If there is no such exercise.
    """
    id, now = _id_of(id), check_flag("solution: now", now)
    if get(id).sealed:
        print(f"{ASK.format(id=id)}.")
        return
    text = get(id).solution_text()
    if not now and id not in _passed and not read_progress().of(id).passed:
        print(f'{id} is not passed yet. hint("{id}") gives a hint; solution("{id}", now=True) shows the solution now.')
        return
    print(text, end="")
    _complain(record_solution(id))


def yours_or_ours(id: str) -> Function:
    """Return your function if it has passed its check, otherwise the solution, and print which one it is.

    Yours is the function that passed in this notebook. If it passed its last check elsewhere, it is loaded from the
    notebooks and Python files of the current folder, and checked again.

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
    """Return the id of an exercise, given as its id or as a function of that name."""
    if isinstance(exercise, str):
        return exercise
    name = getattr(plain_function(exercise), "__name__", "")
    if name in exercise_ids():
        return name
    kind = type(exercise).__name__
    raise ValueError(f'got a value of type {kind}, expected the name of an exercise in quotes, such as "im2col"')


def _complain(sentence: Any) -> None:
    if sentence:  # file names stay in one piece
        print(textwrap.fill(f"note: {sentence}", WIDTH, break_long_words=False, break_on_hyphens=False))
