"""How a result differs from the expected one, in a sentence: by type, shape, dtype or values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOAT32_TOLERANCE = 1e-6
NOISE = 64
"""Where no expected number is larger than so many roundings of 1, all of them stand for 0."""
ROUNDED_TO_FLOAT32 = " A difference this small comes from rounding to float32 on the way; keep the dtype of the input."
NEARLY_EQUAL = " A difference this small comes from rounding on the way, or from a small number that was added."
EMPTY_LIST = " np.array turns an empty list into float64; pass it the dtype."
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def wrong_type(expected: Any, got: Any) -> str | None:
    """Return in a sentence what is wrong with the type of `got`, or None; NumPy numbers may stand for Python's."""
    if isinstance(expected, tuple):
        if not isinstance(got, tuple) or len(got) != len(expected):
            return _type_sentence(expected, got)
        return _check_items(expected, got, wrong_type)
    if isinstance(expected, np.ndarray):
        right = isinstance(got, np.ndarray)
        if right and got.dtype.hasobject:
            return "got an array of Python objects, expected numbers; do its rows have different lengths?"
    elif isinstance(expected, bool | np.bool_):
        right = isinstance(got, bool | np.bool_)
    elif isinstance(expected, int | np.integer):
        right = isinstance(got, int | np.integer) and not isinstance(got, bool)
        if isinstance(got, float | np.floating):
            return f"got the float {got}, expected an integer; // gives an integer, / always gives a float."
    elif isinstance(expected, float | np.floating):
        right = isinstance(got, int | float | np.integer | np.floating) and not isinstance(got, bool)
        right = right or (isinstance(got, np.ndarray) and got.ndim == 0 and got.dtype.kind in "iuf")
    else:
        right = isinstance(got, type(expected))
    return None if right else _type_sentence(expected, got)


def wrong_shape(expected: Any, got: Any, axes: tuple[str, ...] = ()) -> str | None:
    """Return in a sentence how the shape of `got` differs, or None; `axes` names the axes of an array."""
    if isinstance(expected, tuple):
        return _check_items(expected, got, wrong_shape)
    if not isinstance(expected, np.ndarray) or expected.shape == got.shape:
        return None
    names = f": {', '.join(axes)}" if len(axes) == expected.ndim else ""
    sentence = f"got {got.shape}, expected {expected.shape}{names}."
    if got.ndim != expected.ndim:
        return f"{sentence} That is {_count(got.ndim, 'axis', 'axes')} instead of {expected.ndim}."
    if sorted(got.shape) == sorted(expected.shape):
        return f"{sentence} The lengths are right, but in the wrong order."
    wrong = [k for k in range(expected.ndim) if got.shape[k] != expected.shape[k]]
    if names and len(wrong) < expected.ndim:
        return f"{sentence} Wrong: {', '.join(axes[k] for k in wrong)}."
    return sentence


def wrong_dtype(expected: Any, got: Any) -> str | None:
    """Return in a sentence how the dtype of `got` differs, or None; integers may have any width."""
    if isinstance(expected, tuple):
        return _check_items(expected, got, wrong_dtype)
    if not isinstance(expected, np.ndarray) or expected.dtype == got.dtype:
        return None
    if expected.dtype.kind in "iu" and got.dtype.kind in "iu":
        return None
    empty = expected.size == 0 and expected.dtype.kind != "f" and got.dtype == np.float64
    return f"got {got.dtype}, expected {expected.dtype}.{EMPTY_LIST if empty else ''}"


def not_real_numbers(got: Any) -> str | None:
    """Return a sentence if an array holds complex numbers, text or the like; else None."""
    if not isinstance(got, np.ndarray) or got.dtype.kind in "biuf":
        return None
    return f"got {got.dtype}, expected real numbers."


def changed(before: Any, after: Any, names: Sequence[str] = ()) -> str | None:
    """Return in a sentence which argument was changed, or None; `names` are those of the parameters."""
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        name = names[number] if number < len(names) else f"argument {number + 1}"
        if isinstance(old, tuple | list) and isinstance(new, tuple | list) and len(old) == len(new):
            sentence = changed(old, new, [f"{name}[{item}]" for item in range(len(old))])
            if sentence:
                return sentence
        elif isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and not _identical(old, new):
            if old.shape != new.shape:
                shapes = f"from {old.shape} to {new.shape}"
                return f"the call changed the shape of {name} {shapes}; use {name}.reshape instead."
            return f"the call changed the values of {name}; work on a copy, {name}.copy()."
    return None


