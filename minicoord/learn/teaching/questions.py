"""The questions to think about at the end of a lesson, with the answers that are folded away below them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from minicoord.learn.teaching.markdown import blocks_of
from minicoord.learn.teaching.notebooks import Lesson, lesson_files, plain_words, read_lesson

DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>(.*?)</details>", re.DOTALL)
NUMBER = re.compile(r"^\s*\d+\.\s*")
OF_THE_END = "think about"


@dataclass(frozen=True)
class Question:
    """A question of a lesson.

    Attributes
    ----------
    lesson : str
        The number of the lesson.
    number : int
        Counted from 1 in each lesson.
    text : str
        In plain words.
    answer : str
        That of the lesson, in Markdown.
    """

    lesson: str
    number: int
    text: str
    answer: str

    @property
    def id(self) -> str:
        """Its number in the course, such as ``"02.1"``."""
        return f"{self.lesson}.{self.number}"


def details_of(block: str) -> tuple[str, str]:
    """Return what a folded block asks and what it answers, both without the number of the question."""
    found = DETAILS.search(block)
    if found is None:
        return "", block
    return NUMBER.sub("", found[1]).strip(), found[2].strip()


def questions_of(lesson: Lesson) -> Iterator[Question]:
    """Yield the questions of a lesson."""
    heading, number = "", 0
    for cell in lesson.cells:
        for block in () if cell.is_code else blocks_of(cell.source):
            if block.startswith("#"):
                heading = block.lower()
            elif OF_THE_END in heading and DETAILS.search(block):
                number += 1
                asked, answer = details_of(block)
                yield Question(lesson.number, number, plain_words(asked), answer)


def all_questions(folder: Path) -> list[Question]:
    """Return the questions of all lessons in a folder, in the order of the course."""
    return [question for path in lesson_files(folder) for question in questions_of(read_lesson(path))]
