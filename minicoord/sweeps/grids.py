"""Which runs a sweep consists of: grids by name, those of the paper among them, or from a TOML file.

A grid is a table of settings, each with one value or a list of them; it stands for every combination. A sweep may have
several.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from minicoord import experiments
from minicoord.experiments.regression import experiment as regression
from minicoord.experiments.supervised.run import Preset, settings_with
from minicoord.experiments.supervised.setting_rules import check_changes

Grid = Mapping[str, Any]

BOTH = ["uniform", "quadrant"]

# "paper": the official logs. "record": the part of them that was run for lessons/results. Where no epochs or schedule
# are given, they are those of the preset "paper".
GRIDS: dict[str, dict[str, list[Grid]]] = {
    "classification": {
        "quick": [{"preset": "quick", "model": ["conv", "coordconv"], "split": BOTH}],
        "paper": [
            {
                "preset": "paper",
                "model": "conv",
                "split": BOTH,
                "lr": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
                "l2": [0.0, 0.001, 0.01],
                "fs": [2, 3, 4],
                "c": [1, 2, 3],
                "batch_size": [16, 32],
            },
            {"preset": "paper", "model": "coordconv", "split": BOTH, "lr": [0.001, 0.005, 0.01], "l2": [0.0, 0.001]},
        ],
        "record": [
            {"preset": "paper", "model": "conv", "split": "uniform", "c": 2, "fs": 3, "l2": [0.0, 0.001]},
            {"preset": "paper", "model": "conv", "split": "uniform", "epochs": 300, "c": 2, "fs": 3, "l2": 0.0},
            {"preset": "paper", "model": "coordconv", "split": BOTH, "lr": [0.001, 0.005, 0.01], "l2": [0.0, 0.001]},
            {"preset": "paper", "model": "coordconv", "split": BOTH, "lr": 0.005, "l2": 0.001, "seed": [1, 2, 3, 4]},
            {"preset": "paper", "model": "conv", "split": "uniform", "epochs": 300, "c": 2, "fs": [2, 3]},
            {"preset": "paper", "model": "conv", "split": "quadrant", "epochs": 100, "c": 2, "fs": [2, 3]},
            {"preset": "paper", "model": "conv", "split": "uniform", "epochs": 300, "c": 1, "fs": 2},
            {"preset": "paper", "model": "conv", "split": "quadrant", "epochs": 100, "c": 1, "fs": 2},
            {"preset": "paper", "model": "conv-no-bn", "split": "uniform", "epochs": 200},
            {"preset": "paper", "model": "conv-no-bn", "split": "quadrant", "epochs": 100},
            {"preset": "paper", "model": "conv-no-bn", "split": "uniform", "epochs": 100, "seed": [0, 1, 2]},
            # The same with batch norm: what it alone does.
            {
                "preset": "paper",
                "model": "conv",
                "split": "uniform",
                "epochs": 100,
                "lr": 0.002,
                "l2": 0.0,
                "batch_size": 32,
                "c": 3,
                "fs": 2,
            },
        ],
    },
    "regression": {
        "quick": [{"preset": "quick", "model": ["conv-fc", "conv-full", "coordconv"], "split": BOTH}],
        "paper": [
            {
                "preset": "paper",
                "model": ["conv-fc", "conv-full"],
                "split": BOTH,
                "lr": [0.0005, 0.001, 0.01],
                "l2": [0.00001, 0.0001, 0.0005],
            },
            {"preset": "paper", "model": "coordconv", "split": BOTH},
        ],
        "record": [
            {"preset": "paper", "model": "coordconv", "split": BOTH, "seed": [0, 1, 2]},
            {"preset": "paper", "model": ["conv-fc", "conv-full"], "split": BOTH, "lr": [0.001, 0.01]},
            {"preset": "paper", "model": list(regression.MORE_MODELS), "split": BOTH},
        ],
    },
    "rendering": {
        "quick": [{"preset": "quick", "model": ["conv", "coordconv"], "split": BOTH}],
        "paper": [
            {
                "preset": "paper",
                "model": "conv",
                "split": BOTH,
                "loss": ["sigmoid", "squares"],
                "lr": [0.001, 0.002, 0.005, 0.01, 0.02, 0.05],
                "l2": [0.0, 0.001, 0.01],
                "fs": [2, 3, 4],
                "c": [1, 2, 3],
                "batch_size": [16, 32],
            },
            {
                "preset": "paper",
                "model": "coordconv",
                "split": BOTH,
                "fs": 1,
                "m": [1, 2],
                "lr": [0.001, 0.005],
                "l2": [0.0, 0.001],
            },
        ],
        "record": [
            {"preset": "paper", "model": "coordconv", "split": BOTH, "fs": [1, 3], "m": 1, "l2": [0.0, 0.001]},
            {"preset": "paper", "model": "conv", "split": BOTH, "epochs": 200, "c": 2, "fs": [2, 3]},
        ],
    },
}

# The quick recipes of CoordConv were chosen on seeds 0, 1, ...; what the choice is worth shows on seeds without a part
# in it. Each list was run once. (Classification had 100 to 119 before; seed 101 failed, and changed the recipe.)
FRESH_SEEDS = {"classification": range(120, 140), "regression": range(200, 220), "rendering": range(100, 110)}
for _experiment, _seeds in FRESH_SEEDS.items():
    _coordconv = {"preset": "quick", "model": "coordconv", "split": BOTH}
    GRIDS[_experiment]["seeds"] = [{**_coordconv, "seed": list(range(len(_seeds)))}]
    GRIDS[_experiment]["fresh"] = [{**_coordconv, "seed": list(_seeds)}]

# What decides whether a CoordConv classifier that fits three quarters of the canvas goes on rightly into the fourth?
# The official setting, the quick recipe, then changes of the official setting. Twelve epochs each.
_official = {"preset": "paper", "model": "coordconv", "split": "quadrant", "epochs": 12, "seed": list(range(6))}
GRIDS["classification"]["study"] = [
    _official,
    {**_official, "preset": "quick"},
    {**_official, "l2": [0.0, 0.003, 0.01]},
    {**_official, "init_scale": 0.3},
    {**_official, "lr": 0.01, "l2": 0.003},
    {**_official, "schedule": "cosine"},
    {**_official, "l2": 0.0, "decay": [0.1, 1.0]},
    {**_official, "init_scale": 0.5},
    {**_official, "lr": [0.01, 0.001]},
    {**_official, "batch_size": [64, 8]},
]

NOT_CHANGES = ("preset", "model", "split", "seed", "experiment")


@dataclass(frozen=True)
class Run:
    """One run of a sweep.

    Attributes
    ----------
    experiment, preset, model, split : str
    seed : int
    changes : dict
        Settings that differ from the preset.
    """

    experiment: str
    preset: str
    model: str
    split: str
    seed: int
    changes: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What tells this run from the others of its experiment and preset; the name of its folder.

        Examples
        --------
        >>> Run("classification", "paper", "conv", "uniform", 0, {"lr": 0.01, "c": 2}).name
        'conv-uniform-seed0-c=2-lr=0.01'
        """
        settings = [f"{key}={self.changes[key]}" for key in sorted(self.changes)]
        return "-".join([self.model, self.split, f"seed{self.seed}", *settings])

    def folder(self, out: Path) -> Path:
        """Return where the run leaves its files."""
        return Path(out) / self.experiment / self.preset / self.name


