"""What is different about two values, in words: their types, shapes, dtypes and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

FLOAT32 = 1e-6
IN_FLOAT32 = " That little is lost where numbers are rounded to float32 on the way; keep the dtype that comes in."
SMALL = " So small a difference comes of rounding on the way, or of a small number that was added."
OF_NOTHING = " Of an empty list np.array makes float64; tell it the dtype."
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def wrong_type(wanted: Any, got: Any) -> str | None:
    """Return in a sentence what is wrong with the type of `got`, or None. A NumPy number is as good as Python's."""
    if isinstance(wanted, tuple):
        if not isinstance(got, tuple) or len(got) != len(wanted):
            return f"wanted {_kind(wanted)}, got {_kind(got)}."
        return _of_items(wanted, got, wrong_type)
    if isinstance(wanted, np.ndarray):
        right = isinstance(got, np.ndarray)
        if right and got.dtype.hasobject:
            return "got an array of Python objects, wanted one of numbers; are its rows of different lengths?"
    elif isinstance(wanted, bool | np.bool_):
        right = isinstance(got, bool | np.bool_)
    elif isinstance(wanted, int | np.integer):
        right = isinstance(got, int | np.integer) and not isinstance(got, bool)
        if isinstance(got, float | np.floating):
            return f"wanted a whole number, got the float {got}; // divides whole numbers, / never gives one."
    elif isinstance(wanted, float | np.floating):
        right = isinstance(got, int | float | np.integer | np.floating) and not isinstance(got, bool)
        right = right or (isinstance(got, np.ndarray) and got.ndim == 0 and got.dtype.kind in "iuf")
    else:
        right = isinstance(got, type(wanted))
    return None if right else f"wanted {_kind(wanted)}, got {_kind(got)}."


def wrong_shape(wanted: Any, got: Any, axes: tuple[str, ...] = ()) -> str | None:
    """Return in a sentence how the shape of `got` differs, or None; `axes` are the names of the axes of an array."""
    if isinstance(wanted, tuple):
        return _of_items(wanted, got, wrong_shape)
    if not isinstance(wanted, np.ndarray) or wanted.shape == got.shape:
        return None
    names = f": {', '.join(axes)}" if len(axes) == wanted.ndim else ""
    sentence = f"got {got.shape}, wanted {wanted.shape}{names}."
    if got.ndim != wanted.ndim:
        return f"{sentence} That is {_count(got.ndim, 'axis', 'axes')} in place of {wanted.ndim}."
    if sorted(got.shape) == sorted(wanted.shape):
        return f"{sentence} The lengths are right, their order is not."
    off = [k for k in range(wanted.ndim) if got.shape[k] != wanted.shape[k]]
    if names and len(off) < wanted.ndim:
        return f"{sentence} Wrong: {', '.join(axes[k] for k in off)}."
    return sentence


def wrong_dtype(wanted: Any, got: Any) -> str | None:
    """Return in a sentence how the dtype of `got` differs, or None; whole numbers may be of any size."""
    if isinstance(wanted, tuple):
        return _of_items(wanted, got, wrong_dtype)
    if not isinstance(wanted, np.ndarray) or wanted.dtype == got.dtype:
        return None
    if wanted.dtype.kind in "iu" and got.dtype.kind in "iu":
        return None
    empty = wanted.size == 0 and wanted.dtype.kind != "f" and got.dtype == np.float64
    return f"got {got.dtype}, wanted {wanted.dtype}.{OF_NOTHING if empty else ''}"


def no_real_numbers(got: Any) -> str | None:
    """Return in a sentence that an array holds complex numbers, text or the like, or None."""
    if not isinstance(got, np.ndarray) or got.dtype.kind in "biuf":
        return None
    return f"got {got.dtype}, wanted real numbers."


def changed(before: Any, after: Any, names: Sequence[str] = ()) -> str | None:
    """Return in a sentence which of the arguments was changed, or None; `names` are those of the parameters."""
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        name = names[number] if number < len(names) else f"argument {number + 1}"
        if isinstance(old, tuple | list) and isinstance(new, tuple | list) and len(old) == len(new):
            sentence = changed(old, new, [f"{name}[{item}]" for item in range(len(old))])
            if sentence:
                return sentence
        elif isinstance(old, np.ndarray) and isinstance(new, np.ndarray) and not _identical(old, new):
            if old.shape != new.shape:
                return f"{name} has the shape {new.shape} after the call, {old.shape} before; {name}.reshape keeps it."
            return f"{name} has other values after the call; work on a copy, {name}.copy()."
    return None


