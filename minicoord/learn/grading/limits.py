"""A child process that cannot run for ever, nor take its descendants' time, nor all of the memory."""

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
    "SIGKILL": "a kill, perhaps for want of memory",
    "SIGXCPU": "the limit of processor time",
}
LOOK_EVERY = 0.2  # seconds
MAX_FILE_BYTES = 256 * 2**20
MORE_PROCESSES = 500


@dataclass(frozen=True)
class Ending:
    """How a child process ended.

    Attributes
    ----------
    seconds : float
        How long it ran.
    timed_out : bool
        Whether it was ended because its time was over.
    code : int
        What it returned; negative is the number of the signal that ended it.
    """

    seconds: float
    timed_out: bool
    code: int

    def in_words(self) -> str:
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
    """Run a command in a process group of its own, which ends with it, or when its time is over.

    What it prints goes nowhere, so that endless printing fills no disk.

    Parameters
    ----------
    command : sequence of str
    folder : Path
        Its current folder.
    environment : mapping
        All of its environment variables.
    seconds : float
        On the clock of the wall. After that the whole group is killed, grandchildren included.
    stop : threading.Event, optional
        Once it is set, the time is over.
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
                process.wait(max(min(start + seconds - time.monotonic(), LOOK_EVERY), 0))
            timed_out = time.monotonic() - start >= seconds or (stop is not None and stop.is_set())
        timed_out = timed_out and process.poll() is None
    finally:  # also on Ctrl-C, and after a good end: what it left running is ended too
        took = time.monotonic() - start
        _end_group(process)
        process.wait()
    return Ending(took, timed_out, process.returncode)


def _end_group(process: subprocess.Popen) -> None:
    if not WINDOWS:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: a group of zombies only
            os.killpg(process.pid, signal.SIGKILL)
        return
    if process.poll() is None:  # Windows finds the descendants of a process only while it lives
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
    """Limit what this process and each of its children may take, for good; a core dump is not written either.

    Linux holds to all of it, macOS to all but the memory, and Windows has no such limits. On Linux a process that
    starts others without end is refused more, too, once there are `MORE_PROCESSES` more than when it began; not so
    where the user is root.

    Parameters
    ----------
    memory_bytes : int
        Data, heap and stacks together.
    cpu_seconds : int
        On all cores together: for the case that nobody is left who watches the clock.
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
        limits["RLIMIT_NPROC"] = running + MORE_PROCESSES
    for name, wanted in limits.items():
        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        last = wanted + 1 if name == "RLIMIT_CPU" and wanted != hard else wanted  # its first signal tells the reason
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (wanted, last))


def _processes_and_threads() -> int | None:
    """Return how many there are on this machine, of all users; None where the system does not tell.

    The limit counts those of one user, which are fewer, so that it is never below what runs already.
    """
    try:
        return int(Path("/proc/loadavg").read_text("ascii").split()[3].split("/")[1])
    except (OSError, ValueError, IndexError):
        return None
