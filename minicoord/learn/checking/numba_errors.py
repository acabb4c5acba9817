"""Messages of Numba's compiler, in one sentence that says what to do."""

from __future__ import annotations

import re

PATTERNS = (
    (
        r"Use of unsupported NumPy function '([^']+)'",
        r"Numba does not support {0}; write a loop, or use NumPy functions that it supports",
    ),
    (
        r"Unknown attribute '(\w+)' of type Module\(<module '(\w+)",
        r"Numba does not support {1}.{0}; write a loop, or use functions that it supports",
    ),
    (r"Unknown attribute '(\w+)' of type ([^\n]+)", r"Numba does not support .{0} of {1}"),
    (
        r"[Cc]annot unify (.+?) and (.+?) for '(\w+)[.\d]*'",
        r"{2} has two types, {0} and {1}; give it one type from the start",
    ),
    (
        r"No implementation of function Function\(<built-in function (\w+)>\)[^\n]*\n?[^\n]*\n?\s*>>> (\w+\([^\n]*\))",
        r"Numba has no {0} for these types: {1}",
    ),
    (
        r"No implementation of function Function\(<(?:function|built-in function) (\w+)[^\n]*",
        r"Numba cannot call {0} with arguments of these types",
    ),
    (r"unsupported opcode \(IMPORT_NAME\)", r"there is an import inside the function; move it above the function"),
    (
        r"Only constant step size is supported for prange",
        r"the step of prange must be constant; let it count the tiles, and multiply by the step inside the loop",
    ),
    (r"Unsupported (?:Python )?(?:syntax|construct)[^\n]*", r"{all}"),
    (
        r"(?:NameError: name|Untyped global name) '(\w+)'",
        r"{0} is unknown inside the compiled function; if it is a function, put @njit above it",
    ),
    (r"Can't unify return type from the following types: ([^\n]+)", r"it returns values of different types: {0}"),
)
"""A pattern in Numba's message, and the sentence that replaces the message; {0} is the first group, {all} the match."""

PARALLEL_ANALYSIS = r"^(Sizes of \S+, .* do not match|Dimension mismatch for \(Var)"
"""How the messages begin that Numba's search for parallel work raises."""


def describe_numba_error(error: BaseException) -> str:
    """Return in one sentence why a function does not compile, or what its compiled form raised."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(error))  # without terminal colours
    name = type(error).__name__
    if isinstance(error, AssertionError) and re.search(PARALLEL_ANALYSIS, message):
        return (
            "Numba cannot tell that the arrays in one expression have the same shape; write loops over single numbers."
        )
    if type(error).__module__.split(".")[0] != "numba":
        first = " ".join(message.split())
        return f"it raises {name}: {first}." if first else f"it raises {name}."
    line = re.search(r'File "[^"]*", line (\d+):', message)
    place = f"line {line.group(1)}: " if line else ""
    return f"{place}{_reason(message)}."


def _reason(message: str) -> str:
    for pattern, sentence in PATTERNS:
        found = re.search(pattern, message)
        if found:
            return sentence.format(*(group.strip() for group in found.groups()), all=found.group(0))
    skipped = ("Failed in ", "During:", "File ", "This error may", "Enable logging", ">>>", "<source", "-", "*")
    for line in message.splitlines():
        text = line.strip()
        if text and not text.startswith(skipped):
            return re.sub(r"[.\s]*Raised from .*", "", text).rstrip(".:")[:300]
    return "Numba cannot compile it"
