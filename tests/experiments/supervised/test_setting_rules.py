"""Settings that a network does not have, or that cannot be, are refused before anything runs."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from minicoord.experiments.supervised.run import Preset
from minicoord.experiments.supervised.setting_rules import CHOICES, OF_TRAINING, check_changes

from minicoord import experiments
from minicoord.experiments.rendering import experiment as rendering
from minicoord.sweeps.grids import GRIDS, runs_of

NAMES = ("classification", "regression", "rendering")
MODELS = [(name, model) for name in NAMES for model in experiments.get(name).PRESETS["quick"]]


class Watched(Preset):
    """Settings that note which of them are read."""

    def __getattribute__(self, name: str) -> Any:
        if name in {f.name for f in fields(Preset)}:
            object.__getattribute__(self, "__dict__").setdefault("_read", set()).add(name)
        return object.__getattribute__(self, name)


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_the_settings_of_a_network_are_those_that_it_reads(name: str, model: str):
    module: Any = experiments.get(name)
    read: set[str] = set()
    for pointer in (0.0, 1.0) if "pointer" in module.OWN_SETTINGS[model] else (0.0,):
        preset = Watched(epochs=1, lr=0.1, l2=0.0, pointer=pointer)
        module.TASK.network(model, preset, "uniform", 0)
        module.TASK.loss(preset)
        read |= vars(preset)["_read"]
    own = set(module.OWN_SETTINGS[model])
    # Rendering reads c, fs, m of every network at once, and asks each whether it has a pointer.
    assert own <= read and read - own <= ({"c", "fs", "m", "pointer"} if name == "rendering" else set())


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_presets_change_what_the_network_has(name: str, model: str):
    module = experiments.get(name)
    default = Preset(epochs=1, lr=0.1, l2=0.0)
    for of_models in module.PRESETS.values():
        if model in of_models:
            preset = of_models[model]
            changes = {f.name: getattr(preset, f.name) for f in fields(Preset)}
            changes = {key: value for key, value in changes.items() if value != getattr(default, key)}
            check_changes(name, Preset, module.OWN_SETTINGS[model], changes)


def test_every_name_of_a_loss_is_known():
    assert set(CHOICES["loss"]) == set(rendering.LOSSES)


@pytest.mark.parametrize("schedule", CHOICES["schedule"])
def test_every_name_of_a_schedule_is_another_one(schedule: str):
    rates = Preset(epochs=10, lr=0.1, l2=0.0, schedule=schedule).learning_rates()
    seen = [round(rates(epoch), 6) for epoch in range(10)]
    assert len(set(seen)) == {"constant": 1, "step": 5, "cosine": 10}[schedule]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epocs": 1}, "there is no setting 'epocs'; did you mean 'epochs'?"),
        ({"c": 2}, "'c' is no setting of this network, wanted one of epochs, "),
        ({"epochs": 0}, "epochs was 0, wanted a whole number of at least 1"),
        ({"epochs": True}, "epochs was True, wanted a whole number"),
        ({"batch_size": 1.5}, "batch_size was 1.5, wanted a whole number"),
        ({"lr": float("nan")}, "lr was nan, wanted a number of at least 0 and finite"),
        ({"lr": "high"}, "lr was 'high', wanted a number"),
        ({"l2": -1}, "l2 was -1, wanted a number"),
        ({"schedule": "steps"}, "schedule was 'steps', wanted one of constant, step, cosine"),
        ({"schedule": None}, "schedule was None, wanted one of"),
    ],
)
def test_what_cannot_be(change: dict[str, Any], words: str, tmp_path: Path):
    run = experiments.get("classification").run
    with pytest.raises(ValueError, match=r"^classification, coordconv: ") as caught:
        run("coordconv", "uniform", preset="quick", seed=0, out=tmp_path, **change)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"^a grid, coordconv: ") as caught:
        runs_of("classification", [{"model": "coordconv", "split": "uniform", **change}])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"lr": []}, "a grid has no value for 'lr'"),
        ({"seed": [-1]}, r"seeds \[-1\], wanted whole numbers"),
        ({"seed": "a"}, r"seeds \['a'\]"),
        ({"seed": True}, r"seeds \[True\]"),
        ({"sharpen": 1}, "sharpen was 1, wanted true or false"),
        ({"loss": "sum"}, "loss was 'sum', wanted one of sigmoid, "),
        (
            {"model": ["coordconv", "conv"], "init_scale": 0.5},
            "a grid, conv: 'init_scale' is no setting",
        ),
    ],
)
def test_grids_that_cannot_be(grid: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        runs_of("rendering", [{"model": "coordconv", "split": "uniform", **grid}])


def test_what_may_be_missing_may_be_none():
    check_changes("", Preset, ["c", "loss"], {"c": None, "loss": None})


@pytest.mark.parametrize("experiment", NAMES)
def test_every_grid_of_ours_can_be_run(experiment: str):
    for grids in GRIDS[experiment].values():
        assert runs_of(experiment, grids)


def test_training_settings_are_settings():
    assert set(OF_TRAINING) < {field.name for field in fields(Preset)}
