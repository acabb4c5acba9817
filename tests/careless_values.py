"""Values of kinds that careless callers hand over, to stand in place of any argument: `ENDLESS` and `ODD`.

``house/test_bad_calls.py`` tries them at every argument of everything public. Those that train for as long as they are
told, or that fail in what Python asks of every object, are left out.
"""

from __future__ import annotations

import array
import collections
import decimal
import fractions
import itertools
import types
from collections.abc import Callable
from typing import Any

import numpy as np

import minicoord


class Raising:
    """An object that cannot be shown, nor turned into a number."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")

    def __float__(self) -> float:
        raise RuntimeError("no number")

    def __index__(self) -> int:
        raise RuntimeError("no whole number")


class Wordy:
    """An object that is shown on very many lines."""

    def __repr__(self) -> str:
        return "word\n" * 10**4


class Untold(int):
    """A whole number that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


class NoTruth:
    """An object that is neither true nor false, and equal to nothing."""

    def __bool__(self) -> bool:
        raise RuntimeError("no truth")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("not to be compared")

    __hash__ = None  # type: ignore[assignment]


class NoPath:
    """A path without a name."""

    def __fspath__(self) -> str:
        raise RuntimeError("no name")


class BytesPath:
    """A path whose name is bytes."""

    def __fspath__(self) -> bytes:
        return b"name"


class Own(np.ndarray):
    """An array of somebody's own class."""


class Frame:
    """A table, as pandas has them: it has a shape, and can be turned into an array, and is none."""

    shape, ndim, dtype, columns = (2, 3), 2, np.dtype(np.float32), ["a", "b", "c"]

    def __len__(self) -> int:
        return 2

    def __getitem__(self, key: object) -> list[float]:
        return [1.0, 2.0, 3.0]

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.ones((2, 3), np.float32)


class NoArray:
    """An object that promises to be an array, and fails."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise RuntimeError("no array")


class OddShape:
    """An object with the attributes of an array, all of the wrong type."""

    shape = ndim = dtype = "odd"


def endless_list() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


def ones(dtype: Any = np.float32) -> np.ndarray:
    return np.ones((2, 4, 6, 3), dtype)


ENDLESS: dict[str, Callable[[], Any]] = {
    "long str": lambda: "x" * 10**5,
    "long list": lambda: list(range(10**5)),
    "long tuple": lambda: (1,) * 10**5,
    "long bytes": lambda: b"x" * 10**5,
    "long key": lambda: {"k" * 10**5: 1},
    "5000 digits": lambda: 10**5000,
    "minus 5000 digits": lambda: -(10**5000),
    "5000 digits twice": lambda: (10**5000, 10**5000),
    "Raising": Raising,
    "Raising twice": lambda: (Raising(), Raising()),
    "Wordy": Wordy,
    "a list in itself": endless_list,
}
"""Values that no sentence should quote whole, and some that cannot be quoted."""

ODD: dict[str, Callable[[], Any]] = {
    "generator": lambda: (k for k in (2, 3)),
    "map": lambda: map(int, "23"),
    "iterator": lambda: iter([2, 3]),
    "count": itertools.count,
    "datetime array": lambda: np.zeros((2, 3), "M8[s]"),
    "timedelta": lambda: np.timedelta64(3, "s"),
    "not a time": lambda: np.datetime64("NaT"),
    "complex": lambda: ones(np.complex64),
    "object": lambda: ones(object),
    "no object": lambda: np.array(None, object),
    "a number of an array": lambda: np.array(2),
    "a flag of an array": lambda: np.array(True),
    "a word of an array": lambda: np.array("relu"),
    "a str of NumPy": lambda: np.str_("relu"),
    "bytes of NumPy": lambda: np.bytes_(b"relu"),
    "backwards": lambda: ones()[::-1, ::-1, ::-1, ::-1],
    "backwards in columns": lambda: np.ones((2, 3), np.float32)[:, ::-1],
    "Fortran's order": lambda: np.asfortranarray(ones()),
    "the other byte order": lambda: ones(">f4"),
    "whole numbers in the other byte order": lambda: np.array([1, 0], ">i8"),
    "a class of one's own": lambda: ones().view(Own),
    "matrix": lambda: np.ones((2, 3), np.float32).view(np.matrix),
    "read-only": lambda: np.broadcast_to(np.float32(1), (2, 4, 6, 3)),
    "masked": lambda: np.ma.masked,
    "Frame": Frame,
    "NoArray": NoArray,
    "OddShape": OddShape,
    "NoTruth": NoTruth,
    "Untold": lambda: Untold(3),
    "NoPath": NoPath,
    "BytesPath": BytesPath,
    "long double": lambda: np.ones((2, 3), np.longdouble),
    "half": lambda: ones(np.float16),
    "highest unsigned": lambda: np.uint64(2**64 - 1),
    "highest": lambda: np.int64(2**63 - 1),
    "lowest": lambda: -(2**63),
    "Decimal": lambda: decimal.Decimal("0.5"),
    "Decimal that signals": lambda: decimal.Decimal("sNaN"),
    "Fraction": lambda: fractions.Fraction(1, 3),
    "a product of 2^63": lambda: (2**31, 2**31, 2),
    "a product of 2^64": lambda: (2**32, 2**32),
    "a product of 2^63 in three": lambda: (2**21, 2**21, 2**21, 1),
    "nothing of a product of 2^124": lambda: (0, 2**62, 2**62, 3),
    "nothing, long": lambda: np.zeros((2**50, 0), np.float32),
    "nothing, wide": lambda: np.zeros((0, 2**20, 2**20, 3), np.float32),
    "denormal": lambda: np.full((2, 4, 6, 3), 1e-45, np.float32),
    "memoryview": lambda: np.ones((2, 3), np.float32).data,
    "bytearray": lambda: bytearray(b"ab"),
    "array of the library": lambda: array.array("f", [1, 2, 3]),
    "NUL": lambda: "a\0b",
    "surrogate": lambda: "\ud800",
    "type": lambda: int,
    "module": lambda: np,
    "class of a layer": lambda: minicoord.Conv2D,
    "ufunc": lambda: np.add,
    "NotImplemented": lambda: NotImplemented,
    "exception": lambda: ValueError("x"),
    "SeedSequence": lambda: np.random.SeedSequence(0),
    "bit generator": lambda: np.random.PCG64(0),
    "dtype": lambda: np.dtype(np.float32),
    "dtype of fields": lambda: np.dtype([("a", np.float32)]),
    "dtype of parts": lambda: np.dtype((np.float32, (2,))),
    "dtype in the other byte order": lambda: ">f4",
    "void": lambda: np.zeros(3, "V4"),
    "frozenset": lambda: frozenset([2, 3]),
    "values": lambda: {"a": 1}.values(),
    "Counter": lambda: collections.Counter("ab"),
    "UserDict": lambda: collections.UserDict(a=1),
    "UserList": lambda: collections.UserList([2, 3]),
    "read-only dict": lambda: types.MappingProxyType({"a": 1}),
    "ragged": lambda: [[[1], [2, 3]], [[]]],
    "mixed": lambda: [1, "a", None],
    "NaN twice": lambda: [float("nan")] * 2,
    "flags": lambda: [True, False],
    "number as key": lambda: {1: 2},
    "tuple as key": lambda: {(1, 2): 3},
}
"""Values of the wrong kind, or of a kind that looks right."""
