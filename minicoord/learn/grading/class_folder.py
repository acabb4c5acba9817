"""The folder of a class: whose submissions it holds, and which files grading does not read."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.submissions.submission import SUFFIXES

MAX_FILE_BYTES = 50 * 2**20
ARCHIVES = frozenset({".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip"})
NOT_FOLLOWED = "a link, which is not followed"
MAX_NAMES = 5  # in the sentence about files that are not read
WITH_SUBMISSIONS = "that contains a folder, .py or .ipynb file for each learner"


def submissions_in(folder: Path) -> dict[str, Path]:
    """Return the submission of each learner: their folder or file, by its name without suffix.

    A link and an archive count as submissions, so that the table says why they are not graded; an archive does not if
    there is a folder or file of the same name, which it was perhaps unpacked into.

    Raises
    ------
    NotADirectoryError
        If `folder` is not a folder, or contains no submission.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder; expected one {WITH_SUBMISSIONS}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if _is_submission(path):
            name = path.name if os.path.isdir(path) else path.stem
            found[name if name not in found else path.name] = path
    for path in sorted(path for path in folder.iterdir() if is_archive(path)):
        if path.stem not in found:
            found[path.stem] = path
        elif is_archive(found[path.stem]):  # of another kind, so it may be another learner's
            found[path.name] = path
    if not found:
        raise NotADirectoryError(f"{folder} contains no submission; expected a folder {WITH_SUBMISSIONS}")
    return dict(sorted(found.items()))


def names_with_suffix(learners: Mapping[str, Path]) -> list[str]:
    """Return the names of learners that include a suffix, because another submission has the same name without it."""
    return [name for name, path in learners.items() if not os.path.isdir(path) and name != path.stem]


def ignored_files(folder: Path) -> list[Path]:
    """Return the paths beside the submissions that are not submissions, without hidden ones."""
    if not folder.is_dir():
        return []
    graded = set(submissions_in(folder).values())
    return sorted(path for path in folder.iterdir() if not _is_hidden(path) and path not in graded)


def unread_files(submission: Path) -> str:
    """Return a sentence that names what may hold answers but is not read: subfolders, archives, large files."""
    if not submission.is_dir():
        return ""
    subfolders, others = [], []
    for path in sorted(path for path in submission.iterdir() if not _is_hidden(path)):
        reason = why_not_copied(path)
        if reason == "a folder":
            subfolders.append(in_one_line(path.name))
        elif reason is not None:
            others.append(f"{in_one_line(path.name)} ({reason})")
        elif path.suffix.lower() not in SUFFIXES:
            others.append(in_one_line(path.name))
    ellipsis = ", ..." * (len(others) > MAX_NAMES)
    sentence = f" Not read: {', '.join(others[:MAX_NAMES])}{ellipsis}." if others else ""
    return sentence + (f" Subfolders are not read: {', '.join(subfolders)}." if subfolders else "")


def why_not_copied(path: Path) -> str | None:
    """Return in a few words why a path is not copied as a file of a submission, or None if it is."""
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


def is_archive(path: Path) -> bool:
    """Whether a path has the suffix of an archive, and is neither a folder nor hidden."""
    return path.suffix.lower() in ARCHIVES and not os.path.isdir(path) and not _is_hidden(path)


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__"))


def _is_submission(path: Path) -> bool:
    return not _is_hidden(path) and (os.path.isdir(path) or path.suffix.lower() in SUFFIXES)
