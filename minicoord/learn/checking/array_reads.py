"""How an answer goes through its arrays: number by number or in whole rows, and in which order.

An answer with right values runs once more as plain Python, with arrays that note what is read of them. A subscript that
selects a single number is noted with its place; arithmetic on several numbers at once is noted, too.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import numpy as np

MAX_READS = 20_000

Read = tuple[int, ...]
"""Which argument was read, counted from 0, and the index of the number."""


class ReadLog:
    """What was read of the arrays among the arguments of one call.

    Attributes
    ----------
    reads : list of tuple of int
        The first `MAX_READS` single numbers, in the order in which they were read.
    whole_arrays : bool
        Whether NumPy computed with several numbers at once.
    """

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.whole_arrays = False

    def watched(self, number: int, value: Any) -> Any:
        """Return argument `number`, an array as one that notes what is read of it."""
        if not isinstance(value, np.ndarray):
            return value
        array = np.array(value, order="C").view(_NotedArray)
        array.origin = _Origin(self, number, array)
        return array


def log_of(function: Callable[..., Any], args: tuple[Any, ...]) -> ReadLog:
    """Call a function as plain Python and return what it read; empty if it cannot run with such arrays."""
    log = ReadLog()
    watched = tuple(log.watched(number, value) for number, value in enumerate(copy.deepcopy(args)))
    with contextlib.suppress(Exception), np.errstate(all="ignore"):
        function(*watched)
        return log
    return ReadLog()


class _Origin:
    """The argument that an array is, or is a view of."""

    def __init__(self, log: ReadLog, number: int, array: np.ndarray) -> None:
        self.log, self.number = log, number
        self.start, self.nbytes = array.ctypes.data, array.nbytes
        self.itemsize, self.shape = array.itemsize, array.shape

    def note(self, address: int) -> None:
        """Note a read at this address, unless it is that of another array, such as a copy."""
        offset = address - self.start
        if 0 <= offset < self.nbytes and len(self.log.reads) < MAX_READS:
            place = np.unravel_index(offset // self.itemsize, self.shape)
            self.log.reads.append((self.number, *map(int, place)))


class _NotedArray(np.ndarray):
    """An array that notes the single numbers that are read of it, and arithmetic with several."""

    origin: _Origin | None

    def __array_finalize__(self, source: Any) -> None:
        self.origin = getattr(source, "origin", None)

    def __getitem__(self, index: Any) -> Any:
        value = super().__getitem__(index)
        numbers = index if isinstance(index, tuple) else (index,)
        single = len(numbers) == self.ndim and all(isinstance(n, int | np.integer) for n in numbers)
        if single and self.origin is not None:
            steps = zip(numbers, self.shape, self.strides, strict=True)
            self.origin.note(self.ctypes.data + sum(int(n) % length * stride for n, length, stride in steps))
        return value

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if self.origin is not None and any(isinstance(value, np.ndarray) and value.size > 1 for value in inputs):
            self.origin.log.whole_arrays = True
        out = options.get("out")
        if out is not None:
            options["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*map(_plain, inputs), **options)
        return result if out is None or len(out) > 1 else out[0]


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, _NotedArray) else value
