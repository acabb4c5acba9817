"""What an experiment is: networks to compare, settings, a trainer, measurements, and what is said and drawn of them.

A subclass of `Experiment` fills in the attributes and writes `trainer` and `measure`. Everything else (running,
resuming, sweeps, records, tables, the command line) is the frame's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from minicoord.experiments.frame import report
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.settings import Settings, as_kept, changed, check_change, names_of, values_of
from minicoord.system.arguments import check_whole
from minicoord.system.suggestion import suggestion
from minicoord.train.trainer import Trainer

if TYPE_CHECKING:
    from minicoord.experiments.records.figures import RecordFigure

Arrays = dict[str, Any]
Presets = Mapping[str, Mapping[str, Any]]


class Experiment:
    """The base class of all experiments.

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

    def record_figures(self) -> Mapping[str, RecordFigure]:
        """Return what ``minicoord figures`` draws from the records of this experiment, by the name of the figure."""
        return {}

    def remarks(self, records: Results, folder: Path) -> list[str]:
        """Return sentences below the table of ``minicoord reproduce``, such as a ratio of two rows."""
        return []

    def describe(self) -> list[dict[str, Any]]:
        """Return for each network its ``model`` name, number of ``parameters`` and ``layers`` in words."""
        rows = []
        for model in (*self.models, *self.more_models):
            preset = next(name for name, of_models in self.presets.items() if model in of_models)
            networks = self.trainer(self.plan(model, preset=preset)).networks
            words = [f"{name}: {', '.join(layer.name for layer in net.layers)}" for name, net in networks.items()]
            parameters = sum(net.n_params for net in networks.values())
            rows.append({"model": model, "parameters": parameters, "layers": "; ".join(words)})
        return rows

    @property
    def primary(self) -> Metric:
        """The metric that runs are compared by."""
        return next((metric for metric in self.metrics if metric.primary), self.metrics[0])

    def plan(
        self, model: str, variant: str | None = None, *, preset: str = "quick", seed: int = 0, **changes: Any
    ) -> Plan:
        """Return a planned run.

        Parameters
        ----------
        model, variant : str
            The variant may be left out where there is one alone; else the first is taken.
        preset : str
        seed : int
            0 or more.
        **changes
            Settings that differ from the preset.

        Raises
        ------
        ValueError
            If a name is unknown or a setting impossible.
        """
        variant = self.variants[0] if variant is None else variant
        if preset not in self.presets:
            raise ValueError(f"{self.name}: there is no preset {preset!r}; {suggestion(preset, self.presets)}")
        if model not in self.presets[preset]:
            others = self.presets[preset]
            if any(model in of_models for of_models in self.presets.values()):
                raise ValueError(f"{self.name}: the preset {preset!r} has no {model!r}, only {', '.join(others)}")
            raise ValueError(f"{self.name}: there is no model {model!r}; {suggestion(model, others)}")
        if variant not in (*self.variants, *self.more_variants):
            known = suggestion(variant, (*self.variants, *self.more_variants))
            raise ValueError(f"{self.name}: there is no {self.variant_name} {variant!r}; {known}")
        check_whole(f"{self.name}: seed", seed, 0)
        settings = changed(self.presets[preset][model], f"{self.name}, {model}", model, changes)
        kept = {name: as_kept(self.Settings, name, value) for name, value in changes.items()}
        return Plan(self.name, preset, model, variant, int(seed), settings, kept)

    def run(self, model: str, variant: str | None = None, *, out: Path = Path("minicoord-results"), **options: Any):
        """Train and evaluate one network, write its files below `out`, and return what ``result.json`` holds.

        Parameters
        ----------
        model, variant : str
        out : path
        **options
            ``resume``, ``overwrite``, ``progress`` and ``command`` of `minicoord.experiments.frame.run.run`; all others
            are those of `plan`.

        Returns
        -------
        dict
            What ``result.json`` holds; ``folder`` is where the files are.

        Raises
        ------
        ValueError
            If a name is unknown, a setting is impossible, or there is a run already.
        """
        from minicoord.experiments.frame.run import RUN_OPTIONS, run

        of_run = {key: options.pop(key) for key in RUN_OPTIONS if key in options}
        return run(self, self.plan(model, variant, **options), out, **of_run)

    def summary_table(self, results: Results) -> list[dict[str, str]]:
        """Return the rows of the table of paper against measured; the keys are the columns, in order."""
        return report.summary_table(self, results)

    def paper_of(self, model: str, variant: str) -> Mapping[str, str]:
        """Return what the paper reports of a model on a variant, by the name of the metric."""
        return self.paper.get((model, variant), self.paper.get(model, {}))

    def settings_of(self, record: Mapping[str, Any]) -> Settings:
        """Return the settings of a record; a setting that did not exist when it was made has its default."""
        known = names_of(self.Settings)
        return self.Settings(**{key: value for key, value in record["settings"].items() if key in known})

    def plan_of(self, record: Mapping[str, Any]) -> Plan:
        """Return the plan of a recorded run."""
        told = [record[key] for key in ("preset", "model", "variant", "seed")]
        return Plan(self.name, *told, settings=self.settings_of(record), changes=self.differences(record))

    def differences(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a record that differ from its preset as it is now, by name.

        Where the preset is gone, all settings.
        """
        settings = values_of(self.settings_of(record), record["model"])
        preset = self.presets.get(record["preset"], {}).get(record["model"])
        usual = {} if preset is None else values_of(preset, record["model"])
        return {key: settings[key] for key in sorted(settings) if key not in usual or settings[key] != usual[key]}

    def is_of_papers_grid(self, record: Mapping[str, Any]) -> bool:
        """Return whether a run could be one of those that the paper reports: of its preset, with no setting changed."""
        return record["preset"] == "paper" and not self.differences(record)

    def check_setting(self, model: str, name: str, value: Any) -> None:
        """Raise ValueError if a network has no such setting, or it may not have this value."""
        check_change(self.Settings, f"{self.name}, {model}", model, name, value)
