"""The answer key: each question to think about with what earns its points, and the answer of the lesson."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from minicoord.learn.teaching.questions import Question

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

RUBRIC_FILE = "rubric.toml"
HOW_TO_MARK = """For whoever marks. Each line below a question is worth one point, in whatever words it is said. Half a
point for a line that is there in part. An answer that is right in another way than ours gets all points; one that is
copied from the lesson gets them only if its author can explain it."""

ALIKE = 0.75
"""How alike two questions have to be, from 0 to 1, to count as one that was reworded."""


@dataclass(frozen=True)
class Criteria:
    """What earns the points of one question.

    Attributes
    ----------
    asks : str
        The question.
    points : tuple of str
        What an answer has to say, for one point each.
    wrong : str
        What is often said, and earns nothing.
    """

    asks: str
    points: tuple[str, ...]
    wrong: str = ""


@dataclass(frozen=True)
class Rubric:
    """The criteria of single questions, and those of all others."""

    general: tuple[str, ...]
    criteria: tuple[Criteria, ...]

    def of(self, question: Question) -> Criteria | None:
        """Return the criteria of a question, or None if it has none of its own."""
        words = _words(question.text)
        scored = [(_likeness(words, _words(each.asks)), each) for each in self.criteria]
        best, found = max(scored, key=lambda pair: pair[0], default=(0.0, None))
        return found if best >= ALIKE else None


def read_rubric(path: Path) -> Rubric:
    """Return the rubric in a TOML file.

    Raises
    ------
    OSError
        If it cannot be read.
    ValueError
        If it is malformed.
    """
    content: Mapping[str, Any] = tomllib.loads(path.read_text("utf-8"))
    try:
        criteria = tuple(
            Criteria(entry["asks"], tuple(entry["points"]), entry.get("wrong", "")) for entry in content["question"]
        )
        return Rubric(tuple(content["general"]), criteria)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} is not a rubric: {error}; expected general, and asks and points of questions"
        ) from None


def answer_key(questions: Sequence[Question], rubric: Rubric) -> str:
    """Return the answer key in Markdown."""
    general = "\n".join(f"- {point}" for point in rubric.general)
    parts = ["# Answer key", HOW_TO_MARK, f"Where a question has no lines of its own:\n\n{general}"]
    lesson = ""
    for question in questions:
        if question.lesson != lesson:
            lesson = question.lesson
            parts.append(f"## Lesson {lesson}")
        parts.append(_entry(question, rubric))
    return "\n\n".join(parts) + "\n"


def _entry(question: Question, rubric: Rubric) -> str:
    found = rubric.of(question)
    points = "\n".join(f"- {point} **(1)**" for point in (found.points if found else rubric.general))
    wrong = f"\n\nEarns nothing: {found.wrong}" if found and found.wrong else ""
    answer = "\n".join(f"> {line}".rstrip() for line in question.answer.split("\n"))
    return f"### {question.id} {question.text}\n\n{points}{wrong}\n\nThe lesson says:\n\n{answer}"


def _words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def _likeness(a: Sequence[str], b: Sequence[str]) -> float:
    return SequenceMatcher(None, a, b, autojunk=False).ratio()
