"""A page for each student: what is right, what is not and why, and the next hint. Plain HTML that prints."""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from minicoord.learn.definition.course import LESSONS, exercise_ids, get
from minicoord.learn.grading.table import name_cell
from minicoord.learn.marks.outcomes import Outcome, Student, points_of, students_of
from minicoord.learn.marks.points import number, percent
from minicoord.learn.marks.summaries import in_days
from minicoord.learn.submissions.progress import FILE_NAME
from minicoord.system.files import write_atomically
from minicoord.system.places import FILE, make_folder, what_is_at

LONGEST_NAME = 80
MAX_PROGRESS_BYTES = 2**20

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 46rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.sum { font-size: 1.1rem; }
article { border-left: 5px solid #767676; padding: .1rem 0 .1rem .9rem; margin: .9rem 0; break-inside: avoid; }
article.right { border-color: #0072b2; } article.wrong { border-color: #d55e00; }
article p { margin: .2rem 0; overflow-wrap: anywhere; }
code { font-size: .95em; } .points { float: right; margin-left: 1rem; color: #444; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } }
"""


def write_feedback(folder: Path, outcomes: Iterable[Outcome], submissions: Mapping[str, Path]) -> tuple[int, int]:
    """Write the page of each student into a folder, and return how many there are and how many of them are new.

    A page that would not change is left as it is.

    Parameters
    ----------
    folder : Path
        Created if it is missing.
    outcomes : iterable of Outcome
    submissions : mapping
        The folder or file of each learner, in which the progress file says how many hints they have seen.
    """
    make_folder(folder)
    students = students_of(outcomes)
    seen = {name_cell(learner): hints_seen(path) for learner, path in submissions.items()}
    written = 0
    for student in students:
        path, page = folder / page_name(student.name), page_of(student, seen.get(student.name, {}))
        if what_is_at(path) == FILE and path.read_bytes() == page.encode("utf-8"):
            continue
        with write_atomically(path, "w") as file:
            file.write(page)
        written += 1
    return len(students), written


def page_name(learner: str) -> str:
    """Return the file name of a learner's page; a name that cannot be kept as it is gets a few digits of its hash.

    Examples
    --------
    >>> page_name("anna")
    'anna.html'
    >>> page_name("../b ob")
    '.._b ob-824afd.html'
    """
    safe = re.sub(r"[^\w\- .]", "_", learner)[:LONGEST_NAME].strip() or "_"
    if safe == learner and not safe.startswith(".") and len(safe.encode()) < 200:
        return f"{safe}.html"
    short = safe.encode()[:150].decode(errors="ignore")
    return f"{short}-{hashlib.sha256(learner.encode()).hexdigest()[:6]}.html"


def hints_seen(submission: Path) -> dict[str, int]:
    """Return how many hints of each exercise a learner has seen, as far as their progress file says so.

    The file is only read: it belongs to the learner, who may also have written anything into it.
    """
    path = submission / FILE_NAME
    try:
        if (
            submission.is_symlink()
            or path.is_symlink()
            or what_is_at(path) != FILE
            or path.stat().st_size > MAX_PROGRESS_BYTES
        ):
            return {}
        entries = json.loads(path.read_text("utf-8-sig"))["exercises"]
        counts = {id: entries[id]["hints"] for id in exercise_ids() if "hints" in entries.get(id, {})}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}
    return {id: count for id, count in counts.items() if type(count) is int and count >= 0}


def page_of(student: Student, seen: Mapping[str, int]) -> str:
    """Return the page of one student."""
    points, possible = points_of(student.outcomes)
    passed = sum(outcome.passed for outcome in student.outcomes)
    name = html.escape(student.name)
    sections = "".join(_lesson(lesson, rows, seen) for lesson, rows in student.lessons.items())
    late = _late_line(student)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{name}: minicoord</title>\n'
        f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>{name}</h1>\n"
        f'<p class="sum">{passed} of {len(student.outcomes)} exercises passed: <strong>{number(points)} of '
        f"{number(possible)} points ({percent(points, possible):.0f} %)</strong>.{late}</p>\n"
        f"{sections}</body>\n</html>\n"
    )


def _late_line(student: Student) -> str:
    if not student.late:
        return ""
    worst = max(outcome.days_late for outcome in student.late)
    count = len(student.late)
    return f" Late: {count} answer{'s' * (count != 1)}, by {in_days(worst)} at most."


def _lesson(lesson: str, rows: Sequence[Outcome], seen: Mapping[str, int]) -> str:
    titles = {str(number): title for number, title in LESSONS.items()}
    points, possible = points_of(rows)
    head = f"<h2>Lesson {lesson} · {html.escape(titles.get(lesson, ''))}: {number(points)} of {number(possible)}</h2>\n"
    return head + "".join(_answer(row, seen.get(row.exercise, 0)) for row in rows)


def _answer(row: Outcome, hints: int) -> str:
    """Return what is said about one answer."""
    kind, label = ("right", "Right") if row.passed else ("wrong", "Not yet") if row.attempted else ("open", "Open")
    exercise = get(row.exercise)
    points = f'<span class="points">{number(row.points)} of {number(row.possible)}</span>'
    what = f"<code>{row.exercise}</code>, {html.escape(exercise.title)}: {html.escape(row.sentence)}"
    lines = [f"{points}<strong>{label}.</strong> {what}"]
    if row.cause:
        lines.append(f"<strong>Likely cause:</strong> {html.escape(row.cause)}.")
    if row.days_late:
        lines.append(f"<strong>Late</strong> by {in_days(row.days_late)}.")
    if not row.passed:
        lines.append(_hint(exercise.hints, hints))
    body = "".join(f"<p>{line}</p>" for line in lines if line)
    return f'<article class="{kind}">{body}</article>\n'


def _hint(hints: Sequence[str], seen: int) -> str:
    """Return the next hint: the first one that the learner has not seen, or that they have seen all."""
    if seen >= len(hints):
        return f"You have seen all {len(hints)} hints. The last one: {_with_code(hints[-1])}" if hints else ""
    return f"<strong>Hint {seen + 1} of {len(hints)}:</strong> {_with_code(hints[seen])}"


def _with_code(text: str) -> str:
    """Return a text of ours as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text))
