"""Names and messages of others, made fit for a terminal and a table."""

from __future__ import annotations

import unicodedata
from typing import Any

MAX_WORDS = 2000


def in_one_line(words: Any) -> str:
    """Return words from another process in one printable line."""
    return " ".join(printable(str(words)[:MAX_WORDS]).split())


def printable(text: str) -> str:
    r"""Return a text in which nothing is left that a terminal obeys or that no file can hold.

    Examples
    --------
    >>> printable("red: \x1b[31m, half a pair: \udcff")
    'red: \\x1b[31m, half a pair: \\udcff'
    """
    return "".join(
        ascii(letter)[1:-1] if unicodedata.category(letter) in ("Cc", "Cs") and not letter.isspace() else letter
        for letter in text
    )
