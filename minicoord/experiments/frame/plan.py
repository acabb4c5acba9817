"""A planned run: what is to be trained, with which settings and seed, and where its files go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Plan:
    """One run of an experiment before it begins; `minicoord.experiments.frame.experiment.Experiment.plan` makes it.

    Attributes
    ----------
    experiment, preset, model, variant : str
        The variant is what varies between runs beside the seed: a split, a padding, a game; empty if there is one only.
    seed : int
        Decides everything that is random.
    settings : Settings
        All of them, an object of the experiment's own class.
    changes : dict
        Those that differ from the preset, or were named.
    """

    experiment: str
    preset: str
    model: str
    variant: str
    seed: int
    settings: Any = field(compare=False)
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tells this run from the others of its experiment and preset; the name of its folder.

        Examples
        --------
        >>> Plan("classification", "paper", "conv", "uniform", 0, None, {"lr": 0.01, "c": 2}).name
        'conv-uniform-seed0-c=2-lr=0.01'
        """
        return run_name(self.model, self.variant, self.seed, self.changes)

    def folder(self, out: Path) -> Path:
        """Return where the run leaves its files, below the folder of all results."""
        return Path(out) / self.experiment / self.preset / self.name

    def order(self) -> dict[str, Any]:
        """Return the arguments, fit for JSON, with which `Experiment.plan` makes this plan again."""
        keys = ("model", "variant", "preset", "seed")
        return {**{key: getattr(self, key) for key in keys}, **self.changes}


def run_name(model: str, variant: str, seed: int | None, changes: Mapping[str, Any]) -> str:
    """Return the name of a run; without a seed, that of all runs that differ by their seed alone."""
    parts = [model, variant, "" if seed is None else f"seed{seed}"]
    return "-".join([*filter(None, parts), *(f"{key}={_in_a_name(changes[key])}" for key in sorted(changes))])


def _in_a_name(value: Any) -> str:
    """Return a value as it can stand in the name of a folder: a path has separators, which a name may not have."""
    return re.sub(r"[^\w.+-]+", "_", str(value))
