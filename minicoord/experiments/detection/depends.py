"""On what the effect of coordinates depends: the comparisons of the study, in words, for its figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minicoord.experiments.detection.comparison import Change

WORDS = {
    ("official_anchors", True): "anchors of the released code",
    ("stick_out", False): "whole digits only",
    ("clip", True): "boxes clipped",
    ("rank_by", "probability"): "ranked by probability",
    ("box_loss", "standard"): "standard smooth loss",
    ("optimiser", "sgd"): "SGD",
    ("schedule", "constant"): "constant rate",
}
"""Settings that read better in words of their own."""

TITLES = {"lr": "learning rate {}", "epochs": "{} epochs", "batch": "batch {}", "scattered": "{} digits on the field"}
"""Settings that read better with a value; others are written as NAME=VALUE."""


def condition(variant: str, settings: Mapping[str, Any]) -> str:
    """Return in words in what a comparison differs from the paper's task as we understand it.

    The number of images is left out, since all comparisons of the study have the same one.

    Examples
    --------
    >>> condition("same", {"images": 3000, "lr": 0.003})
    'padding same, learning rate 0.003'
    >>> condition("valid", {"images": 3000})
    'as meant'
    """
    words = [] if variant == "valid" else [f"padding {variant}"]
    for name, value in settings.items():
        if name != "images":
            words.append(WORDS.get((name, value)) or TITLES.get(name, f"{name}={{}}").format(value))
    return ", ".join(words) or "as meant"


def comparable(changes: Sequence[Change], model: str = "coordconv") -> list[Change]:
    """Return the comparisons of `model` on one number of images, that which most of them have.

    Parameters
    ----------
    changes : sequence of Change
        All comparisons.
    model : str
        The network with coordinates.

    Returns
    -------
    list of Change
        In the order of the mean change, the smallest first; empty if there is none.
    """
    of_model = [change for change in changes if change.model == model]
    images = [change.settings.get("images") for change in of_model]
    if not images:
        return []
    usual = max(dict.fromkeys(images), key=images.count)
    return sorted((c for c in of_model if c.settings.get("images") == usual), key=lambda change: change.change)


def rows(changes: Sequence[Change]) -> dict[str, tuple[Any, float, tuple[float, float] | None]]:
    """Return what `minicoord.plots.relative_changes` draws: a row for each comparison, with the IOU of ``conv``."""
    found = {}
    for change in changes:
        before, after = np.array(change.before), np.array(change.after)  # (seeds,)
        interval = (change.low, change.high) if len(before) > 1 else None
        name = f"{condition(change.variant, change.settings)} ({before.mean():.2f})"
        found[name] = (after / before - 1, change.change, interval)
    return found
