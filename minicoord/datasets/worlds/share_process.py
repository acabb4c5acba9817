"""A share of the games of a world in a process of its own, so that several shares are played at the same time.

The two processes talk through pipes. Here a method of the share is asked for, there it is called, and what it returned
or raised comes back. The other process is a new interpreter that imports this file. Unlike `multiprocessing`, it does
not import the program that made the world, so any program may make one; but what makes a game must stand in a module.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import weakref
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

import numpy as np

from minicoord.datasets.worlds.share import Make, Share

START = f"import sys; sys.path[:] = sys.argv[1:]; from {__name__} import main; main()"
"""The program of the other process, which finds modules where this one does."""

ONE_THREAD = {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""A share has one core: there are as many shares as cores, or fewer."""

LENGTH = 8  # bytes before each message, which say how long it is


class ShareProcess:
    """A share that another process plays; see `minicoord.datasets.worlds.share.Share`.

    Parameters
    ----------
    make : callable
        ``make(rng) -> Game``, which can be pickled: a function of a module, or a `functools.partial` of one.
    rngs : sequence of numpy.random.Generator
        One for each game.

    Raises
    ------
    ValueError
        If `make` cannot be pickled.
    OSError
        If no process can be started.
    """

    def __init__(self, make: Make, rngs: Sequence[np.random.Generator]) -> None:
        try:
            message = pickle.dumps((make, list(rngs)), pickle.HIGHEST_PROTOCOL)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise ValueError(f"what makes a game cannot be pickled ({error}), wanted a function of a module") from None
        paths = [str(path) or os.getcwd() for path in sys.path]
        windows = sys.platform == "win32"
        self._process = subprocess.Popen(
            [sys.executable, "-c", START, *paths],
            env={**os.environ, **ONE_THREAD},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            # Ctrl-C is for the program alone, which ends the other processes itself.
            start_new_session=not windows,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if windows else 0,  # pyright: ignore
        )
        self._questions, self._answers = cast(BinaryIO, self._process.stdin), cast(BinaryIO, self._process.stdout)
        self._finish = weakref.finalize(self, _finish, self._process)
        self._send(message)

    def ask(self, name: str, *arguments: Any) -> None:
        """Let a method of the share be called; the other process begins at once.

        Raises
        ------
        ChildProcessError
            If the other process is no longer there.
        """
        self._send(pickle.dumps((name, arguments), pickle.HIGHEST_PROTOCOL))

    def answer(self) -> Any:
        """Return what the method returned.

        Raises
        ------
        ChildProcessError
            If the other process ended before it had an answer.
        Exception
            What the method raised, or what making the games raised.
        """
        try:
            message = _read(self._answers.fileno())
        except (EOFError, OSError, ValueError):  # the last if `end` has closed the pipe
            raise self._is_gone() from None
        returned, value = pickle.loads(message)
        if not returned:
            raise value
        return value

    def end(self) -> None:
        """End the other process, which has nothing to lose."""
        self._finish()

    def _send(self, message: bytes) -> None:
        try:
            _write(self._questions.fileno(), message)
        except (OSError, ValueError):
            raise self._is_gone() from None

    def _is_gone(self) -> ChildProcessError:
        if not self._finish.alive:
            words = "were ended after an error or an interruption, wanted restore(state()), which starts new ones"
            return ChildProcessError(f"the processes of this world {words}")
        self.end()
        code = self._process.returncode
        return ChildProcessError(f"a process that plays games was gone (code {code}), wanted it to answer")


def _finish(process: subprocess.Popen) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        cast(BinaryIO, pipe).close()


def _write(pipe: int, message: bytes) -> None:
    left = memoryview(len(message).to_bytes(LENGTH, "little") + message)
    while left:
        left = left[os.write(pipe, left) :]


def _read(pipe: int) -> bytes:
    """Return the next message; raise EOFError if the other side has closed the pipe."""
    return _exactly(pipe, int.from_bytes(_exactly(pipe, LENGTH), "little"))


def _exactly(pipe: int, size: int) -> bytes:
    parts = []
    while size:
        part = os.read(pipe, size)
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def main() -> None:
    """Play a share of games for the process that started this one, until that closes the pipe."""
    questions, answers = os.dup(0), os.dup(1)
    # What a game reads is not a question, and what it prints is not an answer.
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    os.dup2(0 if sys.stderr is None else sys.stderr.fileno(), 1)
    share: Any = None
    while True:
        try:
            message = _read(questions)
        except EOFError:
            return
        if share is None:
            share = _made(message)
            continue
        try:
            _write(answers, _answer(share, message))
        except BrokenPipeError:
            return


def _made(message: bytes) -> Any:
    """Return the share, or the exception that making it raised, which is then the answer to every question."""
    try:
        make, rngs = pickle.loads(message)
    except Exception as error:
        return ValueError(f"what makes a game cannot be loaded ({error}), wanted a function of a module")
    try:
        return Share(make, rngs)
    except Exception as error:
        return error


def _answer(share: Any, message: bytes) -> bytes:
    """Return, pickled, whether a method of the share returned, and what it returned or raised."""
    try:
        if isinstance(share, Exception):
            raise share
        name, arguments = pickle.loads(message)
        return pickle.dumps((True, getattr(share, name)(*arguments)), pickle.HIGHEST_PROTOCOL)
    except Exception as error:
        return pickle.dumps((False, _as_sent(error)))


def _as_sent(error: Exception) -> Exception:
    """Return an exception as it is, or one with its words, if it would not arrive."""
    try:
        return pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
