"""What the tests of grading share: grading one submission or a folder, its rows, and the end of a process."""

import os
import sys
import time

import pytest

from minicoord.learn.definition.course import get
from minicoord.learn.grading.grade import grade_folder
from minicoord.learn.grading.row import Row

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def has_ended(pid, seconds=20):
    """Whether a process is gone, or goes within some seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def graded(folder, *ids, **options):
    """Return the rows by learner and exercise."""
    found = grade_folder(folder, ids, **{"seconds": 20.0, **options})
    return {(row.learner, row.exercise): row for rows in found for row in rows if isinstance(row, Row)}


def grade_one(tmp_path, source, id="add_coords", **options):
    (tmp_path / "learner.py").write_text(source)
    return graded(tmp_path, id, **options)["learner", id]


def solution(id):
    return get(id).solution_text()
