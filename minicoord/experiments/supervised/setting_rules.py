"""Which settings a network has, and what they may be: found wrong before the first run, and never ignored."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any, get_args, get_type_hints

from minicoord.experiments import suggestion

OF_TRAINING = ("epochs", "lr", "l2", "decay", "schedule", "batch_size", "beta2")
"""What every network has."""

CHOICES = {
    "schedule": ("constant", "step", "cosine"),
    "loss": ("sigmoid", "sigmoid-sum", "sigmoid-lit", "squares"),
    "pointer_loss": ("softmax", "squares"),
}


def check_changes(where: str, kind: type, own: Collection[str], changes: Mapping[str, Any]) -> None:
    """Raise if a change of settings cannot be made.

    Parameters
    ----------
    where : str
        What has these settings, in words: ``"classification, coordconv"``.
    kind : type
        The dataclass of settings.
    own : collection of str
        The settings that this network has beside those of training.
    changes : mapping
        Names and values.

    Raises
    ------
    ValueError
        If there is no such setting, this network has no use for it, or it may not have this value.

    Examples
    --------
    >>> from minicoord.experiments.supervised.run import Preset
    >>> check_changes("classification, coordconv", Preset, ["init_scale"], {"epochs": 0})
    Traceback (most recent call last):
    ...
    ValueError: classification, coordconv: epochs was 0, wanted a whole number of at least 1
    """
    known = [field.name for field in fields(kind)]
    types = get_type_hints(kind)
    for key, value in changes.items():
        if key not in known:
            raise ValueError(f"{where}: there is no setting {key!r}; {suggestion(key, known)}")
        if key not in (*OF_TRAINING, *own):
            has = f"wanted one of {', '.join((*OF_TRAINING, *own))}"
            raise ValueError(f"{where}: {key!r} is no setting of this network, {has}")
        if value is None and type(None) in get_args(types[key]):
            continue
        wanted = _wanted(types[key], value, CHOICES.get(key))
        if wanted:
            raise ValueError(f"{where}: {key} was {value!r}, wanted {wanted}")


def _wanted(kind: Any, value: Any, choices: Collection[str] | None) -> str | None:
    """Return in words what a value should have been, or None if it may be."""
    if choices is not None:
        return None if value in choices else f"one of {', '.join(choices)}"
    if kind is bool:
        return None if isinstance(value, bool) else "true or false"
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return None if number and math.isfinite(value) and value >= 0 else "a number of at least 0 and finite"
    if kind is int or kind == int | None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return None if whole and value >= 1 else "a whole number of at least 1"
    return None if isinstance(value, str) else "a name"
