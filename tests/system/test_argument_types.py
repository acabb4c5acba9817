"""`check_types` compares arguments with annotations, also within mappings, sequences and tuples."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from minicoord.system.argument_types import check_types
from minicoord.system.files import PathLike


@check_types
def door(
    arrays: Mapping[str, NDArray] = {},
    runs: Sequence[Mapping[str, Any]] = (),
    size: tuple[int, int] = (1, 1),
    share: float = 0.5,
    count: int = 1,
    flag: bool = False,
    name: str = "",
    path: PathLike | None = None,
    draw: Callable[..., Any] | None = None,
    places: Iterable[str] = (),
    either: int | Sequence[int] = 1,
    *more: int,
    **others: str,
) -> str:
    """Return a word."""
    return "in"


RIGHT: list[dict[str, Any]] = [
    {"arrays": {"a": np.ones(2)}, "runs": [{"x": object()}], "size": [1, np.int8(2)], "share": np.float32(1)},
    {"count": np.int64(1), "flag": 1, "path": Path("a"), "draw": len, "places": iter("ab"), "either": [1]},
    {"path": "a", "draw": None, "other": "b"},
]


@pytest.mark.parametrize("arguments", RIGHT)
def test_what_fits_the_annotations_passes(arguments: dict[str, Any]):
    assert door(**arguments) == "in"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"arrays": [1]}, r"door: arrays was \[1\], wanted a dict"),
        ({"arrays": {"a": [1.0]}}, r"door: arrays\['a'\] was \[1.0\], wanted a NumPy array of numbers"),
        ({"arrays": {"a": np.ma.masked_array([1.0])}}, r"door: arrays\['a'\] was .*, wanted .* without a mask"),
        ({"arrays": {1: np.ones(2)}}, "a key of door: arrays was 1, wanted a str"),
        ({"runs": "ab"}, "door: runs was 'ab', wanted a list or tuple"),
        ({"runs": [3]}, r"door: runs\[0\] was 3, wanted a dict"),
        ({"size": (1, 2, 3)}, r"door: size was \(1, 2, 3\), wanted a tuple of 2"),
        ({"size": (1, 2.5)}, r"door: size\[1\] was 2.5, wanted a whole number"),
        ({"share": "0.5"}, "door: share was '0.5', wanted a number"),
        ({"count": 1.5}, "door: count was 1.5, wanted a whole number"),
        ({"flag": "yes"}, "door: flag was 'yes', wanted True or False"),
        ({"name": b"a"}, "door: name was b'a', wanted a str"),
        ({"path": 3}, "door: path was 3, wanted a str or a path"),
        ({"draw": 3}, "door: draw was 3, wanted a function"),
        ({"places": 3}, "door: places was 3, wanted a list or tuple"),
        ({"either": "a"}, "door: either was 'a', wanted a whole number or a Sequence"),
        ({"other": 3}, "door: other was 3, wanted a str"),
    ],
)
def test_what_does_not_fit_is_named(arguments: dict[str, Any], sentence: str):
    with pytest.raises((TypeError, ValueError), match=sentence):
        door(**arguments)


def test_a_missing_argument_is_told_by_python_and_the_signature_stays():
    @check_types
    def needs(x: int) -> int:
        return x

    with pytest.raises(TypeError, match="missing 1 required positional argument: 'x'"):
        needs()  # type: ignore[call-arg]
    assert needs.__name__ == "needs" and needs(3) == 3
