"""Slides: all that a lesson shows is on them, in its order, and a page needs nothing but itself."""

import base64
import re

import pytest

from minicoord import lessons_folder
from minicoord.learn.definition.course import PARTS, exercise_ids
from minicoord.learn.teaching.markdown import as_html, blocks_of, lead, sentences_of
from minicoord.learn.teaching.notebooks import Cell, Figure, Lesson, lesson_files, read_lesson
from minicoord.learn.teaching.questions import questions_of
from minicoord.learn.teaching.slide_page import slide_page
from minicoord.learn.teaching.slides import EXERCISE, FIGURE, QUESTION, TEXT, TITLE, slides_of

LESSONS = [read_lesson(path) for path in lesson_files(lessons_folder())]
each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)


def picture(width, height):
    """A figure of which there is no more than the head of its PNG."""
    head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return Figure(f"data:image/png;base64,{base64.b64encode(head).decode()}", "words", "")


PICTURE = picture(5, 3)


def test_every_lesson_of_the_course_is_found():
    assert [lesson.number for lesson in LESSONS] == list(PARTS)
    assert {id for lesson in LESSONS for cell in lesson.cells if (id := cell.exercise)} == set(exercise_ids())


@each_lesson
def test_every_figure_and_exercise_is_on_a_slide(lesson):
    slides = slides_of(lesson)
    shown = [figure for slide in slides for figure in slide.figures]
    assert shown == [figure for cell in lesson.cells if not cell.exercise for figure in cell.figures]
    asked = [slide.heading for slide in slides if slide.kind == EXERCISE]
    assert asked == [f"Your turn: `{cell.exercise}`" for cell in lesson.cells if cell.exercise]
    assert all(slide.code.startswith("def ") and '"""' in slide.code for slide in slides if slide.kind == EXERCISE)


@each_lesson
def test_slides_open_end_and_stay_readable(lesson):
    slides = slides_of(lesson)
    assert slides[0].kind == TITLE and slides[0].heading == lesson.title
    assert slides[1].heading.startswith("After this lesson you can") and slides[1].body.startswith("- ")
    headings = [slide.heading.lower() for slide in slides]
    assert "what you now know" in headings
    assert sum("think about" in heading for heading in headings) == 1
    for slide in slides:
        assert len(slide.body) + len(slide.after) < (900 if slide.figures else 1800), slide
        assert len(slide.figures) <= 2 and len(slide.printed.splitlines()) <= 9


@each_lesson
def test_questions_are_asked_and_not_answered(lesson):
    questions = list(questions_of(lesson))
    assert len(questions) >= 3 and [question.number for question in questions] == list(range(1, len(questions) + 1))
    (slide,) = (slide for slide in slides_of(lesson) if "think about" in slide.heading.lower())
    for question in questions:
        first = sentences_of(question.answer)[0]
        assert question.text in slide.body and first not in slide.body and first in " ".join(slide.notes.split())


@each_lesson
def test_a_page_loads_nothing_and_describes_its_figures(lesson):
    page = slide_page(lesson)
    for attribute in re.findall(r"\b(?:src|href)=\"([^\"]{1,40})", page):
        assert attribute.startswith(("data:image/png;base64,", "http", "#")), attribute
    assert not re.search(r"<(?:link|iframe)|@import|url\(|\bfetch\(", page)
    assert all(len(alt) > 30 for alt in re.findall(r"<figure><img [^>]*alt=\"([^\"]*)\"", page))
    assert page.count('<section class="slide') == len(slides_of(lesson))
    assert lesson.number in re.findall(r"<title>(\d\d[a-z]?) ·", page)


def lesson_of(*cells):
    first = Cell(False, "# 42 · A lesson\n\nIt begins.\n\n**After this lesson you can**\n- do it\n\n**Minutes**: 3.")
    return Lesson("42", "A lesson", "42_a_lesson", (first, *cells))


def figure_cell(*figures, text=""):
    return Cell(True, "page.show(x)", (), figures, (), text)


