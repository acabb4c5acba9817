"""What every result carries besides its numbers: where, when and from what it was made."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from minicoord.kernels.runtime import LAYER
from minicoord.kernels.threading_layer import get_threads
from minicoord.machine import machine_facts


def provenance() -> dict[str, Any]:
    """Return the command, commit, date, machine, versions and threads of this process, fit for JSON."""
    facts = machine_facts()
    versions = {key: facts[key] for key in ("minicoord", "python", "numpy", "scipy", "numba", "llvmlite")}
    return {
        "command": " ".join(["minicoord", *sys.argv[1:]]) if _is_command() else None,
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
    folder = Path(__file__).resolve().parents[2]
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
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)  # macOS counts bytes, Linux kilobytes


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _is_command() -> bool:
    return Path(sys.argv[0]).stem in ("minicoord", "__main__")


def _load() -> float | None:
    """Return how many processes wanted a core over the last minute: above 0, the machine was not idle."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
