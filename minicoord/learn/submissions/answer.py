"""An answer in a learner's file, and running it.

`Answer.load` runs a ``.py`` file as a whole, or one cell of a notebook with those imports of other cells that it needs.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from pathlib import Path

from minicoord.learn.checking.check import not_attempted, verdict_of
from minicoord.learn.checking.errors import describe_error
from minicoord.learn.checking.verdict import NOT_RUN, RAISED, Verdict
from minicoord.learn.definition.course import get
from minicoord.learn.definition.exercise import Function
from minicoord.learn.submissions.loading import importable_files, run_source
from minicoord.learn.submissions.source_text import defined_functions

BEFORE_THE_CALL = f"{RAISED} an error before it could be called:"
FILE_WITH_ERROR = f"{NOT_RUN}, because of an error in its file:"


class LoadError(Exception):
    """An answer cannot be loaded from its file; the message says why in one sentence."""


class FileError(LoadError):
    """The file of an answer has a syntax error, which may have nothing to do with this answer."""


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
    defined : bool
        Whether the source defines the function. If not, it is a tagged cell.
    imports : str
        The import statements of other cells that the cell needs.
    cell_place : str
        Where a reader finds the cell.
    """

    id: str
    path: Path
    source: str
    cell: int | None = None
    stub: bool = False
    defined: bool = True
    imports: str = ""
    cell_place: str = ""

    @property
    def place(self) -> str:
        """Where it is: ``lesson02.py`` or ``02_convolution.ipynb, below "Your turn: im2col"``."""
        return self.path.name if self.cell is None else f"{self.path.name}, {self.cell_place}"

    @property
    def attempted(self) -> bool:
        """Whether it defines the function, other than as a stub."""
        return self.defined and not self.stub

    def load(self) -> Function:
        """Run the file or the cell, and return the function.

        Raises
        ------
        FileError
            If it is in a ``.py`` file with a syntax error.
        LoadError
            If running it raises, or defines no such function.
        KeyboardInterrupt
            If the user interrupts it.
        """
        path = self.path.resolve()
        file = str(path) if self.cell is None else f"{path}, cell {self.cell}"
        helpers = importable_files(path.parent)
        names, error = run_source(self.source, file, path.parent, helpers, self.imports)
        function = names.get(self.id)
        if error is not None and not callable(function):
            of_file = self.cell is None and isinstance(error, SyntaxError) and error.filename == file
            kind = FileError if of_file else LoadError
            raise kind(f"{self.place}: {describe_error(error, file)}") from None
        if function is None:
            others = "".join(f"; it defines {name}" for name in defined_functions(self.source)[-1:])
            raise LoadError(f"{self.place} defines no function {self.id}{others}.")
        if not callable(function) or isinstance(function, type) or inspect.iscoroutinefunction(function):
            raise LoadError(f"{self.place}: {self.id} is {_kind(function)} there, expected `def {self.id}(...)`.")
        return function


def verdict_on(answer: Answer) -> Verdict:
    """Check an answer from a file; if it cannot be loaded, the verdict says why."""
    exercise = get(answer.id)
    if answer.stub:
        return not_attempted(exercise)
    try:
        function = answer.load()
    except FileError as error:
        return Verdict(answer.id, NOT_RUN, f"{FILE_WITH_ERROR} {error}")
    except LoadError as error:
        return Verdict(answer.id, RAISED, f"{BEFORE_THE_CALL} {error}")
    return verdict_of(exercise, function)


def with_smallest_case(answer: Answer, verdict: Verdict) -> Verdict:
    """Return a verdict that ends with the smallest case that the answer fails, if it fails one."""
    if verdict.sentence.startswith(BEFORE_THE_CALL):
        return verdict
    from minicoord.learn.checking.smallest_case import smallest_failure

    return replace(verdict, smallest=smallest_failure(get(answer.id), answer.load(), verdict))


def _kind(value: object) -> str:
    if isinstance(value, type):
        return "a class"
    return "an async function" if callable(value) else f"of type {type(value).__name__}"
