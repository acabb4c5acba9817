"""The plan of a run: what to train, with which settings and seed, and where its files go."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MOST_SEEDS = 100_000
"""How many seeds a command takes, and how many runs a grid may have: more is a slip of the finger."""

LONGEST_NAME = 240  # bytes: a file system takes 255, and what is written beside a run has a longer name


@dataclass(frozen=True)
class Plan:
    """One run of an experiment before it starts, as `minicoord.experiments.frame.experiment.Experiment.plan` makes it.

    Attributes
    ----------
    experiment, preset, model, variant : str
        Which run: the variant is what varies besides the seed, such as a split or a game; empty where nothing does.
    seed : int
        Seed of everything that is random, 0 or more.
    settings : Settings
        An object of the experiment's own settings class.
    changes : dict
        The settings that were given explicitly or differ from the preset; they become part of the name.
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
        """The name of the run's folder, unique within its experiment and preset.

        Examples
        --------
        >>> Plan("classification", "paper", "conv", "uniform", 0, None, {"lr": 0.01, "c": 2}).name
        'conv-uniform-seed0-c=2-lr=0.01'
        """
        return run_name(self.model, self.variant, self.seed, self.changes)

    def folder(self, out: Path) -> Path:
        """Return the folder of the run's files below `out`, the folder of all results."""
        return Path(out) / self.experiment / self.preset / self.name

    def order(self) -> dict[str, Any]:
        """Return the arguments with which `Experiment.plan` makes this plan again, fit for JSON."""
        keys = ("model", "variant", "preset", "seed")
        return {**{key: getattr(self, key) for key in keys}, **self.changes}


def run_name(model: str, variant: str, seed: int | None, changes: Mapping[str, Any]) -> str:
    """Return the name of a run; without a seed, the name of all runs that differ in the seed only.

    The end of a name that is too long for a folder gives way to a checksum of the whole name.
    """
    parts = [model, variant, "" if seed is None else f"seed{seed}"]
    name = "-".join([*filter(None, parts), *(f"{key}={_fit_for_a_name(changes[key])}" for key in sorted(changes))])
    encoded = name.encode(errors="surrogatepass")
    if len(encoded) <= LONGEST_NAME:
        return name
    return f"{encoded[: LONGEST_NAME - 9].decode(errors='ignore')}-{zlib.crc32(encoded):08x}"


def _fit_for_a_name(value: Any) -> str:
    """Return a value as part of a folder name, with ``_`` in place of path separators and the like.

    A text that is changed by this, or that reads like None, gets a checksum: two settings never share a name.
    """
    text = str(value)
    fit = re.sub(r"[^\w.+-]+", "_", text)
    if fit == text and value != "None":
        return fit
    return f"{fit}-{zlib.crc32(text.encode(errors='surrogatepass')):08x}"
