"""The base class of all experiments: what one declares, and what the frame makes of it.

An experiment is a folder with a subclass, and a line in the registry. ``declaration.py`` says what it declares.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minicoord.experiments.frame.declaration import Declaration
from minicoord.experiments.frame.metrics import Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.report import summary_table
from minicoord.experiments.frame.run import RUN_OPTIONS, run
from minicoord.experiments.frame.settings import Settings, as_kept, changed, check_change, names_of, values_of
from minicoord.system.arguments import check_whole
from minicoord.system.suggestion import suggestion


class Experiment(Declaration):
    """The base class of all experiments: see `Declaration` for what a subclass fills in."""

    def describe(self) -> list[dict[str, Any]]:
        """Return for each network its ``model`` name, number of ``parameters`` and ``layers`` in words."""
        rows = []
        for model in (*self.models, *self.more_models):
            preset = next(name for name, of_models in self.presets.items() if model in of_models)
            networks = self.trainer(self.plan(model, preset=preset)).networks
            words = [f"{name}: {', '.join(part.name for _, part in net.parts())}" for name, net in networks.items()]
            parameters = sum(net.n_params for net in networks.values())
            rows.append({"model": model, "parameters": parameters, "layers": "; ".join(words)})
        return rows

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
        of_run = {key: options.pop(key) for key in RUN_OPTIONS if key in options}
        return run(self, self.plan(model, variant, **options), out, **of_run)

    def summary_table(self, results: Results) -> list[dict[str, str]]:
        """Return the rows of the table of paper against measured; the keys are the columns, in order."""
        return summary_table(self, results)

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
