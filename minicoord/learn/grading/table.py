"""The table of grades as a CSV file: written after every learner, and read again to go on where grading ended."""

from __future__ import annotations

import contextlib
import csv
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from minicoord.learn.checking.untrusted_text import in_one_line, printable
from minicoord.learn.definition.course import exercise_ids
from minicoord.learn.grading.row import UNATTEMPTED, Kept, Known, Row
from minicoord.learn.marks.points import number
from minicoord.learn.marks.scheme import Scheme
from minicoord.system.console import say
from minicoord.system.files import write_atomically

OF_AN_ANSWER = ("learner", "lesson", "exercise", "outcome", "passed", "sentence", "cause", "seconds")
OF_ITS_FILE = ("saved",)
OF_THE_SCHEME = ("late", "points", "possible")
COLUMNS = (*OF_AN_ANSWER, *OF_ITS_FILE, *OF_THE_SCHEME, "fingerprint")
FORMULA_SIGNS = frozenset("=+-@|%'\uff1d\uff0b\uff0d\uff20")
BYTE_ORDER_MARK = "\ufeff"

Cells = tuple[str, ...]


class TableError(Exception):
    """A file is not a table of grades; the message says so in one sentence."""


class TableNotWrittenError(Exception):
    """The table can be written nowhere; every place that was tried has been told."""


class Table:
    """The rows of each learner, and the file in which they are.

    Parameters
    ----------
    path : Path
        Where the table is written. If that fails, it is written beside it or into a new temporary folder, and the
        place is told on stderr.
    scheme : Scheme
        What the columns on points and lateness follow.
    """

    def __init__(self, path: Path, scheme: Scheme | None = None) -> None:
        self.path = path
        self.scheme = Scheme() if scheme is None else scheme
        self.rows: dict[str, dict[str, Cells]] = {}
        """The rows of each learner by exercise, by the name as `name_cell` writes it."""

    @property
    def size(self) -> int:
        """The number of rows."""
        return sum(map(len, self.rows.values()))

    @property
    def all_rows(self) -> list[Cells]:
        """Every row, in the order in which they are written."""
        return [row for name in sorted(self.rows) for row in _in_course_order(self.rows[name])]

    def add(self, rows: Sequence[Row | Kept]) -> None:
        """Take new rows of one learner and what is said about those that are kept, and write the table."""
        there = self.rows.setdefault(name_cell(rows[0].learner), {})
        for row in rows:
            if isinstance(row, Row):
                cells = row_cells(row)
            else:
                cells = (*there[row.exercise][:-1], row.fingerprint)
            there[row.exercise] = with_marks(cells, self.scheme)
        self.write()

    def resume(self, learners: Iterable[str]) -> dict[str, dict[str, Known]]:
        """Take the rows of these learners from the file; return what is known of each of their answers.

        Rows of exercises that the course no longer has are left out.

        Raises
        ------
        OSError, TableError
            If the file cannot be read, or is not a table of grades.
        """
        there: dict[str, dict[str, Cells]] = {}
        for row in read_table(self.path):
            if row[2] in exercise_ids():
                there.setdefault(row[0], {})[row[2]] = with_marks(row, self.scheme)
        cells = {learner: name_cell(learner) for learner in learners}
        self.rows = {name: there[name] for name in cells.values() if name in there}
        return {learner: _known(self.rows[name]) for learner, name in cells.items() if name in self.rows}

    def write(self) -> None:
        """Write the table under its name or, so that no grading is lost, under another, which it keeps from then on.

        Raises
        ------
        TableNotWrittenError
            If it can be written nowhere.
        """
        for path in _places(self.path):
            try:
                write_table(path, self.all_rows)
            except OSError as error:
                say(f"{path} cannot be written: {error.strerror or error}")
            else:
                self.path = path
                return
        raise TableNotWrittenError


