"""Environment variables that Numba reads, checked before it does.

Of a number of threads that cannot be, Numba says so in a traceback of sixty lines, or in none until memory runs out.
"""

from __future__ import annotations

import os

from minicoord.system.arguments import shown

MOST_THREADS = 4096  # more than any machine has cores; each thread costs a stack and scratch memory

LAYERS = ("tbb", "omp", "workqueue")
"""Numba's thread pools."""

PURPOSES = ("default", "safe", "threadsafe", "forksafe")
"""What Numba takes in place of a name: it chooses a pool that serves the purpose."""


class EnvironmentVariableError(ValueError):
    """An environment variable has a value that nothing can run with; the message is one sentence."""


def check_environment() -> None:
    """Check ``NUMBA_NUM_THREADS``, ``NUMBA_THREADING_LAYER`` and ``NUMBA_THREADING_LAYER_PRIORITY``.

    Raises
    ------
    EnvironmentVariableError
        If one of them is set, and not to a value that Numba understands.
    """
    threads = os.environ.get("NUMBA_NUM_THREADS")
    if threads is not None and not _is_number_of_threads(threads):
        raise EnvironmentVariableError(
            f"NUMBA_NUM_THREADS is {shown(threads)}, wanted a whole number from 1 to {MOST_THREADS}"
        )
    layer = os.environ.get("NUMBA_THREADING_LAYER")
    if layer is not None and layer.lower() not in (*LAYERS, *PURPOSES):
        wanted = ", ".join((*LAYERS, *PURPOSES[:-1]))
        raise EnvironmentVariableError(f"NUMBA_THREADING_LAYER is {shown(layer)}, wanted {wanted} or {PURPOSES[-1]}")
    order = os.environ.get("NUMBA_THREADING_LAYER_PRIORITY")
    if order is not None and sorted(order.split()) != sorted(LAYERS):
        wanted = f"{', '.join(LAYERS[:-1])} and {LAYERS[-1]} in some order, with spaces between"
        raise EnvironmentVariableError(f"NUMBA_THREADING_LAYER_PRIORITY is {shown(order)}, wanted {wanted}")


def _is_number_of_threads(text: str) -> bool:
    try:
        return 1 <= int(text) <= MOST_THREADS
    except ValueError:
        return False
