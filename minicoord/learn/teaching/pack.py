"""What the two editions for a course consist of: the name and the content of each file.

The teacher's has the notebooks, solved and not, and in ``teaching/`` the pages of the repository's folder of that name,
each as Markdown and as a page that prints, the slides of each lesson and the answer key. The students' has the
notebooks of a course that marks.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from minicoord.learn.teaching.answer_key import RUBRIC_FILE, answer_key, read_rubric
from minicoord.learn.teaching.notebooks import lesson_files, read_lesson
from minicoord.learn.teaching.print_page import print_page
from minicoord.learn.teaching.questions import all_questions
from minicoord.learn.teaching.slide_page import slide_page
from minicoord.learn.teaching.student_wheel import marked_bytes

PAGES_OF_THE_COURSE = ("README.md", "TEACHING.md")
ON_ONE_PAGE = "conventions"

File = tuple[str, bytes]


def files_for_students(lessons: Path) -> Iterator[File]:
    """Yield the notebooks of a course that marks."""
    for path in lesson_files(lessons):
        yield path.name, marked_bytes(path)


def files_for_teachers(lessons: Path, teaching: Path) -> Iterator[File]:
    """Yield the files of the teacher's edition, made from the folders of lessons and of the teacher's pages."""
    for path in lesson_files(lessons):
        yield path.name, path.read_bytes()
    for path in lesson_files(lessons / "solutions"):
        yield f"solutions/{path.name}", path.read_bytes()
    for name in PAGES_OF_THE_COURSE:
        yield name, (lessons / name).read_bytes()
    for path in sorted(teaching.glob("*.md")):
        yield from _page(f"teaching/{path.stem}", path.read_text("utf-8"), path.stem == ON_ONE_PAGE)
    rubric = read_rubric(teaching / RUBRIC_FILE)
    yield from _page("teaching/answer_key", answer_key(all_questions(lessons), rubric))
    for path in lesson_files(lessons):
        yield f"teaching/slides/{path.stem}.html", slide_page(read_lesson(path)).encode("utf-8")


def _page(name: str, markdown: str, on_one_page: bool = False) -> Iterator[File]:
    yield f"{name}.md", markdown.encode("utf-8")
    yield f"{name}.html", print_page(markdown, on_one_page=on_one_page).encode("utf-8")
