"""A planned run: its name, its folder, and the way to JSON and back."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from setting_changes import change

from minicoord import experiments
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.plan import LONGEST_NAME, run_name
from minicoord.experiments.frame.settings import values_of

MODELS = [(name, preset, model) for name in experiments.names() for preset, of_models in
          experiments.get(name).presets.items() for model in of_models]  # fmt: skip


def classification() -> Experiment:
    return experiments.get("classification")


@pytest.mark.parametrize(("name", "preset", "model"), MODELS)
def test_an_order_goes_through_json_and_makes_the_same_plan_again(name: str, preset: str, model: str):
    experiment = experiments.get(name)
    usual = values_of(experiment.presets[preset][model], model)
    one_by_one = [change(experiment, preset, model, name) for name in usual]
    # Whole numbers, which are kept as 0.0 and 1.0; some settings may not be 0.
    whole = {name: int(name in ("lr", "clip")) for name, value in usual.items() if isinstance(value, float)}
    variants = (*experiment.variants, *experiment.more_variants)
    some: list[dict[str, Any]] = [*({} for _ in variants), *one_by_one, whole]
    for seed, (variant, changes) in enumerate(zip(itertools.cycle(variants), some, strict=False)):
        plan = experiment.plan(model, variant, preset=preset, seed=seed, **changes)
        again = experiment.plan(**json.loads(json.dumps(plan.order())))
        assert again == plan
        assert again.settings == plan.settings, "which equality of plans leaves out"
        assert again.folder(Path("out")) == plan.folder(Path("out"))


def test_a_plan_has_the_settings_of_its_preset_and_the_changes():
    plan = classification().plan("conv", "quadrant", preset="paper", seed=7, c=1, lr=1)
    preset = classification().presets["paper"]["conv"]
    assert (plan.settings.c, plan.settings.lr) == (1, 1.0)
    assert (plan.settings.fs, plan.settings.epochs) == (preset.fs, preset.epochs)
    assert plan.changes == {"c": 1, "lr": 1.0}
    assert plan.order() == {"model": "conv", "variant": "quadrant", "preset": "paper", "seed": 7, "c": 1, "lr": 1.0}
    assert classification().presets["paper"]["conv"].c == 2, "the preset is as it was"


def test_the_folder_names_what_was_changed_in_the_order_of_the_names():
    plan = classification().plan("coordconv", "uniform", raw_input=True, epochs=1, l2=0)
    assert plan.name == "coordconv-uniform-seed0-epochs=1-l2=0.0-raw_input=True"
    assert plan.folder(Path("out")) == Path("out/classification/quick") / plan.name


def test_zero_and_its_float_are_one_run_with_one_name():
    whole, point = (classification().plan("coordconv", "uniform", l2=zero) for zero in (0, 0.0))
    assert whole == point and whole.name == point.name


def test_a_variant_that_is_not_given_is_the_first_and_an_empty_one_is_not_in_the_name():
    assert classification().plan("conv").variant == "uniform"
    assert run_name("agent", "", 3, {"steps": 5}) == "agent-seed3-steps=5"
    assert run_name("agent", "pong", None, {}) == "agent-pong", "without a seed: all that differ by it alone"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"preset": "slow"}, "there is no preset 'slow'; choose from quick, paper"),
        ({"model": "cov"}, "there is no model 'cov'; did you mean 'conv'?"),
        ({"variant": "quadrat"}, "there is no split 'quadrat'; did you mean 'quadrant'?"),
        ({"seed": -1}, "seed was -1"),
        ({"seed": 1.5}, "seed was 1.5"),
        ({"seed": True}, "seed was True"),
        ({"epocs": 1}, "there is no setting 'epocs'; did you mean 'epochs'?"),
        ({"decay": 0.1, "l2": 0.1}, "the settings had l2 0.1 and decay 0.1; one of them must be 0"),
    ],
)
def test_what_cannot_be_planned_is_named_with_its_experiment(given: dict[str, Any], words: str):
    with pytest.raises(ValueError, match=r"^classification") as caught:
        classification().plan(**{"model": "conv", "variant": "uniform", **given})
    assert words in str(caught.value)


def test_a_model_of_another_preset_is_told_apart_from_one_that_is_nowhere():
    with pytest.raises(ValueError, match="the preset 'paper' has no 'drawer', only conv, coordconv"):
        experiments.get("rendering").plan("drawer", "uniform", preset="paper")


@pytest.mark.parametrize(
    ("one", "other"), [("a/b", "a_b"), ("a b", "a/b"), ("None", None), ("a\udcff", "a_"), ("a-lr=1", "a-lr_1")]
)
def test_two_settings_never_share_a_name(one: Any, other: Any):
    first, second = (run_name("conv", "", 0, {"data": value}) for value in (one, other))
    assert first != second
    assert "/" not in first and " " not in first


def test_a_name_too_long_for_a_folder_ends_in_a_checksum(tmp_path: Path):
    settings = {f"setting{k}": 1 / (k + 3) for k in range(12)}
    one, other = (run_name("conv", "uniform", 3, {**settings, "z": z}) for z in (0, 1))
    assert one != other and one.startswith("conv-uniform-seed3-setting0=")
    for name in (one, other):
        assert len(name) == LONGEST_NAME
        (tmp_path / name).mkdir()
    whole = {"a": "b" * (LONGEST_NAME - len("conv-seed0-a="))}
    assert run_name("conv", "", 0, whole) == f"conv-seed0-a={whole['a']}"
