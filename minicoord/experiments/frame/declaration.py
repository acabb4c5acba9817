"""What an experiment says of itself: its networks, settings and metrics, how it is trained and measured.

A subclass of `Declaration`, by way of `minicoord.experiments.frame.experiment.Experiment`, fills in the attributes and
writes `trainer` and `measure`. Everything else (running, resuming, sweeps, records, tables, the command line) is the
frame's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.settings import Settings
from minicoord.train.trainer import Trainer

Arrays = dict[str, Any]
Presets = Mapping[str, Mapping[str, Any]]


class Declaration:
    """What a subclass declares.

    Attributes
    ----------
    name : str
        Its name on the command line and in the registry.
    title, paper_section : str
        Its name in the paper, and where the paper describes it.
    Settings : type
        Its dataclass of settings.
    models, more_models : tuple of str
        The networks that are compared, and those that run only if asked for by name.
    variants, more_variants : tuple of str
        What varies between runs beside model and seed; those that run only if asked for by name.
    variant_name : str
        What a variant is called on the command line and in grids: ``"split"``, ``"game"``.
    presets : mapping
        For each preset (``"quick"``, ``"paper"``) and each model its settings.
    metrics : tuple of Metric
        What is measured; one of them is primary.
    paper : mapping
        For each model, or (model, variant), what the paper reports: a text for the name of a metric, or for
        ``"seconds"``.
    grids : mapping
        Grids of settings for ``minicoord sweep``, by name.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    paper_section: ClassVar[str] = "not in the paper"
    Settings: ClassVar[type[Settings]]
    models: ClassVar[tuple[str, ...]]
    more_models: ClassVar[tuple[str, ...]] = ()
    variants: ClassVar[tuple[str, ...]] = ("",)
    more_variants: ClassVar[tuple[str, ...]] = ()
    variant_name: ClassVar[str] = "variant"
    presets: ClassVar[Presets]
    metrics: ClassVar[tuple[Metric, ...]]
    paper: ClassVar[Mapping[Any, Mapping[str, str]]] = MappingProxyType({})
    grids: ClassVar[Mapping[str, Sequence[Mapping[str, Any]]]] = MappingProxyType({})

    def trainer(self, plan: Plan) -> Trainer:
        """Return what the loop trains: networks with their initial weights, optimisers, data. The same for one seed."""
        raise NotImplementedError(f"{type(self).__name__} has no trainer")

    def measure(self, trainer: Any) -> tuple[dict[str, float], Arrays]:
        """Return the metrics after the last step, and the arrays that figures show."""
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def watch(self, trainer: Any) -> dict[str, float]:
        """Return the few metrics that are recorded after every row of the history; they decide nothing."""
        return {}

    def solved(self, metrics: Mapping[str, float]) -> bool | None:
        """Return whether these metrics mean that the task is learned; None if that is not a question here."""
        return None

    def facts(self, trainer: Any) -> dict[str, Any]:
        """Return what else ``result.json`` should hold, such as the number of samples."""
        return {}

    def merit(self, metrics: Mapping[str, float | None]) -> float:
        """Return how good a run is: the best run of several has the largest. By default the primary metric decides."""
        value = metrics.get(self.primary.name)
        if value is None or value != value:
            return -float("inf")
        return value if self.primary.more_is_better else -value

    def notes(self, results: Results) -> list[str]:
        """Return what a reader of the table must know, one sentence each."""
        return []

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw the figures of some results into `folder`, and return their paths."""
        return []

    def record_figures(self) -> Mapping[str, Any]:
        """Return what ``minicoord figures`` draws from the records of this experiment, by the name of the figure.

        Each is a `minicoord.experiments.records.figures.RecordFigure`.
        """
        return {}

    def remarks(self, records: Results, folder: Path) -> list[str]:
        """Return sentences below the table of ``minicoord reproduce``, such as a ratio of two rows."""
        return []

    @property
    def primary(self) -> Metric:
        """The metric that runs are compared by."""
        return next((metric for metric in self.metrics if metric.primary), self.metrics[0])

    def paper_of(self, model: str, variant: str) -> Mapping[str, str]:
        """Return what the paper reports of a model on a variant, by the name of the metric."""
        return self.paper.get((model, variant), self.paper.get(model, {}))
