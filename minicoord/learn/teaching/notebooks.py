"""The notebooks of the lessons, read without Jupyter: their cells, and the figures, tables and text that they show."""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LESSON_FILE = re.compile(r"(?P<number>\d\d[a-z]?)_\w+\.ipynb")
TITLE = re.compile(r"^#\s+(?:\d\d[a-z]?\s*·\s*)?(.+?)\s*$", re.MULTILINE)
FIGURE = re.compile(r"<img\s[^>]*?src=\"(data:image/png;base64,[^\"]+)\"[^>]*?>(?:</div>)?(?:<p>(.*?)</p>)?", re.DOTALL)
ALT = re.compile(r"\balt=\"([^\"]*)\"")
TABLE = re.compile(r"<table.*?</table>", re.DOTALL)


@dataclass(frozen=True)
class Figure:
    """A picture of a cell: its data as a URL, what it shows in words, and the line below it. The words are HTML."""

    source: str
    alt: str
    caption: str

    @property
    def shape(self) -> tuple[int, int]:
        """Its width and height in pixels, from the head of the PNG."""
        head = base64.b64decode(self.source.partition(",")[2][:32])
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")


@dataclass(frozen=True)
class Cell:
    """A cell of a lesson.

    Attributes
    ----------
    is_code : bool
    source : str
    tags : tuple of str
    figures : tuple of Figure
    tables : tuple of str
        HTML tables.
    text : str
        What the cell printed.
    """

    is_code: bool
    source: str
    tags: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[str, ...] = ()
    text: str = ""

    @property
    def exercise(self) -> str | None:
        """The id of the exercise that it holds, or None."""
        others = [tag for tag in self.tags if tag != "exercise"]
        return others[0] if "exercise" in self.tags and others else None


@dataclass(frozen=True)
class Lesson:
    """A lesson: its number such as ``"02"``, its title, the name of its file without suffix, and its cells."""

    number: str
    title: str
    name: str
    cells: tuple[Cell, ...]


def lesson_files(folder: Path) -> list[Path]:
    """Return the notebooks of the lessons in a folder, in the order of the course.

    Examples
    --------
    >>> from minicoord import lessons_folder
    >>> lesson_files(lessons_folder())[0].name
    '00_start_here.ipynb'
    """
    return sorted(path for path in folder.glob("*.ipynb") if LESSON_FILE.fullmatch(path.name))


def read_lesson(path: Path) -> Lesson:
    """Return the lesson in a notebook of format 4.

    Raises
    ------
    ValueError
        If it is something else, or its name is not that of a lesson.
    """
    found = LESSON_FILE.fullmatch(path.name)
    if found is None:
        raise ValueError(f"{path.name} is not the name of a lesson, expected one such as 02_convolution.ipynb")
    try:
        cells = tuple(_cell(cell) for cell in json.loads(path.read_text("utf-8"))["cells"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{path} is not a notebook in format 4") from None
    head = next((TITLE.search(cell.source) for cell in cells if not cell.is_code), None)
    return Lesson(found["number"], head[1] if head else path.stem, path.stem, cells)


def _cell(cell: Mapping[str, Any]) -> Cell:
    source, tags = joined(cell["source"]), tuple(cell["metadata"].get("tags", ()))
    if cell["cell_type"] != "code":
        return Cell(False, source, tags)
    outputs = cell.get("outputs", [])
    pages = [joined(output["data"]["text/html"]) for output in outputs if "text/html" in output.get("data", {})]
    printed = "".join(joined(output["text"]) for output in outputs if output.get("name") == "stdout")
    figures = tuple(figure for page in pages for figure in _figures(page))
    return Cell(True, source, tags, figures, tuple(table for page in pages for table in TABLE.findall(page)), printed)


def joined(text: str | list[str]) -> str:
    """Return a text that a notebook keeps whole or as a list of lines."""
    return text if isinstance(text, str) else "".join(text)


def _figures(page: str) -> Iterator[Figure]:
    for found in FIGURE.finditer(page):
        alt = ALT.search(found[0])
        yield Figure(found[1], alt[1] if alt else "", (found[2] or "").strip())


def plain_words(markup: str) -> str:
    """Return HTML or Markdown as plain words, without tags, emphasis and the targets of links.

    Examples
    --------
    >>> plain_words("**Why** is [it](a.md) `so`?")
    'Why is it so?'
    """
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", re.sub(r"</?\w[^>]*>", "", markup))
    return " ".join(html.unescape(re.sub(r"\*\*|`|(?<!\w)\*(?=\w)|(?<=\w)\*(?!\w)", "", text)).split())
