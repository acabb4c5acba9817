"""A learner's answers, read from ``.py`` files and notebooks.

Finding the answers runs none of the learner's code. In a notebook, the last cell that attempts an exercise counts.
"""

from __future__ import annotations

import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from minicoord.learn.checking.errors import describe_error
from minicoord.learn.definition.course import exercise_ids
from minicoord.learn.submissions.answer import Answer, LoadError
from minicoord.learn.submissions.cells import Cell, code_cells, without_jupyter
from minicoord.learn.submissions.free_names import free_names, imports_of
from minicoord.learn.submissions.source_text import (
    answered_ids,
    defined_functions,
    is_blank,
    is_stub,
    nearest_id,
    syntax_error,
)

SUFFIXES = (".py", ".ipynb")


@dataclass
class Submission:
    """The answers found in a file or folder.

    Attributes
    ----------
    answers : dict
        The `Answer` to each exercise by id, in the order of the course.
    problems : list of str
        A sentence for each file that cannot be read or has a syntax error.
    notes : dict
        By id, a sentence on where else an exercise is answered, or under which wrong name.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)


def read_submission(path: Path) -> Submission:
    """Return the answers in a ``.py`` file, a notebook, or a folder of them (without its subfolders).

    Of several answers to an exercise, attempts are preferred to stubs, and then the one saved last; in a notebook, the
    last one.
    """
    found: dict[str, list[Answer]] = {}
    problems, misnamed = [], {}
    for file in files_in(path):
        try:
            sources = _sources_in(file)
        except LoadError as error:
            problems.append(str(error))
            continue
        problems += _problems_of(file, sources)
        for answer in _answers(file, sources):
            found.setdefault(answer.id, []).append(answer)
        misnamed |= _misnamed(file, sources)
    best = {id: max(found[id], key=_rank) for id in exercise_ids() if id in found}
    elsewhere = {id: note for id in best if (note := _note_on_files(best[id], found[id]))}
    unanswered = {id: note for id, note in misnamed.items() if id not in best or not best[id].attempted}
    return Submission(best, problems, {**elsewhere, **unanswered})


def files_in(path: Path) -> list[Path]:
    """Return the files that may hold answers: the file itself, or those of a folder by name, without hidden ones."""
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))


def answers_in(file: Path) -> Iterator[Answer]:
    """Yield the answers in a file, without running it.

    Raises
    ------
    LoadError
        If the file cannot be read.
    """
    yield from _answers(file, _sources_in(file))


Sources = str | list[Cell]
"""The source of a ``.py`` file, or the cells of a notebook."""


def _sources_in(file: Path) -> Sources:
    if file.suffix.lower() == ".ipynb":
        try:
            return code_cells(file)
        except OSError as error:
            raise LoadError(f"{file.name} cannot be read: {error.strerror}.") from None
        except ValueError as error:
            raise LoadError(str(error)) from None
    try:
        with tokenize.open(file) as opened:  # decodes it as Python does
            return without_jupyter(opened.read(), cell=False)  # a notebook exported by Colab keeps its shell commands
    except OSError as error:
        raise LoadError(f"{file.name} cannot be read: {error.strerror or error}.") from None
    except (SyntaxError, UnicodeDecodeError):  # Python's own message does not say what to do
        reason = "it is encoded neither in UTF-8 nor as its first lines declare; save it as UTF-8"
        raise LoadError(f"{file.name} cannot be read: {reason}.") from None


def _answers(file: Path, sources: Sources) -> Iterator[Answer]:
    if isinstance(sources, str):
        for id in answered_ids(sources):
            yield Answer(id, file, sources, stub=is_stub(sources, id))
        return
    for cell in sources:
        tagged = cell.tags.intersection(exercise_ids()) if "exercise" in cell.tags else frozenset()
        defined = {*answered_ids(cell.source, cell=True), *tagged.intersection(answered_ids(cell.source))}
        if not tagged | defined:
            continue
        imports = imports_of(free_names(cell.source), (other.source for other in sources if other is not cell))
        for id in tagged | defined:
            stub = is_stub(cell.source, id) or is_blank(cell.source)
            yield Answer(id, file, cell.source, cell.number, stub, id in defined, imports, cell.place)


def _problems_of(file: Path, sources: Sources) -> Iterator[str]:
    """Yield a sentence if a ``.py`` file that names an exercise has a syntax error."""
    error = syntax_error(sources) if isinstance(sources, str) else None
    if error is not None and not set(exercise_ids()).isdisjoint(re.findall(r"\w+", str(sources))):
        yield f"{file.name}: {describe_error(error)}"


def _misnamed(file: Path, sources: Sources) -> dict[str, str]:
    """Return a sentence on each function whose name is nearly that of an exercise, by the id of this exercise."""
    texts = [sources] if isinstance(sources, str) else [cell.source for cell in sources]
    names = {name for text in texts for name in defined_functions(text)} - set(exercise_ids())
    near = {name: nearest_id(name) for name in sorted(names)}
    return {id: f"{file.name} defines {name}; did you mean {id}?" for name, id in near.items() if id is not None}


def _note_on_files(best: Answer, found: list[Answer]) -> str:
    """Return a sentence if an exercise is attempted in several files."""
    others = sorted({answer.path.name for answer in found if answer.attempted} - {best.path.name})
    if not others:
        return ""
    return f"{best.id} is answered in {' and '.join(others)}, too; {best.path.name} counts, which was saved last."


def _rank(answer: Answer) -> tuple[bool, bool, float, int]:
    try:
        saved = answer.path.stat().st_mtime
    except OSError:
        saved = 0.0
    return answer.attempted, not answer.stub, saved, answer.cell or 0
