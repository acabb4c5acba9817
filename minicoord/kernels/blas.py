"""Hold the BLAS library to one thread while the kernels use it.

The kernels split their work over Numba's threads, and each of those calls BLAS for a small matrix product of its own
(``np.dot`` inside a compiled loop). If BLAS then split that product over its own threads as well, the two pools would
fight for the cores. Asking for a new threadpoolctl controller takes about a millisecond, so one is made and kept.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401  (loads the BLAS that Numba's np.dot calls, so that the controller sees it)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


_lock = threading.Lock()
_depth = 0
_limiter: Any = None


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS to one thread inside a ``with`` block; the number before is restored after it, also on an error.

    Blocks may be nested, and entered from several Python threads: the first one in sets the limit, the last one out
    restores it.
    """
    global _depth, _limiter
    with _lock:
        if _depth == 0:
            _let_any_thread_set_openblas()
            _limiter = _controller().limit(limits=1, user_api="blas")
        _depth += 1
    try:
        yield
    finally:
        with _lock:
            _depth -= 1
            if _depth == 0:
                _let_any_thread_set_openblas()
                _limiter.restore_original_limits()
                _limiter = None
                _let_any_thread_set_openblas()


def _let_any_thread_set_openblas() -> None:
    """Let the next Python thread, whichever it is, set OpenBLAS's threads.

    From threadpoolctl 3.8 on only the first thread that set them may, as long as it lives; what others ask for is
    silently not done. But kernels may be called from any thread, and the last to leave restores.
    """
    import threadpoolctl

    release = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", None)
    if release is not None:
        release(force=True)


def blas_libraries() -> list[dict[str, Any]]:
    """Return what threadpoolctl knows of each BLAS library in this process: name, version, threads, file.

    An empty list means that no BLAS here can be held to one thread (Apple's Accelerate is one that cannot be).
    """
    return [info for info in _controller().info() if info["user_api"] == "blas"]
