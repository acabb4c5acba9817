"""The text of a file of records."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def text_of_records(records: Sequence[Mapping[str, Any]]) -> str:
    """Return a list of records as JSON with a line for each row of a history: readable, and a third of the length."""
    return "[\n" + ",\n".join(_text(record) for record in records) + "\n]\n"


def _text(record: Mapping[str, Any]) -> str:
    facts = {key: value for key, value in record.items() if key != "history"}
    rows = ",\n".join("  " + json.dumps(row, allow_nan=False, ensure_ascii=False) for row in record["history"])
    head = json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False)
    return f'{head.removesuffix("}").rstrip()},\n "history": [\n{rows}\n ]\n}}'
