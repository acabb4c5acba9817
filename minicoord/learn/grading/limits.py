"""A child process with limits: on wall-clock time, its descendants, memory, and what it prints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

WINDOWS = sys.platform == "win32"
SIGNALS = {
    "SIGSEGV": "a segmentation fault",
    "SIGBUS": "a bus error",
    "SIGABRT": "an abort",
    "SIGKILL": "a kill signal, perhaps because memory ran out",
    "SIGXCPU": "the CPU time limit",
}
POLL_SECONDS = 0.2
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
    code : int
        Its exit code; if negative, the number of the signal that ended it.
    """

    seconds: float
    timed_out: bool
    code: int

    def describe(self) -> str:
        """Return how it ended: ``"a segmentation fault"``."""
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
    """Run a command in a process group of its own, which is killed when the command ends or its time runs out.

    Its output is discarded, so that endless printing cannot fill the disk.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        The working directory.
    environment : mapping
        All environment variables of the command.
    seconds : float
        Wall-clock time, after which the whole group is killed, grandchildren included.
    stop : threading.Event, optional
        Setting it has the same effect as the end of this time.
    """
    nothing = subprocess.DEVNULL
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=nothing,
        stdout=nothing,
        stderr=nothing,
        start_new_session=not WINDOWS,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
    )
    timed_out = False
    try:
        while process.poll() is None and not timed_out:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(min(start + seconds - time.monotonic(), POLL_SECONDS), 0))
            timed_out = time.monotonic() - start >= seconds or (stop is not None and stop.is_set())
        timed_out = timed_out and process.poll() is None
    finally:  # also on Ctrl-C, and after a normal exit: what it left running is killed, too
        elapsed = time.monotonic() - start
        _end_group(process)
        process.wait()
    return Ending(elapsed, timed_out, process.returncode)


def _end_group(process: subprocess.Popen) -> None:
    if not WINDOWS:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left in the group
            os.killpg(process.pid, signal.SIGKILL)
        return
    if process.poll() is None:  # Windows finds the descendants of a process only while it is alive
        subprocess.run(
            ["taskkill", "/F", "/T", "/PID", str(process.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        with contextlib.suppress(OSError):
            process.kill()


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
