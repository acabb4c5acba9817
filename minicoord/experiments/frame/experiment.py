"""The base class of all experiments: what the frame makes of a declaration.

An experiment is a folder with a subclass of `Experiment`, and a line in the registry. ``declaration.py`` lists what the
subclass defines.
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
from minicoord.system.arguments import check_whole, shown
from minicoord.system.suggestion import suggestion


class Experiment(Declaration):
    """The base class of all experiments; `Declaration` lists what a subclass defines."""

    def describe(self) -> list[dict[str, Any]]:
        """Return a row for each network: its name (``model``), number of ``parameters``, and ``layers`` in words.

        A subclass may describe its networks better, or in more sizes.
        """
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
        """Return the plan of one run, after checking every name and setting.

        Parameters
        ----------
        model : str
            One of `models` or `more_models`.
        variant : str, optional
            One of `variants` or `more_variants`; by default the first.
        preset : str
            One of `presets`.
        seed : int
            0 or more.
        **changes
            Settings that replace those of the preset, by name.

        Raises
        ------
        ValueError
            If a name is unknown, or a setting is out of range or does not belong to the network.
        """
        variant = self.variants[0] if variant is None else variant
        if preset not in self.presets:
            raise ValueError(f"{self.name}: there is no preset {shown(preset)}; {suggestion(preset, self.presets)}")
        if model not in self.presets[preset]:
            others = self.presets[preset]
            if any(model in of_models for of_models in self.presets.values()):
                what = f"the preset {shown(preset)} has no {shown(model)}"
                raise ValueError(f"{self.name}: {what}, only {', '.join(others)}")
            raise ValueError(f"{self.name}: there is no model {shown(model)}; {suggestion(model, others)}")
        if variant not in (*self.variants, *self.more_variants):
            known = suggestion(variant, (*self.variants, *self.more_variants))
            raise ValueError(f"{self.name}: there is no {self.variant_name} {shown(variant)}; {known}")
        check_whole(f"{self.name}: seed", seed, 0)
        settings = changed(self.presets[preset][model], f"{self.name}, {model}", model, changes)
        kept = {name: as_kept(self.Settings, name, value) for name, value in changes.items()}
        return Plan(self.name, preset, model, variant, int(seed), settings, kept)

    def run(
        self, model: str, variant: str | None = None, *, out: Path = Path("minicoord-results"), **options: Any
    ) -> dict[str, Any]:
        """Train and evaluate one network, write its files below `out`, and return what ``result.json`` holds.

        Parameters
        ----------
        model, variant : str
            As for `plan`.
        out : path
            The files go to ``out/EXPERIMENT/PRESET/NAME``.
        **options
            ``resume``, ``overwrite``, ``progress`` and ``command`` as for `minicoord.experiments.frame.run.run`; the
            others as for `plan`.

        Returns
        -------
        dict
            The content of ``result.json``; ``folder`` is where the files are.

        Raises
        ------
        ValueError
            If a name is unknown, a setting is out of range, or the folder already holds a run.
        """
        run_options = {key: options.pop(key) for key in RUN_OPTIONS if key in options}
        return run(self, self.plan(model, variant, **options), out, **run_options)

    def summary_table(self, results: Results) -> list[dict[str, str]]:
        """Return the table of measured results beside the paper's, one dict per row; the keys are the columns."""
        return summary_table(self, results)

    def settings_of(self, record: Mapping[str, Any]) -> Settings:
        """Return the settings of a recorded run; a setting that was added since then has its default."""
        known = names_of(self.Settings)
        return self.Settings(**{key: value for key, value in record["settings"].items() if key in known})

    def plan_of(self, record: Mapping[str, Any]) -> Plan:
        """Return the plan of a recorded run."""
        identity = [record[key] for key in ("preset", "model", "variant", "seed")]
        return Plan(self.name, *identity, settings=self.settings_of(record), changes=self.differences(record))

    def differences(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings of a recorded run that differ from its preset, by name; all if the preset is gone.

        It is compared with the preset as it is now, which may have changed since the run.
        """
        settings = values_of(self.settings_of(record), record["model"])
        preset = self.presets.get(record["preset"], {}).get(record["model"])
        of_preset = {} if preset is None else values_of(preset, record["model"])
        return {
            key: settings[key] for key in sorted(settings) if key not in of_preset or settings[key] != of_preset[key]
        }

    def is_of_papers_grid(self, record: Mapping[str, Any]) -> bool:
        """Return whether a run could be one that the paper reports: the preset "paper" with all its settings."""
        return record["preset"] == "paper" and not self.differences(record)

    def check_setting(self, model: str, name: str, value: Any) -> None:
        """Raise ValueError if the network `model` has no setting `name`, or `value` is out of range."""
        check_change(self.Settings, f"{self.name}, {model}", model, name, value)
