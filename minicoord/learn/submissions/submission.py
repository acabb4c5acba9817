"""A learner's answers, read from ``.py`` files and notebooks.

Finding the answers runs none of the learner's code. `Answer.load` then runs a ``.py`` file as a whole, or the one cell
of a notebook that is tagged with the exercise.
"""

from __future__ import annotations

import inspect
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minicoord.learn.checking.check import not_attempted, verdict_of
from minicoord.learn.checking.errors import describe_error
from minicoord.learn.checking.verdict import RAISED, Verdict
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.definition.exercise import Function
from minicoord.learn.submissions.cells import code_cells
from minicoord.learn.submissions.loading import importable_files, run_source
from minicoord.learn.submissions.source_text import answered_ids, is_stub

SUFFIXES = (".py", ".ipynb")
BEFORE_THE_CALL = f"{RAISED} an error before it could be called:"


class LoadError(Exception):
    """An answer cannot be loaded from its file; the message says why in one sentence."""


@dataclass(frozen=True)
class Answer:
    """A learner's function, found in a file but not yet run.

    Attributes
    ----------
    id : str
        The exercise.
    path : Path
        The file it is in.
    source : str
        The code to run: that of the whole file, or of the one cell.
    cell : int or None
        The number of the cell in a notebook, counted from 1.
    stub : bool
        Whether it is still the stub that was handed out.
    """

    id: str
    path: Path
    source: str
    cell: int | None = None
    stub: bool = False

    @property
    def place(self) -> str:
        """Where it is: ``lesson02.py`` or ``02_convolution.ipynb, cell 7``."""
        return self.path.name if self.cell is None else f"{self.path.name}, cell {self.cell}"

    def load(self) -> Function:
        """Run the file or the cell, and return the function.

        Raises
        ------
        LoadError
            If running it raises, or defines no such function.
        KeyboardInterrupt
            If the user interrupts it.
        """
        file = str(self.path) if self.cell is None else self.place
        names, error = run_source(self.source, file, self.path.parent, importable_files(self.path.parent))
        function = names.get(self.id)
        if error is not None and not callable(function):
            raise LoadError(f"{self.place}: {describe_error(error, file)}") from None
        if function is None:
            raise LoadError(f"{self.place} defines no function {self.id}.")
        if not callable(function) or isinstance(function, type) or inspect.iscoroutinefunction(function):
            raise LoadError(f"{self.place}: {self.id} is {_kind(function)} there, expected `def {self.id}(...)`.")
        return function


@dataclass
class Submission:
    """The answers found in a file or folder.

    Attributes
    ----------
    answers : dict
        The `Answer` to each exercise by id, in the order of the course.
    problems : list of str
        A sentence for each file that cannot be read.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_submission(path: Path) -> Submission:
    """Return the answers in a ``.py`` file, a notebook, or a folder of them (without its subfolders).

    Of several answers to an exercise, attempts are preferred to stubs, and then the one saved last.
    """
    found: dict[str, list[Answer]] = {}
    problems = []
    for file in files_in(path):
        try:
            answers = list(answers_in(file))
        except LoadError as error:
            problems.append(str(error))
            continue
        for answer in answers:
            found.setdefault(answer.id, []).append(answer)
    best = {id: max(found[id], key=_rank) for id in exercise_ids() if id in found}
    return Submission(best, problems)


def verdict_on(answer: Answer) -> Verdict:
    """Check an answer from a file; if it cannot be loaded, the verdict says why."""
    exercise = get(answer.id)
    if answer.stub:
        return not_attempted(exercise)
    try:
        function = answer.load()
    except LoadError as error:
        return Verdict(answer.id, RAISED, f"{BEFORE_THE_CALL} {error}")
    return verdict_of(exercise, function)


def files_in(path: Path) -> list[Path]:
    """Return the files that may hold answers: the file itself, or those of a folder by name, without hidden ones."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and not file.name.startswith("."))


def answers_in(file: Path) -> Iterator[Answer]:
    """Yield the answers in a file, without running it.

    Raises
    ------
    LoadError
        If the file cannot be read.
    """
    if file.suffix == ".ipynb":
        yield from _in_notebook(file)
        return
    try:
        with tokenize.open(file) as opened:  # decodes it as Python does
            source = opened.read()
    except OSError as error:
        raise LoadError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    except (SyntaxError, UnicodeDecodeError):  # Python's own message does not say what to do
        reason = "it is encoded neither in UTF-8 nor as its first lines declare; save it as UTF-8"
        raise LoadError(f"{file.name} cannot be read: {reason}.") from None
    for id in answered_ids(source):
        yield Answer(id, file, source, stub=is_stub(source, id))


def _in_notebook(file: Path) -> Iterator[Answer]:
    try:
        cells = code_cells(file)
    except OSError as error:
        raise LoadError(f"{file.name} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise LoadError(str(error)) from None
    attempted = set()
    for cell in cells:
        for id in cell.tags & set(exercise_ids()) if "exercise" in cell.tags else ():
            stub = is_stub(cell.source, id)
            yield Answer(id, file, cell.source, cell.number, stub)
            if not stub:
                attempted.add(id)
    for cell in cells:  # in case a cell lost its tag, or the answer stands in a cell below the stub
        for id in set(answered_ids(cell.source, cell=True)) - attempted:
            yield Answer(id, file, cell.source, cell.number, is_stub(cell.source, id))


def _kind(value: object) -> str:
    if isinstance(value, type):
        return "a class"
    return "an async function" if callable(value) else f"of type {type(value).__name__}"


def _rank(answer: Answer) -> tuple[bool, float, int]:
    try:
        saved = answer.path.stat().st_mtime
    except OSError:
        saved = 0.0
    return not answer.stub, saved, answer.cell or 0
