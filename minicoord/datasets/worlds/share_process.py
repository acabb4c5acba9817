"""A share of the games of a world in a process of its own, so that several shares are played at the same time.

The two processes talk through pipes. Here a method of the share is asked for, there it is called, and what it returned
or raised comes back. The other process is a new interpreter that runs this file, so a program that makes a world needs
no special care for it, as it would with `multiprocessing`.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import weakref
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

import numpy as np

from minicoord.datasets.worlds.share import Make, Share

PATIENCE = 2.0  # seconds that a process may take to end by itself


class ShareProcess:
    """A share that another process plays; see `minicoord.datasets.worlds.share.Share`.

    Parameters
    ----------
    make : callable
        ``make(rng) -> Game``, which can be pickled.
    rngs : sequence of numpy.random.Generator
        One for each game.

    Raises
    ------
    ValueError
        If `make` cannot be pickled.
    """

    def __init__(self, make: Make, rngs: Sequence[np.random.Generator]) -> None:
        try:
            pickle.dumps(make)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            words = "wanted a function of a module, which other processes can import"
            raise ValueError(f"what makes a game cannot be pickled ({error}), {words}") from None
        here = os.pathsep.join(path or os.getcwd() for path in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            env={**os.environ, "PYTHONPATH": here, "NUMBA_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._questions, self._answers = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        self._end = weakref.finalize(self, _end, self._process)
        self._send(make, list(rngs))

    def ask(self, name: str, *arguments: Any) -> None:
        """Let a method of the share be called; the other process begins at once.

        Raises
        ------
        ChildProcessError
            If the other process is no longer there.
        """
        self._send(name, arguments)

    def answer(self) -> Any:
        """Return what the method returned.

        Raises
        ------
        ChildProcessError
            If the other process ended before it had an answer.
        Exception
            What the method raised.
        """
        try:
            returned, value = pickle.load(self._answers)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            raise self._is_gone() from None
        if not returned:
            raise value
        return value

    def end(self) -> None:
        """End the other process."""
        self._end()

    def _send(self, *words: Any) -> None:
        try:
            pickle.dump(words, self._questions, pickle.HIGHEST_PROTOCOL)
            self._questions.flush()
        except (OSError, ValueError):  # the pipe is broken, or was closed by `end`
            raise self._is_gone() from None

    def _is_gone(self) -> ChildProcessError:
        self._end()
        code = self._process.returncode
        return ChildProcessError(f"a process that played games has ended with code {code}, wanted it to go on")


def _end(process: subprocess.Popen) -> None:
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            cast(BinaryIO, pipe).close()  # the process reads that there is nothing more to do
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def main() -> None:
    """Play a share of games for the process that started this one, until that closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to both; the other one decides
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a game prints must not be taken for an answer
    share: Any = None
    while True:
        try:
            first, second = pickle.load(questions)
            if share is None:
                share = _made(first, second)
                continue
            answer = _tried(share, first, second)
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
        except (EOFError, BrokenPipeError):
            return


def _made(make: Make, rngs: list[np.random.Generator]) -> Any:
    """Return the share, or the exception that making it raised, which is then the answer to every question."""
    try:
        return Share(make, rngs)
    except Exception as error:
        return error


def _tried(share: Any, name: str, arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    """Return whether a method of the share returned, and what it returned or raised."""
    if isinstance(share, Exception):
        return False, share
    try:
        return True, getattr(share, name)(*arguments)
    except Exception as error:
        return False, error


if __name__ == "__main__":
    main()
