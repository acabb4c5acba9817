"""``minicoord lessons``: copies the notebooks of the course, or the edition of a teacher or of a course that marks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from minicoord.system.console import as_wrong_option, say
from minicoord.system.paths import lessons_folder, teaching_folder
from minicoord.system.places import FILE, make_folder, what_is_at

INSTALL = "install"
"""The folder in the students' edition that holds the wheel."""

File = tuple[str, bytes]


class Audience(str, Enum):
    """For whom an edition is."""

    teacher = "teacher"
    student = "student"


def copy_lessons(folder: Path, fresh: bool = False, audience: Audience | None = None) -> Iterator[tuple[Path, str]]:
    """Copy an edition of the lessons into a folder. No existing file is lost.

    Parameters
    ----------
    folder : Path
        Created if it is missing.
    fresh : bool
        What happens to an existing file that differs: False leaves it as it is, True keeps it under another name and
        puts a fresh copy in its place.
    audience : Audience, optional
        By default the notebooks of somebody who learns by themselves.

    Yields
    ------
    Path, str
        Each file, and what was done, in words.

    Raises
    ------
    FileNotFoundError
        If this copy of minicoord has no lessons, or no pages for teachers.
    OSError
        If the folder cannot be created or written to, or the name of a file belongs to something other than a file.
    """
    files = list(_files(audience))
    if not files:
        raise FileNotFoundError(f"there is no notebook in {lessons_folder()}; install minicoord again")
    for name, content in files:
        target = folder / name
        make_folder(target.parent)
        yield target, _put(content, target, fresh)


def _files(audience: Audience | None) -> Iterable[File]:
    # Imported here: --help should not wait for the course.
    from minicoord.learn.teaching.notebooks import lesson_files

    lessons = lessons_folder()
    if audience is None or not lesson_files(lessons):
        return [(notebook.name, notebook.read_bytes()) for notebook in lesson_files(lessons)]
    from minicoord.learn.teaching.pack import files_for_students, files_for_teachers

    if audience is Audience.student:
        return files_for_students(lessons)
    return files_for_teachers(lessons, teaching_folder())


def _put(content: bytes, target: Path, fresh: bool) -> str:
    """Write one file; return what was done."""
    done = "copied"
    if what_is_at(target) == FILE:  # anything else is refused by write_atomically below, and left as it is
        if target.read_bytes() == content:
            return "there already"
        if not fresh:
            return "kept: yours differs from the lesson"
        yours = _free_name(target)
        target.rename(yours)
        done = f"copied; yours is now {yours.name}"
    from minicoord.system.files import write_atomically  # imports NumPy, which --help should not wait for

    with write_atomically(target) as file:
        file.write(content)
    return done


def _free_name(target: Path) -> Path:
    """Return a free name beside the target: ``02_convolution-yours.ipynb``, then ``-yours-2``."""
    number = 1
    while True:
        ending = "-yours" if number == 1 else f"-yours-{number}"
        name = target.with_name(f"{target.stem}{ending}{target.suffix}")
        if what_is_at(name) is None:
            return name
        number += 1


def lessons(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put the notebooks; created if missing.")],
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Fresh copies; your own changed notebooks are kept as NAME-yours.ipynb.")
    ] = False,
    audience: Annotated[
        Audience | None,
        typer.Option("--for", help="teacher: with solutions, slides, answer key; student: for a course that marks."),
    ] = None,
    teacher: Annotated[bool, typer.Option("--teacher", help="The same as --for teacher.")] = False,
) -> None:
    """Copy the notebooks of the course to a folder of your own. What you wrote there is never lost.

    With --for teacher you get the solved notebooks, too, and in teaching/ the
    slides of each lesson, a syllabus, an answer key with a rubric, questions
    for an exam and a hand-out, all of which print.

    With --for student, which a teacher runs for a course that marks, you get
    notebooks with room for answers in place of ours, and in install/ a wheel
    of minicoord that shows no solution. Hand out the whole folder.
    """
    if teacher and audience is Audience.student:
        raise typer.BadParameter("it contradicts --for student; give one of the two", param_hint="--teacher")
    audience = Audience.teacher if teacher else audience
    with as_wrong_option(folder, "DIR"):
        try:
            done = dict(copy_lessons(folder, fresh, audience))
            wheel = _wheel(folder) if audience is Audience.student else None
        except FileNotFoundError as error:
            if error.filename:
                raise
            say(str(error))
            raise typer.Exit(1) from None
    for path, what in done.items():
        typer.echo(f"{path}: {what}")
    if any(what.startswith("kept") for what in done.values()):
        say("--fresh gives you fresh copies, and keeps yours under another name")
    if wheel is not None:
        typer.echo(f'{wheel}: written; students install it with: pip install "{wheel.name}[lessons]"')
    first = folder / min(path.name for path in done if path.parent == folder and path.suffix == ".ipynb")
    typer.echo(f'Begin with: jupyter lab "{first}"')


def _wheel(folder: Path) -> Path:
    """Write the wheel of the students' edition, and return its path."""
    from minicoord.learn.teaching.student_wheel import WheelError, write_student_wheel

    try:
        return write_student_wheel(make_folder(folder / INSTALL))
    except WheelError as error:
        say(str(error))
        raise typer.Exit(1) from None
