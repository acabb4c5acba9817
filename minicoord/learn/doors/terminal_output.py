"""What the commands of ``minicoord learn`` print: ASCII, in lines that fit the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import typer

from minicoord.system.console import print_wrapped, say

if TYPE_CHECKING:
    from minicoord.learn.checking.verdict import Verdict
    from minicoord.learn.submissions.answer import Answer

FAILED = 1
"""The exit code where an answer is wrong or missing, or a file cannot be used."""

PLAIN_SIGNS = str.maketrans({"×": "x", "–": "-", "—": "-", "…": "...", "−": "-", "’": "'"})


def print_text(text: str, indent: int = 0) -> None:
    """Print each line of a text, wrapped where the terminal is narrower; continuation lines are indented."""
    for line in text.split("\n"):
        print_wrapped(in_ascii(line), indent)


def print_verdict(answer: Answer, verdict: Verdict) -> None:
    """Print a verdict with its mark, the place of the answer and, for a wrong one, the commands that help."""
    from minicoord.learn.checking.verdict import FAILS_ON_A_CASE

    mark = "pass" if verdict.passed else "    " if verdict.outcome == "not attempted" else "FAIL"
    first, *rest = str(replace(verdict, smallest="")).splitlines()
    print_text(f"[{mark}] {first} ({answer.place})", indent=7)
    for line in rest:
        print_text(f"       {line}", indent=7)
    for line in verdict.smallest.splitlines():  # not wrapped, as the columns of an array stand below each other
        typer.echo(in_ascii(f"       {line}"))
    if mark == "FAIL":
        print_text(f"       A hint: minicoord learn hint {answer.id}", indent=7)
        if verdict.case and verdict.outcome in FAILS_ON_A_CASE and not verdict.smallest:
            print_text(f"       The smallest case that fails: minicoord learn check {answer.id} --show", indent=7)


def complain(sentence: str | None) -> None:
    """Print a sentence to stderr, if there is one."""
    if sentence:
        say(in_ascii(sentence))


@contextlib.contextmanager
def failures_as_sentences(*kinds: type[Exception]) -> Iterator[None]:
    """Turn errors of these kinds, and those of files, into a sentence on stderr and exit code 1."""
    try:
        yield
    except kinds as error:
        complain(str(error))
    except OSError as error:
        complain(f"{error.filename or 'a file'} cannot be used: {error.strerror or error}")
    else:
        return
    raise typer.Exit(FAILED)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: ``"1 check"``, ``"2 checks"``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def how_to_start(id: str | None = None) -> str:
    """Return which commands write files to start with, for an exercise or for the first lesson."""
    from minicoord.learn.definition.course import part_of, typed

    lesson = "0" if id is None else typed(part_of(id))
    return f"`minicoord learn start {lesson}` writes a file to start with, `minicoord lessons DIR` copies the notebooks"


def in_ascii(text: str) -> str:
    """Return a text without the characters that a plain console may lack.

    Examples
    --------
    >>> in_ascii("2 × 3 … ∑")
    '2 x 3 ... ?'
    """
    return text.translate(PLAIN_SIGNS).encode("ascii", "replace").decode("ascii")
