"""The roster of a class: whose submission is which, and by what a gradebook knows a student.

It is a CSV file with a column ``submission``, the name of the student's folder or file without its suffix, and any of
the columns by which Canvas and Moodle identify students; an export of their gradebook has these already.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from minicoord.system.arguments import shown

SUBMISSION = "submission"
CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE = ("First name", "Last name", "ID number", "Username", "Email address")


class RosterError(ValueError):
    """A roster cannot be used; the message says why in one sentence."""


Roster = Mapping[str, Mapping[str, str]]
"""What is known of each student, by the name of the submission."""


def read_roster(path: Path) -> Roster:
    """Return the students in a CSV file, in its order.

    Raises
    ------
    RosterError
        If the file cannot be read, has no column ``submission`` or none that a gradebook knows, or names a submission
        twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            head, *rows = [row for row in csv.reader(file) if any(map(str.strip, row))]
    except OSError as error:
        raise RosterError(f"{path} cannot be read: {error.strerror or error}") from None
    except (UnicodeDecodeError, csv.Error, ValueError):  # ValueError: it is empty
        raise RosterError(f"{path} is not a CSV file in UTF-8 with a line of column names") from None
    columns = [name.strip() for name in head]
    if SUBMISSION not in columns:
        raise RosterError(f"{path} has the columns {', '.join(columns)}, expected one called {SUBMISSION}")
    if not set(columns) & {*CANVAS, *MOODLE}:
        raise RosterError(f"{path} identifies nobody, expected at least one of {', '.join((*CANVAS, *MOODLE))}")
    roster: dict[str, dict[str, str]] = {}
    for line, row in enumerate(rows, start=2):
        if len(row) != len(columns):
            raise RosterError(f"{path}, line {line} has {len(row)} cells, expected {len(columns)}")
        student = dict(zip(columns, (cell.strip() for cell in row), strict=True))
        if student[SUBMISSION] in roster:
            raise RosterError(f"{path}, line {line} names the submission {shown(student[SUBMISSION])} a second time")
        roster[student[SUBMISSION]] = student
    return roster
