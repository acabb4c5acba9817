"""Records as JSON text."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any


def text_of_records(records: Sequence[Mapping[str, Any]]) -> str:
    """Return records as JSON with one line for each row of a history: readable, and a third as long."""
    return "[\n" + ",\n".join(_text(record) for record in records) + "\n]\n"


def _text(record: Mapping[str, Any]) -> str:
    """Return one record; its history comes last."""
    facts = {key: value for key, value in record.items() if key != "history"}
    rows = ",\n".join("  " + json.dumps(row, allow_nan=False, ensure_ascii=False) for row in record["history"])
    head = json.dumps(facts, indent=1, allow_nan=False, ensure_ascii=False)
    return f'{head.removesuffix("}").rstrip()},\n "history": [\n{rows}\n ]\n}}'
