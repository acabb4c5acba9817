"""Hidden cases: a teacher's file of further seeds and shapes, used for grading only.

It is a TOML file. ``seeds`` at the top draws the cases of every exercise again from each of these seeds; ``seeds``
below the id of an exercise draws those of that exercise only. ``cases`` are written by hand: ``args`` has one entry for
each argument, which is a number, a string, a list (which becomes a tuple), or a table that describes an array::

    seeds = [101, 202]

    [im2col]
    seeds = [7]

    [[im2col.cases]]
    name = "a wide image, 5 x 5 window"
    args = [{ shape = [2, 5, 11, 3], dtype = "float32", seed = 1 }, 5, 2, 1]

With ``shape``, ``dtype`` and ``seed`` an array is drawn from a normal distribution, or, if ``below`` is given, from the
integers from 0 to ``below - 1``; with ``values`` and ``dtype`` it is written out. ``{ function = "name" }`` is a
function of the exercise's module. The expected results come from the solution.
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
from minicoord.system.arguments import shown

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
    """The file of hidden cases is malformed; the message says where, and what was expected."""


def read_hidden_cases(path: Path) -> Callable[[str], list[Case]]:
    """Return a function from the id of an exercise to its hidden cases.

    Raises
    ------
    HiddenCasesError
        If the file cannot be read, or an entry is unknown or does not suit its exercise.
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
            raise HiddenCasesError(f"{path}: there is no exercise {shown(id)}; {suggestion(id, exercise_ids())}")
        if not isinstance(table, dict) or not table.keys() <= {"seeds", "cases"}:
            raise HiddenCasesError(f"{path}: [{id}] may have seeds and cases, and nothing else")

    def cases_of(id: str) -> list[Case]:
        table: Mapping[str, Any] = content.get(id, {})
        seeds = [*general, *_seeds(table.get("seeds", []), f"{path}: seeds of {id}")]
        drawn = [case for seed in seeds for case in get(id).cases(np.random.default_rng(seed))]
        return [*drawn, *_handwritten_cases(id, table.get("cases", []), f"{path}: {id}")]

    for id in content:
        cases_of(id)  # so that an error is raised before the first child process starts
    return cases_of


def _seeds(value: Any, what: str) -> list[int]:
    if not isinstance(value, list) or not all(type(seed) is int and seed >= 0 for seed in value):
        raise HiddenCasesError(f"{what} was {shown(value)}, expected a list of integers of at least 0")
    return value


def _handwritten_cases(id: str, value: Any, what: str) -> list[Case]:
    if not isinstance(value, list):
        raise HiddenCasesError(f"{what}: cases was {shown(value)}, expected a table [[{id}.cases]] for each case")
    cases = []
    for number, entry in enumerate(value, start=1):
        place = f"{what}, case {number}"
        if not isinstance(entry, dict) or not {"args"} <= entry.keys() <= {"name", "args"}:
            raise HiddenCasesError(f"{place}: expected args, and optionally a name")
        case = Case(str(entry.get("name", f"hidden case {number}")), _argument(entry["args"], id, place))
        try:
            get(id).solution(*_argument(entry["args"], id, place))
        except Exception as error:
            raise HiddenCasesError(f"{place}: the solution fails on these arguments: {error}") from None
        cases.append(case)
    return cases


def _argument(entry: Any, id: str, place: str) -> Any:
    """Return the argument that an entry of `args` describes."""
    if isinstance(entry, list):
        return tuple(_argument(item, id, place) for item in entry)
    if not isinstance(entry, dict):
        return entry
    if frozenset(entry) not in TABLES:
        expected = "; ".join(", ".join(sorted(keys)) for keys in sorted(TABLES, key=len))
        raise HiddenCasesError(f"{place}: an array has {', '.join(entry)}, expected one of: {expected}")
    try:
        if "function" in entry:
            return getattr(import_module(f"minicoord.learn.exercises.{id}"), entry["function"])
        dtype = np.dtype(entry["dtype"])
        if dtype.kind not in "biufc":
            raise TypeError(f"dtype was {dtype}, expected a numeric one")
        if "values" in entry:
            return np.array(entry["values"], dtype)
        rng = np.random.default_rng(entry["seed"])
        if "below" in entry:
            return rng.integers(entry["below"], size=entry["shape"]).astype(dtype)
        return rng.normal(size=entry["shape"]).astype(dtype)
    except (TypeError, ValueError, AttributeError, OverflowError, MemoryError) as error:
        raise HiddenCasesError(f"{place}: {error}") from None