def grid_named(experiment: str, grid: str) -> list[Grid]:
    """Return the grids called `grid`, or those of a TOML file of that name, which has a table ``[[grid]]`` for each.

    Raises
    ------
    ValueError
        If there is no such grid or file, or the file is no TOML, has no grid, or has something beside its grids.
    """
    if grid in GRIDS.get(experiment, {}):
        return GRIDS[experiment][grid]
    path = Path(grid)
    if path.suffix != ".toml":
        known = ", ".join(GRIDS.get(experiment, {}))
        raise ValueError(f"{experiment} has no grid {grid!r}; wanted {known} or a file that ends in .toml")
    content = _read_toml(path)
    grids = content.pop("grid", None)
    if not isinstance(grids, list) or not grids or not all(isinstance(table, dict) for table in grids):
        raise ValueError(f"{path} has no table [[grid]], wanted one or more")
    if content:
        raise ValueError(f"{path} has {', '.join(map(repr, content))} outside of its tables [[grid]]")
    return grids


def _read_toml(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pyright: ignore[reportMissingImports]
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except OSError as error:
        raise ValueError(f"cannot read the grid {str(path)!r}: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"{path} is no TOML: {error}") from None


def runs_of(experiment: str, grids: Sequence[Grid], seeds: int = 1) -> list[Run]:
    """Return every combination of the settings of each grid, with seeds 0, 1, ...; each once.

    Parameters
    ----------
    experiment : str
    grids : sequence of dict
        Each with ``preset``, ``model`` and ``split``, perhaps ``seed``, and names of settings; values or lists of them.
    seeds : int
        How many seeds for each combination, where a grid does not name its own.

    Raises
    ------
    ValueError
        If a grid lacks a model, has a name that the experiment does not know or a setting that its network does not
        have, or values that cannot be, alone or together.

    Examples
    --------
    >>> runs = runs_of("classification", [{"model": "conv", "split": "uniform", "c": [1, 2]}], seeds=2)
    >>> [run.name for run in runs]
    ['conv-uniform-seed0-c=1', 'conv-uniform-seed1-c=1', 'conv-uniform-seed0-c=2', 'conv-uniform-seed1-c=2']
    """
    module = experiments.get(experiment)
    runs: dict[str, Run] = {}
    for grid in grids:
        _check_grid(experiment, module, grid)
        whole = {"preset": "paper", "seed": list(range(seeds)), **grid}
        order = [key for key in whole if key != "seed"] + ["seed"]
        lists = [_as_list(whole[key]) for key in order]
        for values in itertools.product(*lists):
            setting = dict(zip(order, values, strict=True))
            changes = {key: _as_kept(key, value) for key, value in setting.items() if key not in NOT_CHANGES}
            of_model = (setting["preset"], setting["model"])
            settings_with(f"a grid of {experiment}", module.PRESETS, module.OWN_SETTINGS, *of_model, changes)
            run = Run(experiment, setting["preset"], setting["model"], setting["split"], setting["seed"], changes)
            runs.setdefault(f"{run.preset}/{run.name}", run)
    return list(runs.values())


def _as_kept(key: str, value: Any) -> Any:
    """Return a whole number as a float where the setting is one: 0 and 0.0 are one run, with one name."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if whole and get_type_hints(Preset)[key] is float else value


def _check_grid(experiment: str, module: experiments.Experiment, grid: Grid) -> None:
    """Raise ValueError if a grid cannot be run; before the first of its runs rather than in the middle."""
    missing = [key for key in ("model", "split") if key not in grid]
    if missing:
        raise ValueError(f"a grid has no {missing[0]!r}; it needs 'model' and 'split'")
    if grid.get("experiment", experiment) != experiment:
        raise ValueError(f"a grid is one of {grid['experiment']!r}, and this is a sweep of {experiment}")
    known = {
        "model": (*module.MODELS, *module.MORE_MODELS),
        "split": (*module.SPLITS, *module.MORE_SPLITS),
        "preset": tuple(module.PRESETS),
    }
    for key, choices in known.items():
        came = grid.get(key, "paper" if key == "preset" else None)
        for value in _as_list(came):
            if value not in choices:
                raise ValueError(f"a grid has the {key} {value!r}; {experiments.suggestion(str(value), choices)}")
    seeds = _as_list(grid.get("seed", 0))
    if not all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in seeds):
        raise ValueError(f"a grid has the seeds {seeds}, wanted whole numbers of at least 0")
    empty = [key for key, value in grid.items() if value == []]
    if empty:
        raise ValueError(f"a grid has no value for {empty[0]!r}, so it stands for no run; wanted one or more")
    for model in _as_list(grid["model"]):
        for key in grid.keys() - set(NOT_CHANGES):
            for value in _as_list(grid[key]):
                check_changes(f"a grid, {model}", Preset, module.OWN_SETTINGS[model], {key: value})


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
