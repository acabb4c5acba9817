"""Grids of runs for sweeps of the GAN: several seeds of every arm under both recipes, collapse included."""

from __future__ import annotations

from typing import Any

from minicoord.experiments.gan.settings import ARMS

PAPERS = ["conv", "coordconv", "coordconv-g"]  # the arms of the paper
SEEDS = list(range(5))

GRIDS: dict[str, list[dict[str, Any]]] = {
    "record": [{"preset": "record", "model": PAPERS, "recipe": ["stable", "official"], "seed": SEEDS}],
    "control": [{"preset": "record", "model": list(ARMS), "recipe": "stable", "seed": SEEDS}],
    "paper": [{"preset": "paper", "model": PAPERS, "recipe": "official", "seed": [0]}],
}
