"""Named arrays and a few facts in one ``.npz`` file, which any NumPy can open and which is safe to read.

The facts are stored as JSON, in an array of bytes called ``meta``. Pickled Python objects, through which a file could
run code, are neither written nor read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.system.files import PathLike, plain, write_atomically

Arrays = dict[str, NDArray]

FORMAT = "minicoord"
VERSION = 1
_ZIP_MAGIC = b"PK\x03\x04"


class CheckpointError(ValueError):
    """A weights file or a checkpoint cannot be read, or does not fit what it is to be loaded into."""


def error_about(path: PathLike, error: ValueError) -> CheckpointError:
    """Return an error about a saved state, whose message begins with "it", as one about the file that holds it."""
    return CheckpointError(f"{path} {str(error).removeprefix('it ')}")


def write_archive(path: PathLike, kind: str, arrays: dict[str, NDArray], facts: dict[str, Any]) -> None:
    """Write arrays and facts to `path`, atomically. The name is kept as it is, with or without ``.npz``.

    Parameters
    ----------
    path : str or path
        The file to write.
    kind : str
        What the file holds, such as ``"weights"``.
    arrays : dict of str to ndarray
        Any names except ``"meta"``, any dtype except object.
    facts : dict
        Anything that `minicoord.system.files.plain` can make fit for JSON; NaN and infinities are kept.
    """
    meta = {"format": FORMAT, "version": VERSION, "kind": kind, **plain(facts, non_finite=float)}
    text = np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)
    with write_atomically(path) as file:
        np.savez(file, meta=text, **arrays)  # pyright: ignore[reportArgumentType]


def read_archive(path: PathLike) -> tuple[dict[str, NDArray], dict[str, Any]]:
    """Read what `write_archive` wrote.

    Parameters
    ----------
    path : str or path
        The file to read.

    Returns
    -------
    arrays : dict of str to ndarray
        The arrays, without ``"meta"``.
    meta : dict
        The facts, with ``format``, ``version`` and ``kind``.

    Raises
    ------
    OSError
        If the file is missing or may not be read.
    CheckpointError
        If the file is damaged, comes from another program, or holds pickled objects.
    """
    with open(path, "rb") as file:
        head = file.read(len(_ZIP_MAGIC))
        if head != _ZIP_MAGIC:
            problem = "is not a file of minicoord (those are .npz archives)" if head else "is empty"
            raise CheckpointError(f"{path} {problem}")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                arrays = {name: np.asarray(archive[name]) for name in archive.files}
        except Exception as error:  # damaged bytes raise errors of many kinds in zipfile, zlib and NumPy
            pickled = isinstance(error, ValueError) and "pickle" in str(error)
            problem = "holds pickled Python objects, which are never loaded" if pickled else "is damaged or cut short"
            raise CheckpointError(f"{path} {problem}") from error
    return arrays, _read_meta(path, arrays.pop("meta", None))


def _read_meta(path: PathLike, text: NDArray | None) -> dict[str, Any]:
    """Return the facts of an archive from the bytes of its array ``meta``, after checking format and version."""
    meta = None
    if text is not None and text.dtype == np.uint8:
        try:
            meta = json.loads(text.tobytes().decode())
        except (ValueError, RecursionError):
            meta = None
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise CheckpointError(f"{path} is an .npz archive, but not one that minicoord wrote")
    if meta.get("version") != VERSION:
        raise CheckpointError(
            f"{path} has format version {meta.get('version')!r}, this minicoord reads version {VERSION}; "
            "use the minicoord that wrote it"
        )
    return meta


def flatten(state: Mapping[str, Any], prefix: str = "") -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a nested state under paths such as ``"model/params/0.w"``, and the rest, still nested."""
    arrays: Arrays = {}
    rest: dict[str, Any] = {}
    for key, value in state.items():
        if isinstance(value, np.ndarray):
            arrays[f"{prefix}{key}"] = value
        elif isinstance(value, Mapping):
            inner, rest[key] = flatten(value, f"{prefix}{key}/")
            arrays |= inner
        else:
            rest[key] = value
    return arrays, rest


def unflatten(arrays: Mapping[str, NDArray], rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested state that `flatten` took apart."""
    state: dict[str, Any] = {}
    for key, value in rest.items():
        state[key] = unflatten({}, value) if isinstance(value, Mapping) else value
    for path, array in arrays.items():
        *parents, key = path.split("/")
        inner = state
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner[key] = array
    return state
