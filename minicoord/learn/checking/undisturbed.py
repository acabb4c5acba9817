"""What an answer may change in the process that runs it, put back when it is done."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Run an answer's code: afterwards, the current folder, the standard streams and NumPy's error state are as before.

    Within the block, `os._exit` raises SystemExit, because it would end a check without a word and as if all were well.
    A process that the code forks ends with the block, so that one check stays one check.
    """
    process, streams, exit_at_once = os.getpid(), (sys.stdout, sys.stderr), os._exit
    folder = _current_folder()
    os._exit = _raising_exit(process, exit_at_once)
    try:
        with np.errstate():
            yield
    finally:
        os._exit = exit_at_once
        if os.getpid() != process:
            exit_at_once(0)
        sys.stdout, sys.stderr = streams
        if folder is not None:
            with contextlib.suppress(OSError):  # it was removed
                os.chdir(folder)


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
