"""The code cells of a notebook, as Python that can be read without Jupyter."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# What Jupyter understands and Python does not, and what stands in its place so that lines keep their numbers.
JUPYTER = [
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
        Without the lines that only Jupyter understands.
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
        If it is no notebook of format 4 in UTF-8.
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
        raise ValueError(f"{file.name} is not in UTF-8; save it anew in Jupyter.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        old = " It is of format 3: save it anew in Jupyter." if _is_old(notebook) else ""
        raise ValueError(f"{file.name} is no notebook of format 4.{old}") from None


def _is_old(notebook: Any) -> bool:
    return isinstance(notebook, dict) and "worksheets" in notebook


def without_jupyter(source: str) -> str:
    """Return the code of a cell with something harmless in place of lines such as ``%timeit f(x)`` and ``f?``.

    Only where Python stumbles is a line looked at: a line of a sum that begins with ``%`` is none of these.
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
    for pattern, instead in JUPYTER:
        if pattern.match(line):
            return pattern.sub(instead, line)
    return line


def _tags(metadata: Any) -> frozenset[str]:
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset()
