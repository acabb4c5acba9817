"""The code cells of a notebook, as Python that runs without Jupyter."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minicoord.learn.checking.untrusted_text import in_one_line

# Lines that only Jupyter understands, and what replaces them; line numbers stay the same.
JUPYTER_LINES = [
    (re.compile(r"""^(\s*)([\w.\[\], '"]+=\s*)[%!].*$"""), r"\1\2None"),  # files = !ls
    (re.compile(r"^(\s*)[%!?].*$"), r"\1pass"),  # %timeit f(x)
    (re.compile(r"^(\s*)\S.*\?\s*$"), r"\1pass"),  # np.pad?
]
CELL_MAGIC = re.compile(r"\s*%%(\w+)")
PROMPT = re.compile(r"^\s*(?:>>>|In \[\d+\]:|\.{3,}:?) ?")
"""What stands before each line of code that was copied from a page or from IPython."""
MAGICS_WITH_PYTHON = frozenset({"capture", "prun", "time", "timeit"})
"""Cell magics that run Python in the notebook; below others, such as ``%%writefile``, nothing defines a name."""

MAX_HEADING = 60


@dataclass(frozen=True)
class Cell:
    """A code cell.

    Attributes
    ----------
    number : int
        Counted from 1, text cells included; Jupyter does not show it.
    place : str
        Where a reader finds it: below which heading, or how it begins.
    source : str
        The code, with lines that only Jupyter understands replaced.
    tags : frozenset of str
    """

    number: int
    place: str
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
        return list(_code_cells(notebook["cells"]))
    except UnicodeDecodeError:
        raise ValueError(f"{file.name} is not encoded in UTF-8; save it again in Jupyter.") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        advice = " It is in format 3; save it again in Jupyter." if _is_format_3(notebook) else ""
        raise ValueError(f"{file.name} is not a notebook in format 4.{advice}") from None


def _code_cells(cells: list[Any]) -> Iterator[Cell]:
    heading = ""
    for number, cell in enumerate(cells, start=1):
        if cell["cell_type"] == "markdown":
            heading = _last_heading("".join(cell.get("source", ""))) or heading
        if cell["cell_type"] == "code":
            text = "".join(cell["source"])
            begin = next((line for line in map(in_one_line, text.splitlines()) if line), "")
            place = f'below "{heading}"' if heading else f'the cell that begins with "{begin[:MAX_HEADING]}"'
            yield Cell(number, place, without_jupyter(text), _tags(cell.get("metadata")))


def _last_heading(text: str) -> str:
    """Return the last heading in a text cell, as Jupyter shows it, or an empty string."""
    headings = re.findall(r"(?m)^#+ +(.+?)[ #]*$", text)
    return in_one_line(headings[-1].replace("`", "").replace("*", ""))[:MAX_HEADING] if headings else ""


def _is_format_3(notebook: Any) -> bool:
    return isinstance(notebook, dict) and "worksheets" in notebook


def without_jupyter(source: str, cell: bool = True) -> str:
    """Return the code of a cell with harmless Python in place of lines such as ``%timeit f(x)`` and ``f?``.

    Only lines that are syntax errors in Python are replaced, with the lines that continue them: in an expression over
    several lines, one may begin with ``%``.
    """
    lines = re.sub(r"\r\n?", "\n", source).split("\n")
    magic = CELL_MAGIC.match(source)
    if magic and magic[1] not in MAGICS_WITH_PYTHON:
        return "\n" * (len(lines) - 1)
    if cell:
        lines = _at_the_margin(lines)
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
            continued = lines[number].endswith("\\")
            lines[number] = line
            while continued and number + 1 < len(lines):
                number += 1
                continued = lines[number].endswith("\\")
                lines[number] = ""
        except (ValueError, RecursionError, MemoryError):  # ValueError: a null character
            break
        else:
            break
    return "\n".join(lines)


def _at_the_margin(lines: list[str]) -> list[str]:
    """Return the lines without what Jupyter strips as well: prompts, or the indentation that the first one has."""
    first = next((line for line in lines if line.strip()), "")
    if re.match(r"\s*(>>>|In \[\d+\]:)", first):
        return [PROMPT.sub("", line) for line in lines]
    indent = first[: len(first) - len(first.lstrip(" \t"))]
    return [line.removeprefix(indent) for line in lines]


def _replaced(line: str) -> str:
    for pattern, replacement in JUPYTER_LINES:
        if pattern.match(line):
            return pattern.sub(replacement, line)
    return line


def _tags(metadata: Any) -> frozenset[str]:
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return frozenset(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else frozenset()
