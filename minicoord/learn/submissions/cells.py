"""The code cells of a notebook, as Python that runs without Jupyter."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Lines that only Jupyter understands, and what replaces them; line numbers stay the same.
JUPYTER_LINES = [
    (re.compile(r"^(\s*)([\w.\[\], ]+=\s*)[%!].*$"), r"\1\2None"),  # files = !ls
    (re.compile(r"^(\s*)[%!?].*$"), r"\1pass"),  # %timeit f(x)
    (re.compile(r"^(\s*)\S.*\?\s*$"), r"\1pass"),  # np.pad?
]


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes
    ----------
    number : int
        Counted from 1, text cells included.
    source : str
        The code, with lines that only Jupyter understands replaced.
    tags : frozenset of str
    """

    number: int
    source: str
    tags: frozenset[str]


def code_cells(file: Path) -> list[Cell]:
    """Return the code cells of a notebook.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is not a notebook in format 4, encoded in UTF-8.
    """
    notebook: Any = None
    try:
        notebook = json.loads(file.read_text("utf-8-sig"))
        cells = enumerate(notebook["cells"], start=1)
        return [
            Cell(number, without_jupyter("".join(cell["source"])), _tags(cell.get("metadata")))
            for number, cell in cells
            if cell["cell_type"] == "code"
        ]
    except UnicodeDecodeError:
        raise ValueError(f"{file.name} is not encoded in UTF-8; save it again in Jupyter.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        advice = " It is in format 3; save it again in Jupyter." if _is_format_3(notebook) else ""
        raise ValueError(f"{file.name} is not a notebook in format 4.{advice}") from None


def _is_format_3(notebook: Any) -> bool:
    return isinstance(notebook, dict) and "worksheets" in notebook


def without_jupyter(source: str) -> str:
    """Return the code of a cell with harmless Python in place of lines such as ``%timeit f(x)`` and ``f?``.

    Only lines that are syntax errors in Python are replaced: in an expression over several lines, one may begin with
    ``%``.
    """
    lines = re.sub(r"\r\n?", "\n", source).split("\n")
    for _ in lines:
        try:
            ast.parse("\n".join(lines))
        except SyntaxError as error:
            number = (error.lineno or 0) - 1
            if not 0 <= number < len(lines):
                break
            line = _replaced(lines[number])
            if line == lines[number]:
                break
            lines[number] = line
        except (ValueError, RecursionError, MemoryError):  # ValueError: a null character
            break
        else:
            break
    return "\n".join(lines)


def _replaced(line: str) -> str:
    for pattern, replacement in JUPYTER_LINES:
        if pattern.match(line):
            return pattern.sub(replacement, line)
    return line


def _tags(metadata: Any) -> frozenset[str]:
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset()
