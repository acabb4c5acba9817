"""How another A2C learns three of the Atari games, as published: reference points for our own curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

SOURCE = "OpenAI Baselines, mean of six runs"
PAGE = "https://github.com/openai/baselines/blob/master/benchmarks_atari10M.htm"
"""Where the curves are. They are drawings without numbers, so the values below are rounded."""

POINTS: dict[str, tuple[tuple[int, float], ...]] = {
    "atari-breakout": ((1_000_000, 3), (2_000_000, 19), (5_000_000, 114), (10_000_000, 275)),
    "atari-pong": ((1_000_000, -20), (2_000_000, -16), (5_000_000, 14), (10_000_000, 18.5)),
    "atari-seaquest": ((1_000_000, 595), (2_000_000, 730), (5_000_000, 1467), (10_000_000, 1741)),
}
"""Actions, and the score of a game at that time of training, by the name of the game."""


def beside(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence for each recorded game that has reference points: theirs, and ours at the same time.

    Examples
    --------
    >>> run = {"variant": "atari-pong", "model": "conv-dense", "history": [{"env_steps": 1_000_000, "return": -20.5}]}
    >>> beside([run])[0]
    'atari-pong, OpenAI Baselines, mean of six runs: -20 after 1 million actions; here conv-dense -20.5 (1 run)'
    """
    lines = []
    for game, points in POINTS.items():
        runs = [r for r in records if r["variant"] == game]
        for actions, theirs in points:
            ours = {model: near(runs, model, actions) for model in dict.fromkeys(r["model"] for r in runs)}
            found = [
                f"{model} {np.median(scores):.4g} ({len(scores)} run{'s' if len(scores) > 1 else ''})"
                for model, scores in ours.items()
                if scores
            ]
            if found:
                when = f"{theirs:g} after {actions // 1_000_000} million actions"
                lines.append(f"{game}, {SOURCE}: {when}; here {', '.join(found)}")
    return lines


def near(records: Sequence[Mapping[str, Any]], model: str, actions: int) -> list[float]:
    """Return the score of each run of a network in the last row up to a number of actions that it came near to.

    A run comes near if it has a row in the last tenth of that time.
    """
    found = []
    for record in records:
        rows = [
            row
            for row in record["history"]
            if 0.9 * actions < row["env_steps"] <= 1.001 * actions
            and row.get("return") is not None
            and math.isfinite(row["return"])
        ]
        if record["model"] == model and rows:
            found.append(float(rows[-1]["return"]))
    return found
