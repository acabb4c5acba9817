"""The experiments of the paper: a folder for each, and a line for each in the registry below.

Begin with ``frame/declaration.py``, which says what an experiment is; ``frame/`` is what all of them share.
``supervised/`` is what the three tasks on Not-so-Clevr share; ``records/`` keeps finished runs and shows them beside
the paper.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from minicoord.system.suggestion import suggestion

if TYPE_CHECKING:
    from minicoord.experiments.frame.experiment import Experiment

EXPERIMENTS: dict[str, str] = {
    "classification": "minicoord.experiments.classification.experiment:Classification",
    "regression": "minicoord.experiments.regression.experiment:Regression",
    "rendering": "minicoord.experiments.rendering.experiment:Rendering",
}
"""The name of each experiment of this package, in the paper's order, and where its class is."""

GROUP = "minicoord.experiments"
"""The group of entry points through which another package brings experiments of its own."""


class ExperimentError(ImportError):
    """An experiment that cannot be loaded: its module raises, or has no such class, or that is not of an experiment."""


@cache
def registry() -> dict[str, str]:
    """Return the name and the class of every experiment: those of this package, then those of other packages."""
    others = {point.name: point.value for point in entry_points(group=GROUP)}
    return {**EXPERIMENTS, **{name: others[name] for name in sorted(others) if name not in EXPERIMENTS}}


def names() -> list[str]:
    """Return the names of all experiments."""
    return list(registry())


def all_that_load() -> tuple[list[Experiment], list[str]]:
    """Return every experiment that can be loaded, and a sentence for each that cannot."""
    found, problems = [], []
    for name in registry():
        try:
            found.append(get(name))
        except ExperimentError as error:
            problems.append(str(error))
    return found, problems


@cache
def get(name: str) -> Experiment:
    """Return the experiment called `name`; its module is imported when it is first asked for.

    Raises
    ------
    ValueError
        If there is no such experiment; the message offers the nearest name.
    ExperimentError
        If it cannot be loaded, whatever its package raises.

    Examples
    --------
    >>> from minicoord import experiments
    >>> experiments.get("clasification")
    Traceback (most recent call last):
        ...
    ValueError: there is no experiment 'clasification'; did you mean 'classification'?
    """
    if name not in registry():
        raise ValueError(f"there is no experiment {name!r}; {suggestion(name, registry())}")
    place = registry()[name]
    module, _, kind = place.partition(":")
    try:
        from minicoord.experiments.frame.experiment import Experiment

        found = getattr(import_module(module), kind)()
    except Exception as error:  # the mistake of another package may be of any kind
        raise ExperimentError(f"{name} cannot be loaded from {place}: {type(error).__name__}: {error}") from error
    if not isinstance(found, Experiment):
        raise ExperimentError(f"{name} cannot be loaded: {place} makes a {type(found).__name__}, wanted an Experiment")
    return found
