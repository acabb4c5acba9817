"""Grids of settings for sweeps of A2C."""

from __future__ import annotations

from typing import Any

from minicoord.experiments.a2c.games import OURS
from minicoord.experiments.a2c.networks import ARMS

SEEDS = list(range(100, 110))  # they chose none of the settings

GRIDS: dict[str, list[dict[str, Any]]] = {
    # Coordinates or none, global pooling or a dense layer, place matters or does not: ten seeds each. Seed by seed, so
    # that a sweep that ends early has the same seeds of every arm.
    "places": [{"preset": "quick", "model": list(ARMS)[:4], "game": list(OURS), "seed": seed} for seed in SEEDS],
}
