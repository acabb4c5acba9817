"""Records as JSON text; a metric and a commit as text."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

UNKNOWN = "unknown"


def commit_of(facts: Mapping[str, Any]) -> str:
    """Return the commit of a record or of one of its sittings; that of an installed package is not known.

    Examples
    --------
    >>> commit_of({"commit": "abcdef0"}), commit_of({"commit": None}), commit_of({})
    ('abcdef0', 'unknown', 'unknown')
    """
    return str(facts.get("commit") or UNKNOWN)


def text_of_records(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as JSON with one line for each row of a history: readable, and a third as long."""
    text = "[\n" + ",\n".join(_text(record) for record in records) + "\n]\n"
    # A path may hold a byte that is not UTF-8, which Python reads as a lone surrogate. No encoding has one.
    return re.sub(r"[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):04x}", text)


def _text(record: Mapping[str, Any]) -> str:
    """Return one record; its history comes last."""
    facts = {key: value for key, value in record.items() if key != "history"}
    rows = ",\n".join("  " + json.dumps(row, allow_nan=False, ensure_ascii=False) for row in record["history"])
    head = json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False)
    return f'{head.removesuffix("}").rstrip()},\n "history": [\n{rows}\n ]\n}}'


def digits(value: float | None, count: int) -> str:
    """Return a metric with this number of significant digits; NaN and infinity, null in a file, are not finite.

    Examples
    --------
    >>> digits(0.98765432, 4), digits(None, 4), digits(float("nan"), 4)
    ('0.9877', 'not finite', 'not finite')
    """
    return "not finite" if value is None or not math.isfinite(value) else f"{value:.{count}g}"
