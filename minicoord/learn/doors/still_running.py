"""A sentence about an answer that runs for long, which may be one that never ends."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from minicoord.system.console import say

SECONDS = 10


@contextlib.contextmanager
def told_if_slow(id: str) -> Iterator[None]:
    """Say on stderr which exercise is running if the block takes longer than `SECONDS`, and how to stop it."""
    sentence = f"{id} has been running for {SECONDS} seconds; Ctrl-C stops it"
    timer = threading.Timer(SECONDS, say, [sentence])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
