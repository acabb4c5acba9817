"""What an exercise is: one definition, from which stub, solution, checks, hints and the answers to usual mistakes come.

An exercise is a module of its own in ``minicoord/learn/exercises``. It makes an `Exercise`, and says with two
decorators what a right answer and the usual wrong ones look like::

    exercise = Exercise(id="double", lesson=0, title="Twice as much", ...)

    @exercise.solved_by
    def double(x):
        \"\"\"Return twice x.\"\"\"
        return 2 * x

    @exercise.mistake("you squared it; 2 * 2 hides that, 3 * 3 does not")
    def squared(x):
        return x * x
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Function = Callable[..., Any]


@dataclass(frozen=True)
class Case:
    """One set of arguments that an answer is tried with.

    Attributes
    ----------
    name : str
        What is special about it, in words a learner sees: ``"a batch of 2, 5 rows and 3 columns"``.
    args : tuple
        Arrays, numbers, strings, tuples of these, or functions from the module of an exercise.
    """

    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Mistake:
    """A usual wrong answer.

    Attributes
    ----------
    cause : str
        What the learner is told: one line, no capital and no full stop, such as ``"x and y are exchanged"``.
    function : callable
        It takes what the solution takes, and returns what someone gets who made this mistake.
    races : bool
        Whether it is wrong only when two threads run it.
    """

    cause: str
    function: Function
    races: bool = False


@dataclass
class Exercise:
    """A task for a learner: to write one function.

    Attributes
    ----------
    id : str
        The name of the function, and of the exercise everywhere.
    lesson : int
        The number of the lesson that it belongs to.
    title : str
    minutes : int
        How long a learner may take who knows NumPy.
    difficulty : int
        1 (a puzzle) to 3 (a piece of work).
    cases : callable
        ``cases(rng)`` yields each `Case`, with all numbers and sizes drawn from the `numpy.random.Generator`; another
        seed gives other cases of the same kinds. They are rectangular, asymmetric, padded, of more than one image, and
        include the edges.
    hints : tuple of str
        One at a time, from a nudge to nearly the answer.
    builds_on : tuple of str
        The ids of exercises that come before.
    imports : tuple of str
        The lines that the stub and the solution begin with. The solution needs nothing else.
    compiled : bool
        Whether the answer is compiled too: first run as it is, then compiled for one thread, then with ``prange`` on
        several.
    axes : tuple of str
        The names of the axes of the result, for the sentence on a wrong shape; empty if it is no array.
    judge : callable, optional
        ``judge(args, result)`` returns None or what is wrong in one line, where more than one answer is right. By
        default a result is right if it equals that of the solution.
    manner : callable, optional
        ``manner(m)`` returns None, or in one line what is missing in the way that an answer with right values is
        written; `m` is a `minicoord.learn.checking.bytecode.Manner`.
    tolerance : float
        How far a float64 may be off, relative to the largest number wanted; float32 may be off 1e5 times as much, at
        most a thousandth.
    """

    id: str
    lesson: int
    title: str
    minutes: int
    difficulty: int
    cases: Callable[[np.random.Generator], Iterable[Case]]
    hints: tuple[str, ...]
    builds_on: tuple[str, ...] = ()
    imports: tuple[str, ...] = ("import numpy as np",)
    compiled: bool = False
    axes: tuple[str, ...] = ()
    judge: Callable[[tuple[Any, ...], Any], str | None] | None = None
    manner: Callable[[Any], str | None] | None = None
    tolerance: float = 1e-9
    mistakes: list[Mistake] = field(default_factory=list, init=False)
    _solution: Function | None = field(default=None, init=False)

    def solved_by(self, function: Function) -> Function:
        """Take this function as the solution; its name is the id, its docstring that of the stub. A decorator."""
        if function.__name__ != self.id:
            raise ValueError(
                f"the solution of exercise {self.id!r} is called {function.__name__!r}; wanted {self.id!r}"
            )
        self._solution = function
        return function

    def mistake(self, cause: str, *, races: bool = False) -> Callable[[Function], Function]:
        """Take the decorated function as a usual wrong answer, with its cause in one line."""

        def take(function: Function) -> Function:
            self.mistakes.append(Mistake(cause, function, races))
            return function

        return take

    @property
    def solution(self) -> Function:
        """The right answer."""
        if self._solution is None:
            raise ValueError(f"the exercise {self.id!r} has no solution; mark one with @exercise.solved_by")
        return self._solution

    def solution_text(self) -> str:
        """Return imports and solution as text that runs alone."""
        lines = inspect.getsource(self.solution).splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith("def "))
        head = [*self.imports, "", ""] if self.imports else []
        return "\n".join([*head, *lines[start:]]) + "\n"

    def stub_text(self) -> str:
        """Return imports, signature and docstring as text, with a body that raises NotImplementedError."""
        source = self.solution_text()
        function = next(node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
        docstring = function.body[0]
        if ast.get_docstring(function) is None or docstring.end_lineno is None:
            raise ValueError(f"the solution of exercise {self.id!r} has no docstring; the stub needs one")
        head = source.splitlines()[: docstring.end_lineno]
        return (
            "\n".join([*head, textwrap.indent("raise NotImplementedError  # your code in place of this line", " " * 4)])
            + "\n"
        )
