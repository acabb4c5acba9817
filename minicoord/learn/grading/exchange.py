"""Exchanging arguments and results between two processes: arrays as ``.npy`` files, everything else as JSON.

Nothing is pickled, so reading what an untrusted process wrote runs none of its code. A result that has no such form, or
is too large, is described by its type or shape, which is enough to say what is wrong with it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.learn.checking.counted_loads import CountedArray, counted

Function = Callable[..., Any]
Description = dict[str, Any]

MAX_ITEMS = 64
MAX_TEXT = 10_000
MAX_DIGITS = 1000


class UnusableError(Exception):
    """A result or report from another process cannot be read; the message says why."""


def write_value(value: Any, folder: Path, name: str, max_bytes: int, depth: int = 3) -> Description:
    """Write a value's arrays into a folder, and return a description of it that JSON can hold.

    Parameters
    ----------
    value : object
        Arrays, also those that count their loads, NumPy and Python numbers, strings, None, tuples and lists of these,
        or a function, passed by its name.
    folder : Path
        Where the arrays are written.
    name : str
        The start of their file names.
    max_bytes : int
        A larger array is described by its dtype and shape only.
    depth : int
        How deeply tuples and lists may be nested.
    """
    if value is None:
        return {"kind": "none"}
    if isinstance(value, CountedArray) and value.tally is not None:
        array = _write_array(value, folder, name, max_bytes)
        return {"kind": "counted", "array": array, "limit": value.tally.limit}
    if isinstance(value, np.ndarray):
        return _write_array(value, folder, name, max_bytes)
    if isinstance(value, np.generic) and not value.dtype.hasobject:
        return {**_write_array(np.asarray(value), folder, name, max_bytes), "kind": "scalar"}
    if type(value) in (bool, float) or (type(value) is int and value.bit_length() < 3 * MAX_DIGITS):
        return {"kind": "number", "value": value}
    if type(value) is str and len(value) <= MAX_TEXT:
        return {"kind": "text", "value": value}
    if isinstance(value, (tuple, list)) and len(value) <= MAX_ITEMS and depth:
        items = [write_value(item, folder, f"{name}-{k}", max_bytes, depth - 1) for k, item in enumerate(value)]
        return {"kind": "tuple" if isinstance(value, tuple) else "list", "items": items}
    if callable(value) and not isinstance(value, type) and hasattr(value, "__name__"):
        return {"kind": "function", "name": str(value.__name__)[:MAX_TEXT]}
    return {"kind": "other", "type": type(value).__name__[:MAX_TEXT]}


def _write_array(array: np.ndarray, folder: Path, name: str, max_bytes: int) -> Description:
    if array.dtype.hasobject or array.nbytes > max_bytes:
        return {"kind": "shape", "dtype": str(array.dtype)[:MAX_TEXT], "shape": list(array.shape)}
    np.save(folder / f"{name}.npy", np.asarray(array), allow_pickle=False)  # NumPy cannot save a masked array
    return {"kind": "array", "file": f"{name}.npy"}


def read_value(description: Any, folder: Path, max_bytes: int, functions: Any = None, *, counting: bool = False) -> Any:
    """Return the value that `write_value` described; for an object of another type, an empty object of that type name.

    Parameters
    ----------
    description : object
        As `write_value` returned it; not trusted.
    folder : Path
        Where the arrays are.
    max_bytes : int
        Of all files together; larger ones are not read.
    functions : module, optional
        The module in which functions are looked up by name.
    counting : bool
        Whether arrays may count their loads, as arguments of a case do; a result never does.

    Raises
    ------
    UnusableError
        If the description or a file differs from what `write_value` makes.
    """
    try:
        return _read(description, folder, [max_bytes], functions, counting)
    except UnusableError:
        raise
    except Exception as error:  # a forged file can cause an error anywhere
        raise UnusableError(f"it cannot be read ({type(error).__name__})") from error


def _read(description: Any, folder: Path, left: list[int], functions: Any, counting: bool) -> Any:
    """Return a value; the sizes of its arrays are subtracted from ``left[0]``, as one file may be named many times."""
    kind = description["kind"]
    if kind == "none":
        return None
    if kind in ("array", "scalar"):
        array = _read_array(folder / Path(str(description["file"])).name, left[0])
        left[0] -= array.nbytes
        return array[()] if kind == "scalar" and array.ndim == 0 else array
    if kind == "counted" and counting:
        return counted(_read(description["array"], folder, left, functions, counting), description["limit"])
    if kind == "shape":
        return np.broadcast_to(np.zeros((), np.dtype(description["dtype"])), [int(n) for n in description["shape"]])
    if kind == "number" and type(description["value"]) in (bool, int, float):
        return description["value"]
    if kind == "text":
        return str(description["value"])
    if kind in ("tuple", "list"):
        items = [_read(item, folder, left, functions, counting) for item in description["items"][:MAX_ITEMS]]
        return tuple(items) if kind == "tuple" else items
    if kind == "function" and functions is not None:
        return getattr(functions, description["name"])
    if kind in ("function", "other"):
        return _object_of_type(str(description.get("type", "function")))
    raise UnusableError("its kind is unknown")


def _read_array(path: Path, max_bytes: int) -> np.ndarray:
    """Return the array in a regular file of at most `max_bytes` beside the header; links and pipes are refused."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > max_bytes + 4096:
        raise UnusableError(f"its array is not in a regular file of at most {max_bytes:,} bytes")
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        # A header may claim more data than the file holds; NumPy would allocate memory for it before reading.
        if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize > found.st_size:
            raise UnusableError("its array is not as large as its header says")
        file.seek(0)
        return np.load(file, allow_pickle=False)


def _object_of_type(name: str) -> Any:
    """Return an object whose type has this name, for messages that name the type."""
    return type(name if name.isidentifier() else "object", (), {})()
