"""Grids of settings for sweeps of coordinate classification.

``paper`` has the runs of the official logs, ``record`` those of them that were run for ``lessons/results``. Settings
that a grid does not name are those of its preset.
"""

from __future__ import annotations

from typing import Any

BOTH = ["uniform", "quadrant"]
_conv = {"preset": "paper", "model": "conv"}
_no_bn = {"preset": "paper", "model": "conv-no-bn"}
_coordconv = {"preset": "paper", "model": "coordconv"}
_quick = {"preset": "quick", "model": "coordconv", "split": BOTH}

# The study "study": what decides whether a CoordConv classifier that fits three quarters of the canvas generalises to
# the fourth? The official setting, the quick preset, then one change at a time of the official setting.
_official = {**_coordconv, "split": "quadrant", "epochs": 12, "seed": list(range(6))}

GRIDS: dict[str, list[dict[str, Any]]] = {
    "quick": [{"preset": "quick", "model": ["conv", "coordconv"], "split": BOTH}],
    "paper": [
        {
            **_conv,
            "split": BOTH,
            "lr": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
            "l2": [0.0, 0.001, 0.01],
            "fs": [2, 3, 4],
            "c": [1, 2, 3],
            "batch_size": [16, 32],
        },
        {**_coordconv, "split": BOTH, "lr": [0.001, 0.005, 0.01], "l2": [0.0, 0.001]},
    ],
    "record": [
        {**_conv, "split": "uniform", "c": 2, "fs": 3, "l2": [0.0, 0.001]},
        {**_conv, "split": "uniform", "epochs": 300, "c": 2, "fs": 3, "l2": 0.0},
        {**_coordconv, "split": BOTH, "lr": [0.001, 0.005, 0.01], "l2": [0.0, 0.001]},
        {**_coordconv, "split": BOTH, "lr": 0.005, "l2": 0.001, "seed": [1, 2, 3, 4]},
        {**_conv, "split": "uniform", "epochs": 300, "c": 2, "fs": [2, 3]},
        {**_conv, "split": "quadrant", "epochs": 100, "c": 2, "fs": [2, 3]},
        {**_conv, "split": "uniform", "epochs": 300, "c": 1, "fs": 2},
        {**_conv, "split": "quadrant", "epochs": 100, "c": 1, "fs": 2},
        {**_no_bn, "split": "uniform", "epochs": 200},
        {**_no_bn, "split": "quadrant", "epochs": 100},
        {**_no_bn, "split": "uniform", "epochs": 100, "seed": [0, 1, 2]},
        # The same with batch norm, to see its effect alone.
        {**_conv, "split": "uniform", "epochs": 100, "lr": 0.002, "l2": 0.0, "batch_size": 32, "c": 3, "fs": 2},
    ],
    "study": [
        _official,
        {**_official, "preset": "quick"},
        {**_official, "l2": [0.0, 0.003, 0.01]},
        {**_official, "init_scale": 0.3},
        {**_official, "lr": 0.01, "l2": 0.003},
        {**_official, "schedule": "cosine"},
        {**_official, "l2": 0.0, "decay": [0.1, 1.0]},
        {**_official, "init_scale": 0.5},
        {**_official, "lr": [0.01, 0.001]},
        {**_official, "batch_size": [64, 8]},
    ],
    # The quick preset was chosen on seeds 0, 1, ...; how good the choice is shows on fresh seeds, which had no part in
    # it. (100 to 119 had been fresh before; seed 101 failed, which changed the preset.)
    "seeds": [{**_quick, "seed": list(range(20))}],
    "fresh": [{**_quick, "seed": list(range(120, 140))}],
    # The same with other seeds, after the kernels were rebuilt: their last bits differ.
    "again": [{**_quick, "seed": list(range(300, 320))}],
}
