"""The slides of every lesson on a screen of 1280 x 720: nothing sticks out of a slide, and the letters stay readable.

Skipped without Playwright or without a browser.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minicoord import lessons_folder
from minicoord.learn.teaching.notebooks import lesson_files, read_lesson
from minicoord.learn.teaching.slide_page import slide_page
from minicoord.learn.teaching.slides import slides_of

pytestmark = pytest.mark.timeout(300)

SMALLEST = 0.6  # the share of its size to which a slide may shrink its letters
MEASURED = """slides => slides.map((slide) => {
  const edge = slide.getBoundingClientRect();
  const padding = getComputedStyle(slide);
  const right = edge.right - parseFloat(padding.paddingRight) + 1;
  const bottom = edge.bottom - parseFloat(padding.paddingBottom) + 1;
  const outside = [...slide.querySelectorAll(".fit, .fit *, h1, h2")].filter((part) => {
    const box = part.getBoundingClientRect();
    return box.width * box.height > 0 && (box.right > right || box.bottom > bottom || box.left < edge.left);
  });
  const scale = Number(slide.querySelector(".fit").style.getPropertyValue("--fit"));
  return { id: slide.id, scale, outside: outside.map((part) => part.outerHTML.slice(0, 80)) };
})"""


def measured(browser: Any, page_file: Path) -> list[dict[str, Any]]:
    """Open slides, and return of each its number, the scale of its letters, and what is outside of it."""
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    try:
        page.goto(page_file.as_uri())
        page.wait_for_function(
            "[...document.querySelectorAll('.fit')].every(body => body.style.getPropertyValue('--fit'))"
        )
        return page.eval_on_selector_all(".slide", MEASURED)
    finally:
        page.close()


@pytest.mark.parametrize("path", lesson_files(lessons_folder()), ids=lambda path: path.stem)
def test_every_slide_has_room_for_what_is_on_it(browser: Any, path: Path, tmp_path: Path):
    lesson, page_file = read_lesson(path), tmp_path / "slides.html"
    page_file.write_text(slide_page(lesson), encoding="utf-8")
    slides = measured(browser, page_file)
    assert len(slides) == len(slides_of(lesson))
    assert [slide for slide in slides if slide["outside"]] == []
    assert {slide["id"]: slide["scale"] for slide in slides if slide["scale"] < SMALLEST} == {}
