"""Arrays that count how often their numbers are loaded and stored, while a function runs as plain Python.

Only single numbers count, as in ``x[r, k]``. A slice is a view: what is loaded of it counts for the array that it
belongs to. Compiled code sees an ordinary array.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray


class LoadedAgainError(Exception):
    """A number was loaded more often than allowed."""


class SeveralAtOnceError(Exception):
    """NumPy was asked to compute with several numbers at once."""


@dataclass
class Tally:
    """What was counted for an array and its views.

    Attributes
    ----------
    loads, stores : int
    limit : int, optional
        How often each number may be loaded; by default as often as you like.
    start : int
        Address of the first number.
    seen : Counter
        How often each number was loaded, by its place in memory.
    """

    limit: int | None = None
    loads: int = 0
    stores: int = 0
    start: int = 0
    seen: Counter[int] = field(default_factory=Counter)

    def load(self, place: int) -> None:
        """Count a load.

        Raises
        ------
        LoadedAgainError
            If this number was loaded `limit` times before.
        """
        self.loads += 1
        self.seen[place] += 1
        if self.limit is not None and self.seen[place] > self.limit:
            times = "a second time" if self.limit == 1 else f"{self.seen[place]} times"
            raise LoadedAgainError(f"a number is loaded {times}; keep it in a variable")


class CountedArray(np.ndarray):
    """An array with a `Tally`; `counted` makes one."""

    tally: Tally | None

    def __array_finalize__(self, source: Any) -> None:
        self.tally = getattr(source, "tally", None)

    def __deepcopy__(self, memo: dict[int, Any]) -> CountedArray:
        """Return a copy that counts from zero."""
        return counted(np.array(self), self.tally and self.tally.limit)

    def __getitem__(self, index: Any) -> Any:
        value = super().__getitem__(index)
        if isinstance(value, CountedArray):
            return value.view(_View)
        if self.tally is not None:
            self.tally.load(self._place(index, self.tally))
        return value

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        if self.tally is not None:
            self.tally.stores += int(np.size(np.asarray(self)[index]))

    def _place(self, index: Any, tally: Tally) -> int:
        """Return which number of the whole array an index selects here, counted from 0."""
        numbers = index if isinstance(index, tuple) else (index,)
        steps = zip(numbers, self.shape, self.strides, strict=True)
        here = self.ctypes.data + sum(int(n) % length * step for n, length, step in steps)
        return (here - tally.start) // self.itemsize


class _View(CountedArray):
    """A part of a counted array; NumPy does not compute with it, because that would load numbers that nobody counts."""

    def __array_ufunc__(self, *_: Any, **__: Any) -> Any:
        raise SeveralAtOnceError("NumPy computes with several numbers at once; write loops over single numbers")

    __array_function__ = __array_ufunc__


def counted(array: NDArray, limit: int | None = None) -> CountedArray:
    """Return a copy of an array that counts its loads and stores.

    Examples
    --------
    >>> x = counted(np.arange(6.0).reshape(2, 3))
    >>> float(x[1, 2] + x[1][2])
    10.0
    >>> x.tally.loads
    2
    """
    copy = np.array(array, order="C").view(CountedArray)
    copy.tally = Tally(limit, start=copy.ctypes.data)
    return copy


def uncounted(value: Any) -> Any:
    """Return a value with ordinary arrays in the place of those that count, also within tuples and lists."""
    if isinstance(value, CountedArray):
        return np.asarray(value)
    return type(value)(map(uncounted, value)) if type(value) in (tuple, list) else value


def count(function: Callable[..., Any], *arguments: Any) -> tuple[int, int]:
    """Run a function as plain Python and return how many single numbers it loads and stores.

    Parameters
    ----------
    function : callable
        Written in Python; of one that Numba has compiled, the Python function is run. What it creates with ``np.zeros``
        and ``np.empty`` counts, too, if it knows NumPy as ``np``.
    *arguments
        Arrays, which are left as they are, and anything else.

    Returns
    -------
    loads, stores : int
    """
    function = getattr(function, "py_func", function)
    numpy = _CountingNumPy()
    if isinstance(function, FunctionType):
        names = {**function.__globals__, "np": numpy}
        function = FunctionType(
            function.__code__, names, function.__name__, function.__defaults__, function.__closure__
        )
    function(*(numpy.keep(value) if isinstance(value, np.ndarray) else value for value in arguments))
    return sum(tally.loads for tally in numpy.tallies), sum(tally.stores for tally in numpy.tallies)


class _CountingNumPy:
    """NumPy, with new arrays that count."""

    def __init__(self) -> None:
        self.tallies: list[Tally] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def keep(self, array: NDArray) -> CountedArray:
        """Return a copy that counts for this run."""
        new = counted(array)
        assert new.tally is not None
        self.tallies.append(new.tally)
        return new

    def zeros(self, *shape: Any, **options: Any) -> CountedArray:
        return self.keep(np.zeros(*shape, **options))

    def empty(self, *shape: Any, **options: Any) -> CountedArray:
        return self.keep(np.zeros(*shape, **options))
