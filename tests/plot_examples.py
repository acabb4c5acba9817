"""Arguments of every figure: small, and right, for tests that spoil them.

`EXAMPLES` has for each name in ``minicoord.plots`` a function that makes the arguments, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from minicoord import Dense, Sequential
from minicoord.datasets import not_so_clevr, split
from minicoord.plots import Guesses

Arguments = dict[str, Any]


def run(model: str, split_name: str, metric: str, end: float, **settings: Any) -> dict[str, Any]:
    """Return the record of a run whose metric rises in a straight line."""
    rows = [
        {"epoch": k, "train_seconds": 2.0 * k, f"train_{metric}": end * k / 3, f"test_{metric}": end * k / 3}
        for k in (1, 2, 3)
    ]
    return {
        "experiment": "classification",
        "preset": "quick",
        "model": model,
        "variant": split_name,
        "seed": 0,
        "settings": {"epochs": 3, "lr": 0.1, **settings},
        "history": rows,
        "parameters": 10,
        "solved": True,
        "metrics": {f"train_{metric}": end, f"test_{metric}": end},
    }


def runs(metric: str = "accuracy") -> list[dict[str, Any]]:
    return [run(model, part, metric, 0.9) for model in ("conv", "coordconv") for part in ("uniform", "quadrant")]


def clouds() -> dict[str, Any]:
    points = np.array([[4.0, 5.0], [6.0, 7.0]])
    return {"conv": {"train": points, "test": points, "train_centres": points, "test_centres": points}}


def maps() -> dict[str, Any]:
    return {"truth": {"train": np.eye(5), "test": np.eye(5)}, "conv": {"train": np.eye(5), "test": np.eye(5)}}


def boxes() -> dict[str, Any]:
    some = np.tile(np.array([20, 10, 8, 16], np.float32), (2, 5, 1))
    return {
        "conv": {
            "images": np.ones((2, 64, 64), np.float32),
            "truth": some,
            "boxes": some,
            "scores": some[..., 0] / 20,
            "positive": some,
            "negative": some,
            "centres": some[..., :2],
            "best": some[..., 0] / 20,
        }
    }


def drawn() -> dict[str, Any]:
    samples, images = np.array([[10, 20], [30, 12]]), np.ones((2, 64, 64))
    return {"conv": {f"{p}_{k}": v for p in ("train", "test") for k, v in (("samples", samples), ("drawn", images))}}


def detections() -> list[dict[str, Any]]:
    found = run("conv", "valid", "iou", 0.5)
    for row in found["history"]:
        row.update({f"{part}_{name}": 0.1 for part in ("train", "test") for name in ("iou", "recall", "ap", "ap50")})
    return [found]


def pictures(*axes: int) -> np.ndarray:
    return np.full((*axes, 4, 4, 3), 200, np.uint8)


def samples() -> dict[str, Any]:
    return {
        "conv": {
            "samples": pictures(4),
            "average": pictures(),
            "centres": np.array([[[1.0, 1.0], [3.0, 2.0]], [[np.nan, np.nan], [1.0, 2.0]]]),
            "entropies": np.array([1.0, 2.0, 3.0]),
        }
    }


def gans() -> list[dict[str, Any]]:
    some = {"d_loss": 1.0, "g_loss": 2.0, "d_fake": 0.5, "coverage": 0.3, "red_entropy": None, "missed": 0.1}
    return [{"model": "conv", "history": [{"step": 100 * k, **some} for k in (1, 2)]} for _ in range(2)]


def latent_maps() -> dict[str, Any]:
    return {
        "conv": {
            "information": np.full((6, 2), 0.4),
            "latents": np.array([3, 1]),
            "plane": np.array([3, 1]),
            "plane_codes": np.array([[0.5, -1.0], [1.0, 2.0]]),
            "plane_places": np.array([[5, 6], [20, 9]]),
            "plane_ends": np.array([-2.0, 2.0]),
            "plane_images": pictures(2, 2),
        }
    }


def autoencoders() -> list[dict[str, Any]]:
    some = {"squared_error": 90.0, "kl": 20.0, "error": 0.2, "fade": None, "coverage": 0.3, "missed": 0.1}
    return [{"model": "conv", "history": [{"step": 100 * k, **some} for k in (1, 2)]} for _ in range(2)]


def agents() -> list[dict[str, Any]]:
    rows = [{"env_steps": 100 * k, "return": k / 2 or None, "moves": 3.0} for k in (0, 1, 2)]
    return [
        {"model": "conv-pool", "history": rows, "yardsticks": {"random_return": 0.2}},
        {"model": "coordconv-pool", "history": rows},
    ]


EXAMPLES: dict[str, Callable[[], Arguments]] = {
    "Guesses": lambda: {"places": np.array([[0, 1]]), "right": np.array([True]), "new": np.array([False])},
    "accuracy_against_time": lambda: {"results": runs()},
    "architectures": lambda: {"networks": {"a": (Sequential([Dense(2, 3, rng=0)]), (2,))}, "columns": 1},
    "classification_figure": lambda: {"results": runs()},
    "confusion_counts": lambda: {"labels": np.array([0, 1]), "predicted": np.array([1, 1]), "classes": 2},
    "confusion_figure": lambda: {"counts": {"conv": np.eye(2)}, "classes": ["a", "b"], "title": "t"},
    "coord_block": lambda: {"with_r": True},
    "coordinate_weights": lambda: {
        "weights": {"coordconv-pool": [(np.ones((1, 1, 4, 3)), np.ones((1, 1, 4, 3)))]},
        "channels": 2,
        "game": "position",
    },
    "detection_curves": lambda: {"results": detections(), "padding": "valid"},
    "drawn_squares": lambda: {"arrays": drawn(), "split": "uniform", "square": 9},
    "error_maps": lambda: {"predictions": clouds(), "split": "uniform", "canvas": 64},
    "front_weights_figure": lambda: {"weights": {"coordconv": [(np.ones((4, 8)), np.ones((4, 8)))]}, "title": "t"},
    "game_curves": lambda: {"games": {"position": agents(), "control": agents()[:1]}},
    "gan_curves": lambda: {"results": gans(), "variant": "stable"},
    "improvement_intervals": lambda: {"rows": {"position, pool": (0.9, 0.8, 1.0)}},
    "interpolation_frames": lambda: {"paths": pictures(2, 3), "scale": 2},
    "interpolation_strips": lambda: {"maps": {"conv": {"paths": pictures(2, 3)}}, "title": "t"},
    "kept_boxes": lambda: {"maps": boxes(), "padding": "valid"},
    "latent_map": lambda: {"maps": latent_maps()},
    "learning_curves": lambda: {"results": agents(), "game": "position"},
    "missed_digits": lambda: {"maps": boxes(), "padding": "valid", "canvas": 64},
    "neighbour_zoom": lambda: {
        "logits": {"conv": np.arange(81.0).reshape(1, 9, 9)},
        "targets": [(4, 4)],
        "labels": ["a"],
        "half": 2,
    },
    "not_so_clevr_figure": lambda: {"data": (data := not_so_clevr(6, 3)), "splits": [split(data, "uniform")]},
    "overlap_figure": lambda: {"results": runs("iou"), "show": "both"},
    "paired_differences": lambda: {
        "panels": {"one": {"row": ([1.0, 3.0], (1.0, 3.0))}},
        "paper": ("one", "row", 0.04),
    },
    "pixel_zoom": lambda: {
        "panels": {"conv": (np.eye(9), np.eye(9))},
        "target": (4, 4),
        "half": 2,
        "title": "t",
    },
    "place_accuracy": lambda: {
        "guesses": {"conv": Guesses(np.array([[0, 1], [1, 1]]), np.array([True, False]), np.array([False, True]))},
        "title": "t",
    },
    "point_clouds": lambda: {"predictions": clouds(), "split": "uniform", "canvas": 64},
    "quadrant_figure": lambda: {
        "maps": maps(),
        "predictions": clouds(),
        "split": "quadrant",
        "canvas": 64,
        "note": "n",
    },
    "reconstruction_rows": lambda: {
        "maps": {"conv": {"originals": pictures(3), "reconstructions": pictures(3)}},
        "title": "t",
    },
    "regression_clouds": lambda: {"predictions": {"uniform": clouds()}, "canvas": 64, "title": "t"},
    "relative_changes": lambda: {
        "rows": {"a": (np.array([0.1, 0.3]), 0.2, (0.1, 0.3)), "b": ([0.1], 0.1, None)},
        "of": "the test IOU",
        "paper": 0.24,
    },
    "sample_grids": lambda: {"maps": {"conv": {"samples": pictures(4)}}, "title": "t"},
    "sampled_boxes": lambda: {"maps": boxes(), "padding": "valid"},
    "save_animation": lambda: {"frames": pictures(2), "path": Path("some.gif"), "seconds": 0.1},
    "save_figure": lambda: {"figure": Figure((1, 1)), "path": Path("some.png")},
    "save_film": lambda: {"pictures": pictures(2), "path": Path("film.gif"), "milliseconds": 120},
    "seed_curves": lambda: {"groups": {"official": runs()[2:3]}},
    "seed_ends": lambda: {"groups": {"official": runs()[2:3]}},
    "settings_figure": lambda: {"results": [run("conv", "uniform", "accuracy", 0.9, c=c) for c in (1, 2)]},
    "softmax_maps": lambda: {"maps": maps(), "split": "uniform"},
    "speed_story": lambda: {"ways": [{"way": "a", "ms": 3.0, "gain": None}, {"way": "b", "ms": 2.0, "gain": 1.5}]},
    "toy_tasks": dict,
    "training_strip": lambda: {
        "maps": {"conv": {"strip": pictures(2, 3), "strip_steps": np.array([10, 20])}},
        "variant": "stable",
    },
    "two_objects_figure": lambda: {"maps": samples(), "title": "t"},
    "vae_curves": lambda: {"results": autoencoders()},
    "visit_maps": lambda: {"maps": {"conv-pool": {"visits": np.eye(3) / 3}}, "game": "position"},
}
