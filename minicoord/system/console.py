"""What the commands print (tables and JSON to stdout, sentences to stderr) and how they refuse a place to write to."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from minicoord.system.places import check_file, make_folder, what_is_at

OUTPUT_ERRORS = (errno.EPIPE, errno.ENOSPC, errno.EFBIG, errno.EIO, getattr(errno, "EDQUOT", errno.ENOSPC))
NARROWEST = 40  # columns of a table: in fewer its cells would be empty
LEAST = 15  # columns left for text beside an indent


def never_fail_to_print() -> None:
    """Let a console that lacks a sign, such as the frame of a table, show ``?`` in its place instead of failing.

    What goes to a stream that the shell has closed, as ``>&-`` does, goes nowhere.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (it stays open until the end)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextlib.contextmanager
def told_if_output_fails() -> Iterator[None]:
    """Say in a sentence that stdout could not be written, and end with exit code 1.

    What a program has printed may leave it only when it ends; a full disk is met then, and Python's own words for that
    are a traceback which it calls ignored.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except OSError as error:
        if error.errno not in OUTPUT_ERRORS or error.filename is not None:
            raise
        reader_left = error.errno == errno.EPIPE
        # What is left unwritten would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        with contextlib.suppress(OSError):  # stderr may be on the same disk
            if not reader_left:  # as that of `minicoord list | head -1` does
                say(f"cannot write the output: {error.strerror}; free some space, or send it to another disk")
        sys.exit(1)


def forget_impossible_width() -> None:
    """Leave out of account a variable COLUMNS that is no width, such as 0: what it asks for cannot be printed."""
    columns = os.environ.get("COLUMNS")
    if columns is not None and not (columns.isascii() and columns.isdigit() and int(columns[:9]) > 0):
        del os.environ["COLUMNS"]


def say(sentence: str) -> None:
    """Print a sentence to stderr, preceded by the name of the program; on a terminal, wrapped to its width."""
    text = f"minicoord: {sentence}"
    typer.echo(_in_lines(text) if sys.stderr.isatty() else text, err=True)


def say_problems(problems: Sequence[str]) -> None:
    """Say what was left out because it is damaged, and end with exit code 1 if there is something."""
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(1)


def prepare_folder(out: Path, option: str = "--out") -> None:
    """Make the folder given by an option and try to write into it: a read-only disk is found before hours of training.

    Raises
    ------
    typer.BadParameter
        If the folder cannot be made or written to; exit code 2. Whatever else has its name is left untouched.
    """
    with as_wrong_option(out, option):
        _make_and_try(out)


def prepare_file(path: Path, option: str) -> None:
    """Make the folder of a file given by an option and try to write into it; the file itself is left alone.

    Raises
    ------
    typer.BadParameter
        If the name belongs to something other than a regular file, or its folder cannot be written to; exit code 2.
    """
    with as_wrong_option(path, option):
        if what_is_at(path) is not None:
            check_file(path)
        _make_and_try(path.parent)


@contextlib.contextmanager
def as_wrong_option(path: Path, option: str) -> Iterator[None]:
    """Report an error of a ``with`` block that writes to `path` as a wrong option; exit code 2."""
    try:
        yield
    except (OSError, ValueError) as error:
        reason = str(error)
        if not isinstance(error, OSError) or error.strerror:  # the system's words, which do not say what was wanted
            reason = f"cannot write to {str(path)!r}: {getattr(error, 'strerror', error)}"
        raise typer.BadParameter(reason, param_hint=option) from None


def _make_and_try(folder: Path) -> None:
    make_folder(folder)
    with tempfile.TemporaryFile(dir=folder):
        pass


def print_json(value: Any) -> None:
    """Print JSON to stdout, converted by `minicoord.system.files.plain`; NaN and infinity become null."""
    from minicoord.system.files import plain  # NumPy with it, which the help texts should not wait for

    typer.echo(json.dumps(plain(value), indent=2, allow_nan=False))


def cell(value: Any) -> str:
    """Return a value as a table shows it: with thousands separators, a dash for None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)


def print_table(rows: Sequence[dict[str, str]], title: str) -> None:
    """Print a title and a table whose columns are the keys of the first row."""
    print_sections({"": rows}, title)


def print_wrapped(sentence: str, indent: int = 0) -> None:
    """Print a sentence wrapped to the terminal, with a hanging indent; on one line where the width is unknown."""
    typer.echo(_in_lines(sentence, indent) if _has_width() else sentence)


def _in_lines(sentence: str, indent: int = 0) -> str:
    width = shutil.get_terminal_size().columns
    # File names and code stay in one piece; the terminal itself breaks those that are longer than a line.
    lines = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    lines.subsequent_indent = " " * min(indent, max(width - LEAST, 0))
    return lines.fill(sentence)


def _has_width() -> bool:
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def print_sections(sections: Mapping[str, Sequence[dict[str, str]]], title: str) -> None:
    """Print a title, then each table below a line with its name, if it has one."""
    # A file or a pipe has no width: rows are written in full rather than in the 80 columns that rich assumes.
    console = Console(width=max(shutil.get_terminal_size().columns, NARROWEST) if _has_width() else 200)
    typer.echo(title)
    for name, rows in sections.items():
        table = Table()
        for column in rows[0]:
            table.add_column(Text(column), overflow="fold")
        for row in rows:
            table.add_row(*(Text(str(cell)) for cell in row.values()))
        if name:
            console.print(Text(f"\n{name}", style="bold"))
        console.print(table)
