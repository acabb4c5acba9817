"""What an exercise is: one definition that gives the stub, the solution, the checks, the hints and the common mistakes.

Each exercise is a module in ``minicoord/learn/exercises``. It creates an `Exercise`, and marks the right answer and the
common wrong ones with two decorators::

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
    """One set of arguments for which an answer is checked.

    Attributes
    ----------
    name : str
        What is special about it; learners see it: ``"a batch of 2, 5 rows and 3 columns"``.
    args : tuple
        Arrays, numbers, strings, tuples of these, or functions defined in the module of the exercise.
    """

    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Mistake:
    """A common wrong answer.

    Attributes
    ----------
    cause : str
        What the learner reads: one line without a capital or full stop, such as ``"x and y are exchanged"``.
    function : callable
        It takes the arguments of the solution, and returns the result of an answer with this mistake.
    races : bool
        Whether it goes wrong only when two threads run it.
    """

    cause: str
    function: Function
    races: bool = False


@dataclass
class Exercise:
    """A task for a learner: write one function.

    Attributes
    ----------
    id : str
        The name of the function, by which the exercise is known everywhere.
    lesson : int
        The number of its lesson.
    title : str
    minutes : int
        How long a learner who knows NumPy may take.
    difficulty : int
        1 (a puzzle) to 3 (a piece of work).
    cases : callable
        ``cases(rng)`` yields each `Case`, with all numbers and sizes drawn from the `numpy.random.Generator`; another
        seed gives other cases of the same kinds. They are rectangular, asymmetric, padded, have more than one image,
        and include edge cases.
    hints : tuple of str
        Shown one at a time, from a nudge to nearly the answer.
    builds_on : tuple of str
        The ids of earlier exercises that this one needs.
    imports : tuple of str
        The import lines at the top of the stub and the solution. The solution needs nothing else.
    compiled : bool
        Whether the answer is also compiled: it runs as plain Python, then compiled for one thread, then with
        ``prange`` on several.
    axes : tuple of str
        The names of the axes of the result, for the message on a wrong shape; empty if the result is not an array.
    judge : callable, optional
        Where more than one result is right, ``judge(args, result)`` returns None, or in one line what is wrong. By
        default a result is right if it equals that of the solution.
    code_check : callable, optional
        ``code_check(traits)`` returns None, or in one line what the code of an answer with right values lacks; `traits`
        is a `minicoord.learn.checking.bytecode.CodeTraits`.
    traced : callable, optional
        ``traced()`` returns arguments with which an answer runs once more, so that `code_check` knows how it reads its
        arrays; small ones, as each number that it reads is noted.
    tolerance : float
        The largest error allowed in float64, relative to the largest expected number; in float32, 1e5 times as much,
        but at most 1e-3.
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
    code_check: Callable[[Any], str | None] | None = None
    traced: Callable[[], tuple[Any, ...]] | None = None
    tolerance: float = 1e-9
    mistakes: list[Mistake] = field(default_factory=list, init=False)
    sealed_stub: str = field(default="", init=False)
    """The stub, in an edition whose solutions are with the teacher; see `minicoord.learn.definition.sealed`."""
    _solution: Function | None = field(default=None, init=False)

    def solved_by(self, function: Function) -> Function:
        """Decorate the solution, whose name must be the id; its docstring becomes that of the stub."""
        if function.__name__ != self.id:
            raise ValueError(
                f"the solution of exercise {self.id!r} is called {function.__name__!r}, expected {self.id!r}"
            )
        self._solution = function
        return function

    def mistake(self, cause: str, *, races: bool = False) -> Callable[[Function], Function]:
        """Return a decorator that adds a function as a common wrong answer, with its cause in one line."""

        def add(function: Function) -> Function:
            self.mistakes.append(Mistake(cause, function, races))
            return function

        return add

    @property
    def solution(self) -> Function:
        """The right answer."""
        if self._solution is None:
            raise ValueError(f"the exercise {self.id!r} has no solution; mark one with @exercise.solved_by")
        return self._solution

    @property
    def sealed(self) -> bool:
        """Whether its solution is with the teacher, so that it has no source text here."""
        return bool(self.sealed_stub)

    def solution_text(self) -> str:
        """Return the imports and the solution as source text that runs on its own.

        Raises
        ------
        ValueError
            If the exercise is sealed.
        """
        if self.sealed:
            raise ValueError(f"the solution of exercise {self.id!r} is with the teacher, and has no text here")
        lines = inspect.getsource(self.solution).splitlines()
        start = next(k for k, line in enumerate(lines) if line.startswith("def "))
        head = [*self.imports, "", ""] if self.imports else []
        return "\n".join([*head, *lines[start:]]) + "\n"

    def stub_text(self) -> str:
        """Return the imports, signature and docstring as source text, with a body that raises NotImplementedError."""
        if self.sealed:
            return self.sealed_stub
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
