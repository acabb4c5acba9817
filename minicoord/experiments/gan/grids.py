"""Grids of runs for sweeps of the GAN: several seeds of every arm under both recipes, collapse included.

The lengths of the presets were chosen on seed 0, so the records have others. They are made seed by seed, so that a
sweep which is cut short has about as many runs of each arm.
"""

from __future__ import annotations

from typing import Any

from minicoord.experiments.gan.settings import ARMS

PAPERS = ["conv", "coordconv", "coordconv-g"]  # the arms of the paper
RECIPES = ["stable", "official"]
SEEDS = list(range(1, 6))

GRIDS: dict[str, list[dict[str, Any]]] = {
    "record": [{"preset": "record", "model": PAPERS, "recipe": RECIPES, "seed": [seed]} for seed in SEEDS],
    "control": [{"preset": "record", "model": list(ARMS), "recipe": "stable", "seed": [seed]} for seed in SEEDS],
    "paper": [{"preset": "paper", "model": PAPERS, "recipe": "official", "seed": [0]}],
}
