"""IDX, the file format of MNIST: two zero bytes, the type, the number of axes, the sizes, then the numbers.

Sizes are 32-bit integers, the most significant byte first. Only the type 8, unsigned bytes, is read.
"""

from __future__ import annotations

import gzip
import lzma
import math
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

UNSIGNED_BYTES = 8
_OPENERS = {b"\x1f\x8b": gzip.decompress, b"\xfd7zXZ\x00": lzma.decompress}


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Return the numbers of an IDX file, which may be compressed by gzip or xz.

    Parameters
    ----------
    path : path
        The kind of compression is seen from the first bytes, whatever the name.

    Returns
    -------
    ndarray of uint8, read-only
        Of the shape that the file's header gives.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, truncated, or not an IDX file of unsigned bytes.
    """
    content = _uncompressed(path)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != UNSIGNED_BYTES:
        raise ValueError(
            f"{path} begins with the bytes {content[:4].hex(' ') or 'of an empty file'}, wanted 00 00 08 and the "
            "number of axes, as in an IDX file of unsigned bytes; fetch it again"
        )
    axes = content[3]
    start = 4 + 4 * axes
    if len(content) < start:
        raise ValueError(f"{path} ends within its header, after {len(content)} bytes; fetch it again")
    shape = tuple(int(size) for size in np.frombuffer(content, ">u4", axes, offset=4))
    wanted, found = math.prod(shape), len(content) - start
    if found != wanted:
        raise ValueError(f"{path} holds {found} bytes, but its header promises {wanted} for {shape}; fetch it again")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def _uncompressed(path: Path) -> bytes:
    content = path.read_bytes()
    for magic, decompress in _OPENERS.items():
        if content.startswith(magic):
            try:
                return decompress(content)
            except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                raise ValueError(f"{path} is damaged or truncated ({error}); fetch it again") from None
    return content


def idx_bytes(numbers: NDArray[np.uint8]) -> bytes:
    """Return the content of an uncompressed IDX file with these numbers.

    Examples
    --------
    >>> idx_bytes(np.array([[1, 2]], np.uint8)).hex(" ")
    '00 00 08 02 00 00 00 01 00 00 00 02 01 02'
    """
    header = bytes([0, 0, UNSIGNED_BYTES, numbers.ndim]) + np.array(numbers.shape, ">u4").tobytes()
    return header + numbers.tobytes()
