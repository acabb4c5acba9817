"""The names of temporary files, and the removal of those that killed processes left behind.

A process that is killed while it writes leaves its temporary file. The name contains the number of the process, so that
the next write of the same file can remove it, and leave alone one that is still being written.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sys
import time
import uuid
import zlib
from functools import cache
from pathlib import Path

_KEPT = 50  # characters kept of the target's name, so that the whole fits the 255 bytes that a file system allows
_HOUR = 3600.0
# ".NAME.SYSTEM-PROCESS-RANDOM.tmp"; earlier versions wrote ".NAME.RANDOM.tmp".
_TEMPORARY = re.compile(
    r"\..+\.(?:(?P<system>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{16}|[0-9a-f]{32})\.tmp", re.DOTALL
)


def temporary_name(target: Path) -> Path:
    """Return a unique name beside `target` for this process to write under."""
    return target.with_name(f"{_prefix(target)}{_this_system()}-{os.getpid()}-{uuid.uuid4().hex[:16]}.tmp")


def remove_leftovers(folder: str | os.PathLike[str]) -> list[Path]:
    """Remove every temporary file of minicoord from a folder that nobody else is writing to.

    Parameters
    ----------
    folder : str or path
        The caller holds the lock of this folder (`minicoord.system.files.one_process_at_a_time`) and is not writing
        to it itself. It may be missing. Its subfolders are left alone.

    Returns
    -------
    list of pathlib.Path
        The files removed. A file that cannot be removed stays, without an error.
    """
    return [path for path, _ in _temporaries(Path(folder), ".") if _removed(path)]


def remove_abandoned(target: Path) -> None:
    """Remove the temporary files of `target` whose processes have ended; those of running processes stay."""
    for path, found in _temporaries(target.parent, _prefix(target)):
        with contextlib.suppress(OSError):
            if _is_abandoned(path, found):
                path.unlink()


def _prefix(target: Path) -> str:
    return f".{target.name[:_KEPT]}."


def _temporaries(folder: Path, prefix: str) -> list[tuple[Path, re.Match[str]]]:
    """Return the temporary files in a folder, each with the match of its name."""
    try:
        with os.scandir(folder) as entries:
            found = [(entry, _TEMPORARY.fullmatch(entry.name)) for entry in entries if entry.name.startswith(prefix)]
            return [(folder / e.name, match) for e, match in found if match and e.is_file(follow_symlinks=False)]
    except OSError:
        return []


def _removed(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _is_abandoned(path: Path, found: re.Match[str]) -> bool:
    # os.kill ends the process on Windows, so there the age decides, as for a process of another machine.
    if found["system"] == _this_system() and sys.platform != "win32":
        return not _is_running(int(found["process"]))
    return time.time() - path.stat().st_mtime > _HOUR


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # another user's process; or a number too large for a process
        return True
    return True


@cache
def _this_system() -> str:
    """Return a short name for the system in which process numbers are unique: the host and, on Linux, the container."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = ""
    return f"{zlib.crc32(f'{platform.node()} {numbers}'.encode()):08x}"
