"""The verdict on a submitted function: its outcome, one sentence, and how both look in a notebook."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Any

from minicoord.learn.definition.exercise import Exercise

PASSED = "passed"
NOT_ATTEMPTED = "not attempted"
NOT_RUN = "not run"
RAISED = "raised"
RETURNED_NONE = "returned None"
WRONG_TYPE = "wrong type"
WRONG_SHAPE = "wrong shape"
WRONG_DTYPE = "wrong dtype"
CHANGED_INPUT = "changed its input"
WRONG_VALUES = "wrong values"
NOT_AS_ASKED = "not as asked"
NOT_COMPILED = "not compiled"
DEPENDS_ON_THREADS = "depends on threads"

OUTCOMES = (
    PASSED,
    NOT_ATTEMPTED,
    NOT_RUN,
    RAISED,
    RETURNED_NONE,
    WRONG_TYPE,
    WRONG_SHAPE,
    WRONG_DTYPE,
    CHANGED_INPUT,
    WRONG_VALUES,
    NOT_AS_ASKED,
    NOT_COMPILED,
    DEPENDS_ON_THREADS,
)
"""Every possible outcome of a check; after "passed", in the order in which they are checked."""

FAILS_ON_A_CASE = frozenset({RAISED, RETURNED_NONE, WRONG_TYPE, WRONG_SHAPE, WRONG_DTYPE, CHANGED_INPUT, WRONG_VALUES})
"""The outcomes that a call of the function as plain Python shows."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """The outcome of checking an answer.

    Printed, it is one sentence, followed by a second one if the mistake is a common one. A notebook adds a picture.

    Attributes
    ----------
    exercise : str
        The id.
    outcome : str
        One of `OUTCOMES`.
    sentence : str
        What is wrong, or that everything is right.
    cause : str or None
        The common mistake that gives the same result.
    case : str
        The name of the case that fails; empty where the verdict concerns no single case.
    expected, got : object
        The values that the picture compares; None where there is nothing to compare.
    smallest : str
        The smallest case that fails, written out; empty unless somebody asked for it.
    """

    exercise: str
    outcome: str
    sentence: str
    cause: str | None = None
    case: str = ""
    expected: Any = None
    got: Any = None
    smallest: str = ""

    @property
    def passed(self) -> bool:
        """Whether the answer is right."""
        return self.outcome == PASSED

    def __str__(self) -> str:
        cause = "" if self.cause is None else f"Likely cause: {self.cause}."
        return "\n".join(filter(None, [f"{self.exercise}: {self.sentence}", cause, self.smallest]))

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Return the sentence, the likely cause, and a picture of the difference if there is one, as HTML."""
        from minicoord.learn.checking.picture import difference_html  # imports matplotlib, which only a notebook needs
        from minicoord.plots.style import BLUE, VERMILLION

        colour, label = (BLUE, "Right") if self.passed else (VERMILLION, "Not yet")
        if self.outcome == NOT_ATTEMPTED:
            colour, label = "#606060", "Open"
        exercise = html.escape(self.exercise)
        parts = [f"<strong>{label}.</strong> <code>{exercise}</code>: {html.escape(self.sentence)}"]
        if self.cause:
            parts.append(f"<br><strong>Likely cause:</strong> {html.escape(self.cause)}.")
        if not self.passed:
            offers = [f'A hint: <code>hint("{exercise}")</code>']
            if self.case and self.outcome in FAILS_ON_A_CASE and not self.smallest:
                offers.append(f"the smallest case that fails: <code>check({exercise}, show=True)</code>")
            parts.append(f"<br><small>{'; '.join(offers)}</small>")
        smallest = f"<pre>{html.escape(self.smallest)}</pre>" if self.smallest else ""
        picture = difference_html(self.expected, self.got)
        body = f"<p>{''.join(parts)}</p>{picture}{smallest}"
        return f'<div style="border-left:4px solid {colour};padding-left:0.8em">{body}</div>'


def passed(exercise: Exercise, cases: int) -> Verdict:
    """Return the verdict on an answer that is right in every one of this many cases."""
    return Verdict(exercise.id, PASSED, f"passed, all {cases} cases are right.")


def in_quotes(case_name: str) -> str:
    """Return the name of a case as a sentence shows it."""
    return f'"{case_name}"'
