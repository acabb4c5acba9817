"""Writing to a learner's files, without losing any of their work: the stubs of a lesson, or one stub put back."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from pathlib import Path

from minicoord.learn.definition.course import PARTS, get, part_of, typed
from minicoord.learn.definition.exercise import Exercise
from minicoord.learn.submissions.answer import Answer
from minicoord.learn.submissions.cells import without_jupyter
from minicoord.learn.submissions.source_text import line_range
from minicoord.learn.submissions.submission import answers_in, read_submission
from minicoord.system.files import write_atomically
from minicoord.system.places import what_is_at


class WorkbookError(Exception):
    """A file cannot be changed; the message says why in one sentence."""


def start(part: str, folder: Path) -> tuple[Path, str]:
    """Write a file with the stubs of a part of the course, or add the missing ones to a file that exists.

    What stands in the file of another part of the same lesson is not missing: lesson03.py may hold all of lesson 03.

    Parameters
    ----------
    part : str
        Its name, such as "02" or "03b".
    folder : Path
        It must exist.

    Returns
    -------
    Path, str
        The file, and what was done with it.

    Raises
    ------
    WorkbookError
        If stubs are missing from an existing file that has a syntax error.
    OSError
        If it cannot be written.
    """
    path = folder / _file_name(part)
    present = {id: file for file in _files_of_lesson(part, folder) for id in _ids_in(file)}
    exercises = [get(id) for id in PARTS[part].exercises]
    missing = [exercise for exercise in exercises if exercise.id not in present]
    if not missing:
        return present[exercises[0].id], "already complete; nothing was changed"
    if not path.exists():
        _write(path, _head(part, missing) + _stubs(missing), "utf-8", "\n")
        return path, f"written, with {_count(len(missing))}"
    text, encoding, newline = _read(path)
    try:
        ast.parse(without_jupyter(text))
    except SyntaxError as error:
        message = f"{path} has an error in line {error.lineno}: {error.msg}; fix it, then the stubs can be added."
        raise WorkbookError(message) from None
    imports = [line for line in _imports(missing) if line not in text.splitlines()]
    added = "\n".join([*imports, *[""] * bool(imports)]) + _stubs(missing)
    _write(path, text.rstrip() + "\n\n\n" + added, encoding, newline)
    return path, f"your file was kept, with {_count(len(missing))} added at the end"


def reset(id: str, folder: Path) -> tuple[Path, Path]:
    """Replace the learner's answer to an exercise by its stub, in a ``.py`` file or a notebook.

    Returns
    -------
    Path, Path
        The file, and the backup copy that was made first.

    Raises
    ------
    WorkbookError
        If there is no answer in the folder, or it cannot be separated from the code around it.
    OSError
        If a file cannot be written.
    """
    answer = read_submission(folder).answers.get(id)
    if answer is None:
        command = f"minicoord learn start {typed(part_of(id))}"
        raise WorkbookError(f"there is no answer to {id} in {folder}; `{command}` writes a file with its stub.")
    before = answer.path.read_bytes()
    if answer.cell is None:
        changed = _with_stub(answer)
    else:
        changed = _with_stub_in_cell(answer)
    copy = _free_name(answer.path)
    with write_atomically(copy) as file:
        file.write(before)
    with write_atomically(answer.path) as file:
        file.write(changed)
    return answer.path, copy


def _with_stub(answer: Answer) -> bytes:
    """Return the bytes of a Python file with an answer replaced by its stub."""
    text, encoding, newline = _read(answer.path)
    lines = text.removesuffix("\n").split("\n")  # not splitlines, which also splits at a form feed
    try:
        first, last = line_range(text, answer.id)
    except ValueError as error:
        command = f"minicoord learn start {typed(part_of(answer.id))}"
        message = f"{answer.path}: {error}; remove it by hand, then `{command}` adds its stub."
        raise WorkbookError(message) from None
    changed = "\n".join([*lines[:first], _stub(get(answer.id)), *lines[last:]]) + "\n"
    return changed.replace("\n", newline).encode(encoding)


def _with_stub_in_cell(answer: Answer) -> bytes:
    """Return the bytes of a notebook with the cell of an answer replaced by its stub."""
    assert answer.cell is not None
    notebook = json.loads(answer.path.read_text("utf-8-sig"))
    cell = notebook["cells"][answer.cell - 1]
    cell["source"] = get(answer.id).stub_text().rstrip("\n").splitlines(keepends=True)
    cell["outputs"], cell["execution_count"] = [], None
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "backslashreplace")  # half a surrogate pair in an output becomes its escape in JSON


def _file_name(part: str) -> str:
    return f"lesson{part}.py"


def _files_of_lesson(part: str, folder: Path) -> list[Path]:
    """Return the files that exist for the parts of a lesson; that of the given part comes last, and so it counts."""
    same = [name for name in PARTS if PARTS[name].lesson == PARTS[part].lesson]
    files = [folder / _file_name(name) for name in sorted(same, key=lambda name: name == part)]
    return [file for file in files if file.exists()]


def _ids_in(file: Path) -> list[str]:
    return [answer.id for answer in answers_in(file)]


def _head(part: str, exercises: list[Exercise]) -> str:
    title = f'"""Lesson {part}: {PARTS[part].title}.'
    advice = "Replace the lines that raise NotImplementedError with your own code. Then, in a terminal:"
    commands = "    minicoord learn check\n    minicoord learn watch    (checks whenever you save)"
    return f'{title}\n\n{advice}\n\n{commands}\n"""\n\n' + "\n".join(_imports(exercises)) + "\n\n\n"


def _imports(exercises: list[Exercise]) -> list[str]:
    lines = dict.fromkeys(line for exercise in exercises for line in exercise.imports)
    return sorted(lines, key=lambda line: (line.startswith("from"), line))


def _stubs(exercises: list[Exercise]) -> str:
    parts = (f"# {e.title} ({e.minutes} minutes; minicoord learn hint {e.id})\n{_stub(e)}\n" for e in exercises)
    return "\n\n".join(parts)


def _stub(exercise: Exercise) -> str:
    """Return the signature, docstring and body of a stub, without its imports."""
    lines = exercise.stub_text().rstrip("\n").splitlines()
    return "\n".join(lines[next(k for k, line in enumerate(lines) if line.startswith("def ")) :])


def _read(path: Path) -> tuple[str, str, str]:
    r"""Return the text of a file with lines that end in ``\n``, its encoding, and its real line ending."""
    data = path.read_bytes()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    newline = "\r\n" if b"\r\n" in data else "\n"
    return re.sub("\r\n?", "\n", data.decode(encoding)), encoding, newline


def _write(path: Path, text: str, encoding: str, newline: str) -> None:
    with write_atomically(path) as file:
        file.write(text.replace("\n", newline).encode(encoding))


def _free_name(path: Path) -> Path:
    """Return an unused name for a backup of a file: ``lesson02.py.backup``, then ``lesson02.py.backup-2``."""
    number = 1
    while True:
        name = path.with_name(f"{path.name}.backup{'' if number == 1 else f'-{number}'}")
        if what_is_at(name) is None:
            return name
        number += 1


def _count(number: int) -> str:
    return f"{number} stub{'s' * (number != 1)}"
