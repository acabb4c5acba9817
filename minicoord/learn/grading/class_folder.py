"""The folder of a class: whose submissions it holds, and which files grading does not read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from minicoord.learn.checking.untrusted_text import in_one_line
from minicoord.learn.grading.jobs import why_not_copied
from minicoord.learn.submissions.submission import SUFFIXES

MAX_NAMES = 5  # in the sentence about files that are not read
WITH_SUBMISSIONS = "that contains a folder, .py or .ipynb file for each learner"


def submissions_in(folder: Path) -> dict[str, Path]:
    """Return the submission of each learner: their folder or file, by its name without suffix.

    Raises
    ------
    NotADirectoryError
        If `folder` is not a folder, or contains no submission.
    """
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder; expected one {WITH_SUBMISSIONS}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not _is_submission(path):
            continue
        name = path.name if path.is_dir() else path.stem
        found[name if name not in found else path.name] = path
    if not found:
        raise NotADirectoryError(f"{folder} contains no submission; expected a folder {WITH_SUBMISSIONS}")
    return found


def names_with_suffix(learners: Mapping[str, Path]) -> list[str]:
    """Return the names of learners that include a suffix, because another submission has the same name without it."""
    return [name for name, path in learners.items() if not path.is_dir() and name != path.stem]


def ignored_files(folder: Path) -> list[Path]:
    """Return the paths beside the submissions that are not submissions, without hidden ones."""
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if not _is_hidden(path) and not _is_submission(path))


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


def _is_hidden(path: Path) -> bool:
    return path.name.startswith((".", "__"))


def _is_submission(path: Path) -> bool:
    return not _is_hidden(path) and (path.is_dir() or path.suffix.lower() in SUFFIXES)
