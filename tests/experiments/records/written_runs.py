"""Runs that nobody trained, written as a finished run is; shared by the tests of records."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.datasets import not_so_clevr, split

METRICS = {"classification": "accuracy", "regression": "distance", "rendering": "iou", "detection": "iou"}


def write_run(out: Path, experiment: str, model: str, variant: str, test: float, **changes: Any) -> dict[str, Any]:
    """Write a run that nobody trained: its record, and the arrays of its experiment."""
    metric, preset = METRICS[experiment], changes.pop("preset", "paper")
    seed = changes.pop("seed", 0)
    folder = out / experiment / preset / "-".join([model, variant, f"seed{seed}", *map(str, changes.values())])
    folder.mkdir(parents=True)
    rows = [
        {"epoch": k, "train_seconds": 3.0 * k, f"train_{metric}": 1.0, f"test_{metric}": test * k / 5}
        for k in range(1, 6)
    ]
    facts = {"experiment": experiment, "model": model, "variant": variant, "preset": preset, "seed": seed}
    record = {
        **facts,
        "parameters": 1,
        "unit": "epoch",
        "epochs": 5,
        "train_seconds": 15.0,
        "solved": test == 1.0,
        "metrics": {f"train_{metric}": 1.0, f"test_{metric}": test},
        "settings": {"epochs": 5, "lr": 0.01, "l2": 0.001, **changes},
        "folder": str(folder),
        "history": rows,
        "interrupted": False,
    }
    (folder / "result.json").write_text(json.dumps(record))
    arrays = _detections(test) if experiment == "detection" else _on_not_so_clevr(experiment, variant, test)
    np.savez(folder / "maps.npz", **arrays)  # pyright: ignore[reportArgumentType]
    return record


def write_image_run(out: Path, model: str, variant: str, test: float, seed: int = 0) -> None:
    """Write a run of image classification that nobody trained: its record, and its arrays."""
    folder = out / "image-classification" / "full" / f"{model}-{variant}-seed{seed}"
    folder.mkdir(parents=True)
    facts = {"experiment": "image-classification", "model": model, "variant": variant, "preset": "full", "seed": seed}
    record = {
        **facts,
        "parameters": 1,
        "unit": "epoch",
        "epochs": 10,
        "train_seconds": 15.0,
        "solved": None,
        "metrics": {"train_accuracy": 1.0, "test_accuracy": test, "new_places_accuracy": test / 2},
        "settings": {"epochs": 10},
        "folder": str(folder),
        "history": [],
        "interrupted": False,
    }
    (folder / "result.json").write_text(json.dumps(record))
    rng, places = np.random.default_rng(seed), np.argwhere(np.ones((13, 13)))
    new = (places > 6).all(axis=1)
    arrays: dict[str, Any] = {}
    for prefix, here in (("", places[~new]), ("new_", places[new])):
        labels = rng.integers(0, 10, len(here))
        arrays |= {f"{prefix}labels": labels, f"{prefix}places": here}
        arrays |= {f"{prefix}predicted": np.where(rng.uniform(size=len(here)) < test, labels, (labels + 1) % 10)}
    rows = 0 if model == "conv" else 4
    arrays |= {name: rng.standard_normal((rows, 8)) for name in ("front", "front_before")}
    np.savez(folder / "maps.npz", **arrays)


def write_agent_run(out: Path, model: str, game: str, test: float, seed: int = 0) -> None:
    """Write a run of A2C that nobody trained: its record, and its arrays."""
    folder = out / "a2c" / "quick" / f"{model}-{game}-seed{seed}"
    folder.mkdir(parents=True)
    facts = {"experiment": "a2c", "model": model, "variant": game, "preset": "quick", "seed": seed}
    record = {
        **facts,
        "parameters": 1,
        "unit": "step",
        "steps": 5,
        "env_steps": 400,
        "train_seconds": 15.0,
        "solved": None,
        "metrics": {"test_return": test, "test_moves": 5.0},
        "yardsticks": {"random_return": 0.25, "best_return": 1.0},
        "settings": {"env_steps": 400},
        "folder": str(folder),
        "history": [
            {"step": k, "env_steps": 80 * k, "return": test * k / 5, "moves": 20.0 - k, "train_seconds": 3.0 * k}
            for k in range(1, 6)
        ],
        "interrupted": False,
    }
    (folder / "result.json").write_text(json.dumps(record))
    visits = np.random.default_rng(seed).dirichlet(np.ones(361)).reshape(19, 19)
    front = np.ones((5, 5, 4 if model.startswith("coordconv") else 2, 16), np.float32)
    arrays = {"visits": visits, "returns": np.full(3, test), "front": front, "front_before": front / 2}
    np.savez(folder / "maps.npz", **arrays)


def write_gan_run(out: Path, model: str, recipe: str, coverage: float, preset: str = "record") -> None:
    """Write a run of the GAN that nobody trained: its record, and its arrays."""
    folder = out / "gan" / preset / f"{model}-{recipe}-seed0"
    folder.mkdir(parents=True)
    measured = {"coverage": coverage, "red_entropy": 3.0, "blue_entropy": 3.0, "missed": 0.1}
    rows = [
        {"step": k, "train_seconds": 3.0 * k, "d_loss": 1.0, "g_loss": 2.0, "d_fake": 0.5, **measured} for k in (1, 2)
    ]
    record = {
        "experiment": "gan",
        "model": model,
        "variant": recipe,
        "preset": preset,
        "seed": 0,
        "parameters": 1,
        "unit": "step",
        "steps": 2,
        "train_seconds": 6.0,
        "solved": None,
        "metrics": measured,
        "settings": {"steps": 2, "every": 1, "canvas": 32, "width": 32, "z": 64},
        "folder": str(folder),
        "history": rows,
        "interrupted": False,
    }
    (folder / "result.json").write_text(json.dumps(record))
    rng = np.random.default_rng(0)
    shapes = {"samples": (16,), "average": (), "strip": (2, 8), "paths": (4, 33)}
    pictures = {name: rng.integers(0, 256, (*shape, 32, 32, 3), dtype=np.uint8) for name, shape in shapes.items()}
    centres = rng.uniform(5, 26, (1000, 2, 2))
    numbers = {"centres": centres, "entropies": np.full(3, 3.0), "strip_steps": np.array([1, 2])}
    np.savez(folder / "maps.npz", **pictures, **numbers)  # pyright: ignore[reportArgumentType]


def write_vae_run(out: Path, model: str, fade: float) -> None:
    """Write a run of the VAE that nobody trained: its record, and its arrays."""
    folder = out / "vae" / "record" / f"{model}-seed0"
    folder.mkdir(parents=True)
    measured = {"error": 0.1, "fade": fade, "coverage": 0.5, "missed": 0.1}
    rows = [{"step": k, "train_seconds": 3.0 * k, "squared_error": 90.0, "kl": 20.0, **measured} for k in (1, 2)]
    record = {
        "experiment": "vae",
        "model": model,
        "variant": "",
        "preset": "record",
        "seed": 0,
        "parameters": 1,
        "unit": "step",
        "steps": 2,
        "train_seconds": 6.0,
        "solved": None,
        "metrics": measured,
        "settings": {"steps": 2, "every": 1, "canvas": 32, "width": 16, "z": 32, "beta": 4.0},
        "folder": str(folder),
        "history": rows,
        "interrupted": False,
    }
    (folder / "result.json").write_text(json.dumps(record))
    rng = np.random.default_rng(0)
    shapes = {"samples": (16,), "average": (), "originals": (10,), "reconstructions": (10,), "paths": (4, 33)}
    shapes["plane_images"] = (7, 7)
    pictures = {name: rng.integers(0, 256, (*shape, 32, 32, 3), dtype=np.uint8) for name, shape in shapes.items()}
    numbers = {
        "centres": rng.uniform(5, 26, (1000, 2, 2)),
        "entropies": np.full(3, 3.0),
        "information": rng.random((6, 10)),
        "latents": np.arange(10),
        "plane": np.array([0, 1]),
        "plane_codes": rng.standard_normal((1000, 2)),
        "plane_places": rng.integers(5, 27, (1000, 2)),
        "plane_ends": np.array([-2.0, 2.0]),
    }
    np.savez(folder / "maps.npz", **pictures, **numbers)  # pyright: ignore[reportArgumentType]


def _on_not_so_clevr(experiment: str, variant: str, test: float) -> dict[str, Any]:
    """Return the arrays of a supervised task."""
    parts, data = split(not_so_clevr(), variant), not_so_clevr()
    centres = {"train": data.centres[parts.train], "test": data.centres[parts.test]}
    if experiment == "regression":
        arrays = {name: of_part + test for name, of_part in centres.items()}
        return arrays | {f"{name}_centres": of_part for name, of_part in centres.items()}
    if experiment == "classification":
        return {name: np.full((64, 64), test) for name in centres}
    arrays = {f"{name}_samples": of_part[:2] for name, of_part in centres.items()}
    return arrays | {f"{name}_drawn": np.full((2, 64, 64), test) for name in centres}


def _detections(test: float) -> dict[str, Any]:
    """Return the arrays of detection: two images with a digit each, and a kept box of another place."""
    digit, box = np.array([20.0, 30, 16, 20]), np.array([40.0, 30, 20, 16])
    return {
        "images": np.full((2, 64, 64), 0.5),
        "truth": np.tile(digit, (2, 1, 1)),
        "boxes": np.tile(box, (2, 1, 1)),
        "scores": np.full((2, 1), test),
        "positive": np.tile(digit, (2, 1, 1)),
        "negative": np.tile(box, (2, 1, 1)),
        "centres": np.tile(digit[:2], (2, 1, 1)),
        "best": np.array([[test], [0.0]]),
    }