def _identical(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and bool(np.array_equal(a, b, equal_nan=a.dtype.kind in "fc"))


@dataclass(frozen=True)
class Difference:
    """Where values differ: a sentence, and the two arrays or numbers that do."""

    sentence: str
    wanted: Any
    got: Any


def values_differ(wanted: Any, got: Any, tolerance: float) -> Difference | None:
    """Return where the first difference is, for values of the same type, shape and kind of dtype; None if nowhere.

    Parameters
    ----------
    wanted, got : array, number, str, or tuple of these
    tolerance : float
        Relative to the largest number of each array that is wanted. Whole numbers and bools have to be equal.
    """
    if isinstance(wanted, tuple):
        for number, (a, b) in enumerate(zip(wanted, got, strict=True)):
            difference = values_differ(a, b, tolerance)
            if difference:
                return Difference(f"{_which(number)}: {difference.sentence}", difference.wanted, difference.got)
        return None
    if not isinstance(wanted, np.ndarray | np.generic | int | float | complex):
        return None if _equal(wanted, got) else Difference(f"got {got!r}, wanted {wanted!r}.", None, None)
    right, came = np.asarray(wanted), np.asarray(got)
    wrong = ~_close(right, came, tolerance)
    if not wrong.any():
        return None
    rounded = ""
    if _close(right, came, FLOAT32).all():
        with np.errstate(all="ignore"):
            rounded = IN_FLOAT32 if np.array_equal(came, came.astype(np.float32), equal_nan=True) else SMALL
    if wrong.ndim == 0:
        return Difference(f"got {'{}'}, wanted {'{}'}.{rounded}".format(*apart(got, wanted)), wanted, got)
    index = tuple(int(k) for k in np.argwhere(wrong)[0])
    a, b = apart(came[index], right[index])
    count, size = int(wrong.sum()), wrong.size
    verb = "differs" if count == 1 else "differ"
    many = f"all {size} numbers differ" if count == size > 1 else f"{count} of {_count(size, 'number')} {verb}"
    place = index[0] if len(index) == 1 else index
    return Difference(f"at index {place} got {a}, wanted {b}; {many}.{rounded}", wanted, got)


def _equal(wanted: Any, got: Any) -> bool:
    try:
        return bool(wanted == got)
    except ValueError:  # lists of arrays do not say yes or no
        return False


def _close(wanted: np.ndarray, got: np.ndarray, tolerance: float) -> np.ndarray:
    """Return where two arrays of the same shape agree."""
    if wanted.dtype.kind not in "fc":
        return wanted == got
    wanted, got = wanted.astype(np.float64), got.astype(np.float64)
    finite = np.abs(wanted[np.isfinite(wanted)])
    scale = float(finite.max()) if finite.size else 0.0
    with np.errstate(all="ignore"):
        return np.isclose(got, wanted, rtol=0, atol=tolerance * (scale or 1.0), equal_nan=True)


def same(wanted: Any, got: Any, tolerance: float) -> bool:
    """Whether two results are alike in type, shape, dtype and values; also if both are None."""
    if wanted is None or got is None:
        return wanted is got
    return not (
        wrong_type(wanted, got)
        or wrong_shape(wanted, got)
        or wrong_dtype(wanted, got)
        or values_differ(wanted, got, tolerance)
    )


def apart(a: Any, b: Any) -> tuple[str, str]:
    """Return two numbers in as few digits as tell them apart.

    Examples
    --------
    >>> apart(0.5, 0.25)
    ('0.5', '0.25')
    >>> apart(0.1234567, 0.1234568)
    ('0.1234567', '0.1234568')
    """
    if not all(isinstance(value, float | np.floating) for value in (a, b)):
        return str(a), str(b)
    for digits in range(4, 18):
        left, right = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if left != right:
            break
    return left, right


def _of_items(wanted: tuple[Any, ...], got: Any, look: Any) -> str | None:
    for number, (a, b) in enumerate(zip(wanted, got, strict=True)):
        sentence = "got None." if b is None and look is wrong_type else look(a, b)
        if sentence:
            return f"{_which(number)}: {sentence}"
    return None


def _which(number: int) -> str:
    name = ORDINALS[number] if number < len(ORDINALS) else f"{number + 1}th"
    return f"the {name} thing returned"


def _kind(value: Any) -> str:
    """Return what a value is: ``"an array"``, ``"a tuple of 2"``."""
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, np.ndarray):
        return "an array" if value.ndim else "an array of no axes"
    if isinstance(value, bool | np.bool_):
        return "a bool"
    if isinstance(value, int | np.integer):
        return "a whole number"
    if isinstance(value, float | np.floating):
        return "a float"
    return "a function" if callable(value) else f"a value of type {type(value).__name__}"


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"
