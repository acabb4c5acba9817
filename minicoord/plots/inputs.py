"""What figures check of the data that they draw, beyond types: keys, shapes, and numbers where numbers belong."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from minicoord.system.arguments import is_number, is_whole, shown

Lengths = tuple[int | str, ...]

CLOUD: dict[str, Lengths] = {
    "train": ("train points", 2),
    "train_centres": ("train points", 2),
    "test": ("test points", 2),
    "test_centres": ("test points", 2),
}
"""The arrays of a regressor: predictions and true centres of both parts."""


def check_arrays(what: str, arrays: Mapping[str, NDArray], wanted: Mapping[str, Lengths]) -> None:
    """Raise ValueError if an array is missing or of another shape.

    Parameters
    ----------
    what : str
        How the error names the arrays, such as ``"point_clouds: predictions['conv']"``.
    arrays : dict of ndarray
    wanted : dict of tuple
        For the name of each array its axes: a number for a fixed length, or a name for one that is the same wherever
        that name stands.
    """
    sizes: dict[str, int] = {}
    for name, axes in wanted.items():
        if name not in arrays:
            raise ValueError(f"{what} has no {shown(name)}, wanted {', '.join(map(repr, wanted))}")
        shape = arrays[name].shape
        fits = len(shape) == len(axes) and all(
            size == (sizes.setdefault(axis, size) if isinstance(axis, str) else axis)
            for axis, size in zip(axes, shape, strict=True)
        )
        if not fits:
            words = ", ".join(str(sizes.get(axis, axis)) if isinstance(axis, str) else str(axis) for axis in axes)
            raise ValueError(f"{what}: {shown(name)} has shape {shape}, wanted ({words})")


def check_within(what: str, places: NDArray, canvas: int) -> None:
    """Raise ValueError unless all places are whole numbers of pixels on the canvas."""
    if places.dtype.kind not in "iu" or (places.size and not 0 <= places.min() <= places.max() < canvas):
        raise ValueError(f"{what} is {shown(places)}, wanted whole numbers from 0 to {canvas - 1}")


def check_size(what: str, size: int, most: int = 2**14) -> None:
    """Raise ValueError unless a size in pixels, or another number, is whole and from 1 to `most`."""
    if not is_whole(size) or not 1 <= size <= most:
        raise ValueError(f"{what} was {shown(size)}, wanted a whole number from 1 to {most}")


def check_results(
    figure: str,
    results: Sequence[Mapping[str, Any]],
    *,
    rows: Sequence[str] | None = None,
    measured: Sequence[str] = (),
    metrics: bool = False,
    settings: bool = False,
    variant: bool = True,
    group: str = "results",
) -> None:
    """Check that records of runs have what a figure reads.

    Parameters
    ----------
    figure : str
        The name of the figure.
    results : list of dict
    rows : sequence of str, optional
        Numbers that every row of the history has; None if the history is not read.
    measured : sequence of str
        Numbers that a row may have; None stands for one that is not finite.
    metrics, settings, variant : bool
        Whether these are read.
    group : str
        The name of the argument that holds the records.

    Raises
    ------
    ValueError
        If something is missing or of another type; the message says where.
    """
    for k, result in enumerate(results):
        what = f"{figure}: {group}[{k}]"
        for key in ("model", *(("variant",) if variant else ())):
            _check(what, key, result.get(key), isinstance(result.get(key), str), "a str")
        if metrics:
            _check_numbers(f"{what}['metrics']", _dict(what, "metrics", result.get("metrics")))
        if settings:
            for key, value in _dict(what, "settings", result.get("settings")).items():
                plain = value is None or isinstance(value, (str, bool, int, float))
                _check(f"{what}['settings']", key, value, plain, "a str, a number, a bool or None")
        if rows is not None:
            history = result.get("history")
            is_list = isinstance(history, Sequence) and not isinstance(history, str)
            _check(what, "history", history, is_list, "a list of dicts")
            for i, row in enumerate(history or ()):
                _check_row(f"{what}['history'][{i}]", row, rows, measured)


def _check_row(what: str, row: object, rows: Sequence[str], measured: Sequence[str]) -> None:
    if not isinstance(row, Mapping):
        raise ValueError(f"{what} is {shown(row)}, wanted a dict")
    for key in rows:
        _check(what, key, row.get(key), _is_finite(row.get(key)), "a finite number")
    _check_numbers(what, {key: row.get(key) for key in measured})


def _check_numbers(what: str, numbers: Mapping[str, Any]) -> None:
    for key, value in numbers.items():
        _check(what, key, value, value is None or is_number(value), "a number or None")


def _dict(what: str, key: str, value: Any) -> Mapping[str, Any]:
    _check(what, key, value, isinstance(value, Mapping), "a dict")
    return value


def _check(what: str, key: object, value: object, right: bool, wanted: str) -> None:
    if not right:
        raise ValueError(f"{what} has {shown(value)} as {shown(key)}, wanted {wanted}")


def _is_finite(value: Any) -> bool:
    return is_number(value) and math.isfinite(value)
