"""The settings of the three tasks: each network has those that it reads, and what cannot be is refused beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from minicoord import experiments
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.settings import changed, names_of, values_of
from minicoord.experiments.supervised.experiment import SupervisedExperiment
from minicoord.experiments.supervised.settings import SCHEDULES, TrainingSettings
from minicoord.sweeps.grids import runs_of
from minicoord.train.optim import Adam, AdamW

NAMES = ("classification", "regression", "rendering")
MODELS = [(name, model) for name in NAMES for model in experiments.get(name).presets["quick"]]
OF_TRAINING = set(names_of(TrainingSettings))


def get(name: str) -> SupervisedExperiment:
    found = experiments.get(name)
    assert isinstance(found, SupervisedExperiment)
    return found


def watched(kind: type[Any], read: set[str], **values: Any) -> Any:
    """Settings of a class that note which of them are read."""

    @dataclass(frozen=True, kw_only=True)
    class Watched(kind):
        def __getattribute__(self, name: str) -> Any:
            if name in names_of(kind):
                read.add(name)
            return super().__getattribute__(name)

    settings = Watched(**values)
    read.clear()
    return settings


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_the_settings_of_a_network_are_those_that_it_reads(name: str, model: str, few_samples: None):
    experiment = get(name)
    own = set(names_of(experiment.Settings, model)) - OF_TRAINING
    read: set[str] = set()
    found: set[str] = set()
    for pointer in (0.0, 1.0) if "pointer" in own else (0.0,):
        more = {"pointer": pointer} if name == "rendering" else {}
        settings = watched(experiment.Settings, read, epochs=1, lr=0.1, l2=0.0, **more)
        experiment.trainer(Plan(name, "quick", model, "uniform", 0, settings))
        found |= read
    assert found >= OF_TRAINING, "how a network is trained does not depend on which it is"
    # Rendering reads c, fs and m of every network at once, and asks each whether it has a pointer.
    assert own <= found and found - own - OF_TRAINING <= ({"c", "fs", "m", "pointer"} if name == "rendering" else set())


@pytest.mark.parametrize(("name", "model"), MODELS)
def test_presets_change_what_the_network_has(name: str, model: str):
    experiment = get(name)
    default = experiment.Settings(epochs=1, lr=0.1, l2=0.0)  # pyright: ignore[reportCallIssue]
    for of_models in experiment.presets.values():
        if model in of_models:
            preset = of_models[model]
            changes = {key: getattr(preset, key) for key in names_of(experiment.Settings)}
            changes = {key: value for key, value in changes.items() if value != getattr(default, key)}
            assert changed(default, name, model, changes) == preset
            assert values_of(preset, model) == values_of(default, model) | changes


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_belongs_to_a_network_and_says_what_it_means(name: str):
    experiment = get(name)
    models = (*experiment.models, *experiment.more_models)
    belong = set().union(*(names_of(experiment.Settings, model) for model in models))
    assert belong == set(names_of(experiment.Settings))
    assert belong > OF_TRAINING
    for field in experiment.Settings.__dataclass_fields__.values():
        assert len(field.metadata["help"]) > 5
        assert set(field.metadata["models"] or ()) <= set(models), f"{field.name} is of a network that there is not"


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_name_of_a_schedule_is_another_one(schedule: str):
    rates = TrainingSettings(epochs=10, lr=0.1, l2=0.0, schedule=schedule).learning_rates()
    seen = [round(rates(epoch), 6) for epoch in range(10)]
    assert len(set(seen)) == {"constant": 1, "step": 5, "cosine": 10}[schedule]


def test_a_decay_makes_the_optimiser_another_one_and_excludes_the_penalty():
    assert type(TrainingSettings(epochs=1, lr=0.1, l2=0.5).optimiser()) is Adam
    decayed = TrainingSettings(epochs=1, lr=0.1, l2=0.0, decay=0.5).optimiser()
    assert isinstance(decayed, AdamW) and decayed.config()["decay"] == 0.5
    with pytest.raises(ValueError, match=r"the settings had l2 0\.5 and decay 0\.5; one of them must be 0"):
        TrainingSettings(epochs=1, lr=0.1, l2=0.5, decay=0.5).check()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"epocs": 1}, "there is no setting 'epocs'; did you mean 'epochs'?"),
        ({"c": 2}, "'c' is not a setting of this network, wanted one of epochs, "),
        ({"epochs": 0}, "epochs was 0, wanted a whole number of at least 1"),
        ({"epochs": True}, "epochs was True, wanted a whole number"),
        ({"batch_size": 1.5}, "batch_size was 1.5, wanted a whole number"),
        ({"lr": float("nan")}, "lr was nan, wanted a finite number of at least 0"),
        ({"lr": "high"}, "lr was 'high', wanted a finite number"),
        ({"l2": -1}, "l2 was -1, wanted a finite number"),
        ({"schedule": "steps"}, "schedule was 'steps', wanted one of constant, step, cosine"),
        ({"schedule": None}, "schedule was None, wanted one of"),
        ({"raw_input": 1}, "raw_input was 1, wanted true or false"),
        ({"decay": 0.1}, "the settings had l2 0.00"),
    ],
)
def test_what_cannot_be(change: dict[str, Any], words: str, tmp_path: Path):
    experiment = experiments.get("classification")
    with pytest.raises(ValueError, match=r"^classification, coordconv: ") as caught:
        experiment.run("coordconv", "uniform", preset="quick", seed=0, out=tmp_path, **change)
    assert words in str(caught.value)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match=r"^classification, coordconv: ") as caught:
        runs_of("classification", [{"model": "coordconv", "split": "uniform", **change}])
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"lr": []}, "a grid has an empty list for 'lr'"),
        ({"seed": [-1]}, r"seeds \[-1\], wanted whole numbers"),
        ({"seed": "a"}, r"seeds \['a'\]"),
        ({"seed": True}, r"seeds \[True\]"),
        ({"sharpen": 1}, "sharpen was 1, wanted true or false"),
        ({"loss": "sum"}, "loss was 'sum', wanted one of sigmoid, "),
        ({"model": ["coordconv", "conv"], "init_scale": 0.5}, "rendering, conv: 'init_scale' is not a setting"),
    ],
)
def test_grids_that_cannot_be(grid: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=words):
        runs_of("rendering", [{"model": "coordconv", "split": "uniform", **grid}])


@pytest.mark.parametrize("name", NAMES)
def test_every_grid_of_ours_can_be_run(name: str):
    grids = get(name).grids
    assert {"quick", "paper", "record"} <= grids.keys()
    for of_name in grids.values():
        assert runs_of(name, of_name)
