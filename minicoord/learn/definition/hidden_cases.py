"""Hidden cases: a teacher's file of other seeds and shapes, which only grading sees.

A TOML file. ``seeds`` at the top draws the cases of every exercise once more from each of these seeds, and ``seeds``
below the id of an exercise those of that one. ``cases`` are made by hand: ``args`` has one entry for each argument,
and each is a number, a string, a list (which becomes a tuple), or a table that describes an array::

    seeds = [101, 202]

    [im2col]
    seeds = [7]

    [[im2col.cases]]
    name = "a wide image, 5 x 5 window"
    args = [{ shape = [2, 5, 11, 3], dtype = "float32", seed = 1 }, 5, 2, 1]

An array is drawn with ``shape``, ``dtype`` and ``seed``: normal numbers, or with ``below`` whole numbers from 0 up to
it; or it is written out with ``values`` and ``dtype``. ``{ function = "name" }`` is a function of the exercise's
module. What is right comes from the solution.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.experiments import suggestion
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.definition.exercise import Case

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

TABLES = {
    frozenset({"shape", "dtype", "seed"}),
    frozenset({"shape", "dtype", "seed", "below"}),
    frozenset({"values", "dtype"}),
    frozenset({"function"}),
}


class HiddenCasesError(ValueError):
    """The file of hidden cases is not as it should be; the message says where and what was wanted."""


def read_hidden_cases(path: Path) -> Callable[[str], list[Case]]:
    """Return a function from the id of an exercise to its hidden cases.

    Raises
    ------
    HiddenCasesError
        If the file cannot be read, or something in it is unknown or does not fit its exercise.
    """
    try:
        content = tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise HiddenCasesError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise HiddenCasesError(f"{path} cannot be read as TOML: {error}") from None
    general = _seeds(content.pop("seeds", []), f"{path}: seeds")
    for id, table in content.items():
        if id not in exercise_ids():
            raise HiddenCasesError(f"{path}: there is no exercise {id!r}; {suggestion(id, exercise_ids())}")
        if not isinstance(table, dict) or not table.keys() <= {"seeds", "cases"}:
            raise HiddenCasesError(f"{path}: [{id}] may have seeds and cases, and nothing else")

    def cases_of(id: str) -> list[Case]:
        table: Mapping[str, Any] = content.get(id, {})
        seeds = [*general, *_seeds(table.get("seeds", []), f"{path}: seeds of {id}")]
        drawn = [case for seed in seeds for case in get(id).cases(np.random.default_rng(seed))]
        return [*drawn, *_own_cases(id, table.get("cases", []), f"{path}: {id}")]

    for id in content:
        cases_of(id)  # so that an error comes before the first child starts
    return cases_of


def _seeds(came: Any, what: str) -> list[int]:
    if not isinstance(came, list) or not all(type(seed) is int and seed >= 0 for seed in came):
        raise HiddenCasesError(f"{what} was {came!r}, wanted a list of whole numbers of at least 0")
    return came


def _own_cases(id: str, came: Any, what: str) -> list[Case]:
    if not isinstance(came, list):
        raise HiddenCasesError(f"{what}: cases was {came!r}, wanted a table [[{id}.cases]] for each")
    cases = []
    for number, entry in enumerate(came, start=1):
        place = f"{what}, case {number}"
        if not isinstance(entry, dict) or not {"args"} <= entry.keys() <= {"name", "args"}:
            raise HiddenCasesError(f"{place}: wanted args, and perhaps a name")
        case = Case(str(entry.get("name", f"hidden case {number}")), _argument(entry["args"], id, place))
        try:
            get(id).solution(*_argument(entry["args"], id, place))
        except Exception as error:
            raise HiddenCasesError(f"{place}: the solution itself cannot take it: {error}") from None
        cases.append(case)
    return cases


def _argument(came: Any, id: str, place: str) -> Any:
    """Return what an entry of `args` stands for."""
    if isinstance(came, list):
        return tuple(_argument(item, id, place) for item in came)
    if not isinstance(came, dict):
        return came
    if frozenset(came) not in TABLES:
        wanted = "; ".join(", ".join(sorted(keys)) for keys in sorted(TABLES, key=len))
        raise HiddenCasesError(f"{place}: an array has {', '.join(came)}, wanted one of: {wanted}")
    try:
        if "function" in came:
            return getattr(import_module(f"minicoord.learn.exercises.{id}"), came["function"])
        dtype = np.dtype(came["dtype"])
        if dtype.kind not in "biufc":
            raise TypeError(f"dtype was {dtype}, wanted one of numbers")
        if "values" in came:
            return np.array(came["values"], dtype)
        rng = np.random.default_rng(came["seed"])
        if "below" in came:
            return rng.integers(came["below"], size=came["shape"]).astype(dtype)
        return rng.normal(size=came["shape"]).astype(dtype)
    except (TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        raise HiddenCasesError(f"{place}: {error}") from None
