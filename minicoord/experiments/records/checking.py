"""Check that an entry of a file is a record of a run, so that other code can rely on its keys and types."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.settings import fields_of
from minicoord.experiments.records.upgrade import upgraded
from minicoord.system.arguments import shown

# The keys that every record has, and the types of their values.
NEEDED = {
    **dict.fromkeys(["model", "variant", "preset", "folder"], str),
    **dict.fromkeys(["settings", "metrics"], dict),
    "seed": int,
    "history": list,
}
# What else the commands read, where a record has it: the type of the value, which may be null, and that type in words.
OPTIONAL = {
    **dict.fromkeys(["command", "commit", "date", "unit"], (str, "text")),
    **dict.fromkeys(["solved", "interrupted"], (bool, "true or false")),
    **dict.fromkeys(["sittings"], (list, "a list")),
    **dict.fromkeys(["thinned"], (dict, "an object")),
    **dict.fromkeys(["parameters", "train_seconds"], (int | float, "a number")),
}

TEXTS = ("model", "variant", "preset", "folder", "command", "commit", "date", "unit")
"""What the commands print, or look for on the disk."""
MOST_CHARACTERS = 10_000
"""How long a text of a record may be."""

MOST_LEVELS = 30
"""How deep a record may be nested; what a run writes has five levels, and what cannot be written again is refused."""


def checked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry of a list of records in the current format.

    Raises
    ------
    ValueError
        If it is not a complete record of a known experiment.
    """
    if not _is_nested_at_most(entry, MOST_LEVELS):
        raise ValueError(f"a run in it is nested more than {MOST_LEVELS} levels deep, wanted what minicoord run writes")
    name = entry.get("experiment")
    if not isinstance(name, str) or name not in experiments.registry():
        raise ValueError(f"a run in it is of an unknown experiment, {shown(name)}")
    renamed = {"variant": entry.get("split"), **entry}  # as it was called in version 0.1
    missing = [key for key, kind in NEEDED.items() if not isinstance(renamed.get(key), kind)]
    if missing:
        raise ValueError(f"a run in it has no {shown(missing[0])}, wanted what minicoord run writes")
    if isinstance(renamed["seed"], bool) or renamed["seed"] < 0:
        raise ValueError(f"a run in it has {shown(renamed['seed'])} as its seed, wanted a whole number of at least 0")
    _check_texts(renamed)
    try:
        experiment, record = experiments.get(name), upgraded(entry)
    except experiments.ExperimentError as error:
        raise ValueError(f"a run in it is of {error}") from None
    without_default = [f.name for f in fields_of(experiment.Settings, record["model"]) if f.default is MISSING]
    for key, names in {"settings": without_default, "metrics": [experiment.primary.name]}.items():
        missing = [name for name in names if name not in record[key]]
        if missing:
            what = f"no {shown(missing[0])} among its {key}"
            raise ValueError(f"a run in it has {what}, wanted what minicoord run writes")
    for key, value in record["metrics"].items():
        if not (value is None or is_number(value)):
            raise ValueError(f"a run in it has {shown(value)} as {shown(key)[1:-1]}, wanted a number")
    _check_settings(experiment, record)
    _check_optional(record)
    _check_history(record)
    return record


def _is_nested_at_most(entry: Mapping[str, Any], levels: int) -> bool:
    """Whether lists and dicts within an entry are at most so many levels deep; level by level, without recursion."""
    level: list[Any] = [entry]
    for _ in range(levels):
        inner = (value.values() if isinstance(value, Mapping) else value for value in level)
        level = [one for values in inner for one in values if isinstance(one, (list, Mapping))]
        if not level:
            return True
    return False


def is_number(value: Any) -> bool:
    """Return whether a value from JSON is a finite number that fits a float: an int may have any number of digits."""
    try:
        return isinstance(value, int | float) and math.isfinite(value)
    except OverflowError:
        return False


def _check_settings(experiment: Experiment, record: Mapping[str, Any]) -> None:
    """Raise ValueError if a setting is not of its type; a foreign one does not matter."""
    for field in fields_of(experiment.Settings, record["model"]):
        if field.name not in record["settings"]:
            continue
        value = record["settings"][field.name]
        try:
            experiment.check_setting(record["model"], field.name, value)
        except (ValueError, TypeError):  # TypeError: a list cannot be looked up among the choices
            raise ValueError(
                f"a run in it has {shown(value)} as {field.name}, wanted a value of that setting"
            ) from None


def _check_texts(entry: Mapping[str, Any]) -> None:
    """Raise ValueError for a text that no terminal should print, or a folder that leads somewhere else."""
    for key in TEXTS:
        text = entry.get(key)
        if isinstance(text, str) and not (len(text) <= MOST_CHARACTERS and all(map(_is_shown_as_it_is, text))):
            raise ValueError(
                f"a run in it has {shown(text)} as its {key}, wanted one line of at most {MOST_CHARACTERS:,} characters"
            )
    parts = entry["folder"].replace("\\", "/").split("/")
    if ".." in parts[-3:]:
        raise ValueError(f"a run in it has {shown(entry['folder'])} as its folder, wanted that of a run, without '..'")


def _is_shown_as_it_is(character: str) -> bool:
    """Whether a character is printed, or stands for a byte of a path that is not UTF-8."""
    return character.isprintable() or "\ud800" <= character <= "\udfff"


def _check_optional(record: Mapping[str, Any]) -> None:
    """Raise ValueError if something that a record may lack is there and of a wrong type."""
    for key, (kind, words) in OPTIONAL.items():
        value = record.get(key)
        number = kind == int | float
        if not (value is None or isinstance(value, kind)) or (number and isinstance(value, bool)):
            raise ValueError(f"a run in it has {shown(value)} as its {key}, wanted {words}")
    if not all(isinstance(sitting, dict) for sitting in record.get("sittings") or []):
        raise ValueError("a run in it has sittings that are not those that minicoord run writes")


def _check_history(record: Mapping[str, Any]) -> None:
    """Raise ValueError if the rows of a history are not numbers by name, or lack their count or their seconds."""
    unit = record.get("unit") or "epoch"
    length = record.get(f"{unit}s")
    if not isinstance(length, int) or isinstance(length, bool) or not is_number(length) or length < 0:
        raise ValueError(f"a run in it has {shown(length)} as its {unit}s, wanted a whole number")
    for row in record["history"]:
        if not isinstance(row, dict):
            raise ValueError("a run in it has a history whose rows are not those that minicoord run writes")
        for key, value in row.items():
            if not (value is None or is_number(value)) or isinstance(value, bool):
                what = f"{shown(value)} as {shown(key)[1:-1]} in its history"
                raise ValueError(f"a run in it has {what}, wanted a number")
        for key, least in ((unit, 1), ("train_seconds", 0)):
            if row.get(key) is None or row[key] < least:
                raise ValueError(f"a run in it has {shown(row.get(key))} as {key} in its history, wanted a number")
