"""The files of a class as they are before any answer runs: copied, and their contents known by a hash.

An answer runs with the rights of its teacher, so it can write to the files of another learner and to our copies of
them. What an answer is given is therefore compared with its hash each time.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.grading.class_folder import NOT_FOLLOWED, is_archive, unread_files, why_not_copied

UNREADABLE = "the submission cannot be read"


class ChangedError(Exception):
    """A file and its copy were both changed after grading began; the message says which one, in a sentence."""


@dataclass(frozen=True)
class KeptFile:
    """A file of a submission: where it was found and where it is copied, its SHA-256, and when it was saved."""

    original: Path
    copy: Path
    digest: str
    saved: tuple[int, int]

    def write_to(self, folder: Path) -> None:
        """Write the file as it was when grading began; raise `ChangedError` if neither place has it any more."""
        for place in (self.copy, self.original):
            content = _content(place)
            if content is not None and _digest(content) == self.digest:
                target = folder / self.original.name
                target.write_bytes(content)
                os.utime(target, ns=self.saved)
                return
        raise ChangedError(f"{in_one_line(self.original.name)} was changed while other answers ran.")

    def is_changed(self) -> bool:
        """Whether the learner's own file has other contents now, or is gone."""
        content = _content(self.original)
        return content is None or _digest(content) != self.digest


@dataclass(frozen=True)
class KeptSubmission:
    """The files of one learner.

    Attributes
    ----------
    files : tuple of KeptFile
    unread : str
        A sentence on what may hold answers but is not read, or an empty string.
    problem : str
        Why nothing can be read, in a sentence, or an empty string.
    """

    files: tuple[KeptFile, ...] = ()
    unread: str = ""
    problem: str = ""

    def saved_at(self, name: str) -> str:
        """Return when the file of this name was saved, as ISO 8601 with the offset from UTC; empty if there is none."""
        for file in self.files:
            if file.original.name == name:
                saved = datetime.fromtimestamp(file.saved[1] // 10**9, timezone.utc).astimezone()
                return saved.isoformat(timespec="seconds")
        return ""


def keep(learners: Mapping[str, Path], store: Path) -> dict[str, KeptSubmission]:
    """Copy the submission of each learner into a folder; what cannot be copied becomes a `problem` of that learner."""
    kept = {}
    for number, (learner, submission) in enumerate(learners.items()):
        try:
            folder = store / str(number)
            folder.mkdir()
            files = tuple(_kept_file(path, folder / str(k)) for k, path in enumerate(_files_of(submission)))
            kept[learner] = KeptSubmission(files, unread_files(submission))
        except Exception as error:  # one submission must not cost the others their marks
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            kept[learner] = KeptSubmission(problem=f"{UNREADABLE}: {in_one_line(reason)}.")
    return kept


def changed_originals(kept: Mapping[str, KeptSubmission]) -> list[str]:
    """Return the files of learners that have changed since they were copied."""
    return [str(file.original) for submission in kept.values() for file in submission.files if file.is_changed()]


def _files_of(submission: Path) -> Iterator[Path]:
    if submission.is_symlink():
        raise OSError(f"{submission.name} is {NOT_FOLLOWED}")
    if not submission.is_dir():
        reason = why_not_copied(submission)
        if is_archive(submission):
            reason = "an archive; unpack it"
        if reason is not None:
            raise OSError(f"{submission.name} is {reason}")
        yield submission
        return
    yield from (path for path in sorted(submission.iterdir()) if why_not_copied(path) is None)


def _kept_file(path: Path, copy: Path) -> KeptFile:
    content = _content(path)
    if content is None:
        raise OSError(errno.EIO, f"{path.name} cannot be read")
    copy.write_bytes(content)
    found = path.stat()
    return KeptFile(path, copy, _digest(content), (found.st_atime_ns, found.st_mtime_ns))


def _content(path: Path) -> bytes | None:
    """Return the content of a regular file; None if there is none, or it cannot be read: a pipe would never end."""
    try:
        return path.read_bytes() if stat.S_ISREG(path.lstat().st_mode) else None
    except OSError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
