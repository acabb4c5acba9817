"""What an experiment declares: its networks, settings and metrics, how it is trained and how it is measured.

An experiment is a subclass of `minicoord.experiments.frame.experiment.Experiment`, which extends `Declaration`. It sets
the attributes and defines `trainer` and `measure`; the other methods have defaults. Everything else (running, resuming,
sweeps, records, tables, the command line) is done by the frame.
"""

from __future__ import annotations

import math
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
    """The attributes and methods that an experiment may define.

    Attributes
    ----------
    name : str
        The name on the command line and in the registry.
    title, paper_section : str
        The name in the paper, and where the paper describes the experiment.
    Settings : type
        The dataclass of its settings, a subclass of `minicoord.experiments.frame.settings.Settings`.
    models, more_models : tuple of str
        The networks that are compared by default, and those that run only when asked for by name.
    variants, more_variants : tuple of str
        What varies between runs besides model and seed, such as the train/test split: those that run by default, and
        those that run only when asked for by name. ``("",)`` where nothing varies.
    variant_name : str
        What a variant is called on the command line and in grids: ``"split"``, ``"game"``.
    presets : mapping
        ``presets[preset][model]`` is a `Settings` object. The first preset is the default of the command line.
    kept_networks : tuple of str
        The networks of the trainer whose weights a record keeps, by name: those that `measure` looks at. Empty for all.
    metrics : tuple of Metric
        What is measured after the last step; one of them is primary.
    paper : mapping
        What the paper reports for a model, or for a pair (model, variant): text by the name of a metric, such as
        ``{"test_accuracy": "86 %"}``, or by ``"seconds"``, the training time.
    grids : mapping
        Grids for ``minicoord sweep`` by name, see `minicoord.sweeps.grids`.
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
    kept_networks: ClassVar[tuple[str, ...]] = ()
    metrics: ClassVar[tuple[Metric, ...]]
    paper: ClassVar[Mapping[Any, Mapping[str, str]]] = MappingProxyType({})
    grids: ClassVar[Mapping[str, Sequence[Mapping[str, Any]]]] = MappingProxyType({})

    def trainer(self, plan: Plan) -> Trainer:
        """Return what the loop trains: networks with initial weights, optimisers, data.

        It depends on the plan alone: the same plan gives the same bits, which is what makes a run repeatable.
        """
        raise NotImplementedError(f"{type(self).__name__} has no trainer")

    def measure(self, trainer: Any) -> tuple[dict[str, float], Arrays]:
        """Return what is measured after the last step.

        Returns
        -------
        metrics : dict of str to float
            One value for each of `metrics`, and any others worth recording.
        arrays : dict of str to ndarray
            What the figures show; written to ``maps.npz``.
        """
        raise NotImplementedError(f"{type(self).__name__} has no measure")

    def watch(self, trainer: Any) -> dict[str, float]:
        """Return the metrics to record with every row of the history; training does not depend on them."""
        return {}

    def solved(self, metrics: Mapping[str, float]) -> bool | None:
        """Return whether these metrics mean that the task is learned; None where an experiment does not judge it."""
        return None

    def facts(self, trainer: Any) -> dict[str, Any]:
        """Return further entries of ``result.json``, such as the number of samples; must be fit for JSON."""
        return {}

    def merit(self, metrics: Mapping[str, float | None]) -> float:
        """Return how good a run is; the best of several runs has the largest merit. Minus infinity if undefined.

        By default the primary metric decides.
        """
        value = metrics.get(self.primary.name)
        if value is None or math.isnan(value):
            return -float("inf")
        return value if self.primary.more_is_better else -value

    def notes(self, results: Results) -> list[str]:
        """Return the notes below the table of results: what a reader must know to read it, one sentence each."""
        return []

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw figures of these results into `folder`, and return the paths of the image files."""
        return []

    def record_figures(self) -> Mapping[str, Any]:
        """Return the figures that ``minicoord figures`` draws from the records of this experiment, by name.

        Each is a `minicoord.experiments.records.figures.RecordFigure`.
        """
        return {}

    def remarks(self, records: Results, folder: Path) -> list[str]:
        """Return the sentences below the table of ``minicoord reproduce``, such as the ratio of two rows."""
        return []

    @property
    def primary(self) -> Metric:
        """The metric by which runs are compared: the one marked primary, else the first."""
        return next((metric for metric in self.metrics if metric.primary), self.metrics[0])

    def paper_of(self, model: str, variant: str) -> Mapping[str, str]:
        """Return what the paper reports for a model on a variant, as text by the name of the metric."""
        return self.paper.get((model, variant), self.paper.get(model, {}))
