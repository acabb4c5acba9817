"""Grids of settings for sweeps of A2C."""

from __future__ import annotations

from typing import Any

from minicoord.experiments.a2c.games import MINATAR, OURS
from minicoord.experiments.a2c.networks import ARMS

SEEDS = list(range(100, 110))  # they chose none of the settings

GRIDS: dict[str, list[dict[str, Any]]] = {
    # Coordinates or none, global pooling or a dense layer, place matters or does not: ten seeds each. Seed by seed, so
    # that a sweep that ends early has the same seeds of every arm.
    "places": [{"preset": "quick", "model": list(ARMS)[:4], "game": list(OURS), "seed": seed} for seed in SEEDS],
    # Both heads on the five games of MinAtar, game after game of one seed.
    "minatar": [
        {"preset": "published", "model": list(ARMS)[:4], "game": list(MINATAR), "seed": seed} for seed in SEEDS[:5]
    ],
    # The paper's own question, on two of its kind of games: the Nature network, whose dense layer knows places.
    "atari": [
        {"preset": "published", "model": ["conv-dense", "coordconv-dense"], "game": [f"atari-{game}"], "seed": seed}
        for game in ("breakout", "seaquest")
        for seed in SEEDS[:3]
    ],
}
