"""Messages of Numba's compiler, in one sentence each."""

from __future__ import annotations

import pytest

from minicoord.learn.checking.numba_errors import describe_numba_error


def test_an_error_of_compiled_code_is_told():
    words = describe_numba_error(IndexError("index is out of bounds"))
    assert words == "it raises IndexError: index is out of bounds."
    for message in (
        "Sizes of $58binary_subscr.11, y do not match on lesson08.py (7)",
        "Dimension mismatch for (Var(y.3",
    ):
        assert describe_numba_error(AssertionError(message)).startswith("Numba cannot tell that the arrays")
    assert describe_numba_error(AssertionError("Sizes")) == "it raises AssertionError: Sizes."
    assert describe_numba_error(ZeroDivisionError()) == "it raises ZeroDivisionError."


@pytest.mark.parametrize(
    "message, words",
    [
        (
            (
                "Failed in nopython mode pipeline (step: nopython frontend)\n"
                "\x1b[1mUntyped global name 'helper':\x1b[0m "
                'Cannot determine Numba type\n\nFile "lesson08.py", line 12:\n'
            ),
            "line 12: helper is unknown inside the compiled function; if it is a function, put @njit above it.",
        ),
        ("Cannot unify array(float64, 1d, C) and float64 for 'out.2', defined at", "out has two types"),
        ("Unknown attribute 'pad' of type Module(<module 'numpy' from '/x'>)", "Numba does not support numpy.pad;"),
        (
            "Unknown attribute 'foo' of type array(float64, 2d, C)",
            "Numba does not support .foo of array(float64, 2d, C).",
        ),
        (
            "Use of unsupported opcode (IMPORT_NAME) found",
            "there is an import inside the function; move it above the function",
        ),
        (
            "Only constant step size is supported for prange",
            "the step of prange must be constant",
        ),
        (
            "Can't unify return type from the following types: none, float64",
            "it returns values of different types: none, float64.",
        ),
        (
            (
                "No implementation of function Function(<built-in function setitem>) found for signature:\n \n"
                " >>> setitem(array(int64, 1d, C), int64, none)\n"
            ),
            "Numba has no setitem for these types: setitem(array(int64, 1d, C), int64, none).",
        ),
        ("During: something\nsomething new. Raised from x.py (3)", "something new."),
        ("", "Numba cannot compile it."),
    ],
)
def test_a_message_of_numba_becomes_one_sentence(message: str, words: str):
    error = type("TypingError", (Exception,), {"__module__": "numba.core.errors"})(message)
    assert words in describe_numba_error(error)
