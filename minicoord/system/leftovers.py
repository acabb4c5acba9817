"""The temporary names under which files are written, and the removal of those that killed processes left behind.

A process that is killed while it writes leaves a temporary file. Its name says which process that was, so that the next
write of the same file can remove it, and never one that is still being written.
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

_KEPT = 50  # characters of the target's name: with the rest they fit the 255 bytes that a file system allows
_HOUR = 3600.0
# ".NAME.SYSTEM-PROCESS-RANDOM.tmp"; before it told the process it was ".NAME.RANDOM.tmp".
_TEMPORARY = re.compile(
    r"\..+\.(?:(?P<system>[0-9a-f]{8})-(?P<process>[0-9]+)-[0-9a-f]{16}|[0-9a-f]{32})\.tmp", re.DOTALL
)


def temporary_name(target: Path) -> Path:
    """Return a name beside `target` that nobody else uses, for this process to write under."""
    return target.with_name(f"{_prefix(target)}{_this_system()}-{os.getpid()}-{uuid.uuid4().hex[:16]}.tmp")


def remove_leftovers(folder: str | os.PathLike[str]) -> list[Path]:
    """Remove every temporary file of minicoord from a folder that nobody else writes into.

    Parameters
    ----------
    folder : str or path
        The caller holds the lock of this folder (`minicoord.system.files.one_process_at_a_time`), and is not writing
        into it at the moment. It may be missing. Folders in it are left alone.

    Returns
    -------
    list of pathlib.Path
        What was removed. A file that the system does not let go stays, without an error.
    """
    return [path for path, _ in _temporaries(Path(folder), ".") if _removed(path)]


def remove_abandoned(target: Path) -> None:
    """Remove the temporary files of one target whose writers are gone; a file of a living process is never touched."""
    for path, found in _temporaries(target.parent, _prefix(target)):
        with contextlib.suppress(OSError):
            if _is_abandoned(path, found):
                path.unlink()


def _prefix(target: Path) -> str:
    return f".{target.name[:_KEPT]}."


def _temporaries(folder: Path, prefix: str) -> list[tuple[Path, re.Match[str]]]:
    """Return the temporary files in a folder, each with the parts of its name."""
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
    # Windows has no harmless way to ask for a process by its number; there, too, the age decides.
    if found["system"] == _this_system() and sys.platform != "win32":
        return not _is_running(int(found["process"]))
    return time.time() - path.stat().st_mtime > _HOUR


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it belongs to somebody else; or the number is none that we ever wrote
        return True
    return True


@cache
def _this_system() -> str:
    """Return a short name for where the number of a process means the same one: a host and, on Linux, a container."""
    try:
        numbers = os.readlink("/proc/self/ns/pid")
    except OSError:
        numbers = ""
    return f"{zlib.crc32(f'{platform.node()} {numbers}'.encode()):08x}"
