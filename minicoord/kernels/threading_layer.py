"""Which of Numba's three thread pools runs the kernels, and how many threads it may use.

Numba has three threading layers. With both cores free they differ little; with one core taken by another process they
differ a lot, because ``omp`` spins while it waits. ``tbb`` is the best of the three in both cases, so it is taken where
its wheel is installed. Otherwise ``workqueue`` serves: it never spins, and its one weakness (two Python threads in it
at the same time abort the process) is covered by the lock in ``runtime.py``.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import sys
import threading
import warnings
from pathlib import Path

import numba

_TBB_FILES = ("libtbb.so.12", "tbb12.dll")


def find_tbb() -> Path | None:
    """Return the path of the TBB library that the ``tbb`` wheel installed, or None where there is no wheel.

    The wheel puts the library into the environment's own ``lib`` folder (``Library/bin`` on Windows), where the
    loader of Numba's extension does not look; the wheel's list of files says where it is.
    """
    try:
        files = importlib.metadata.files("tbb") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.name in _TBB_FILES:
            path = Path(str(file.locate())).resolve()
            if path.exists():
                return path
    return None


def _load_tbb() -> bool:
    """Load TBB by its full path, so that Numba's extension finds it already in the process."""
    path = find_tbb()
    if path is None:
        return False
    try:
        if sys.platform == "win32":
            os.add_dll_directory(str(path.parent))
            ctypes.CDLL(str(path))
        else:
            ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL)
        importlib.import_module("numba.np.ufunc.tbbpool")  # the import itself is the test
    except (OSError, ImportError):
        return False
    return True


def started_layer() -> str | None:
    """Return the name of the threading layer that is already running in this process, or None."""
    try:
        return numba.threading_layer()  # pyright: ignore[reportPrivateImportUsage]
    except ValueError:
        return None


def choose_layer() -> str:
    """Choose the threading layer for this process and return its name.

    The choice of the user (``NUMBA_THREADING_LAYER``) and a pool that already runs are left as they are.
    """
    running = started_layer()
    if running is not None:
        return running
    if "NUMBA_THREADING_LAYER" in os.environ:
        layer = os.environ["NUMBA_THREADING_LAYER"]
        if layer == "tbb":
            _load_tbb()
        return layer
    layer = "tbb" if _load_tbb() else "workqueue"
    numba.config.THREADING_LAYER = layer  # type: ignore[attr-defined]
    return layer


_wanted = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_applied = threading.local()


def get_threads() -> int:
    """Return how many threads the kernels use.

    Examples
    --------
    >>> from minicoord.kernels.threading_layer import get_threads
    >>> get_threads() >= 1
    True
    """
    return _wanted


def set_threads(n: int) -> int:
    """Set how many threads the kernels use from now on, in every Python thread, and return the number in force.

    The results do not depend on it: the same seed gives the same bits with any number of threads.

    Parameters
    ----------
    n : int
        Threads wanted, at least 1. More than Numba was started with (``NUMBA_NUM_THREADS``, by default the number of
        cores that this process may use) is clamped to that number, with a warning.

    Returns
    -------
    int
        The number of threads in force.

    Raises
    ------
    ValueError
        If `n` is not a whole number of at least 1.
    """
    global _wanted
    if isinstance(n, bool) or not hasattr(n, "__index__") or n < 1:
        raise ValueError(f"set_threads: the number of threads was {n!r}, it must be a whole number of at least 1")
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if n > most:
        warnings.warn(f"set_threads: {n} threads wanted, this process can use {most}; using {most}", stacklevel=2)
    _wanted = min(int(n), most)
    return _wanted


def apply_threads() -> None:
    """Tell Numba how many threads the calling Python thread may use; Numba keeps that number per Python thread."""
    if getattr(_applied, "n", None) != _wanted:
        numba.set_num_threads(_wanted)
        _applied.n = _wanted
