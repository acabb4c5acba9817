"""Changes of the settings of any experiment, for tests that go over all of the registry."""

from __future__ import annotations

from typing import Any

from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.settings import fields_of, type_of, values_of

OF_TYPE = {int: (7, 8), float: (0.125, 0.25), bool: (True, False), str: ("one", "other")}
OF_NAME = {"gan": {"images": (70, 80)}, "vae": {"images": (200, 210)}}  # at least as many as a step takes
ONE_IS_ZERO = {"l2": "decay", "decay": "l2"}


def change(experiment: Experiment, preset: str, model: str, name: str) -> dict[str, Any]:
    """Return another value for a setting of a network, by name, and with it what has to be changed beside it."""
    usual = values_of(experiment.presets[preset][model], model)
    field = next(f for f in fields_of(experiment.Settings, model) if f.name == name)
    of_name = OF_NAME.get(experiment.name, {}).get(name)
    values = of_name or field.metadata["choices"] or OF_TYPE[type_of(experiment.Settings, name)]
    other = ONE_IS_ZERO.get(name)
    beside = {other: 0.0} if other in usual else {}
    return {**beside, name: next(value for value in values if value != usual[name])}
