"""A learner's answers, read from ``.py`` files and notebooks.

Nothing of the learner's runs while their answers are looked for. `Answer.load` then runs a ``.py`` file as a whole, and
of a notebook the one cell alone that is tagged with the exercise.
"""

from __future__ import annotations

import inspect
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minicoord.learn.checking.check import not_attempted, verdict_of
from minicoord.learn.checking.errors import in_words
from minicoord.learn.checking.verdict import RAISED, Verdict
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.definition.exercise import Function
from minicoord.learn.submissions.cells import code_cells
from minicoord.learn.submissions.loading import beside_in, names_of
from minicoord.learn.submissions.source_text import defined, is_stub

SUFFIXES = (".py", ".ipynb")
BEFORE_THE_CALL = f"{RAISED} an error before it could be called:"


class LoadError(Exception):
    """An answer cannot be had from its file; the message says why in one sentence."""


@dataclass(frozen=True)
class Answer:
    """A function of the learner's, not yet run.

    Attributes
    ----------
    id : str
        The exercise.
    path : Path
        The file it is in.
    source : str
        The text that is run: of the whole file, or of the one cell.
    cell : int or None
        Which cell of a notebook, counted from 1.
    stub : bool
        Whether it is as untouched as it was handed out.
    """

    id: str
    path: Path
    source: str
    cell: int | None = None
    stub: bool = False

    @property
    def place(self) -> str:
        """Where it is, in words: ``lesson02.py`` or ``02_convolution.ipynb, cell 7``."""
        return self.path.name if self.cell is None else f"{self.path.name}, cell {self.cell}"

    def load(self) -> Function:
        """Run the file or the cell, and return the function.

        Raises
        ------
        LoadError
            If that raises, or gives no such function.
        KeyboardInterrupt
            If the user ends it.
        """
        file = str(self.path) if self.cell is None else self.place
        names, error = names_of(self.source, file, self.path.parent, beside_in(self.path.parent))
        function = names.get(self.id)
        if error is not None and not callable(function):
            raise LoadError(f"{self.place}: {in_words(error, file)}") from None
        if function is None:
            raise LoadError(f"{self.place} defines no function {self.id}.")
        if not callable(function) or isinstance(function, type) or inspect.iscoroutinefunction(function):
            raise LoadError(f"{self.place}: {self.id} is {_kind(function)} there, wanted `def {self.id}(...)`.")
        return function


@dataclass
class Submission:
    """What was found in a file or folder.

    Attributes
    ----------
    answers : dict
        The `Answer` to each exercise, by its id, in the order of the course.
    problems : list of str
        A sentence for each file that cannot be read.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


def read_submission(path: Path) -> Submission:
    """Return the answers in a ``.py`` file, a notebook, or a folder of them (without its subfolders).

    If there are several answers to an exercise, one that was attempted comes before a stub, and then the one that was
    saved last.
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
    """Check an answer from a file; what is wrong with the file is part of the verdict."""
    exercise = get(answer.id)
    if answer.stub:
        return not_attempted(exercise)
    try:
        function = answer.load()
    except LoadError as error:
        return Verdict(answer.id, RAISED, f"{BEFORE_THE_CALL} {error}")
    return verdict_of(exercise, function)


def files_in(path: Path) -> list[Path]:
    """Return the files that may hold answers: of a folder those in it by name, hidden ones left out."""
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
        with tokenize.open(file) as opened:  # as Python itself reads it
            source = opened.read()
    except OSError as error:
        raise LoadError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    except (SyntaxError, UnicodeDecodeError):  # Python's own words do not say what to do
        what = "it is neither in UTF-8 nor in the encoding that its first lines name; save it as UTF-8"
        raise LoadError(f"{file.name} cannot be read: {what}.") from None
    for id in defined(source):
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
    for cell in cells:  # where the tag of an exercise was lost, or the answer stands below the stub
        for id in set(defined(cell.source, cell=True)) - attempted:
            yield Answer(id, file, cell.source, cell.number, is_stub(cell.source, id))


def _kind(thing: object) -> str:
    if isinstance(thing, type):
        return "a class"
    return "an async function" if callable(thing) else f"of type {type(thing).__name__}"


def _rank(answer: Answer) -> tuple[bool, float, int]:
    try:
        saved = answer.path.stat().st_mtime
    except OSError:
        saved = 0.0
    return not answer.stub, saved, answer.cell or 0