def test_a_question_comes_before_its_figure_and_what_to_see_below_it():
    slides = slides_of(
        lesson_of(
            Cell(False, "## A heading\n\nBefore. **Predict**: how many? Write it down."),
            figure_cell(PICTURE, text="f: ours, because yours has not passed its check here\nthree\n"),
            Cell(False, "What to see: **three**. And more."),
        )
    )
    question, figure = slides[2:]
    assert question.kind == QUESTION and question.body == "Before.\n\n> **Predict**: how many? Write it down."
    assert figure.kind == FIGURE and figure.body == "**three**. And more." and figure.printed == "three\n"
    assert question.figures == () and figure.heading == "A heading"


def test_after_an_exercise_its_topic_goes_on():
    exercise = Cell(True, 'def im2col(x):\n    """Say."""\n    raise NotImplementedError', ("exercise", "im2col"))
    cells = (
        Cell(False, "## Rows\n\nWords.\n\n### Your turn: `im2col`\n\n20 minutes, difficulty 2. Fill it."),
        exercise,
    )
    slides = slides_of(lesson_of(*cells, figure_cell(PICTURE)))
    assert [slide.heading for slide in slides[2:]] == ["Rows", "Your turn: `im2col`", "Rows"]
    assert slides[3].code == 'def im2col(x):\n    """Say."""' and slides[3].body == "20 minutes, difficulty 2."


def test_long_text_is_cut_between_blocks_and_whole_in_the_notes():
    blocks = [f"Paragraph {k} begins here. " + "It goes on and on. " * 20 for k in range(6)]
    slides = slides_of(lesson_of(Cell(False, "## Long\n\n" + "\n\n".join(blocks))))[2:]
    assert len(slides) > 1 and all(slide.kind == TEXT for slide in slides)
    assert all(f"Paragraph {k} begins here." in "".join(slide.body for slide in slides) for k in range(6))
    assert all(" ".join(block.split()) in " ".join(slides[0].notes.split()) for block in blocks)


def test_a_lead_in_stays_with_a_long_list():
    steps = "\n".join(f"{k}. " + "A step that takes some words to say. " * 4 for k in range(1, 6))
    slides = slides_of(lesson_of(Cell(False, f"## Steps\n\n**In this order:**\n\n{steps}")))[2:]
    assert len(slides) == 1 and slides[0].body.startswith("**In this order:**") and "5. A step" in slides[0].body


def test_many_figures_take_several_slides():
    slides = slides_of(lesson_of(Cell(False, "## Three\n\nWords."), figure_cell(*[PICTURE] * 3)))[2:]
    assert [len(slide.figures) for slide in slides] == [2, 1]


def test_the_size_of_a_figure_is_that_of_its_png():
    assert PICTURE.shape == (5, 3)


def test_figures_are_arranged_so_that_they_are_large():
    from minicoord.learn.teaching.slide_page import _layout

    assert _layout([picture(200, 20)] * 2) == "column" and _layout([picture(20, 20)] * 2) == "row"


# Markdown.


def test_blocks_keep_what_belongs_together():
    text = "# Head\nright below\n\n- a\n- b\n\n<details><summary>Q</summary>\n\nA\n\n</details>\n\n    code\n"
    assert list(blocks_of(text)) == [
        "# Head",
        "right below",
        "- a\n- b",
        "<details><summary>Q</summary>\n\nA\n\n</details>",
        "    code",
    ]


@pytest.mark.parametrize(
    "text, sentences",
    [
        ("One. Two? Three!", ["One.", "Two?", "Three!"]),
        ("It is .5, e.g. Here. **Both. Of them.** End", ["It is .5, e.g. Here.", "**Both. Of them.**", "End"]),
        ("(In brackets. Still in.) Out.", ["(In brackets. Still in.)", "Out."]),
        ("`a. B` is code. Yes.", ["`a. B` is code.", "Yes."]),
    ],
)
def test_sentences(text, sentences):
    assert sentences_of(text) == sentences


def test_the_lead_of_a_paragraph_is_whole_sentences():
    long = "Long " * 50 + "one."
    assert lead(f"First one. {long} Third.", 100) == "First one."
    assert lead(f"{long} Second.", 100) == long


def test_links_to_files_become_words_where_the_file_is_not():
    assert as_html("[a](b.md) [c](https://d.e)") == '<p>a <a href="https://d.e">c</a></p>\n'
    assert 'href="b.md"' in as_html("[a](b.md)", links_to_files=True)
