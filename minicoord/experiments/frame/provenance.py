"""What every result carries besides its numbers: where, when and from what it was made."""

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

from minicoord.kernels.runtime import LAYER
from minicoord.kernels.threading_layer import get_threads
from minicoord.system.machine import machine_facts


def provenance(command: str | None = None) -> dict[str, Any]:
    """Return the command, commit, date, machine, versions and threads of this process, fit for JSON.

    A process that another one started for a part of its work is told the `command` of that one.
    """
    facts = machine_facts()
    versions = {key: facts[key] for key in ("minicoord", "python", "numpy", "scipy", "numba", "llvmlite")}
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
    """Return the git commit of the source, with ``+changes`` if files differ from it; None outside a checkout."""
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
    """Return the most memory that this process has held so far, in megabytes; None where the system does not tell."""
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
    """Return the command that started this process, if it was one of minicoord's, so that a shell can run it again."""
    is_command = Path(sys.argv[0]).stem in ("minicoord", "__main__")
    return shlex.join(["minicoord", *sys.argv[1:]]) if is_command else None


class BackgroundLoad:
    """Count how many cores other processes keep busy: whether the seconds of a run are those of an idle machine.

    Linux alone tells how long all processes together have used the cores.
    """

    def __init__(self) -> None:
        self._began, self._others_began = time.monotonic(), _seconds_of_others()

    def so_far(self) -> float | None:
        """Return the mean number of cores that were busy for others since this object was made; None if unknown."""
        now = _seconds_of_others()
        if now is None or self._others_began is None:
            return None
        return round(max(0.0, now - self._others_began) / max(time.monotonic() - self._began, 1e-9), 2)


def _seconds_of_others() -> float | None:
    """Return the seconds of all cores that this process did not use, since the machine started."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, fields[:8])
    ticks = user + nice + system + interrupts + soft_interrupts + stolen
    return ticks / os.sysconf("SC_CLK_TCK") - time.process_time()


def _load() -> float | None:
    """Return how many processes wanted a core over the last minute: above 0, the machine was not idle."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
