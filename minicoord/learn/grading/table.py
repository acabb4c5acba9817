"""The table of grades as a CSV file: written after every learner, and read again to go on where grading ended."""

from __future__ import annotations

import csv
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minicoord.learn.checking.untrusted_text import in_one_line, printable
from minicoord.system.console import say
from minicoord.system.files import write_atomically

if TYPE_CHECKING:
    from minicoord.learn.grading.grade import Row

COLUMNS = ("learner", "lesson", "exercise", "outcome", "passed", "sentence", "cause", "seconds")
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
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[str, list[Cells]] = {}
        """The rows of each learner, by the name as `name_cell` writes it."""

    @property
    def size(self) -> int:
        """The number of rows."""
        return sum(map(len, self.rows.values()))

    def add(self, rows: Sequence[Row]) -> None:
        """Take the rows of one learner, and write the table."""
        self.rows[name_cell(rows[0].learner)] = [row_cells(row) for row in rows]
        self.write()

    def resume(self, learners: Iterable[str], ids: Sequence[str]) -> set[str]:
        """Take the rows from the file of those learners who have one for each exercise, and return these learners.

        Raises
        ------
        OSError, TableError
            If the file cannot be read, or is not a table of grades.
        """
        there: dict[str, dict[str, Cells]] = {}
        for row in read_table(self.path):
            there.setdefault(row[0], {})[row[COLUMNS.index("exercise")]] = row
        done = {learner for learner in learners if set(ids) <= there.get(name_cell(learner), {}).keys()}
        for learner in sorted(done):
            name = name_cell(learner)
            self.rows[name] = [there[name][id] for id in ids]
        return done

    def write(self) -> None:
        """Write the table under its name or, so that no grading is lost, under another, which it keeps from then on.

        Raises
        ------
        TableNotWrittenError
            If it can be written nowhere.
        """
        rows = [row for name in sorted(self.rows) for row in self.rows[name]]
        for path in _places(self.path):
            try:
                write_table(path, rows)
            except OSError as error:
                say(f"{path} cannot be written: {error.strerror or error}")
            else:
                self.path = path
                return
        raise TableNotWrittenError


def _places(path: Path) -> Iterator[Path]:
    """Yield where the table may be written: under the given name, beside it, and in a new temporary folder."""
    yield path
    yield path.with_name(f"{path.stem}-2{path.suffix}")
    yield Path(tempfile.mkdtemp(prefix="minicoord-grades-")) / f"{path.stem}-3{path.suffix}"


def write_table(path: Path, rows: Iterable[Cells]) -> None:
    """Write rows as CSV, in UTF-8 with the byte order mark from which spreadsheets know it."""
    with write_atomically(path, "w") as file:
        file.write(BYTE_ORDER_MARK)
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(rows)


def read_table(path: Path) -> list[Cells]:
    """Return the rows of a table as they were written, or raise `TableError` or OSError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *rows = map(tuple, csv.reader(file))
    except (UnicodeDecodeError, csv.Error, ValueError):  # ValueError: it is empty
        raise TableError(f"{path} is not a table of grades") from None
    if head != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise TableError(f"{path} is not a table of grades with the columns {', '.join(COLUMNS)}")
    return rows


def row_cells(row: Row) -> Cells:
    """Return a row as it is written. Sentences come from learners: they are made printable, in one line each."""
    return name_cell(row.learner), *(_cell(getattr(row, column)) for column in COLUMNS[1:])


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
