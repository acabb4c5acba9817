"""The edition of a lesson for a course that marks: a place for each answer, and no answers of ours.

The questions to think about lose the answers that are folded away below them, and each gets a cell to write in. Cells
that ask for hints no longer offer solutions. Questions in the middle of a lesson, which ask for a prediction, keep
their answers: they are part of reading on.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from minicoord.learn.teaching.markdown import blocks_of
from minicoord.learn.teaching.notebooks import joined
from minicoord.learn.teaching.questions import DETAILS, OF_THE_END, details_of

OFFER = re.compile(r"^#?\s*solution\(.*\)\s*$\n?", re.MULTILINE)
ROW_ON_SOLUTIONS = re.compile(r"^(\| `solution\(\"\w+\"\)` \|).*\|[ \t]*$", re.MULTILINE)
YOURS = "*Your answer:*\n\n"

Notebook = dict[str, Any]


def marked_edition(notebook: Mapping[str, Any], lesson: str) -> Notebook:
    """Return the notebook of a lesson as a course that marks hands it out.

    Parameters
    ----------
    notebook : mapping
        The student edition, as JSON holds it.
    lesson : str
        The number of the lesson, such as ``"02"``.
    """
    made = copy.deepcopy(dict(notebook))
    made["cells"] = list(_cells(made["cells"], lesson))
    return made


def _cells(cells: list[dict[str, Any]], lesson: str) -> Iterator[dict[str, Any]]:
    number, at_the_end = 0, False
    for cell in cells:
        text = joined(cell["source"])
        if cell["cell_type"] == "code":
            yield {**cell, "source": _lines(OFFER.sub("", text).rstrip("\n"))}
            continue
        parts: list[str] = []
        pieces = 0
        for block in blocks_of(text):
            if block.startswith("#"):
                at_the_end = OF_THE_END in block.lower()
            if not (at_the_end and DETAILS.search(block)):
                parts.append(block)
                continue
            number += 1
            asked = " ".join(details_of(block)[0].split())
            yield _part(cell, [*parts, f"**{number}.** {asked}"], pieces)
            yield _answer_cell(f"{lesson}.{number}")
            parts, pieces = [], pieces + 1
        if parts:
            yield _part(cell, parts, pieces)


def _part(cell: Mapping[str, Any], blocks: list[str], piece: int) -> dict[str, Any]:
    """Return a text cell with some of the blocks of another one; the first keeps its id."""
    text = ROW_ON_SOLUTIONS.sub(r"\1 your teacher has the solutions of this course |", "\n\n".join(blocks))
    changed = {**cell, "source": _lines(text)}
    if piece and "id" in cell:
        changed["id"] = f"{cell['id']}-{piece}"
    return changed


def _answer_cell(question: str) -> dict[str, Any]:
    id = f"answer-{question.replace('.', '-')}"
    return {"cell_type": "markdown", "id": id, "metadata": {"tags": ["answer", question]}, "source": _lines(YOURS)}


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
