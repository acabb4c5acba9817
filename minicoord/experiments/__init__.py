"""The experiments of the paper: each has a folder, and a line in the registry below.

Begin with ``frame/declaration.py``, which says what an experiment is; ``frame/`` is what all of them share.
``supervised/`` is what the three tasks on Not-so-Clevr share, ``two_objects/`` how samples of two objects are judged;
``records/`` keeps finished runs and shows them beside the paper's results.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from minicoord.system.arguments import shown
from minicoord.system.suggestion import suggestion

if TYPE_CHECKING:
    from minicoord.experiments.frame.experiment import Experiment

EXPERIMENTS: dict[str, str] = {
    "classification": "minicoord.experiments.classification.experiment:Classification",
    "regression": "minicoord.experiments.regression.experiment:Regression",
    "rendering": "minicoord.experiments.rendering.experiment:Rendering",
    "image-classification": "minicoord.experiments.image_classification.experiment:ImageClassification",
    "detection": "minicoord.experiments.detection.experiment:Detection",
    "gan": "minicoord.experiments.gan.experiment:Gan",
    "vae": "minicoord.experiments.vae.experiment:Vae",
    "a2c": "minicoord.experiments.a2c.experiment:A2C",
}
"""The experiments of this package in the paper's order: name, and ``module:class``."""

GROUP = "minicoord.experiments"
"""The entry point group under which another package registers its own experiments."""


class ExperimentError(ImportError):
    """An experiment cannot be loaded: its module raises, lacks the class, or the class is not an `Experiment`."""


@cache
def registry() -> dict[str, str]:
    """Return ``module:class`` of every experiment by name: those of this package, then those of other packages."""
    others = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**EXPERIMENTS, **{name: others[name] for name in sorted(others) if name not in EXPERIMENTS}}


def names() -> list[str]:
    """Return the names of all experiments."""
    return list(registry())


def all_that_load() -> tuple[list[Experiment], list[str]]:
    """Return the experiments that can be loaded, and an error message for each of the others."""
    found, problems = [], []
    for name in registry():
        try:
            found.append(get(name))
        except ExperimentError as error:
            problems.append(str(error))
    return found, problems


def get(name: str) -> Experiment:
    """Return the experiment called `name`; its module is imported on first use.

    Raises
    ------
    TypeError
        If `name` is not a str.
    ValueError
        If there is no such experiment; the message offers the nearest name.
    ExperimentError
        If it cannot be loaded, whatever error its package raises.

    Examples
    --------
    >>> from minicoord import experiments
    >>> experiments.get("clasification")
    Traceback (most recent call last):
        ...
    ValueError: there is no experiment 'clasification'; did you mean 'classification'?
    """
    if not isinstance(name, str):
        raise TypeError(f"experiments.get: name was {shown(name)}, wanted one of {', '.join(registry())}")
    if name not in registry():
        raise ValueError(f"there is no experiment {shown(name)}; {suggestion(name, registry())}")
    return loaded(name)


@cache
def loaded(name: str) -> Experiment:
    """Return the experiment of a name in the registry, imported on first use; `get` is the door to it."""
    location = registry()[name]
    module, _, class_name = location.partition(":")
    try:
        from minicoord.experiments.frame.experiment import Experiment
        from minicoord.experiments.frame.names import check_names

        found = getattr(import_module(module), class_name)()
    except Exception as error:  # a faulty package may raise anything
        raise ExperimentError(f"{name} cannot be loaded from {location}: {type(error).__name__}: {error}") from error
    if not isinstance(found, Experiment):
        made = type(found).__name__
        raise ExperimentError(f"{name} cannot be loaded: {location} makes a {made}, wanted an Experiment")
    try:
        check_names(found)
    except Exception as error:  # what it declares may be of any type
        reason = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise ExperimentError(f"{name} cannot be loaded from {location}: {reason}") from error
    return found
