"""How every kernel is compiled, and the one door through which kernels are started.

``@kernel`` owns the compile options of Numba. ``launch(kernel, ...)`` starts a kernel in parallel, one at a time in
this process. Nothing is compiled until a kernel is launched for the first time; the result is cached on disk.
"""

from __future__ import annotations

import hashlib
import os
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
from numpy.typing import NDArray

from minicoord.kernels.backend.threading_layer import apply_threads, choose_layer, started_layer

prange = numba.prange
get_thread_id: Any = numba.get_thread_id  # pyright: ignore[reportPrivateImportUsage]

LAYER = choose_layer()

# Two Python threads that enter Numba's workqueue layer at the same moment abort the process.
_one_at_a_time: Any = threading.RLock()

_NOTICE_AFTER_SECONDS = 3.0

_KERNELS = Path(__file__).resolve().parents[1]


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
    compiled: Any = CFunc(
        function, (signature.args, signature.return_type), {}, {"nogil": True, "error_model": "numpy"}
    )
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
    names = re.findall(rb"^from minicoord\.kernels\.([\w.]+) import", text, re.MULTILINE)
    imported = [_sources(f"{_KERNELS.joinpath(*name.decode().split('.'))}.py") for name in names]
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
    """Run a compiled kernel on the arguments, with the threads that ``set_threads`` allows, one kernel at a time.

    An array that cannot be written to is of another type for Numba, which would compile the kernel once more, in up to
    half a minute. So each is handed over as if it could be: a kernel writes to its results only, and whoever lets it
    write to an array from outside (``updates.py``) checks that array before.
    """
    with _one_at_a_time:
        _begin()
        if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
            with np.errstate(all="ignore"):  # NumPy's numbers warn of an overflow or a NaN, compiled code does not
                return compiled(*arguments)
        return compiled(*map(_unlocked, arguments))


def launch_by_dtype(compiled: Any, dtype: np.dtype, *arguments: Any) -> Any:
    """Do as `launch`, for a kernel whose arguments have the same types in every call, but for the dtype of its arrays.

    Numba looks for the compiled code by the types of all arguments, and with tuples of many numbers and arrays that
    takes as long as a small convolution. So the code is kept here, by the kernel and the dtype. It checks nothing: the
    caller's arrays are C-contiguous, of that dtype, and have the same number of axes in every call.
    """
    code = _code.get((compiled, dtype))
    if code is not None:
        with _one_at_a_time:
            _begin()
            return code(*arguments)
    result = launch(compiled, *arguments)
    if not numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        types = tuple(numba.typeof(_unlocked(argument)) for argument in arguments)
        _code[compiled, dtype] = compiled.overloads[types].entry_point
    return result


_code: dict[tuple[Any, np.dtype], Callable[..., Any]] = {}


def _begin() -> None:
    """Do what precedes every launch."""
    global _pool_thread
    if _pool_thread is None:
        _pool_thread = threading.get_ident()
    apply_threads()


def _unlocked(argument: Any) -> Any:
    """Return an array as one that can be written to, a NamedTuple that begins with an array with all of them so."""
    if isinstance(argument, np.ndarray):
        return argument if argument.flags.writeable else np.asarray(_Unlocked(argument))
    if isinstance(argument, tuple) and argument and isinstance(argument[0], np.ndarray):
        locked = any(isinstance(part, np.ndarray) and not part.flags.writeable for part in argument)
        return type(argument)(*map(_unlocked, argument)) if locked else argument
    return argument


class _Unlocked:
    """The memory of an array that cannot be written to, described to NumPy as if it could be."""

    __slots__ = ("__array_interface__", "array")

    def __init__(self, array: NDArray) -> None:
        self.array = array  # NumPy makes this object the base of the view, so the memory lives as long as that
        interface = array.__array_interface__
        self.__array_interface__ = {**interface, "data": (interface["data"][0], False)}  # False: it may be written to


# A fork copies this thread only. Whatever another one was doing stays half done in the child: a lock that it held is
# never released, and a pool of threads that was at work for it waits for ever. So a fork waits until no kernel runs;
# an idle pool starts its threads again in the child. Two pools do not: GNU's OpenMP, which would end the child without
# an exception, and TBB in a child of another thread than the one that started it, which may wait for ever.

_pool_thread: int | None = None  # that launched the first kernel
_fork_is_elsewhere = False


def _wait_for_kernels() -> None:
    global _fork_is_elsewhere
    _one_at_a_time.acquire()
    _fork_is_elsewhere = _pool_thread not in (None, threading.get_ident())


def _go_on_in_the_parent() -> None:
    _one_at_a_time.release()


def _begin_in_the_child() -> None:
    global _one_at_a_time
    layer = started_layer()
    if layer == "omp" and sys.platform == "linux":
        _one_at_a_time = _Refusal("after kernels ran with NUMBA_THREADING_LAYER=omp; unset it")
    elif layer == "tbb" and _fork_is_elsewhere:
        _one_at_a_time = _Refusal(
            "by another thread than the one in which the first kernel ran; fork from that one, set "
            "NUMBA_THREADING_LAYER=workqueue"
        )
    else:
        _one_at_a_time = threading.RLock()


class _Refusal:
    """Stands for the lock in a process that can run no kernels."""

    def __init__(self, why: str) -> None:
        self.why = why

    acquire = release = lambda self: None

    def __enter__(self) -> None:
        raise RuntimeError(
            f"kernels cannot run in this process, which was forked {self.why}, "
            "or start processes with the method 'spawn'"
        )

    def __exit__(self, *_: object) -> None:
        pass


if hasattr(os, "register_at_fork"):  # it is not on Windows, which has no fork
    os.register_at_fork(
        before=_wait_for_kernels, after_in_parent=_go_on_in_the_parent, after_in_child=_begin_in_the_child
    )


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
