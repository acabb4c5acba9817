"""The runs of a sweep: from an experiment's own grids by name, such as those of the paper, or from a TOML file.

A grid maps the names of settings to a value or a list of values, and stands for every combination of them. A sweep may
have several grids.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.plan import MOST_SEEDS, Plan
from minicoord.system.arguments import check_whole, shown
from minicoord.system.places import FILE, what_is_at
from minicoord.system.suggestion import suggestion

Grid = Mapping[str, Any]

DEFAULT = "quick"
NOT_SETTINGS = ("preset", "model", "variant", "seed", "experiment")


def grid_named(experiment: str, grid: str) -> list[Grid]:
    """Return the grids that the experiment calls `grid`, or those of a TOML file with a table ``[[grid]]`` for each.

    Every experiment has a grid "quick": unless it says otherwise, its networks in its first preset on all variants.

    Raises
    ------
    ValueError
        If there is no such grid or file, or the file is not valid TOML, has no grid, or has anything besides grids.
    """
    found = experiments.get(experiment)
    known = {DEFAULT: _usual_grids(found), **found.grids}
    if grid in known:
        return list(known[grid])
    path = Path(grid)
    if path.suffix != ".toml":
        names = ", ".join([*known, "a file that ends in .toml"])
        raise ValueError(f"{experiment} has no grid {shown(grid)}; wanted {names}")
    content = _read_toml(path)
    grids = content.pop("grid", None)
    if not isinstance(grids, list) or not grids or not all(isinstance(table, dict) for table in grids):
        raise ValueError(f"{path} has no table [[grid]], wanted one or more")
    if content:
        raise ValueError(f"{path} has {shown(next(iter(content)))} outside of its tables [[grid]]")
    return grids


def _usual_grids(experiment: Experiment) -> list[Grid]:
    preset, of_models = next(iter(experiment.presets.items()))
    models = [model for model in experiment.models if model in of_models]
    return [{"preset": preset, "model": models, "variant": list(experiment.variants)}]


def _read_toml(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib  # pyright: ignore[reportMissingImports]
    try:
        kind = what_is_at(path)
        if kind not in (FILE, None):  # opening a pipe would block forever
            raise ValueError(f"cannot read the grid {str(path)!r}: it is {kind}, wanted a TOML file")
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except OSError as error:
        raise ValueError(f"cannot read the grid {str(path)!r}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not valid TOML: it is not text in UTF-8, wanted tables [[grid]]") from None
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError(f"{path} is not valid TOML: it is nested too deeply, wanted tables [[grid]]") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not valid TOML: {error}") from None
    except ValueError:  # a number of more digits than Python reads
        raise ValueError(f"{path} is not valid TOML: a number in it has too many digits, wanted fewer") from None


def runs_of(experiment: str, grids: Sequence[Grid], seeds: int = 1) -> list[Plan]:
    """Return every combination of the settings of each grid, with each seed; duplicates are left out.

    Parameters
    ----------
    experiment : str
        The name of the experiment.
    grids : sequence of dict
        Each has a ``model``, optionally ``preset``, ``variant`` (or the experiment's name for it, such as ``split``)
        and ``seed``, and settings. Entries are values or lists of values.
    seeds : int
        Number of seeds, 0, 1, ..., for each combination of a grid that does not name its own.

    Raises
    ------
    ValueError
        If a grid has no model, has an unknown name or a setting that the network does not have, or has values that are
        out of range or contradict each other; or if it has more than `MOST_SEEDS` runs.

    Examples
    --------
    >>> runs = runs_of("classification", [{"model": "conv", "split": "uniform", "c": [1, 2]}], seeds=2)
    >>> [run.name for run in runs]
    ['conv-uniform-seed0-c=1', 'conv-uniform-seed1-c=1', 'conv-uniform-seed0-c=2', 'conv-uniform-seed1-c=2']
    """
    check_whole("the number of seeds", seeds, 1)
    found = experiments.get(experiment)
    runs: dict[str, Plan] = {}
    for given in grids:
        grid = _with_variant(found, given)
        _check_grid(found, grid)
        _check_count(grid, seeds)
        default_preset = "paper" if "paper" in found.presets else next(iter(found.presets))
        complete = {"preset": default_preset, "seed": list(range(seeds)), **grid}
        keys = [key for key in complete if key not in ("seed", "experiment")] + ["seed"]  # the seed varies fastest
        for values in itertools.product(*(_as_list(complete[key]) for key in keys)):
            plan = found.plan(**dict(zip(keys, values, strict=True)))
            runs.setdefault(f"{plan.preset}/{plan.name}", plan)
    return list(runs.values())


def _with_variant(experiment: Experiment, grid: Grid) -> dict[str, Any]:
    """Return a grid whose variant is under the key "variant"; if the experiment has one only, it may be omitted."""
    if experiment.variant_name != "variant" and {experiment.variant_name, "variant"} <= grid.keys():
        raise ValueError(f"a grid has both {shown(experiment.variant_name)} and 'variant', wanted one of the two")
    renamed = {"variant" if key == experiment.variant_name else key: value for key, value in grid.items()}
    if "variant" not in renamed and len(experiment.variants) == 1:
        renamed["variant"] = experiment.variants[0]
    return renamed


def _check_grid(experiment: Experiment, grid: Grid) -> None:
    """Raise ValueError if a run of the grid is impossible, so that a sweep fails before its first run."""
    names = {"variant": experiment.variant_name}  # what a user calls it
    missing = [names.get(key, key) for key in ("model", "variant") if key not in grid]
    if missing:
        raise ValueError(f"a grid has no {shown(missing[0])}; it needs 'model' and {shown(experiment.variant_name)}")
    if grid.get("experiment", experiment.name) != experiment.name:
        raise ValueError(f"a grid is for {shown(grid['experiment'])}, but this is a sweep of {experiment.name}")
    known = {
        "model": (*experiment.models, *experiment.more_models),
        "variant": (*experiment.variants, *experiment.more_variants),
        "preset": tuple(experiment.presets),
    }
    for key, choices in known.items():
        for value in _as_list(grid.get(key, [])):
            if value not in choices:
                name = names.get(key, key)
                near = suggestion(value if isinstance(value, str) else "", choices)
                raise ValueError(f"a grid has the {name} {shown(value)}; {near}")
    seeds = _as_list(grid.get("seed", 0))
    if not all(isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0 for seed in seeds):
        raise ValueError(f"a grid has the seeds {shown(seeds)}, wanted whole numbers of at least 0")
    empty = [key for key, value in grid.items() if value == []]
    if empty:
        name = shown(names.get(empty[0], empty[0]))
        raise ValueError(f"a grid has an empty list for {name}, wanted one value or more")
    for model in _as_list(grid["model"]):
        for key in grid.keys() - set(NOT_SETTINGS):
            for value in _as_list(grid[key]):
                experiment.check_setting(model, key, value)


def _check_count(grid: Grid, seeds: int) -> None:
    """Raise ValueError if a grid has more runs than anybody wants; they are counted before one is made."""
    count = math.prod(len(_as_list(value)) for value in grid.values()) * (1 if "seed" in grid else seeds)
    if count > MOST_SEEDS:
        raise ValueError(f"a grid has {count:,} runs, wanted at most {MOST_SEEDS:,}: fewer values, or fewer seeds")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
