"""A child process with limits: on wall-clock time, its descendants, memory, and what it prints."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from minicoord.learn.grading import guardian as guardian_program

WINDOWS = sys.platform == "win32"
SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGBUS": "a bus error",
    "SIGABRT": "an abort",
    "SIGKILL": "a kill signal, perhaps because memory ran out",
    "SIGXCPU": "the CPU time limit",
}
POLL_SECONDS = 0.2
PATIENCE = 20.0
"""Seconds after which a guardian that reports nothing is ended; it may take half of them to end a command."""

MAX_FILE_BYTES = 256 * 2**20
MAX_NEW_PROCESSES = 500


@dataclass(frozen=True)
class Ending:
    """How a child process ended.

    Attributes
    ----------
    seconds : float
        How long it ran, in wall-clock time.
    timed_out : bool
        Whether it was killed because its time ran out.
    code : int or None
        Its exit code; if negative, the number of the signal that ended it. None if it was killed because its time ran
        out, or because it had ended or stopped the process that watched it.
    """

    seconds: float
    timed_out: bool
    code: int | None

    def describe(self) -> str:
        """Return how it ended: ``"a segmentation fault"``."""
        if self.code is None:
            return "it ended or stopped the process that watched it"
        if self.code >= 0:
            return f"exit code {self.code}"
        with contextlib.suppress(ValueError):
            name = signal.Signals(-self.code).name
            return SIGNALS.get(name, name)
        return f"signal {-self.code}"


def run_limited(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    seconds: float,
    stop: threading.Event | None = None,
) -> Ending:
    """Run a command that is ended, with all processes that it started, when it is done or its time runs out.

    Its output is discarded, so that endless printing cannot fill the disk. On Linux and macOS it runs in a process
    group of its own, below a program that watches it (``guardian.py``). On Linux, processes that leave the group are
    ended, too; on macOS they go on. On Windows, what it started is ended only if its time runs out.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        The working directory.
    environment : mapping
        All environment variables of the command.
    seconds : float
        Wall-clock time, after which it is ended.
    stop : threading.Event, optional
        Setting it has the same effect as the end of this time.
    """
    stop = threading.Event() if stop is None else stop
    return (_run_on_windows if WINDOWS else _run_watched)(command, folder, environment, seconds, stop)


def _run_watched(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float, stop: threading.Event
) -> Ending:
    """Run a command below ``guardian.py``, whose report is the ending; if it gives none, end it and the command."""
    start = time.monotonic()
    guardian = subprocess.Popen(
        [sys.executable, "-I", "-S", guardian_program.__file__, str(seconds), *command],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert guardian.stdin is not None and guardian.stdout is not None
    try:
        while guardian.poll() is None and time.monotonic() < start + seconds + PATIENCE:
            with contextlib.suppress(subprocess.TimeoutExpired):
                guardian.wait(POLL_SECONDS)
            if stop.is_set():
                break
    finally:  # also on Ctrl-C
        with contextlib.suppress(OSError):
            guardian.stdin.close()  # which ends the command
        with contextlib.suppress(subprocess.TimeoutExpired):
            guardian.wait(PATIENCE)
        guardian.kill()
        guardian.wait()
        lines = _all_there(guardian.stdout).splitlines()
        if len(lines) == 1:  # the guardian was ended before it ended the command
            with contextlib.suppress(OSError):
                os.killpg(int(lines[0]), signal.SIGKILL)
    try:
        return Ending(**json.loads(lines[1]))
    except (LookupError, TypeError, ValueError):  # an answer can write to this pipe, if it works at it
        return Ending(time.monotonic() - start, False, None)


def _all_there(pipe: IO[bytes]) -> bytes:
    """Return what is in a pipe, without waiting for more: another process may hold it open for ever."""
    with pipe:
        os.set_blocking(pipe.fileno(), False)
        return pipe.read() or b""


def _run_on_windows(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float, stop: threading.Event
) -> Ending:
    nothing = subprocess.DEVNULL
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    try:
        while process.poll() is None and time.monotonic() < start + seconds and not stop.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(min(start + seconds - time.monotonic(), POLL_SECONDS), 0))
        timed_out = process.poll() is None
    finally:
        elapsed = time.monotonic() - start
        if process.poll() is None:  # Windows finds the descendants of a process only while it is alive
            end_tree = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
            subprocess.run(end_tree, stdin=nothing, stdout=nothing, stderr=nothing, check=False)
            with contextlib.suppress(OSError):
                process.kill()
        process.wait()
    return Ending(elapsed, timed_out, process.returncode)


def limit_this_process(memory_bytes: int, cpu_seconds: int) -> None:
    """Limit, permanently, the resources of this process and each of its children, and disable core dumps.

    Linux enforces all of these limits, macOS all but the one on memory, and Windows has none. On Linux, unless the user
    is root, the number of processes is limited, too: to `MAX_NEW_PROCESSES` more than are running now.

    Parameters
    ----------
    memory_bytes : int
        For data, heap and stacks together.
    cpu_seconds : int
        CPU time on all cores together; it ends the process even if the parent that watches the time is gone.
    """
    if WINDOWS:
        return
    import resource

    limits = {
        "RLIMIT_CORE": 0,
        "RLIMIT_FSIZE": MAX_FILE_BYTES,
        "RLIMIT_DATA": memory_bytes,
        "RLIMIT_CPU": cpu_seconds,
    }
    running = _processes_and_threads()
    if running is not None:
        limits["RLIMIT_NPROC"] = running + MAX_NEW_PROCESSES
    for name, limit in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            limit = min(limit, hard)
        # The soft limit on CPU time sends SIGXCPU, which names the reason; the hard one sends SIGKILL.
        new_hard = limit + 1 if name == "RLIMIT_CPU" and limit != hard else limit
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (limit, new_hard))


def _processes_and_threads() -> int | None:
    """Return the number of processes and threads of all users on this machine, or None if the system does not tell.

    The limit counts those of one user, which are fewer, so it is never below the number already running.
    """
    try:
        return int(Path("/proc/loadavg").read_text("ascii").split()[3].split("/")[1])
    except (OSError, ValueError, IndexError):
        return None
