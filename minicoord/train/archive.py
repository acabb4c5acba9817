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

from minicoord.system.arguments import shown
from minicoord.system.files import PathLike, plain, write_atomically
from minicoord.system.places import check_file, what_is_at

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
        Any dtype except object. Names have a slash in them, as those of `flatten` do, so that none can be ``"meta"``
        or a parameter of ``numpy.savez``.
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
        If the file is missing or may not be read, or `path` leads to a folder, a pipe or a device.
    CheckpointError
        If the file is damaged, comes from another program, or holds pickled objects.
    """
    if what_is_at(path) is not None:
        check_file(path)  # opening a pipe would wait for a writer for ever
    with open(path, "rb") as file:
        head = file.read(len(_ZIP_MAGIC))
        if head != _ZIP_MAGIC:
            problem = "is not a file of minicoord (those are .npz archives)" if head else "is empty"
            raise CheckpointError(f"{path} {problem}")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                # By the full name, because NumPy finds "a.npy" for "a.npy" before it finds "a.npy.npy".
                arrays = {name: np.asarray(archive[f"{name}.npy"]) for name in archive.files}
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
            f"{path} has format version {shown(meta.get('version'))}, this minicoord reads version {VERSION}; "
            "use the minicoord that wrote it"
        )
    if not isinstance(meta.get("kind"), str):
        raise CheckpointError(f"{path} is damaged: it does not say what it holds")
    return meta


def flatten(state: Mapping[str, Any]) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays of a nested state by their paths, and the rest, still nested.

    Only what `unflatten` brings back exactly from a file is accepted.

    Parameters
    ----------
    state : dict
        Its keys are printable str of 1 to 255 characters without slashes; its values are arrays, dicts like itself,
        None, bool, int, float, str, and lists of the last five.

    Returns
    -------
    arrays : dict of str to ndarray
        Under paths such as ``"model/params/0.w"``; an array of the state itself is ``"/name"``, so that every path has
        a slash.
    rest : dict
        What is left of the state, fit for JSON.

    Raises
    ------
    TypeError, ValueError
        If the state holds anything else, such as a tuple, a NumPy scalar, or a masked or object array.
    """
    arrays: Arrays = {}
    return arrays, _without_arrays(state, "", arrays)


def _without_arrays(state: Any, path: str, arrays: Arrays) -> dict[str, Any]:
    """Return the part of a state at `path` without its arrays, which are put into `arrays`."""
    place = f"the state {path!r}" if path else "the state"
    if type(state) is not dict:
        raise TypeError(f"a checkpoint cannot hold {place} of type {type(state).__name__}, wanted a dict")
    rest: dict[str, Any] = {}
    for key, value in state.items():
        if not isinstance(key, str):
            raise TypeError(f"a checkpoint cannot hold the key {shown(key)} in {place}, wanted a str")
        if not 0 < len(key) < 256 or not key.isprintable() or "/" in key or "\\" in key:
            wanted = "1 to 255 printable characters and no slashes"
            raise ValueError(f"a checkpoint cannot hold the key {shown(key)} in {place}, wanted {wanted}")
        inner = f"{path}/{key}" if path else key
        if isinstance(value, np.ndarray):
            arrays[inner if path else f"/{key}"] = _checked_array(value, inner)
        elif isinstance(value, dict):
            rest[key] = _without_arrays(value, inner, arrays)
        else:
            _check_plain(value, inner)
            rest[key] = value
    return rest


def _checked_array(array: NDArray, path: str) -> NDArray:
    """Return an array of a state after checking that a file brings it back exactly."""
    if type(array) is not np.ndarray:  # a masked array would lose its mask
        given = f"{shown(path)} of type {type(array).__name__}"
        raise TypeError(f"a checkpoint cannot hold {given}, wanted a plain ndarray")
    if array.dtype.hasobject:
        raise TypeError(f"a checkpoint cannot hold {shown(path)}, an array of Python objects, wanted another dtype")
    return array


def _check_plain(value: Any, path: str) -> None:
    """Raise TypeError if JSON does not bring a value of a state back exactly."""
    if type(value) is list:
        for element in value:
            _check_plain(element, path)
    elif value is not None and type(value) not in (bool, int, float, str):
        wanted = "None, bool, int, float, str, a list of those, a dict or an array"
        kind = f"{'NumPy ' if isinstance(value, np.generic) else ''}{type(value).__name__}"
        raise TypeError(f"a checkpoint cannot hold {shown(path)} with a {kind}, wanted {wanted}")


def unflatten(arrays: Mapping[str, NDArray], rest: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested state that `flatten` took apart; raise ValueError if one name is an array and a dict."""
    state: dict[str, Any] = {}
    for key, value in rest.items():
        state[key] = unflatten({}, value) if isinstance(value, Mapping) else value
    for path, array in arrays.items():
        *parents, key = path.removeprefix("/").split("/")
        inner = state
        for parent in parents:
            inner = inner.setdefault(parent, {})
            if not isinstance(inner, dict):
                raise ValueError(f"{shown(parent)} of {shown(path)} is not a dict")
        inner[key] = array
    return state
