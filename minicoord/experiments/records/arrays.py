"""Arrays and weights in ``.npz`` files, read with errors that name the file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.experiments.frame.folder import NEW
from minicoord.experiments.records.run_files import file_of_run
from minicoord.system.places import FILE, what_is_at


def read_arrays(path: Path) -> dict[str, NDArray]:
    """Return the arrays of an ``.npz`` file.

    Raises
    ------
    ValueError
        If the file cannot be read or is damaged; the message begins with its path.
    """
    with opened_arrays(path) as file:
        return {name: file[name] for name in file.files}


@contextlib.contextmanager
def opened_arrays(path: Path) -> Iterator[Any]:
    """Open an ``.npz`` file; any error until it is closed is raised as a ValueError that begins with its path."""
    try:
        found = what_is_at(path)
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if found != FILE:  # opening a pipe would block forever
        raise ValueError(f"{path} is {found or 'missing'}, wanted a file of arrays")
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            yield file
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
    except Exception as error:  # damaged bytes raise errors of many kinds in zipfile, zlib and NumPy
        raise ValueError(f"{path} is damaged or cut short") from error


def read_weights(folder: Path) -> dict[str, NDArray]:
    """Return the weights in the folder of a run, as ``params/0.w``; of several networks, as ``generator/params/0.w``.

    Raises
    ------
    ValueError
        If a file cannot be read or is damaged; the message begins with its path.
    """
    weights: dict[str, NDArray] = {}
    names = {path.name for place in (folder, folder / NEW) for path in place.glob("weights*.npz")}
    for path in sorted({file_of_run(folder, name) for name in names}, key=lambda path: path.name):
        if not path.exists():  # of a run in new/ that is not complete
            continue
        network = path.stem.removeprefix("weights").removeprefix("-")
        prefix = f"{network}/" if network else ""
        # "meta" holds the facts that a weights file has beside its arrays.
        weights |= {f"{prefix}{key}": array for key, array in read_arrays(path).items() if key != "meta"}
    return weights
