"""Child processes for grading: the files each of them is given, its environment, and its limits."""

from __future__ import annotations

import contextlib
import json
import math
import os
import site
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import minicoord
from minicoord.learn.grading.fork_server import AVAILABLE, ForkServers, NotStartedError
from minicoord.learn.grading.limits import Ending, run_limited
from minicoord.learn.grading.removal import new_folder
from minicoord.learn.grading.reports import MAX_RESULT_BYTES
from minicoord.learn.grading.snapshot import KeptSubmission

CPU_PER_WALL_SECOND = 4  # generous, as answers run on one core or two


@dataclass(frozen=True)
class Limits:
    """The limits of a child process: seconds of wall-clock time, MB of memory, and an event that stops all of them.

    `servers` start it more quickly, where the system can fork.
    """

    seconds: float
    memory_mb: int
    stop: threading.Event
    servers: ForkServers = field(default_factory=ForkServers)


@contextlib.contextmanager
def job_folder(submission: KeptSubmission) -> Iterator[Path]:
    """Provide a temporary folder for one child process, with the files of a submission as they were at the beginning.

    Raises
    ------
    ChangedError
        If a file and its copy have both changed since.
    """
    with new_folder() as folder:
        for part in ("reports", "cases", "home", "submission"):
            (folder / part).mkdir()
        for file in submission.files:
            file.write_to(folder / "submission")
        yield folder


def run_child(folder: Path, job: dict[str, Any], limits: Limits) -> Ending:
    """Run a job in a child process, in a folder from `job_folder`; the child is given no expected results."""
    limits_of_job = {
        "memory_bytes": limits.memory_mb * 2**20,
        "cpu_seconds": math.ceil(limits.seconds * CPU_PER_WALL_SECOND),
        "max_bytes": MAX_RESULT_BYTES,
        "submission": str(folder / "submission"),
    }
    (folder / "job.json").write_text(json.dumps({**job, **limits_of_job}), "utf-8")
    home = folder / "home"
    if AVAILABLE:
        with contextlib.suppress(NotStartedError):
            compiled = bool(job.get("compiled"))
            return limits.servers.run(folder, home, _environment(home), limits.seconds, limits.stop, compiled)
    command = [sys.executable, "-m", "minicoord.learn.grading.child", str(folder)]
    return run_limited(command, home, _environment(home), limits.seconds, limits.stop)


def _environment(home: Path) -> dict[str, str]:
    """Return the environment of a child: of the user's variables only those that Python needs to start."""
    kept = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
    folders = (str(Path(minicoord.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")]))
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        **{name: str(home) for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR")},
        **dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
        "NUMBA_NUM_THREADS": "2",
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join(folders),
        "PYTHONUSERBASE": site.getuserbase(),  # otherwise `pip install --user` packages are looked up in the new home
        "PYTHONDONTWRITEBYTECODE": "1",
    }
