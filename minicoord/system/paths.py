"""Where the lessons are: beside the package in a checkout, inside it in an installation."""

from __future__ import annotations

from pathlib import Path


def package_folder() -> Path:
    """Return the folder of the package itself."""
    return Path(__file__).resolve().parents[1]


def lessons_folder() -> Path:
    """Return the folder that holds the lessons and their recorded results.

    Returns
    -------
    pathlib.Path
        An existing folder. It may be read-only: copy a lesson before you work on it.

    Raises
    ------
    FileNotFoundError
        If this copy of minicoord has no lessons.

    Examples
    --------
    >>> from minicoord import lessons_folder
    >>> lessons_folder().is_dir()
    True
    """
    package = package_folder()
    # The wheel carries lessons/ as minicoord/_lessons, so that it owns no folder outside its own name.
    for folder in (package / "_lessons", package.parent / "lessons"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"the lessons are neither inside {package} nor beside it; install minicoord again")


def teaching_folder() -> Path:
    """Return the folder of the pages for teachers, which the wheel keeps apart from the lessons.

    Raises
    ------
    FileNotFoundError
        If this copy of minicoord has none, as one for students.
    """
    package = package_folder()
    for folder in (package / "_teaching", package.parent / "lessons" / "teaching"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError("this installation has no pages for teachers, because it is one for students")
