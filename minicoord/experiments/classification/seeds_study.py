"""The runs that ask why some seeds never generalise: classification by CoordConv on the quadrant split.

The grid ``study`` of ``grids.py`` makes them. Each group of six seeds has the official setting with one
change; the last has our quick recipe. All end after the same number of epochs.
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
    """Return the runs of the study by what each group changed of the official setting, in words, seeds in order.

    Examples
    --------
    >>> settings = {"epochs": 12, "lr": 0.005, "l2": 0.01}
    >>> run = {"experiment": "classification", "model": "coordconv", "variant": "quadrant", "preset": "paper"}
    >>> list(study_groups([{**run, "seed": 0, "settings": settings}]))
    ['L2 0.01']
    """
    groups: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda r: r["seed"]):
        kind = (record["experiment"], record["model"], record["variant"], record["settings"]["epochs"])
        if kind == ("classification", "coordconv", "quadrant", EPOCHS) and not record["settings"].get("raw_input"):
            groups.setdefault(_words(record), []).append(record)
    return dict(sorted(groups.items(), key=lambda item: _place(item[1][0])))


def _changes(record: Record) -> dict[str, Any]:
    """Return the settings that are not the official ones."""
    classification = experiments.get("classification")
    official, settings = classification.presets["paper"]["coordconv"], classification.settings_of(record)
    return {key: getattr(settings, key) for key in WORDS if getattr(settings, key) != getattr(official, key)}


def _words(record: Record) -> str:
    if record["preset"] == "quick":
        return QUICK
    words = [WORDS[key].format(value) for key, value in _changes(record).items()]
    return ", ".join("no L2" if word == "L2 0" else word for word in words) or OFFICIAL


def _place(record: Record) -> tuple[Any, ...]:
    """Return what puts groups in order: the official one, changes of one setting beside each other, ours at the end."""
    changes = _changes(record)
    return record["preset"] == "quick", len(changes) > 0, *((list(WORDS).index(key), v) for key, v in changes.items())
