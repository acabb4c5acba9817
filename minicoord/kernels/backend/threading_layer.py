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

from minicoord.system.arguments import is_whole, shown
from minicoord.system.environment import EnvironmentVariableError, check_environment

_TBB_FILES = {"linux": "libtbb.so.12", "win32": "tbb12.dll", "darwin": "libtbb.12.dylib"}
_TBB_VERSION = 12060  # of its interface: the oldest that Numba takes

_EXTENSIONS = {"tbb": "tbbpool", "omp": "omppool", "workqueue": "workqueue"}


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
        if file.name in _TBB_FILES.values():
            path = Path(str(file.locate())).resolve()
            if path.exists():
                return path
    return None


def _can_load(layer: str) -> bool:
    """Return whether Numba can run a threading layer here; TBB is loaded, so that Numba's extension finds it."""
    try:
        if layer == "tbb":
            _load_tbb()
        importlib.import_module(f"numba.np.ufunc.{_EXTENSIONS[layer]}")  # the import itself is the test
    except (OSError, ImportError):
        return False
    return True


def _load_tbb() -> None:
    """Load TBB by its full path from the wheel, or without a wheel by its name, from wherever the system has it.

    Raises
    ------
    OSError
        If it cannot be loaded, or is older than Numba wants it.
    """
    path = find_tbb()
    if sys.platform == "win32":
        if path is not None:
            os.add_dll_directory(str(path.parent))
        library = ctypes.CDLL(str(path or _TBB_FILES["win32"]))
    else:
        name = _TBB_FILES.get(sys.platform, _TBB_FILES["linux"])
        library = ctypes.CDLL(str(path or name), mode=ctypes.RTLD_GLOBAL)
    if library.TBB_runtime_interface_version() < _TBB_VERSION:
        raise OSError(f"TBB is older than its interface {_TBB_VERSION}")


def started_layer() -> str | None:
    """Return the name of the threading layer that is already running in this process, or None."""
    try:
        return numba.threading_layer()  # pyright: ignore[reportPrivateImportUsage]
    except ValueError:
        return None


def choose_layer() -> str:
    """Choose the threading layer for this process and return its name, such as ``"tbb"``.

    A pool that already runs stays. The user may name one in ``NUMBA_THREADING_LAYER``, or a purpose that it must serve;
    of the pools that do, the first that can be loaded is taken, in Numba's order.

    Raises
    ------
    EnvironmentVariableError
        If the user's choice is no name or purpose that Numba knows, or nothing that serves it can be loaded.
    """
    running = started_layer()
    if running is not None:
        return running
    check_environment()
    choice = os.environ.get("NUMBA_THREADING_LAYER")
    candidates = _candidates(choice and choice.lower())
    layer = next((layer for layer in candidates if _can_load(layer)), None)
    if layer is None:
        what = f"NUMBA_THREADING_LAYER is {shown(choice)}, but {' and '.join(candidates)} cannot be loaded here"
        raise EnvironmentVariableError(f"{what}; unset it" + ", or `pip install tbb`" * ("tbb" in candidates))
    numba.config.THREADING_LAYER = layer  # type: ignore[attr-defined]
    return layer


def _candidates(choice: str | None) -> tuple[str, ...]:
    """Return the layers that serve the user's choice, as Numba orders them; without a choice, in our order."""
    if choice is None:
        return ("workqueue",) if find_tbb() is None else ("tbb", "workqueue")
    if choice == "default":
        return tuple(numba.config.THREADING_LAYER_PRIORITY)  # type: ignore[attr-defined]
    gnu = sys.platform == "linux"  # where OpenMP is GNU's, which does not survive a fork
    purposes = {
        "safe": ("tbb",),
        "threadsafe": ("tbb", "omp"),
        "forksafe": ("tbb", "workqueue") if gnu else ("tbb", "omp", "workqueue"),
    }
    return purposes.get(choice, (choice,))


_wanted = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_applied = threading.local()


def get_threads() -> int:
    """Return how many threads the kernels use.

    Examples
    --------
    >>> from minicoord.kernels.backend.threading_layer import get_threads
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
    if not is_whole(n) or n < 1:
        raise ValueError(f"set_threads: the number of threads was {shown(n)}, it must be a whole number of at least 1")
    most = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
    if n > most:
        words = f"set_threads: {shown(int(n))} threads wanted, this process can use {most}; using {most}"
        warnings.warn(words, stacklevel=2)
    _wanted = min(int(n), most)
    return _wanted


def threads_state() -> tuple[int, int | None]:
    """Return how many threads are wanted, and what Numba was told last in this Python thread; None if nothing yet."""
    return _wanted, getattr(_applied, "n", None)


def put_back_threads(state: tuple[int, int | None]) -> None:
    """Return to what `threads_state` gave; Numba's own number is for the caller to put back."""
    global _wanted
    _wanted, _applied.n = state


def apply_threads() -> None:
    """Tell Numba how many threads the calling Python thread may use; Numba keeps that number per Python thread."""
    if getattr(_applied, "n", None) != _wanted:
        numba.set_num_threads(_wanted)
        _applied.n = _wanted
