"""Memory for results, used again as soon as nobody refers to it any more.

A new array of a few megabytes comes from the operating system, which hands out its pages one by one as they are first
touched; freed, it goes back. A training step makes dozens of such arrays, always of the same sizes, and the pages cost
more than some of the kernels that fill them. So the memory of large arrays is kept, and handed out again.

There is no lock: a block is taken and returned by one operation of a list, which Python keeps whole. A block returns
whenever Python destroys the last array in it, and that may be in the middle of `empty` itself, where a lock of its own
would wait for itself.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numba
import numpy as np
from numpy.typing import DTypeLike, NDArray

from minicoord.system.arrays import MEMORY, refuse_size

SMALL = 2**16  # bytes; below, the C library's own allocator is as good
KEPT = 2**29  # bytes that may lie idle before all that is idle is given back
ALIGNMENT = 64  # bytes: one cache line, and the widest vector register

_Block = tuple[NDArray, int]  # the memory, and the aligned address in it

_idle: dict[int, list[_Block]] = {}  # blocks that nobody uses, by the size in bytes of the arrays that they can hold


class _Lease:
    """A block that is lent out. NumPy makes it the ``base`` of the array in it, and of every view of that array."""

    __slots__ = ("__array_interface__", "block", "size")

    def __init__(self, block: _Block, size: int, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.block = block
        self.size = size
        data = (block[1], False)  # False: it may be written to
        self.__array_interface__ = {"version": 3, "shape": shape, "typestr": dtype.str, "data": data}

    def __del__(self, idle: dict[int, list[_Block]] = _idle) -> None:  # an argument: globals may be gone at exit
        idle.setdefault(self.size, []).append(self.block)


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
    """Return a C-contiguous array with arbitrary content, as ``np.empty`` does, perhaps in memory that was used before.

    Memory is used again only after the last array in it, and the last view of one, is gone.

    Raises
    ------
    ValueError
        If the array would not fit into the memory of this machine; nothing is allocated then.

    Examples
    --------
    >>> first = empty((256, 256), np.float32)
    >>> place = first.ctypes.data
    >>> second = empty((256, 256), np.float32)
    >>> del first
    >>> empty((256, 256), np.float32).ctypes.data == place, second.ctypes.data == place
    (True, False)
    """
    dtype = np.dtype(dtype)
    size = math.prod(shape) * dtype.itemsize
    if size < SMALL:
        return np.empty(shape, dtype)
    if size > MEMORY:
        refuse_size("an array", shape, size)
    return np.asarray(_Lease(_block(size), size, shape, dtype))


def empty_like(x: NDArray) -> NDArray:
    """Return `empty` of the shape and dtype of `x`."""
    return empty(x.shape, x.dtype)


def _block(size: int) -> _Block:
    """Return an idle block for `size` bytes, or a new one; of several the last used, which may still be in a cache."""
    try:
        return _idle[size].pop()
    except (KeyError, IndexError):
        if idle_bytes() > KEPT:
            _idle.clear()
        memory = np.empty(size + ALIGNMENT, np.uint8)
        start = memory.ctypes.data
        return memory, start + -start % ALIGNMENT


def idle_bytes() -> int:
    """Return how many bytes are kept for later."""
    return sum(size * len(blocks) for size, blocks in _idle.copy().items())


def release() -> None:
    """Give back all memory that nobody uses.

    Examples
    --------
    >>> release()
    >>> idle_bytes()
    0
    """
    _idle.clear()


def aligned(size: int, dtype: DTypeLike) -> NDArray:
    """Return a flat array of `size` numbers, of arbitrary content, that begins at a cache line."""
    dtype = np.dtype(dtype)
    if size * dtype.itemsize >= SMALL:
        return empty((size,), dtype)
    memory = np.empty(size + ALIGNMENT // dtype.itemsize, dtype)
    first = -memory.ctypes.data % ALIGNMENT // dtype.itemsize
    return memory[first : first + size]


def workspace(size: int, dtype: DTypeLike) -> NDArray:
    """Return `size` numbers of scratch memory for each thread: a row of the result, whole cache lines long."""
    dtype = np.dtype(dtype)
    rows, line = numba.config.NUMBA_NUM_THREADS, ALIGNMENT // dtype.itemsize  # type: ignore[attr-defined]
    columns = -(-size // line) * line
    if rows * columns * ALIGNMENT // line < SMALL:
        return _kept_workspace(rows, columns, dtype)
    return aligned(rows * columns, dtype).reshape(rows, columns)


@lru_cache(maxsize=64)
def _kept_workspace(rows: int, columns: int, dtype: np.dtype) -> NDArray:
    """Return scratch memory that every kernel of this size uses: one kernel runs at a time."""
    return aligned(rows * columns, dtype).reshape(rows, columns)
