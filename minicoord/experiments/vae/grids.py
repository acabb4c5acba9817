"""Grids of runs for sweeps of the VAE: five seeds of both networks, and other weights of the KL divergence."""

from __future__ import annotations

from typing import Any

from minicoord.experiments.vae.settings import ARMS

SEEDS = list(range(5))

GRIDS: dict[str, list[dict[str, Any]]] = {
    "record": [{"preset": "record", "model": list(ARMS), "seed": SEEDS}],
    "beta": [{"preset": "record", "model": list(ARMS), "beta": [1.0, 16.0], "seed": SEEDS[:2]}],
    "full": [{"preset": "full", "model": list(ARMS), "seed": [0]}],
}
