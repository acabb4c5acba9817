"""Slides as one self-contained HTML page: it scrolls, follows the arrow keys, and prints one slide to a page.

Nothing is loaded from elsewhere. On the screen, n shows the notes, and o all slides at a glance. To print with notes,
show them first.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

from minicoord.learn.teaching.markdown import as_html
from minicoord.learn.teaching.notebooks import Figure, Lesson
from minicoord.learn.teaching.slides import EXERCISE, FIGURE, TITLE, Slide, slides_of

PLACE_FOR_FIGURES = (94, 33)
"""Width and height of the place for figures, in units of a hundredth of the slide's width."""

STYLE = """
:root { --unit: min(1vw, 1.7778vh); }
* { box-sizing: border-box; }
html { scroll-snap-type: y proximity; }
body { margin: 0; background: #d9dcdf; font-family: system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif;
  color: #1b1b1b; }
.slide { width: calc(100 * var(--unit)); height: calc(56.25 * var(--unit)); margin: 0 auto; padding: 2.2em 2.8em 1.6em;
  font-size: calc(1.95 * var(--unit)); line-height: 1.36; background: #fff; position: relative; overflow: hidden;
  display: flex; flex-direction: column; scroll-snap-align: start; border-bottom: 1px solid #d9dcdf; }
.fit { flex: 1; min-height: 0; display: flex; flex-direction: column; justify-content: flex-start; gap: .7em;
  font-size: calc(1em * var(--fit, 1)); }
h1 { font-size: 2.5em; line-height: 1.15; margin: 0 0 .4em; }
h2 { font-size: 1.45em; line-height: 1.2; margin: 0 0 .55em; font-weight: 650; }
p { margin: 0 0 .6em; } ul, ol { margin: 0 0 .6em; padding-left: 1.3em; } li { margin-bottom: .32em; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .86em; }
pre { margin: 0 0 .6em; padding: .7em .9em; background: #f2f4f5; white-space: pre-wrap; line-height: 1.32; }
blockquote { margin: .2em 0; padding: .5em .9em; border-left: .3em solid #d55e00; background: #fdf3ec;
  font-size: 1.12em; }
blockquote p { margin: 0; }
table { border-collapse: collapse; font-size: .82em; } th, td { padding: .22em .7em; border-bottom: 1px solid #c9ced2;
  text-align: left; vertical-align: top; } caption { text-align: left; font-weight: 600; padding-bottom: .3em; }
.dense th, .dense td { padding: .1em .45em; line-height: 1.25; } .dense th { vertical-align: bottom; }
.one-line td { white-space: nowrap; }
.text .fit, .end .fit, .question .fit { font-size: calc(1.2em * var(--fit, 1)); }
.exercise pre { font-size: .74em; }
.title .fit { justify-content: center; font-size: calc(1.15em * var(--fit, 1)); }
.title { border-left: 1.1em solid #0072b2; }
.exercise { border-left: 1.1em solid #009e73; } .question { border-left: 1.1em solid #d55e00; }
.figures { flex: 1; min-height: 0; display: flex; gap: .8em 1.2em; align-items: stretch; justify-content: center; }
.figures.column { flex-direction: column; }
figure { margin: 0; flex: 1 1 0; min-width: 0; min-height: 0; display: flex; flex-direction: column;
  justify-content: center; align-items: center; }
figure img { width: 100%; height: 100%; min-height: 0; object-fit: contain; flex: 0 1 auto; }
figcaption { flex: none; font-size: .8em; color: #444; padding-top: .3em; }
.below { flex: none; } .below > :last-child { margin-bottom: 0; }
.number { position: absolute; right: 1.2em; bottom: .7em; font-size: .62em; color: #6b6f73; }
.notes { display: none; width: calc(100 * var(--unit)); margin: 0 auto; padding: 1.2em 2.8em; background: #fffdf2;
  font-size: max(14px, calc(1.15 * var(--unit))); line-height: 1.5; }
.with-notes .notes { display: block; } .notes pre { white-space: pre-wrap; }
.overview { --unit: .325vw; display: flex; flex-wrap: wrap; gap: .6vw; padding: .6vw; }
.overview .slide { margin: 0; } .overview .notes { display: none; }
@page { size: 320mm 180mm; margin: 0; }
@media print {
  :root, .overview { --unit: 3.2mm; } body { background: #fff; display: block; padding: 0; }
  .slide { break-after: page; break-inside: avoid; border-bottom: 0; print-color-adjust: exact;
    -webkit-print-color-adjust: exact; }
  .notes { break-after: page; }
}
"""

