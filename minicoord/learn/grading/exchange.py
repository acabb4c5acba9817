"""Arguments and results on their way between two processes: arrays as ``.npy`` files, all else as JSON.

Nothing is pickled, so that to read what a stranger's process wrote runs no code of theirs. A result that has no such
form, or is too large, is told by its type or its shape: enough to say what is wrong with it.
"""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Function = Callable[..., Any]
Description = dict[str, Any]

MAX_ITEMS = 64
MAX_TEXT = 10_000
MAX_DIGITS = 1000


class UnusableError(Exception):
    """What was handed back cannot be read; the message says why."""


def write_value(value: Any, folder: Path, name: str, max_bytes: int, depth: int = 3) -> Description:
    """Write a value's arrays into a folder, and return its description in what JSON knows.

    Parameters
    ----------
    value : object
        Arrays, NumPy and Python numbers, strings, None, tuples and lists of these, or a function, which goes by name.
    folder : Path
        Where the arrays go.
    name : str
        What the names of their files begin with.
    max_bytes : int
        An array that is larger is described by dtype and shape alone.
    depth : int
        How many tuples and lists may be inside of each other.
    """
    if value is None:
        return {"kind": "none"}
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


def read_value(description: Any, folder: Path, max_bytes: int, functions: Any = None) -> Any:
    """Return the value that `write_value` described; of one that has no form, an empty one of that type's name.

    Parameters
    ----------
    description : object
        Not trusted.
    folder : Path
        Where the arrays are.
    max_bytes : int
        Of all files together; what is larger is not read.
    functions : module, optional
        Where functions are looked up by name.

    Raises
    ------
    UnusableError
        If anything about it is not as `write_value` makes it.
    """
    try:
        return _read(description, folder, [max_bytes], functions)
    except UnusableError:
        raise
    except Exception as error:  # a forged file can make its reader stumble anywhere
        raise UnusableError(f"it cannot be read ({type(error).__name__})") from error


def _read(description: Any, folder: Path, left: list[int], functions: Any) -> Any:
    """Return a value; its arrays are taken off the one number in `left`, as a small list can name one file often."""
    kind = description["kind"]
    if kind == "none":
        return None
    if kind in ("array", "scalar"):
        array = _read_array(folder / Path(str(description["file"])).name, left[0])
        left[0] -= array.nbytes
        return array[()] if kind == "scalar" and array.ndim == 0 else array
    if kind == "shape":
        return np.broadcast_to(np.zeros((), np.dtype(description["dtype"])), [int(n) for n in description["shape"]])
    if kind == "number" and type(description["value"]) in (bool, int, float):
        return description["value"]
    if kind == "text":
        return str(description["value"])
    if kind in ("tuple", "list"):
        items = [_read(item, folder, left, functions) for item in description["items"][:MAX_ITEMS]]
        return tuple(items) if kind == "tuple" else items
    if kind == "function" and functions is not None:
        return getattr(functions, description["name"])
    if kind in ("function", "other"):
        return _object_of_type(str(description.get("type", "function")))
    raise UnusableError("it is of an unknown kind")


def _read_array(path: Path, max_bytes: int) -> np.ndarray:
    """Return the array of a file of no more than `max_bytes`, and a header: links and pipes are not followed."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or found.st_size > max_bytes + 4096:
        raise UnusableError(f"its file is no ordinary file of at most {max_bytes:,} bytes")
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = read_header(file)
        # A header may promise more than there is; NumPy would make room for it before it looks.
        if dtype.hasobject or int(np.prod(shape, dtype=object)) * dtype.itemsize > found.st_size:
            raise UnusableError("its file is not what its header says")
        file.seek(0)
        return np.load(file, allow_pickle=False)


def _object_of_type(name: str) -> Any:
    """Return an object whose type has this name, for a sentence that names it."""
    return type(name if name.isidentifier() else "object", (), {})()
