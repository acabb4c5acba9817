"""What Numba's compiler says, in one sentence that helps."""

from __future__ import annotations

import re

PATTERNS = (
    (
        r"Use of unsupported NumPy function '([^']+)'",
        r"Numba does not know {0}; write it as a loop, or with NumPy functions that it knows",
    ),
    (
        r"Unknown attribute '(\w+)' of type Module\(<module '(\w+)",
        r"Numba does not know {1}.{0}; write it as a loop, or with functions that it knows",
    ),
    (r"Unknown attribute '(\w+)' of type ([^\n]+)", r"Numba does not know .{0} of {1}"),
    (
        r"[Cc]annot unify (.+?) and (.+?) for '(\w+)[.\d]*'",
        r"{2} has two types, {0} and {1}; give it one from the beginning",
    ),
    (
        r"No implementation of function Function\(<built-in function (\w+)>\)[^\n]*\n?[^\n]*\n?\s*>>> (\w+\([^\n]*\))",
        r"Numba has no {0} for these types: {1}",
    ),
    (
        r"No implementation of function Function\(<(?:function|built-in function) (\w+)[^\n]*",
        r"Numba cannot call {0} with arguments of these types",
    ),
    (r"unsupported opcode \(IMPORT_NAME\)", r"there is an import inside of the function; write it above the function"),
    (
        r"Only constant step size is supported for prange",
        r"prange takes no step but a constant one; let it count the tiles, and multiply by the step inside",
    ),
    (r"Unsupported (?:Python )?(?:syntax|construct)[^\n]*", r"{all}"),
    (
        r"(?:NameError: name|Untyped global name) '(\w+)'",
        r"{0} is not known inside of the compiled function; if it is a function, put @njit above it",
    ),
    (r"Can't unify return type from the following types: ([^\n]+)", r"it returns different types: {0}"),
)


INSIDE_NUMBA = r"^(Sizes of \S+, .* do not match|Dimension mismatch for \(Var)"
"""How messages begin that Numba's search for parallel work raises."""


def numba_in_words(error: BaseException) -> str:
    """Return in one sentence why a function does not compile, or what its compiled form raised."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    name = type(error).__name__
    if isinstance(error, AssertionError) and re.search(INSIDE_NUMBA, message):
        return (
            "Numba cannot see that arrays which are computed with each other have the same shape; "
            "write loops over single numbers."
        )
    if type(error).__module__.split(".")[0] != "numba":
        first = " ".join(message.split())
        return f"compiled it raises {name}: {first}." if first else f"compiled it raises {name}."
    line = re.search(r'File "[^"]*", line (\d+):', message)
    place = f"line {line.group(1)}: " if line else ""
    return f"{place}{_reason(message)}."


def _reason(message: str) -> str:
    for pattern, words in PATTERNS:
        found = re.search(pattern, message)
        if found:
            return words.format(*(group.strip() for group in found.groups()), all=found.group(0))
    skipped = ("Failed in ", "During:", "File ", "This error may", "Enable logging", ">>>", "<source", "-", "*")
    for line in message.splitlines():
        text = line.strip()
        if text and not text.startswith(skipped):
            return re.sub(r"[.\s]*Raised from .*", "", text).rstrip(".:")[:300]
    return "Numba cannot compile it"
