"""``minicoord lessons``: copies the notebooks of the course to a folder of the learner's own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from minicoord.system.console import as_wrong_option, say
from minicoord.system.paths import lessons_folder
from minicoord.system.places import FILE, make_folder, what_is_at


def copy_lessons(folder: Path, fresh: bool = False) -> Iterator[tuple[Path, str]]:
    """Copy the student edition of every lesson into a folder. No existing file is lost.

    Parameters
    ----------
    folder : Path
        Created if it is missing.
    fresh : bool
        What happens to an existing notebook that differs: False leaves it as it is, True keeps it under another name
        and puts a fresh copy in its place.

    Yields
    ------
    Path, str
        Each notebook, and what was done, in words.

    Raises
    ------
    FileNotFoundError
        If this copy of minicoord has no lessons.
    OSError
        If the folder cannot be created or written to, or the name of a notebook belongs to something other than a file.
    """
    notebooks = sorted(lessons_folder().glob("[0-9][0-9]*_*.ipynb"))
    if not notebooks:
        raise FileNotFoundError(f"there is no notebook in {lessons_folder()}; install minicoord again")
    make_folder(folder)
    for notebook in notebooks:
        yield folder / notebook.name, _copy(notebook, folder / notebook.name, fresh)


def _copy(notebook: Path, target: Path, fresh: bool) -> str:
    """Copy one notebook; return what was done."""
    done = "copied"
    if what_is_at(target) == FILE:  # anything else is refused by write_atomically below, and left as it is
        if target.read_bytes() == notebook.read_bytes():
            return "there already"
        if not fresh:
            return "kept: yours differs from the lesson"
        yours = _free_name(target)
        target.rename(yours)
        done = f"copied; yours is now {yours.name}"
    from minicoord.system.files import write_atomically  # imports NumPy, which --help should not wait for

    with write_atomically(target) as file, notebook.open("rb") as source:
        shutil.copyfileobj(source, file)
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
) -> None:
    """Copy the notebooks of the course to a folder of your own. What you wrote there is never lost."""
    with as_wrong_option(folder, "DIR"):
        try:
            done = dict(copy_lessons(folder, fresh))
        except FileNotFoundError as error:
            if error.filename:
                raise
            say(str(error))
            raise typer.Exit(1) from None
    for path, what in done.items():
        typer.echo(f"{path}: {what}")
    if any(what.startswith("kept") for what in done.values()):
        say("--fresh gives you fresh copies, and keeps yours under another name")
    typer.echo(f'Begin with: jupyter lab "{folder / min(done).name}"')
