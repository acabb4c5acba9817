"""What the tests of marks share: outcomes as a table of grades would have them."""

from datetime import datetime, timedelta, timezone

from minicoord.learn.definition.course import get
from minicoord.learn.grading.row import Row
from minicoord.learn.grading.table import row_cells, with_marks
from minicoord.learn.marks.outcomes import Outcome, outcomes_in
from minicoord.learn.marks.scheme import Scheme

ZONE = timezone(timedelta(hours=1))
NOON = datetime(2026, 12, 3, 12, tzinfo=ZONE)


def outcome(learner, id, passed=True, *, cause="", saved=NOON, outcome="", scheme=None) -> Outcome:
    """One row of the table, with the points of a scheme."""
    what = outcome or ("passed" if passed else "wrong values")
    row = Row(learner, get(id).lesson, id, what, passed, f"a sentence on {id}", cause, 1.0, saved.isoformat(), "x-y")
    (made,) = outcomes_in([with_marks(row_cells(row), Scheme() if scheme is None else scheme)])
    return made
