"""Programs that fork a process for each answer (``forking.py``), started when they are needed and used again.

On Linux only. On macOS a process that has loaded the system's own libraries may fail once it is forked, and Windows has
no fork: there each answer is started by itself (``limits.py``).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from minicoord.learn.grading.limits import PATIENCE, POLL_SECONDS, Ending

AVAILABLE = sys.platform.startswith("linux")
DONE = "done"
"""The last line of each answer."""

START_PATIENCE = 300.0
"""Seconds after which a program that has not forked is given up: it may have to import and compile first."""


class NotStartedError(Exception):
    """The program did not fork; nothing of the answer has run."""


class ForkServers:
    """The programs of one grading, as many as answers run at the same time."""

    def __init__(self) -> None:
        self._idle: list[_Server] = []
        self._lock = threading.Lock()

    def run(
        self,
        folder: Path,
        home: Path,
        environment: Mapping[str, str],
        seconds: float,
        stop: threading.Event,
        compiled: bool,
    ) -> Ending:
        """Run the job in a folder, and return how it ended.

        Parameters
        ----------
        folder, home : Path
            Of the job; the second is its working directory.
        environment : mapping
            All environment variables of the answer.
        seconds : float
            Wall-clock time, after which the answer is ended.
        stop : threading.Event
            Setting it has the same effect as the end of this time.
        compiled : bool
            Whether the answer will be compiled, so that it is worth loading the compiler beforehand.

        Raises
        ------
        NotStartedError
            If no process was forked.
        """
        with self._lock:
            server = self._idle.pop() if self._idle else None
        server = server or _Server(environment, home)
        request = {
            "folder": str(folder),
            "home": str(home),
            "environment": dict(environment),
            "seconds": seconds,
            "compiled": compiled,
        }
        try:
            ending = server.run(request, stop)
        except BaseException:
            server.end()
            raise
        if server.is_sound:
            with self._lock:
                self._idle.append(server)
        else:
            server.end()
        return ending

    def close(self) -> None:
        """End all programs."""
        with self._lock:
            idle, self._idle = self._idle, []
        for server in idle:
            server.end()


class _Server:
    """One running program."""

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "minicoord.learn.grading.forking"],
            cwd=home,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._requests: IO[bytes] = self._process.stdin
        self._answers: IO[bytes] = self._process.stdout
        self.is_sound = True
        """Whether it can be used again."""

    def run(self, request: dict[str, Any], stop: threading.Event) -> Ending:
        """Send a request, and return how the answer ended."""
        self.is_sound = False
        start = time.monotonic()
        if select.select([self._answers], [], [], 0)[0]:  # it has ended, or the last answer wrote to this pipe
            raise NotStartedError
        try:
            self._requests.write(json.dumps(request).encode() + b"\n")
            self._requests.flush()
        except OSError:
            raise NotStartedError from None
        lines = self._lines(request["seconds"], stop)
        if not lines:
            raise NotStartedError
        self.is_sound = lines[-1] == DONE
        report = lines[2:3]
        if not self.is_sound:
            _kill(os.kill, lines[0])
        if not self.is_sound or not report or report == [DONE]:
            _kill(os.killpg, *lines[1:2])
        try:
            return Ending(**json.loads(report[0]))
        except (LookupError, TypeError, ValueError):  # an answer can end its guardian, if it works at it
            return Ending(time.monotonic() - start, False, None)

    def _lines(self, seconds: float, stop: threading.Event) -> list[str]:
        """Return the lines that the program prints for one answer: four, or fewer if something goes wrong."""
        text, start, forked = b"", time.monotonic(), 0.0
        while True:
            lines = text.decode("ascii", "replace").split("\n")[:-1]
            if lines and lines[-1] == DONE:
                return lines
            forked = forked or (time.monotonic() if lines else 0.0)
            deadline = forked + seconds + PATIENCE if forked else start + START_PATIENCE
            if stop.is_set():
                with contextlib.suppress(OSError):
                    self._requests.close()  # which ends the answer and the program
                deadline = min(deadline, time.monotonic() + PATIENCE)
                stop = threading.Event()
            if time.monotonic() > deadline:
                return lines
            if select.select([self._answers], [], [], POLL_SECONDS)[0]:
                more = os.read(self._answers.fileno(), 4096)
                if not more:
                    return lines
                text += more

    def end(self) -> None:
        """End the program, and with it the answer that it may be running."""
        with contextlib.suppress(OSError):
            self._requests.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE if self.is_sound else POLL_SECONDS)
        self._process.kill()
        self._process.wait()
        self._answers.close()


def _kill(kill: Any, *numbers: str) -> None:
    for number in numbers:
        with contextlib.suppress(OSError, ValueError):
            kill(int(number), signal.SIGKILL)
