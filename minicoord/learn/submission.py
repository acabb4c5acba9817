"""A learner's answers, read from ``.py`` files and notebooks.

Nothing of the learner's runs while their answers are looked for. `Answer.load` then runs a ``.py`` file as a whole, and
of a notebook the one cell alone that is tagged with the exercise.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import linecache
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

from minicoord.learn.checking import not_attempted, verdict_of
from minicoord.learn.course import exercise_ids, get
from minicoord.learn.errors import in_words
from minicoord.learn.exercise import Function
from minicoord.learn.verdict import RAISED, Verdict

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
        names, error = _run(self.source, file, self.path.parent, _beside(self.path.parent))
        function = names.get(self.id)
        if callable(function):
            return function
        if error is not None:
            raise LoadError(f"{self.place}: {in_words(error, file)}") from None
        raise LoadError(f"{self.place} defines no function {self.id}.")


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
    except (OSError, SyntaxError, UnicodeDecodeError) as error:
        raise LoadError(f"{file.name} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    for id in _defined(source):
        yield Answer(id, file, source, stub=_is_stub(source, id))


def _in_notebook(file: Path) -> Iterator[Answer]:
    try:
        cells = json.loads(file.read_text("utf-8-sig"))["cells"]
        codes = [
            (number, "".join(cell["source"]), cell.get("metadata", {}).get("tags", []))
            for number, cell in enumerate(cells, start=1)
            if cell["cell_type"] == "code"
        ]
    except OSError as error:
        raise LoadError(f"{file.name} cannot be read: {error.strerror}.") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise LoadError(f"{file.name} is no notebook of format 4.") from None
    tagged = set()
    for number, source, tags in codes:
        for id in set(tags) & set(exercise_ids()) if "exercise" in tags else ():
            tagged.add(id)
            source = _without_magics(source)
            yield Answer(id, file, source, number, stub=_is_stub(source, id))
    for number, source, _ in codes:  # where the tag of an exercise was lost
        source = _without_magics(source)
        for id in set(_defined(source)) - tagged:
            yield Answer(id, file, source, number, stub=_is_stub(source, id))


def _without_magics(source: str) -> str:
    """Return the code of a cell without lines such as ``%timeit``; the others keep their numbers."""
    try:
        ast.parse(source)
    except SyntaxError:
        return re.sub(r"(?m)^(\s*)[%!?].*$", r"\1pass", source)
    return source


def _defined(source: str) -> list[str]:
    """Return the ids of the exercises that a text defines functions for."""
    try:
        names = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except SyntaxError:
        names = re.findall(r"(?m)^def\s+(\w+)\s*\(", source)
    ids = exercise_ids()
    return [name for name in dict.fromkeys(names) if name in ids]


def extent(source: str, id: str) -> tuple[int, int]:
    """Return the first line of the last function of this name, decorators included, and the line after it, from 0.

    In a text that is not Python a function ends where the next line begins at the margin.

    Raises
    ------
    ValueError
        If there is none.
    """
    try:
        nodes = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef) and node.name == id]
        node = max(nodes, key=lambda node: node.lineno)
        first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        return first - 1, node.end_lineno or node.lineno
    except SyntaxError:
        lines = source.splitlines()
        first = max(k for k, line in enumerate(lines) if re.match(rf"def\s+{id}\s*\(", line))
        rest = range(first + 1, len(lines))
        last = next((k for k in rest if lines[k][:1] not in ("", " ", "\t", ")", "]", "}", "#")), len(lines))
        while last > first + 1 and not lines[last - 1].startswith((" ", "\t")):
            last -= 1
        return first, last


def _is_stub(source: str, id: str) -> bool:
    """Whether the function's body is a docstring and ``raise NotImplementedError``."""
    try:
        first, last = extent(source, id)
        text = "\n".join(source.splitlines()[first:last])
        functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError):
        return False
    if not functions:
        return False
    body = functions[-1].body
    if ast.get_docstring(functions[-1]) is not None:
        body = body[1:]
    return len(body) == 1 and isinstance(body[0], ast.Raise) and "NotImplementedError" in ast.unparse(body[0])


def _rank(answer: Answer) -> tuple[bool, float, int]:
    try:
        saved = answer.path.stat().st_mtime
    except OSError:
        saved = 0.0
    return not answer.stub, saved, answer.cell or 0


@lru_cache(maxsize=4)
def _run(
    source: str, file: str, folder: Path, beside: frozenset[tuple[str, int]]
) -> tuple[dict[str, Any], BaseException | None]:
    """Run a text in a module of its own; return its names, and the error that stopped it.

    A file with many answers runs once, until it or a file `beside` it changes.
    """
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)  # for the line in an error, and for `find_race`
    module = ModuleType(f"minicoord_learner_{abs(hash(file)):x}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # dataclasses look there
    try:
        with _importing_from(folder):
            exec(compile(source, file, "exec", dont_inherit=True), module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # sys.exit, too
        return module.__dict__, error
    return module.__dict__, None


def _beside(folder: Path) -> frozenset[tuple[str, int]]:
    """Return name and time of the Python files in a folder, which an answer may import."""
    found = set()
    for path in folder.glob("*.py"):
        with contextlib.suppress(OSError):
            found.add((path.name, path.stat().st_mtime_ns))
    return frozenset(found)


@contextlib.contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Let a file import others of its folder, which are read anew the next time."""
    before = set(sys.modules)
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):
            sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None)
            if origin and Path(origin).parent == folder:
                del sys.modules[name]
