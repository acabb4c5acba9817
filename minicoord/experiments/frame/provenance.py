"""What every result records besides its numbers: where, when and from which source it was made."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from minicoord.kernels.backend.runtime import LAYER
from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.system.machine import machine_facts


def provenance(command: str | None = None) -> dict[str, Any]:
    """Return the command, commit, date, machine, versions and threads of this process, fit for JSON.

    Parameters
    ----------
    command : str, optional
        The command to record; by default the one that started this process. A sweep passes its own to its processes.
    """
    facts = machine_facts()
    versions = {key: facts[key] for key in ("minicoord", "python", "numpy", "numba", "llvmlite")}
    return {
        "command": command or own_command(),
        "commit": commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.platform(),
            "processor": facts["processor"],
            "cores": os.cpu_count(),
            "load_before": _load(),
        },
        "threads": get_threads(),
        "threading_layer": LAYER,
        "versions": versions,
    }


def commit() -> str | None:
    """Return the git commit of the source, with ``+changes`` if there are uncommitted ones; None outside a checkout."""
    folder = Path(__file__).resolve().parents[3]
    if not (folder / ".git").exists():
        return None
    try:
        revision = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no", "--", "minicoord")
    except (OSError, subprocess.CalledProcessError):
        return None
    return revision + ("+changes" if changed else "")


def peak_memory_mb() -> float | None:
    """Return the peak memory of this process so far, in megabytes; None where the system does not report it.

    Processes that it started, such as those that emulate games, are not in it.
    """
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bytes_per_unit = 1 if sys.platform == "darwin" else 1024
    return round(peak * bytes_per_unit / 1e6, 1)


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def own_command() -> str | None:
    """Return the command that started this process, quoted for a shell; None if it was not a minicoord command."""
    is_command = Path(sys.argv[0]).stem in ("minicoord", "__main__")
    return shlex.join(["minicoord", *sys.argv[1:]]) if is_command else None


class BackgroundLoad:
    """Measure how many cores other processes keep busy: whether a run's wall-clock time is that of an idle machine.

    Processes that this one started, such as those that emulate games, are not others.

    Known on Linux only, where ``/proc/stat`` has the time that all processes together have used.
    """

    def __init__(self) -> None:
        self._start, self._others_at_start = time.monotonic(), _seconds_of_others()

    def so_far(self) -> float | None:
        """Return the mean number of cores kept busy by other processes since construction; None if unknown."""
        now = _seconds_of_others()
        if now is None or self._others_at_start is None:
            return None
        return round(max(0.0, now - self._others_at_start) / max(time.monotonic() - self._start, 1e-9), 2)


def _seconds_of_others() -> float | None:
    """Return the core-seconds that other processes have used since the machine started; None if unknown."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, fields[:8])
    ticks = user + nice + system + interrupts + soft_interrupts + stolen
    return (ticks - _ticks_of_children()) / os.sysconf("SC_CLK_TCK") - time.process_time()


def _ticks_of_children() -> int:
    """Return the clock ticks that the processes which this one started have used, those that are over included."""
    over = os.times()
    ticks = round((over.children_user + over.children_system) * os.sysconf("SC_CLK_TCK"))
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[1]) == os.getpid():
            ticks += sum(map(int, fields[11:15]))  # its own time, and that of its children, user and system each
    return ticks


def _load() -> float | None:
    """Return the load average of the last minute, the mean number of processes that wanted a core; None if unknown."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
