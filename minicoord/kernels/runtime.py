"""How every kernel is compiled, and the one door through which kernels are started.

``@kernel`` owns the compile options of Numba. ``launch(kernel, ...)`` starts a kernel in parallel, one at a time in this
process. Nothing is compiled until a kernel is launched for the first time; the result is cached on disk.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import numba
from numba.core import event

from minicoord.kernels.threading_layer import apply_threads, choose_layer

prange = numba.prange

LAYER = choose_layer()

# Two Python threads that enter Numba's workqueue layer at the same moment abort the process.
_one_at_a_time = threading.RLock()

_NOTICE_AFTER_SECONDS = 3.0


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile `function` with Numba on its first call: parallel, cached on disk, without the GIL.

    Where no folder for the cache can be written, the kernel is compiled anew in each process. ``fastmath`` stays off:
    it may reorder sums and so break the promise of the same bits with any number of threads. Bounds checks stay off,
    because together with ``parallel=True`` they give wrong results (numba issue 9380); the public functions check
    shapes before they launch.
    """
    return _compile(function, parallel=True)


def helper(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that kernels of the same file call: as `kernel`, but it starts no threads of its own."""
    return _compile(function, parallel=False)


def _compile(function: Callable[..., Any], parallel: bool) -> Callable[..., Any]:
    options: dict[str, Any] = {"parallel": parallel, "nogil": True, "error_model": "numpy", "boundscheck": False}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # Numba found no folder that it can write its cache to
        return numba.njit(**options)(function)


def launch(compiled: Callable[..., Any], *arguments: Any) -> Any:
    """Run a compiled kernel on the arguments, with the threads that ``set_threads`` allows, one kernel at a time."""
    with _one_at_a_time:
        apply_threads()
        return compiled(*arguments)


class _CompileNotice(event.Listener):
    """Says in one line on stderr that Numba is compiling, once per process and only when it takes long in all."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.depth = 0
        self.started = 0.0
        self.said = False
        self.timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        self.depth += 1
        if self.depth == 1 and not self.said:
            self.started = time.monotonic()
            self.timer = threading.Timer(max(_NOTICE_AFTER_SECONDS - self.seconds, 0), self.say)
            self.timer.daemon = True
            self.timer.start()

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0 and self.timer is not None:
            self.timer.cancel()
            self.timer = None
            self.seconds += time.monotonic() - self.started

    def say(self) -> None:
        self.said = True
        print("minicoord: compiling for this machine; it takes up to half a minute, once", file=sys.stderr, flush=True)


event.register("numba:compile", _CompileNotice())