SCRIPT = """
const slides = [...document.querySelectorAll(".slide")];
// Of a slide with a table; the layout with the largest letters wins.
const LAYOUTS = [[], ["dense"], ["dense", "one-line"]];
function sizeOf(body, layout) {
  body.classList.remove("dense", "one-line");
  body.classList.add(...layout);
  let size = 1;
  body.style.setProperty("--fit", size);
  while (size > 0.5 && (body.scrollHeight > body.clientHeight + 1 || body.scrollWidth > body.clientWidth + 1)) {
    size -= 0.02;
    body.style.setProperty("--fit", size);
  }
  return size;
}
function fit() {
  for (const slide of slides) {
    const body = slide.querySelector(".fit");
    let [best, largest] = [LAYOUTS[0], sizeOf(body, LAYOUTS[0])];
    if (largest === 1 || !body.querySelector("table")) continue;
    for (const layout of LAYOUTS.slice(1)) {
      const size = sizeOf(body, layout);
      if (size > largest) [best, largest] = [layout, size];
    }
    sizeOf(body, best);
  }
}
function here() {
  let nearest = 0;
  slides.forEach((slide, k) => {
    const at = (index) => Math.abs(slides[index].getBoundingClientRect().top);
    if (at(k) < at(nearest)) nearest = k;
  });
  return nearest;
}
function go(to) {
  slides[Math.max(0, Math.min(slides.length - 1, to))].scrollIntoView();
}
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const steps = { ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, ArrowLeft: -1, ArrowUp: -1, PageUp: -1 };
  if (event.key in steps) { event.preventDefault(); go(here() + steps[event.key]); }
  if (event.key === "Home") go(0);
  if (event.key === "End") go(slides.length - 1);
  if (event.key === "n") document.body.classList.toggle("with-notes");
  if (event.key === "o") document.body.classList.toggle("overview");
});
addEventListener("resize", fit);
if (location.hash === "#overview") document.body.classList.add("overview");
Promise.all([...document.images].map((image) => image.decode().catch(() => null))).then(fit);
"""


def slide_page(lesson: Lesson) -> str:
    """Return the slides of a lesson as an HTML page."""
    slides = slides_of(lesson)
    title = f"{lesson.number} · {html.escape(lesson.title)}"
    body = "\n".join(_slide(slide, number, len(slides), lesson) for number, slide in enumerate(slides, start=1))
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n{body}\n<script>{SCRIPT}</script>\n</body>\n</html>\n"
    )


def _slide(slide: Slide, number: int, count: int, lesson: Lesson) -> str:
    heading = _inline(slide.heading)
    head = f"<h1>{lesson.number} · {heading}</h1>" if slide.kind == TITLE else f"<h2>{heading}</h2>"
    if slide.kind == FIGURE and slide.figures:
        content = f'<div class="figures {_layout(slide.figures)}">{"".join(map(_figure, slide.figures))}</div>'
        content += _below(slide)
    else:
        content = as_html(slide.body) + "".join(slide.tables) + _preformatted(slide.printed)
        content += (_preformatted(slide.code) if slide.kind == EXERCISE else "") + as_html(slide.after)
        content = f"<div>{content}</div>"
    notes = f'<aside class="notes">{as_html(slide.notes)}</aside>' if slide.notes.strip() else ""
    inside = (
        f'<div class="fit">{head}{content}</div>' if slide.kind == TITLE else f'{head}<div class="fit">{content}</div>'
    )
    return (
        f'<section class="slide {slide.kind}" id="s{number}">{inside}'
        f'<div class="number">{lesson.number} · {number} / {count}</div></section>{notes}'
    )


def _figure(figure: Figure) -> str:
    caption = f"<figcaption>{figure.caption}</figcaption>" if figure.caption else ""
    return f'<figure><img src="{figure.source}" alt="{figure.alt}">{caption}</figure>'


def _layout(figures: Sequence[Figure]) -> str:
    """Return whether figures are larger side by side or one below the other."""
    width, height = PLACE_FOR_FIGURES
    shapes = [figure.shape for figure in figures]
    side_by_side = min(min(width / len(figures) / w, height / h) for w, h in shapes)
    below = min(min(width / w, height / len(figures) / h) for w, h in shapes)
    return "row" if side_by_side >= below else "column"


def _below(slide: Slide) -> str:
    """Return what stands below a figure."""
    words = as_html(slide.body) + "".join(slide.tables) + _preformatted(slide.printed) + as_html(slide.after)
    return f'<div class="below">{words}</div>' if words.strip() else ""


def _preformatted(text: str) -> str:
    return f"<pre>{html.escape(text.rstrip())}</pre>" if text.strip() else ""


def _inline(text: str) -> str:
    """Return one line of Markdown as HTML without a paragraph around it."""
    return as_html(text).strip().removeprefix("<p>").removesuffix("</p>")


def pages_of(lessons: Sequence[Lesson]) -> dict[str, str]:
    """Return the file name and the page of each lesson's slides."""
    return {f"{lesson.name}.html": slide_page(lesson) for lesson in lessons}