def _known(rows: dict[str, Cells]) -> dict[str, Known]:
    outcome, saved = COLUMNS.index("outcome"), COLUMNS.index("saved")
    return {id: Known(row[outcome], row[-1], row[saved]) for id, row in rows.items()}


def _in_course_order(rows: dict[str, Cells]) -> list[Cells]:
    return [rows[id] for id in exercise_ids() if id in rows]


def _places(path: Path) -> Iterator[Path]:
    """Yield where the table may be written: under the given name, beside it, and in a new temporary folder."""
    yield path
    yield path.with_name(f"{path.stem}-2{path.suffix}")
    yield Path(tempfile.mkdtemp(prefix="minicoord-grades-")) / f"{path.stem}-3{path.suffix}"


def write_table(path: Path, rows: Iterable[Cells], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows as CSV, in UTF-8 with the byte order mark from which spreadsheets know it."""
    with write_atomically(path, "w") as file:
        file.write(BYTE_ORDER_MARK)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def read_table(path: Path) -> list[Cells]:
    """Return the rows of a table as they were written, or raise `TableError` or OSError.

    In a table of an earlier version, whose rows end with the seconds, the other cells are empty.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *rows = map(tuple, csv.reader(file))
    except (UnicodeDecodeError, csv.Error, ValueError):  # ValueError: it is empty
        raise TableError(f"{path} is not a table of grades") from None
    if head not in (COLUMNS, OF_AN_ANSWER) or any(len(row) != len(head) for row in rows):
        raise TableError(f"{path} is not a table of grades with the columns {', '.join(COLUMNS)}")
    return [(*row, *[""] * (len(COLUMNS) - len(row))) for row in rows]


def row_cells(row: Row) -> Cells:
    """Return a row as it is written. Sentences come from learners: they are made printable, in one line each.

    The cells on points and lateness are empty; `with_marks` fills them in.
    """
    of_an_answer = [_cell(getattr(row, column)) for column in OF_AN_ANSWER[1:]]
    return name_cell(row.learner), *of_an_answer, row.saved, *[""] * len(OF_THE_SCHEME), row.fingerprint


def with_marks(cells: Cells, scheme: Scheme) -> Cells:
    """Return a row with the points and the days of lateness that a scheme gives it."""
    row = dict(zip(COLUMNS, cells, strict=True))
    lesson, exercise, passed = row["lesson"], row["exercise"], row["passed"] == "True"
    attempted = row["outcome"] not in UNATTEMPTED
    days = scheme.days_late(row["learner"], lesson, moment(row["saved"])) if attempted else 0
    marks = {
        "late": str(days) if days else "",
        "points": number(scheme.earned(lesson, exercise, passed, days)),
        "possible": number(scheme.possible(lesson, exercise)),
    }
    return tuple({**row, **marks}.values())


def moment(text: str) -> datetime | None:
    """Return a time as the table has it, or None if there is none; without an offset it is one of this computer."""
    with contextlib.suppress(ValueError):
        when = datetime.fromisoformat(text)
        return when if when.tzinfo is not None else when.astimezone()
    return None


def name_cell(learner: str) -> str:
    """Return the name of a learner as it is written: every white space kept, as two names may differ in it alone."""
    return _without_formula(printable(learner))


def _cell(value: Any) -> str:
    return _without_formula(in_one_line(value)) if isinstance(value, str) else str(value)


def _without_formula(text: str) -> str:
    """Return a text with an apostrophe before it if a spreadsheet might take it for a formula.

    A formula begins with one of some signs, white space and invisible signs before it aside. A text that begins with an
    apostrophe gets another one, so that no two texts become the same.

    Examples
    --------
    >>> _without_formula("=1+1"), _without_formula(" @a"), _without_formula("anna=1")
    ("'=1+1", "' @a", 'anna=1')
    """
    first = next((sign for sign in text if unicodedata.category(sign)[0] not in "ZC"), "")
    return f"'{text}" if first in FORMULA_SIGNS else text
