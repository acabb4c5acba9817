"""How every kernel is compiled, and the one door through which kernels are started.

``@kernel`` owns the compile options of Numba. ``launch(kernel, ...)`` starts a kernel in parallel, one at a time in
this process. Nothing is compiled until a kernel is launched for the first time; the result is cached on disk.
"""

from __future__ import annotations

import hashlib
import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
import numpy as np
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.ccallback import CFunc

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
    """Compile a function that kernels call: as `kernel`, but it starts no threads of its own."""
    return _compile(function, parallel=False)


def _compile(function: Callable[..., Any], parallel: bool) -> Callable[..., Any]:
    compiled: Any = numba.njit(parallel=parallel, nogil=True, error_model="numpy", boundscheck=False)(function)
    if compiled is not function:  # it is with NUMBA_DISABLE_JIT=1
        with suppress(RuntimeError):  # Numba found no folder that it can write its cache to
            compiled._cache = _Cache(function)  # what njit(cache=True) does, but for the kind of cache
    return compiled


def compile_as_c(function: Callable[..., Any], signature: Any) -> Any:
    """Compile a function so that other compiled code can call it by its ``address``; cached on disk as kernels are."""
    compiled = CFunc(function, (signature.args, signature.return_type), {}, {"nogil": True, "error_model": "numpy"})
    with suppress(RuntimeError):
        compiled._cache = _Cache(function)
    with _one_at_a_time:
        compiled.compile()
    return compiled


@lru_cache(maxsize=256)
def _sources(file: str) -> bytes:
    """Return a digest of a file and of all files of the kernels that it imports: what it calls may stand in any."""
    try:
        text = Path(file).read_bytes()
    except OSError:  # a cell of a notebook, which Numba itself looks after
        return b""
    names = re.findall(rb"^from minicoord\.kernels\.(\w+) import", text, re.MULTILINE)
    imported = [_sources(str(Path(__file__).with_name(f"{name.decode()}.py"))) for name in names]
    return hashlib.sha256(text + b"".join(imported)).digest()


class _Cache(FunctionCache):
    """Numba's cache on disk, but a disk that is full, damaged or not ours any more costs time only.

    Numba's own would raise from the first call of a kernel, which is compiled and ready by then; and it would look for
    changes in the kernel's own file alone.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._cache_file._source_stamp = self._cache_file._source_stamp, _sources(function.__code__.co_filename)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # a damaged pickle may raise nearly anything
            with suppress(OSError):
                self.flush()  # so that the next process finds what is saved after this
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(Exception):
            super().save_overload(sig, data)


def launch(compiled: Callable[..., Any], *arguments: Any) -> Any:
    """Run a compiled kernel on the arguments, with the threads that ``set_threads`` allows, one kernel at a time."""
    with _one_at_a_time:
        apply_threads()
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            with np.errstate(all="ignore"):  # NumPy's numbers warn of an overflow or a NaN, compiled code does not
                return compiled(*arguments)
        return compiled(*arguments)


class _CompileNotice(event.Listener):
    """Says in one line on stderr that kernels are compiled, once per process and only when it takes long in all."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.depth = 0
        self.started = 0.0
        self.said = False
        self.timer: threading.Timer | None = None

    def on_start(self, event: Any) -> None:
        self.depth += 1
        if self.depth == 1 and not self.said and _is_ours(event.data["dispatcher"]):
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


def _is_ours(dispatcher: Any) -> bool:
    """Whether Numba compiles for minicoord, and not for another library or the user's own code."""
    return getattr(dispatcher, "__module__", "").startswith("minicoord.")


event.register("numba:compile", _CompileNotice())
