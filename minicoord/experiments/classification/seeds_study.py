"""The study of why some seeds never generalise: classification by CoordConv on the quadrant split.

The grid ``study`` in ``grids.py`` has its runs: groups of six seeds with the official setting, with a change of it, or
with the quick preset. All have the same number of epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minicoord import experiments
from minicoord.experiments.records.reading import Record

EPOCHS = 12
OFFICIAL, QUICK = "official", "our quick recipe"
WORDS = {
    "l2": "L2 {:g}",
    "decay": "decay {:g}",
    "init_scale": "initial weights × {:g}",
    "lr": "learning rate {:g}",
    "schedule": "{} rate",
    "batch_size": "batch of {}",
}


def study_groups(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the runs of the study, sorted by seed, in groups by their change of the official setting in words.

    Examples
    --------
    >>> settings = {"epochs": 12, "lr": 0.005, "l2": 0.01}
    >>> run = {"experiment": "classification", "model": "coordconv", "variant": "quadrant", "preset": "paper"}
    >>> list(study_groups([{**run, "seed": 0, "settings": settings}]))
    ['L2 0.01']
    """
    groups: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: r["seed"]):
        if (record["experiment"], record["model"], record["variant"]) != ("classification", "coordconv", "quadrant"):
            continue  # what another experiment calls its settings is its own affair
        if record["settings"]["epochs"] == EPOCHS and not record["settings"].get("raw_input"):
            groups.setdefault(_words(record), []).append(record)
    return dict(sorted(groups.items(), key=lambda item: _place(item[1][0])))


def _changes(record: Record) -> dict[str, Any]:
    """Return the settings that differ from the official ones, in the order of `WORDS`."""
    classification = experiments.get("classification")
    official, settings = classification.presets["paper"]["coordconv"], classification.settings_of(record)
    return {key: getattr(settings, key) for key in WORDS if getattr(settings, key) != getattr(official, key)}


def _words(record: Record) -> str:
    """Return the name of the group of a run."""
    if record["preset"] == "quick":
        return QUICK
    words = [WORDS[key].format(value) for key, value in _changes(record).items()]
    return ", ".join("no L2" if word == "L2 0" else word for word in words) or OFFICIAL


def _place(record: Record) -> tuple[Any, ...]:
    """Return a sort key for groups: the official setting first, changes of the same setting together, ours last."""
    changes = _changes(record)
    return record["preset"] == "quick", len(changes) > 0, *((list(WORDS).index(key), v) for key, v in changes.items())
