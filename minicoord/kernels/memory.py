"""Memory for results, used again as soon as nobody refers to it any more.

A new array of a few megabytes comes from the operating system, which hands out its pages one by one as they are first
touched; freed, it goes back. A training step makes dozens of such arrays, always of the same sizes, and the pages cost
more than some of the kernels that fill them. So the memory of large arrays is kept, and handed out again.
"""

from __future__ import annotations

import math
import sys
import threading

import numpy as np
from numpy.typing import DTypeLike, NDArray

SMALL = 2**16  # bytes; below, the C library's own allocator is as good
KEPT = 2**29  # bytes that may lie idle before all that is idle is given back
ALIGNMENT = 64  # bytes: one cache line, and the widest vector register

_blocks: dict[int, list[NDArray]] = {}
_lock = threading.Lock()


def empty(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
    """Return a C-contiguous array with arbitrary content, as ``np.empty`` does, in memory that may have been used before.

    Memory is taken again only if no array refers to it: every array, and every view of it, holds a reference to the
    block that it lies in, and blocks with references are left alone.

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
    with _lock:
        block = _free_block(size)
        start = -block.ctypes.data % ALIGNMENT
        return block[start : start + size].view(dtype).reshape(shape)


def empty_like(x: NDArray) -> NDArray:
    """Return `empty` of the shape and dtype of `x`."""
    return empty(x.shape, x.dtype)


def _free_block(size: int) -> NDArray:
    """Return a block of `size` bytes, and some to align it, that nothing but the list of blocks refers to."""
    blocks = _blocks.setdefault(size, [])
    for k in range(len(blocks)):
        if _is_idle(blocks, k):
            return blocks[k]
    if _idle_bytes() > KEPT:
        _give_back()
    block = np.empty(size + ALIGNMENT, np.uint8)
    _blocks.setdefault(size, []).append(block)
    return block


def _is_idle(blocks: list[NDArray], k: int) -> bool:
    return sys.getrefcount(blocks[k]) == _REFERENCES_OF_AN_IDLE_BLOCK


def _idle_bytes() -> int:
    return sum(size for size, blocks in _blocks.items() for k in range(len(blocks)) if _is_idle(blocks, k))


def _give_back() -> None:
    """Forget every idle block, so that its memory returns to the operating system."""
    for size, blocks in list(_blocks.items()):
        busy = [blocks[k] for k in range(len(blocks)) if not _is_idle(blocks, k)]
        blocks.clear()
        if busy:
            blocks.extend(busy)
        else:
            del _blocks[size]


# What getrefcount says of an array that only a list holds; the number differs between versions of Python.
_probe = [np.empty(1, np.uint8)]
_REFERENCES_OF_AN_IDLE_BLOCK = sys.getrefcount(_probe[0])
