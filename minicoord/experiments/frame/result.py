"""What a finished run's ``result.json`` must hold, and the conversion of one that version 0.1 wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from minicoord.experiments.frame.settings import Settings, names_of
from minicoord.system.arguments import shown

RENAMED = {"split": "variant", "cores_of_others": "background_load"}  # as version 0.1 called them, and now


def is_of_first_version(record: Mapping[str, Any]) -> bool:
    """Return whether a result, or the settings in a checkpoint, are of version 0.1, whose variants were splits."""
    return "split" in record and "variant" not in record


def upgraded(record: Mapping[str, Any], kind: type[Settings]) -> dict[str, Any]:
    """Return a result in the current format; `kind` is the settings class of its experiment.

    "split" is renamed "variant" and "cores_of_others" "background_load". The length of a run gets a unit. The settings
    hold exactly those of the network, including ``raw_input``, which was outside of them.
    """
    if not is_of_first_version(record):
        return dict(record)
    names = names_of(kind, record["model"])
    new: dict[str, Any] = {}
    for key, value in record.items():
        if key == "epochs":
            new["unit"] = "epoch"
        if key != "raw_input":
            new[RENAMED.get(key, key)] = value
    settings = {key: value for key, value in record.get("settings", {}).items() if key in names and value is not None}
    if "raw_input" in names and "raw_input" in record:
        settings["raw_input"] = record["raw_input"]
    return {**new, "settings": settings}


def problem_of(result: Mapping[str, Any]) -> str:
    """Return what is wrong with the result of a finished run, of any version; empty if tables can be made of it."""
    unit = result.get("unit", "epoch")
    variant = "split" if is_of_first_version(result) else "variant"
    valid = {
        **{key: isinstance(result.get(key), str) for key in ("experiment", "preset", "model", variant)},
        "unit": isinstance(unit, str),
        **{key: _is_count(result.get(key)) for key in ("seed", "parameters", f"{unit}s")},
        "train_seconds": _is_number(result.get("train_seconds")),
        "solved": "solved" in result and isinstance(result["solved"], bool | None),
        "settings": isinstance(result.get("settings"), dict),
        "history": isinstance(result.get("history"), list) and all(isinstance(r, dict) for r in result["history"]),
        "metrics": all(isinstance(value, bool | None) or _is_number(value) for value in result["metrics"].values()),
    }
    wrong = next((key for key, is_valid in valid.items() if not is_valid), None)
    if wrong is None:
        return ""
    if wrong not in result:
        return f"has no {wrong!r}, wanted the result of a run"
    return f"has {shown(result[wrong])} as {wrong!r}, wanted the result of a run"


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and isinstance(value, int | float) and not math.isnan(float(value))
    except OverflowError:  # an int that no float can hold
        return False
