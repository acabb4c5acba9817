"""Checks of arguments that are no arrays; an error is one sentence: the argument, what was given, what is wanted.

``arrays.py`` has the checks of arrays, ``places.py`` those of paths, and ``argument_types.py`` compares all arguments
of a function with its annotations.
"""

from __future__ import annotations

import contextlib
import math
import reprlib
from collections.abc import Collection, Sequence
from operator import index
from typing import Any, TypeGuard

from minicoord.system.suggestion import suggestion


class _Words(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        """Return a whole number; Python refuses to write more digits than 4,300, and so many would take seconds."""
        if abs(x) < MOST_DIGITS:
            return super().repr_int(x, level)
        return f"a number of {x.bit_length() * math.log10(2):,.0f} digits"


MOST_DIGITS = 10**4000
"""Where whole numbers begin that are neither shown nor written: Python's own limit is 4,300 digits."""

_WORDS = _Words()
_WORDS.maxstring = _WORDS.maxother = 100
_WORDS.maxlong = 60
_WORDS.maxlist = _WORDS.maxtuple = _WORDS.maxdict = 10


def shown(value: Any) -> str:
    """Return a value as an error shows it: on one line, cut if it is long, an array by its shape and dtype.

    Examples
    --------
    >>> shown("same"), shown((1, 2.5)), shown(range(3))
    ("'same'", '(1, 2.5)', 'range(0, 3)')
    """
    try:
        if getattr(value, "ndim", 0) and hasattr(value, "dtype"):
            text = f"an array of shape {value.shape} and dtype {value.dtype}"
        else:
            text = " ".join(_WORDS.repr(value).split())
    except Exception:  # whatever the class of the value does
        text = f"an object of type {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:70]} ... {text[-45:]}"


def check_number(what: str, value: Any, least: float, above: bool = False, below: float = math.inf) -> None:
    """Check that `value` is a number in [least, below); with `above`, in (least, below).

    Parameters
    ----------
    what : str
        How the error names it, such as ``"Adam: lr"``.
    value : object
        The value given.
    least, below : float
        The bounds. With `below` infinite, or `least` minus infinity, that side is open, and any finite number passes.
    above : bool
        Whether `least` itself is excluded.

    Raises
    ------
    TypeError
        If `value` is not a number.
    ValueError
        If it is NaN or outside the bounds.
    """
    if type(value) is float and least < value < below:
        return
    if not is_number(value):
        raise TypeError(f"{what} was {shown(value)}, wanted a number")
    number = as_float(value)
    high_enough = number > least if above else number >= least
    if not (high_enough and number < below and math.isfinite(number)):
        if least == -math.inf:
            raise ValueError(f"{what} was {shown(value)}, wanted a finite number")
        lower = f"above {least:g}" if above else f"of at least {least:g}"
        upper = f"below {below:g}" if below < math.inf else "finite"
        raise ValueError(f"{what} was {shown(value)}, wanted a number {lower} and {upper}")


def is_number(value: Any) -> bool:
    """Whether a value is one real number: of Python, of NumPy, or in an array without axes.

    Examples
    --------
    >>> is_number(2), is_number("2"), is_number(True), is_number(2j)
    (True, False, False, False)
    """
    try:
        if isinstance(value, (bool, str, type)) or not hasattr(value, "__float__") or hasattr(value, "mask"):
            return False
        kind = getattr(getattr(value, "dtype", None), "kind", "f")
        if getattr(value, "ndim", 0) > 0 or kind not in "fiu":
            return False
        float(value)
    except OverflowError:  # a whole number of more than 308 digits
        return True
    except Exception:  # whatever the class of the value does
        return False
    return True


def as_float(value: Any) -> float:
    """Return a number as a float; a whole number of more than 308 digits becomes infinite.

    Examples
    --------
    >>> as_float(2), as_float(-(10**400))
    (2.0, -inf)
    """
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def check_whole(what: str, value: Any, least: int) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`; see `check_number`."""
    if not is_whole(value) or value < least:
        raise ValueError(f"{what} was {shown(value)}, wanted a whole number of at least {shown(least)}")


def is_whole(value: Any) -> bool:
    """Whether a value is one whole number, which an array without axes can be, and True cannot.

    Examples
    --------
    >>> is_whole(2), is_whole(2.0), is_whole(True)
    (True, False, False)
    """
    if type(value) is int:
        return True
    try:
        if isinstance(value, (bool, type)) or not hasattr(value, "__index__") or hasattr(value, "mask"):
            return False
        index(value)
        return getattr(getattr(value, "dtype", None), "kind", "i") in "iu"
    except Exception:  # an array, and whatever the class of the value does
        return False


def check_flag(what: str, value: Any) -> bool:
    """Return `value` as a bool; 0 and 1 stand for False and True.

    Raises
    ------
    TypeError
        If it is anything else: an object would count as true, whatever it is.
    """
    if value is True or value is False:
        return value
    with contextlib.suppress(Exception):  # whatever the class of the value does
        kind = getattr(getattr(value, "dtype", None), "kind", "")
        if (kind == "b" and not getattr(value, "ndim", 0)) or (is_whole(value) and value in (0, 1)):
            return bool(value)
    raise TypeError(f"{what} was {shown(value)}, wanted True or False")


def seed_numbers(what: str, seed: Any) -> list[int]:
    """Return a seed, which is a whole number or a sequence of some, as a list, for `numpy.random.default_rng`.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If there is no number in it, or a negative one.

    Examples
    --------
    >>> seed_numbers("World", 3), seed_numbers("World", (3, 1))
    ([3], [3, 1])
    """
    numbers = list(seed) if is_sequence(seed) else [seed]
    if not all(map(is_whole, numbers)):
        raise TypeError(f"{what}: seed was {shown(seed)}, wanted a whole number or a sequence of some")
    if not numbers or min(numbers) < 0:
        raise ValueError(f"{what}: seed was {shown(seed)}, wanted whole numbers of at least 0")
    return [index(number) for number in numbers]


def check_choice(what: str, value: Any, choices: Collection[str]) -> None:
    """Raise ValueError unless `value` is one of the names; the message suggests the nearest."""
    if not isinstance(value, str) or value not in choices:
        near = suggestion(value, choices) if isinstance(value, str) else f"wanted one of {', '.join(choices)}"
        raise ValueError(f"{what} was {shown(value)}; {near}")


def call_given(what: str, function: Any, wanted: str, *arguments: Any) -> Any:
    """Return ``function(*arguments)``, where somebody else gave the function, perhaps one of other arguments.

    Raises
    ------
    TypeError
        If it cannot be called like that. What the function itself raises passes through.

    Examples
    --------
    >>> call_given("init", len, "a function of (shape, generator)", (2, 3), None)
    Traceback (most recent call last):
    TypeError: init was <built-in function len>, wanted a function of (shape, generator): len() takes exactly one ...
    """
    try:
        return function(*arguments)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is None:  # raised by the call itself
            raise TypeError(f"{what} was {shown(function)}, wanted {wanted}: {shown(str(error))[1:-1]}") from None
        raise


def check_kind(what: str, value: Any, kind: type | tuple[type, ...], wanted: str) -> None:
    """Raise TypeError unless `value` is an instance of `kind`, which `wanted` names with its article."""
    if not isinstance(value, kind):
        raise TypeError(f"{what} is of type {type(value).__name__}, wanted {wanted}")


MOST_AXES = 64
"""How many axes NumPy gives an array at most."""

TOO_LARGE = 2**63
"""What no axis of an array reaches."""


def is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    """Whether a value is a list, a tuple or another sequence; text and bytes stand for one thing each.

    Examples
    --------
    >>> is_sequence((2, 3)), is_sequence(range(3)), is_sequence("ab"), is_sequence(b"ab")
    (True, True, False, False)
    """
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes, bytearray, memoryview))


def check_shape_given(what: str, shape: Any, wanted: str = "a shape such as (2, 3)") -> tuple[int, ...]:
    """Return a shape that was given as a tuple of int.

    Raises
    ------
    TypeError
        If it is not a sequence of whole numbers.
    ValueError
        If one of them is negative or 2^63 and above, or there are more than `MOST_AXES`.
    """
    if type(shape) is tuple and len(shape) <= MOST_AXES and all(type(k) is int and 0 <= k < TOO_LARGE for k in shape):
        return shape
    if is_sequence(shape) and len(shape) > MOST_AXES:
        raise ValueError(f"{what} was {shown(shape)}, wanted {wanted}, of at most {MOST_AXES} axes")
    if not is_sequence(shape) or not all(map(is_whole, shape)):
        raise TypeError(f"{what} was {shown(shape)}, wanted {wanted}, of whole numbers")
    sizes = tuple(map(index, shape))
    if min(sizes, default=0) < 0:
        raise ValueError(f"{what} was {shown(shape)}, wanted {wanted}, none negative")
    if max(sizes, default=0) >= TOO_LARGE:
        raise ValueError(f"{what} was {shown(shape)}, wanted {wanted}, each below 2^63")
    return sizes
