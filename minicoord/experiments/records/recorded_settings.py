"""The settings of a recorded run: all of them, and those that differ from its preset as it is now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from minicoord import experiments
from minicoord.experiments.supervised.run import Preset

# What the paper's grids vary; the length too, since ours is often shorter.
OF_GRIDS = {"lr", "l2", "c", "fs", "m", "batch_size", "loss", "epochs"}
LONG = 100  # epochs: a run this long is taken for one of the paper's, though theirs went on to 1,000


def settings_of(record: Mapping[str, Any]) -> Preset:
    """Return the settings of a record; what did not exist yet when it was made has its default."""
    known = {field.name for field in fields(Preset)}
    return Preset(**{key: value for key, value in record["settings"].items() if key in known})


def differences(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a record that differ from its preset as it is now, by name.

    A setting that did not exist yet when the record was made had its default. Where the preset is gone, all settings.
    """
    of_models = experiments.get(record["experiment"]).PRESETS.get(record["preset"], {})
    if record["model"] not in of_models:
        return {key: record["settings"][key] for key in sorted(record["settings"])}
    preset, settings = asdict(of_models[record["model"]]), asdict(settings_of(record))
    return {key: settings[key] for key in sorted(settings) if settings[key] != preset[key]}


def is_of_papers_grid(record: Mapping[str, Any]) -> bool:
    """Return whether a run could be one of the paper's grid: no other settings varied, and of its length or long.

    Studies that begin at the paper's settings and change others, or stop early, are not.
    """
    if record["preset"] != "paper" or not set(differences(record)) <= OF_GRIDS:
        return False
    preset = experiments.get(record["experiment"]).PRESETS["paper"][record["model"]]
    return record["settings"]["epochs"] >= min(preset.epochs, LONG)
