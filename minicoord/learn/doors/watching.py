"""Finding files that were saved by polling, which works on every operating system and file system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from minicoord.learn.submissions.submission import files_in

POLL_SECONDS = 0.4

Stamps = dict[Path, tuple[int, int]]
"""The modification time in nanoseconds and the size in bytes of each file."""


def saved_files(
    folder: Path, seconds: float = POLL_SECONDS, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Path]]:
    """Yield, forever, lists of the ``.py`` files and notebooks in a folder that are new or were saved.

    An editor may take a while to write a file: it is yielded once its time and size stay the same.

    Parameters
    ----------
    folder : Path
    seconds : float
        The time between two polls.
    sleep : callable
        The function that waits.
    """
    known = stamps(folder)
    before = known
    while True:
        sleep(seconds)
        now = stamps(folder)
        settled = [path for path, stamp in now.items() if before.get(path) == stamp != known.get(path)]
        before = now
        for path in set(known) - set(now):
            del known[path]
        if settled:
            known = {**known, **{path: now[path] for path in settled}}
            yield settled


def stamps(folder: Path) -> Stamps:
    """Return the modification time and size of each file that may hold answers."""
    found: Stamps = {}
    try:
        files = files_in(folder)
    except OSError:  # the folder may be missing for a moment
        return found
    for path in files:
        try:
            status = path.stat()
        except OSError:
            continue
        found[path] = status.st_mtime_ns, status.st_size
    return found