def _identical(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


@dataclass(frozen=True)
class Difference:
    """The first difference between two results: a sentence, and the two arrays or numbers that differ."""

    sentence: str
    expected: Any
    got: Any


def first_difference(expected: Any, got: Any, tolerance: float) -> Difference | None:
    """Return the first difference between values of the same type, shape and kind of dtype, or None.

    Parameters
    ----------
    expected, got : array, number, str, or tuple of these
    tolerance : float
        Relative to the largest number in each expected array. Integers and bools have to be equal.
    """
    if isinstance(expected, tuple):
        for number, (a, b) in enumerate(zip(expected, got, strict=True)):
            difference = first_difference(a, b, tolerance)
            if difference:
                return Difference(f"{_item_name(number)}: {difference.sentence}", difference.expected, difference.got)
        return None
    if not isinstance(expected, np.ndarray | np.generic | int | float | complex):
        return None if _equal(expected, got) else Difference(f"got {got!r}, expected {expected!r}.", None, None)
    right, actual = np.asarray(expected), np.asarray(got)
    wrong = ~_close(right, actual, tolerance)
    if not wrong.any():
        return None
    rounding = _rounding_hint(right, actual)
    if wrong.ndim == 0:
        a, b = shortest_distinct(got, expected)
        return Difference(f"got {a}, expected {b}.{rounding}", expected, got)
    index = tuple(int(k) for k in np.argwhere(wrong)[0])
    a, b = shortest_distinct(actual[index], right[index])
    count, size = int(wrong.sum()), wrong.size
    verb = "differs" if count == 1 else "differ"
    how_many = f"all {size} numbers differ" if count == size > 1 else f"{count} of {_count(size, 'number')} {verb}"
    place = index[0] if len(index) == 1 else index
    return Difference(f"at index {place} got {a}, expected {b}; {how_many}.{rounding}", expected, got)


def _rounding_hint(expected: np.ndarray, got: np.ndarray) -> str:
    """Return a sentence on where a difference within the precision of float32 comes from; empty for a larger one."""
    if not _close(expected, got, FLOAT32_TOLERANCE).all():
        return ""
    with np.errstate(all="ignore"):
        return ROUNDED_TO_FLOAT32 if np.array_equal(got, got.astype(np.float32), equal_nan=True) else NEARLY_EQUAL


def without_rounding_hint(sentence: str) -> str:
    """Return a sentence without what it says about where a small difference comes from."""
    return sentence.removesuffix(ROUNDED_TO_FLOAT32).removesuffix(NEARLY_EQUAL)


def _equal(expected: Any, got: Any) -> bool:
    try:
        return bool(expected == got)
    except ValueError:  # comparing lists of arrays gives no single True or False
        return False


def _close(expected: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    """Return a boolean array: where two arrays of the same shape agree."""
    if expected.dtype.kind not in "fc":
        return expected == got
    noise = NOISE * float(np.finfo(expected.dtype).eps)
    expected, got = expected.astype(np.float64), got.astype(np.float64)
    finite = np.abs(expected[np.isfinite(expected)])
    scale = float(finite.max()) if finite.size else 0.0
    with np.errstate(all="ignore"):
        return np.isclose(got, expected, rtol=0, atol=tolerance * (scale if scale > noise else 1.0), equal_nan=True)


def same_result(expected: Any, got: Any, tolerance: float) -> bool:
    """Whether two results agree in type, shape, dtype and values, or both are None."""
    if expected is None or got is None:
        return expected is got
    return not (
        wrong_type(expected, got)
        or wrong_shape(expected, got)
        or wrong_dtype(expected, got)
        or first_difference(expected, got, tolerance)
    )


def shortest_distinct(a: Any, b: Any) -> tuple[str, str]:
    """Return two numbers with just enough digits to tell them apart.

    Examples
    --------
    >>> shortest_distinct(0.5, 0.25)
    ('0.5', '0.25')
    >>> shortest_distinct(0.1234567, 0.1234568)
    ('0.1234567', '0.1234568')
    """
    if not all(isinstance(value, float | np.floating) for value in (a, b)):
        return str(a), str(b)
    for digits in range(4, 18):
        left, right = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if left != right:
            break
    return left, right


def _check_items(expected: tuple[Any, ...], got: Any, check: Any) -> str | None:
    """Return what a check such as `wrong_type` says about the first item that fails it, or None."""
    for number, (a, b) in enumerate(zip(expected, got, strict=True)):
        sentence = "got None." if b is None and check is wrong_type else check(a, b)
        if sentence:
            return f"{_item_name(number)}: {sentence}"
    return None


def _item_name(number: int) -> str:
    ordinal = ORDINALS[number] if number < len(ORDINALS) else f"{number + 1}th"
    return f"the {ordinal} returned value"


def _type_sentence(expected: Any, got: Any) -> str:
    return f"got {_kind(got)}, expected {_kind(expected)}."


def _kind(value: Any) -> str:
    """Return what a value is: ``"an array"``, ``"a tuple of length 2"``."""
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of length {len(value)}"
    if isinstance(value, np.ndarray):
        return "an array" if value.ndim else "an array with no axes"
    if isinstance(value, bool | np.bool_):
        return "a bool"
    if isinstance(value, int | np.integer):
        return "an integer"
    if isinstance(value, float | np.floating):
        return "a float"
    return "a function" if callable(value) else f"a value of type {type(value).__name__}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
