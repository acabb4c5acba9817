"""A wheel of this installation for the students of a course that marks: the same package, without any solution.

Its exercises are sealed (``minicoord/learn/definition/sealed.py``), its lessons are those that a course hands out, and
what is made for teachers is left out. It is made from the files of the installation that runs, so it needs no network.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from minicoord import __version__
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.definition.sealed import sealed_module
from minicoord.learn.teaching.marked import marked_edition
from minicoord.learn.teaching.notebooks import lesson_files, read_lesson
from minicoord.system.files import write_atomically
from minicoord.system.paths import lessons_folder, package_folder

NAME = "minicoord"
LABEL = "students"
WHEEL = "Wheel-Version: 1.0\nGenerator: minicoord\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
DATE = (1980, 1, 1, 0, 0, 0)  # so that the same files make the same wheel
PLUGIN = "_minicoord_pytest.py"
SHOWN_TO_NOBODY = ("_lessons", "_teaching", "__pycache__")
OF_THE_LESSONS = ("results",)
"""What is copied of the lessons beside the notebooks: the records that they read."""


class WheelError(Exception):
    """No wheel can be made; the message says why in one sentence."""


def write_student_wheel(folder: Path) -> Path:
    """Write the wheel into a folder, and return its path.

    Raises
    ------
    WheelError
        If minicoord runs without being installed, or is an edition for students itself.
    OSError
        If it cannot be written.
    """
    version, metadata, entry_points = _facts()
    if any(get(id).sealed for id in exercise_ids()):
        raise WheelError("this installation is one for students; use that of a teacher, which has the solutions")
    path = folder / f"{NAME}-{version}-py3-none-any.whl"
    info = f"{NAME}-{version}.dist-info"
    records = []
    with write_atomically(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as wheel:
        for name, content in _members(info, metadata, entry_points):
            wheel.writestr(zipfile.ZipInfo(name, DATE), content, zipfile.ZIP_DEFLATED)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
            records.append(f"{name},sha256={digest},{len(content)}")
        records.append(f"{info}/RECORD,,")
        wheel.writestr(zipfile.ZipInfo(f"{info}/RECORD", DATE), "\n".join(records) + "\n")
    return path


def _facts() -> tuple[str, str, str]:
    """Return the version, the metadata and the entry points of the wheel."""
    try:
        installed = distribution(NAME)
        metadata, entry_points = installed.read_text("METADATA"), installed.read_text("entry_points.txt")
    except PackageNotFoundError:
        metadata = entry_points = None
    if metadata is None or entry_points is None:
        raise WheelError("minicoord runs here without being installed; `pip install .` first, then write the edition")
    number = __version__.partition("+")[0]  # that of the files; a checkout may have been installed long ago
    return (
        f"{number}+{LABEL}",
        metadata.replace(f"\nVersion: {installed.version}\n", f"\nVersion: {number}+{LABEL}\n"),
        entry_points,
    )


def _members(info: str, metadata: str, entry_points: str) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the content of each file of the wheel."""
    package = package_folder()
    sealed = {package / "learn" / "exercises" / f"{id}.py": id for id in exercise_ids()}
    for path in _files(package):
        content = path.read_bytes()
        if path in sealed:
            content = sealed_module(content.decode("utf-8"), get(sealed[path])).encode("utf-8")
        yield f"{NAME}/{path.relative_to(package).as_posix()}", content
    lessons = lessons_folder()
    for path in lesson_files(lessons):
        yield f"{NAME}/_lessons/{path.name}", marked_bytes(path)
    for part in OF_THE_LESSONS:
        for path in _files(lessons / part):
            yield f"{NAME}/_lessons/{path.relative_to(lessons).as_posix()}", path.read_bytes()
    yield PLUGIN, (package / "learn" / "doors" / "pytest_option.py").read_bytes()
    for name, text in (("METADATA", metadata), ("WHEEL", WHEEL), ("entry_points.txt", entry_points)):
        yield f"{info}/{name}", text.encode("utf-8")


def _files(folder: Path) -> list[Path]:
    hidden = {*SHOWN_TO_NOBODY}
    found = (path for path in folder.rglob("*") if path.is_file() and hidden.isdisjoint(path.relative_to(folder).parts))
    return sorted(path for path in found if path.suffix not in (".pyc", ".nbi", ".nbc"))


def marked_bytes(path: Path) -> bytes:
    """Return the notebook of a lesson as a course that marks hands it out."""
    notebook = marked_edition(json.loads(path.read_text("utf-8")), read_lesson(path).number)
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8")
