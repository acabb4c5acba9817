"""What an answer may change in the process that runs it, put back when it is done."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np

_KERNEL_THREADS = "minicoord.kernels.backend.threading_layer"


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Run an answer's code: afterwards, what belongs to the whole process is as before.

    That is the current folder, the standard streams, the environment, where Python looks for modules, how deep calls
    may go, which warnings are shown, what Ctrl-C does, how NumPy treats errors and prints numbers, its global random
    numbers, the threads that Numba uses, and the settings of matplotlib.

    Within the block, `os._exit` raises SystemExit, because it would end a check without a word and as if all were well.
    A process that the code forks ends with the block, so that one check stays one check.
    """
    process, streams, exit_at_once = os.getpid(), (sys.stdout, sys.stderr), os._exit
    folder, environment = _current_folder(), dict(os.environ)
    search_path, depth = list(sys.path), sys.getrecursionlimit()
    os._exit = _raising_exit(process, exit_at_once)
    try:
        with np.errstate(), np.printoptions(), warnings.catch_warnings(), _same_interrupt(), _same_libraries():
            yield
    finally:
        os._exit = exit_at_once
        if os.getpid() != process:
            exit_at_once(0)
        sys.stdout, sys.stderr = streams
        _put_back_environment(environment)
        if not set(search_path) <= set(sys.path):  # what was added stays: functions may import later, when called
            sys.path[:] = [*search_path, *(path for path in sys.path if path not in search_path)]
        sys.setrecursionlimit(depth)
        if folder is not None:
            with contextlib.suppress(OSError):  # it was removed
                os.chdir(folder)


@contextlib.contextmanager
def _same_interrupt() -> Iterator[None]:
    """Let Ctrl-C do afterwards what it does now; only the main thread may change that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGINT) is not handler and handler is not None:
            signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def _same_libraries() -> Iterator[None]:
    """Keep the settings of NumPy's random numbers, Numba and matplotlib; what is not imported yet has none to keep."""
    numba, matplotlib = sys.modules.get("numba"), sys.modules.get("matplotlib")
    numbers = np.random.get_state()  # noqa: NPY002 (what an answer may have used)
    kernels = sys.modules.get(_KERNEL_THREADS)
    state = None if kernels is None else kernels.threads_state()
    threads = numba.get_num_threads() if numba is not None and _threads_run() else None
    settings = None if matplotlib is None else matplotlib.rcParams.copy()
    try:
        yield
    finally:
        np.random.set_state(numbers)  # noqa: NPY002
        numba = sys.modules.get("numba")
        if numba is not None and _threads_run():
            numba.set_num_threads(numba.config.NUMBA_NUM_THREADS if threads is None else threads)
        kernels = sys.modules.get(_KERNEL_THREADS)
        if kernels is not None and numba is not None:
            kernels.put_back_threads(state or (numba.config.NUMBA_NUM_THREADS, None))
        if matplotlib is not None and settings is not None and matplotlib.rcParams != settings:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of settings that are going to be removed
                dict.update(matplotlib.rcParams, settings)


def _threads_run() -> bool:
    """Whether Numba has started its threads; asking for their number starts them, which a fork does not survive."""
    return bool(getattr(sys.modules.get("numba.np.ufunc.parallel"), "_is_initialized", False))


def _put_back_environment(before: dict[str, str]) -> None:
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _raising_exit(process: int, exit_at_once: Callable[[int], NoReturn]) -> Any:
    def raising_exit(status: int = 0) -> NoReturn:
        if os.getpid() != process:  # this is how a forked process should end
            exit_at_once(status)
        raise SystemExit(status)

    return raising_exit


def _current_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return None
