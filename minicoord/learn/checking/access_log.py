"""Which task of a ``prange`` loop wrote each cell of an array, and which one read it, and the races that follow.

`races` sends the subscripts of a learner's loop through the log, and runs it as plain Python, task after task.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_ACCESSES = 50_000
MAX_COMPARED = 20_000_000
"""How many cells are compared with what they held after earlier tasks; the first tasks show a race as well."""


@dataclass(frozen=True)
class Race:
    """Two tasks of one loop that access the same cell, at least one of them to write it.

    Attributes
    ----------
    array : str
        The name of the array, or of the plain variable, in the code.
    index : tuple of int
        Empty for a plain variable.
    shape : tuple of int
        Of the array.
    tasks : tuple
        The values of the loop variable in both tasks; empty strings for a plain variable.
    reads : bool
        Whether the second task reads the cell; otherwise it writes it.
    reads_first : bool or None
        Whether the second task reads the cell before it writes it, as ``+=`` does; None if that is not known.
    """

    array: str
    index: tuple[int, ...]
    shape: tuple[int, ...]
    tasks: tuple[Any, Any]
    reads: bool
    reads_first: bool | None = None

    def __str__(self) -> str:
        if not self.index:
            return (
                f"The prange loop reads {self.array}, which other tasks change; "
                f"every thread has its own copy of {self.array}."
            )
        cell = f"{self.array}[{', '.join(map(str, self.index))}]"
        first, second = self.tasks
        if self.reads:
            return f"Task {second} of the prange loop reads {cell}, which task {first} writes."
        return f"Tasks {first} and {second} of the prange loop both write {cell}."


class _LogFullError(Exception):
    """There were `MAX_ACCESSES` subscripts; logging more would take too long."""


class AccessLog:
    """Which task wrote and which one read each cell, by the cell's address in memory."""

    def __init__(self) -> None:
        self.races: list[Race] = []
        self.task: Any = None
        self.count = 0
        self.arrays: dict[int, tuple[np.ndarray, int]] = {}  # kept alive, so that no later array reuses an address
        self.writers: dict[int, tuple[Any, Any]] = {}  # task and the number it wrote
        self.readers: dict[int, Any] = {}  # the first task that read it
        self.last_readers: dict[int, Any] = {}
        self.compared = 0

    def tasks(self, values: Iterable[Any], accumulated: tuple[str, ...]) -> Iterator[Any]:
        """Yield the values of a prange loop; of the `accumulated` arrays each thread has its own."""
        self.writers.clear()
        self.readers.clear()
        self.last_readers.clear()
        caller = sys._getframe(1).f_locals
        own = [id(caller[name]) for name in accumulated if name in caller]
        arrays = {id(value): (name, value) for name, value in caller.items() if _is_array_of_numbers(value)}
        shared = [_Snapshot(name, array) for key, (name, array) in arrays.items() if key not in own]
        for value in values:
            self.task = value
            yield value
            self._log_changes(shared)
        self.task = None

    def _log_changes(self, shared: Sequence[_Snapshot]) -> None:
        """Log what the task has written in the arrays that were there before the loop, whichever way it did so."""
        for snapshot in shared:
            self.compared += snapshot.array.size
            if self.compared > MAX_COMPARED:
                return
            traced = _TracedArray(self, snapshot.array, snapshot.name)
            for cell in snapshot.changed_cells():
                traced.written(traced.address(cell), cell, snapshot.array[cell], None)

    def traced(self, value: Any, name: str) -> Any:
        """Return what a task subscripts under this name, so that an array notes the access."""
        if not isinstance(value, np.ndarray) or self.task is None:
            return value
        self.count += 1
        if self.count > MAX_ACCESSES:
            raise _LogFullError
        return _TracedArray(self, value, name)


class _TracedArray:
    """Takes the place of an array where it is subscripted, and logs the access."""

    def __init__(self, log: AccessLog, array: np.ndarray, name: str) -> None:
        self.log, self.array, self.name = log, array, name
        if id(array) not in log.arrays:
            log.arrays[id(array)] = array, array.ctypes.data

    def __getitem__(self, index: Any) -> Any:
        value = self.array[index]
        if not isinstance(value, np.ndarray):  # of a view, the cells that will be read are unknown
            task = self.log.task
            for address, cell in self._cells(index):
                writer, _ = self.log.writers.get(address, (task, None))
                self.log.readers.setdefault(address, task)
                self.log.last_readers[address] = task
                if writer != task:
                    self._add_race(cell, writer, task, reads=True)
        return value

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[index] = value
        written = np.asarray(self.array[index]).ravel()
        for (address, cell), number in zip(self._cells(index), written, strict=True):
            self.written(address, cell, number, self._reads_first(address, value))

    def _reads_first(self, address: int, value: Any) -> bool | None:
        """Return whether the task has read a cell before it writes this value into it; None if that is not known."""
        if self.log.last_readers.get(address) == self.log.task:
            return True
        if not isinstance(value, np.ndarray) or value.ndim == 0:
            return False
        if np.may_share_memory(value, self.array):  # a view that ``a[:] += b`` has changed in place
            return True
        return None  # an array may be computed from the old numbers, as in ``a[:] = a + b``

    def written(self, address: int, cell: tuple[int, ...], number: Any, reads_first: bool | None) -> None:
        """Log that the task has written a number into a cell."""
        task = self.log.task
        writer, before = self.log.writers.get(address, (task, number))
        self.log.writers[address] = task, number
        reader = self.log.readers.get(address, task)
        if writer != task and before != number:
            self._add_race(cell, writer, task, reads=False, reads_first=reads_first)
        elif reader != task:
            self._add_race(cell, task, reader, reads=True)

    def _cells(self, index: Any) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Yield the address and the full index of every cell that a subscript selects."""
        array = self.array
        numbers = index if isinstance(index, tuple) else (index,)
        if len(numbers) == array.ndim and all(isinstance(n, int | np.integer) for n in numbers):
            # The fast path: most subscripts select a single cell.
            cells = [tuple(int(n) % length for n, length in zip(numbers, array.shape, strict=True))]
        else:
            selected = np.arange(array.size).reshape(array.shape)[index]
            cells = [tuple(int(n) for n in np.unravel_index(k, array.shape)) for k in np.ravel(selected)]
        for cell in cells:
            yield self.address(cell), cell

    def address(self, cell: tuple[int, ...]) -> int:
        """Return the address of a cell in memory."""
        _, start = self.log.arrays[id(self.array)]
        return start + sum(n * step for n, step in zip(cell, self.array.strides, strict=True))

    def _add_race(
        self, cell: tuple[int, ...], first: Any, second: Any, reads: bool, reads_first: bool | None = None
    ) -> None:
        """Keep the first race of each kind."""
        if all(race.reads != reads for race in self.log.races):
            self.log.races.append(Race(self.name, cell, self.array.shape, (first, second), reads, reads_first))


class _Snapshot:
    """An array that all tasks see, and what it held when the last of them ended."""

    def __init__(self, name: str, array: np.ndarray) -> None:
        self.name, self.array, self.before = name, array, array.copy()

    def changed_cells(self) -> list[tuple[int, ...]]:
        """Return the cells that have changed since the last call."""
        now, before = self.array, self.before
        changed = (now != before) & ~((now != now) & (before != before))  # a nan that stays is no change
        cells = [tuple(map(int, cell)) for cell in np.argwhere(changed)]
        if cells:
            self.before = now.copy()
        return cells


def _is_array_of_numbers(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and value.dtype.kind in "biufc"
