"""What the commands print: tables and JSON to stdout, sentences to stderr."""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

LEAST = 15  # columns that are left beside an indent


def say(sentence: str) -> None:
    """Print a sentence to stderr, under the name of the program; in lines that fit, where that is a terminal."""
    text = f"minicoord: {sentence}"
    typer.echo(_in_lines(text) if sys.stderr.isatty() else text, err=True)


def say_problems(problems: Sequence[str]) -> None:
    """Say what was left out because it is damaged, and end with exit code 1 if there is something."""
    for problem in problems:
        say(problem)
    if problems:
        raise typer.Exit(1)


def prepare_folder(out: Path) -> None:
    """Make the folder of ``--out`` and try to write into it, so that no hour of training ends at a forbidden disk."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except OSError as error:
        reason = "it is a file, wanted a folder" if out.is_file() else error.strerror
        raise typer.BadParameter(f"cannot write to {str(out)!r}: {reason}", param_hint="--out") from None


def print_json(value: Any) -> None:
    """Print JSON to stdout."""
    typer.echo(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    """Return `value` in what JSON knows: NaN and infinity, which it does not know, become null."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def cell(value: Any) -> str:
    """Return a value as a table shows it: thousands apart, a dash for None."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return "-" if value is None else str(value)


def print_table(rows: Sequence[dict[str, str]], title: str) -> None:
    """Print a title, and a table whose columns are the keys of the first row."""
    print_sections({"": rows}, title)


def print_wrapped(sentence: str, indent: int = 0) -> None:
    """Print a sentence in lines that fit the terminal, those after the first indented; whole where there is none."""
    typer.echo(_in_lines(sentence, indent) if _has_width() else sentence)


def _in_lines(sentence: str, indent: int = 0) -> str:
    width = shutil.get_terminal_size().columns
    # Names of files and pieces of code stay whole: the terminal breaks those that are longer than a line.
    lines = textwrap.TextWrapper(width, break_long_words=False, break_on_hyphens=False)
    lines.subsequent_indent = " " * min(indent, max(width - LEAST, 0))
    return lines.fill(sentence)


def _has_width() -> bool:
    return sys.stdout.isatty() or "COLUMNS" in os.environ


def print_sections(sections: Mapping[str, Sequence[dict[str, str]]], title: str) -> None:
    """Print a title, and tables, each below a line with its name, if it has one."""
    # A file or a pipe has no width: it gets whole rows, not the 80 columns that rich assumes.
    console = Console(width=None if _has_width() else 200)
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
