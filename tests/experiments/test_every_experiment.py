"""What every experiment of the registry has to declare; who forgets a step of the recipe meets it here."""

import inspect
from pathlib import Path

import pytest

from minicoord import experiments
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.settings import fields_of, names_of, values_of
from minicoord.sweeps.grids import runs_of

NAMES = list(experiments.EXPERIMENTS)
OPTIONS = {"model", "variant", "preset", "seed", "seeds", "first_seed", "threads", "out", "resume", "overwrite", "json"}


@pytest.fixture(params=NAMES)
def experiment(request) -> Experiment:
    return experiments.get(request.param)


def test_it_is_a_class_of_its_own_under_the_name_of_the_registry(experiment):
    assert isinstance(experiment, Experiment) and type(experiment) is not Experiment
    assert experiments.get(experiment.name) is experiment
    assert experiment.title and experiment.paper_section


def test_its_folder_says_what_is_in_it(experiment):
    folder = Path(inspect.getfile(type(experiment))).parent
    assert folder.name == experiment.name.replace("-", "_") and folder.parent.name == "experiments"
    assert "Begin with" in (folder / "__init__.py").read_text(encoding="utf-8")


def test_every_model_has_a_preset_and_every_preset_makes_sense(experiment):
    models = (*experiment.models, *experiment.more_models)
    assert len(set(models)) == len(models) and len(set(experiment.variants)) == len(experiment.variants)
    for model in models:
        assert any(model in of_models for of_models in experiment.presets.values()), model
    for name, of_models in experiment.presets.items():
        assert set(of_models) <= set(models)
        for model, settings in of_models.items():
            again = experiment.plan(model, preset=name, **values_of(settings, model)).settings
            assert values_of(again, model) == values_of(settings, model)


def test_every_setting_says_what_it_means_and_is_no_option_of_every_run(experiment):
    for field in fields_of(experiment.Settings):
        assert field.metadata["help"], field.name
        for model in field.metadata["models"] or ():
            assert model in (*experiment.models, *experiment.more_models)
    assert not OPTIONS & set(names_of(experiment.Settings))
    undeclared = set(inspect.signature(experiment.Settings).parameters) - set(names_of(experiment.Settings))
    assert not undeclared, "every field of the settings is made by `setting`"


def test_one_metric_is_primary_and_the_paper_speaks_of_declared_ones(experiment):
    assert sum(metric.primary for metric in experiment.metrics) == 1
    names = {metric.name for metric in experiment.metrics}
    for key, reported in experiment.paper.items():
        model, variant = key if isinstance(key, tuple) else (key, experiment.variants[0])
        assert model in (*experiment.models, *experiment.more_models)
        assert variant in (*experiment.variants, *experiment.more_variants)
        assert set(reported) <= {*names, "seconds"}


@pytest.mark.compiled
def test_what_is_measured_is_what_was_declared(experiment):
    plan = experiment.plan(experiment.models[-1], seed=5)
    trainer = experiment.trainer(plan)
    metrics, arrays = experiment.measure(trainer)
    assert {metric.name for metric in experiment.metrics} <= set(metrics)
    assert all(isinstance(value, float) for value in metrics.values())
    assert arrays and trainer.networks
    assert experiment.solved(metrics) in (None, False, True)


def test_every_grid_stands_for_runs_of_different_names(experiment):
    for name, grid in experiment.grids.items():
        plans = runs_of(experiment.name, grid)
        folders = [(plan.preset, plan.name) for plan in plans]
        assert plans and len(set(folders)) == len(folders), name


@pytest.mark.compiled  # pure Python takes too long
def test_the_same_seed_begins_with_the_same_weights_and_another_with_others(experiment):
    def weights(seed):
        trainer = experiment.trainer(experiment.plan(experiment.models[0], seed=seed))
        return [array.tobytes() for net in trainer.networks.values() for array in net.params.values()]

    assert weights(1) == weights(1)
    assert weights(1) != weights(2)


def test_figures_have_names_of_their_own():
    names = [name for e in NAMES for name in experiments.get(e).record_figures()]
    assert len(set(names)) == len(names)
    assert all(figure.line for e in NAMES for figure in experiments.get(e).record_figures().values())
