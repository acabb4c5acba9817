"""Child processes for grading: the files each of them is given, its environment, and its limits."""

from __future__ import annotations

import contextlib
import errno
import json
import math
import os
import shutil
import site
import stat
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import minicoord
from minicoord.learn.grading.limits import Ending, run_limited
from minicoord.learn.grading.reports import MAX_RESULT_BYTES

CPU_PER_WALL_SECOND = 4  # generous, as answers run on one core or two
MAX_FILE_BYTES = 50 * 2**20


@dataclass(frozen=True)
class Limits:
    """The limits of a child process: seconds of wall-clock time, MB of memory, and an event that stops all of them."""

    seconds: float
    memory_mb: int
    stop: threading.Event


@contextlib.contextmanager
def copied(submission: Path) -> Iterator[Path]:
    """Provide a temporary copy of a submission, so that no answer can change the original.

    Of a folder, the files directly in it are copied, except links, files over `MAX_FILE_BYTES` and files without read
    permission. The copies keep their modification times, and their suffixes are changed to lower case.

    Raises
    ------
    OSError
        If it cannot be read; this includes a single file that is too large or not a regular file, such as a pipe.
    """
    with _new_folder() as folder:
        if not submission.is_dir():
            found = submission.stat()
            if not stat.S_ISREG(found.st_mode) or found.st_size > MAX_FILE_BYTES:
                raise OSError(f"{submission.name} is not a regular file of at most {MAX_FILE_BYTES:,} bytes")
            yield _copied_into(folder, submission)
            return
        target = folder / submission.name
        target.mkdir()
        for path in submission.iterdir():
            if why_not_copied(path) is None:
                _copied_into(target, path)
        yield target


def why_not_copied(path: Path) -> str | None:
    """Return in a few words why a path in a learner's folder is not copied, or None if it is."""
    if path.is_symlink():
        return "a link"
    try:
        found = path.stat()
    except OSError as error:
        return error.strerror
    if stat.S_ISDIR(found.st_mode):
        return "a folder"
    if not stat.S_ISREG(found.st_mode):
        return "not a regular file"
    if found.st_size > MAX_FILE_BYTES:
        return f"over {MAX_FILE_BYTES // 2**20} MB"
    return None if os.access(path, os.R_OK) else os.strerror(errno.EACCES)


def _copied_into(folder: Path, path: Path) -> Path:
    return Path(shutil.copy2(path, folder / f"{path.stem}{path.suffix.lower()}"))


@contextlib.contextmanager
def job_folder() -> Iterator[Path]:
    """Provide a temporary folder for one child process."""
    with _new_folder() as folder:
        for part in ("reports", "cases", "home"):
            (folder / part).mkdir()
        yield folder


@contextlib.contextmanager
def _new_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="minicoord-grading-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def run_child(folder: Path, job: dict[str, Any], limits: Limits) -> Ending:
    """Run a job in a child process, in a folder from `job_folder`; the child is given no expected results."""
    limits_of_job = {
        "memory_bytes": limits.memory_mb * 2**20,
        "cpu_seconds": math.ceil(limits.seconds * CPU_PER_WALL_SECOND),
        "max_bytes": MAX_RESULT_BYTES,
    }
    (folder / "job.json").write_text(json.dumps({**job, **limits_of_job}), "utf-8")
    command = [sys.executable, "-m", "minicoord.learn.grading.child", str(folder)]
    return run_limited(command, folder / "home", _environment(folder / "home"), limits.seconds, limits.stop)


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
