"""Files that were saved, found by looking again and again: that works on every system and every kind of disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from minicoord.learn.submissions.submission import files_in

SECONDS = 0.4

Stamps = dict[Path, tuple[int, int]]


def saved_files(
    folder: Path, seconds: float = SECONDS, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Path]]:
    """Yield lists of ``.py`` files and notebooks in a folder that are new or were saved; endlessly.

    An editor may take its time to write: a file is yielded once it looks the same twice.

    Parameters
    ----------
    folder : Path
    seconds : float
        Between two looks.
    sleep : callable
        What waits.
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
    """Return time and size of each file that may hold answers."""
    found: Stamps = {}
    try:
        files = files_in(folder)
    except OSError:  # the folder is gone for a moment
        return found
    for path in files:
        try:
            facts = path.stat()
        except OSError:
            continue
        found[path] = facts.st_mtime_ns, facts.st_size
    return found
