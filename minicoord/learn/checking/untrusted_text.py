"""Text from a learner's files and processes, made safe for a terminal and a table."""

from __future__ import annotations

import unicodedata
from typing import Any

MAX_CHARACTERS = 2000


def in_one_line(text: Any) -> str:
    """Return untrusted text in one printable line, shortened to `MAX_CHARACTERS`."""
    return " ".join(printable(str(text)[:MAX_CHARACTERS]).split())


def printable(text: str) -> str:
    r"""Return text with control characters escaped, which a terminal obeys, and surrogates, which no file can hold.

    Examples
    --------
    >>> printable("red: \x1b[31m, half a pair: \udcff")
    'red: \\x1b[31m, half a pair: \\udcff'
    """
    return "".join(
        ascii(letter)[1:-1] if unicodedata.category(letter) in ("Cc", "Cs") and not letter.isspace() else letter
        for letter in text
    )
