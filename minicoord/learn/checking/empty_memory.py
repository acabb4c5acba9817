"""Answers that use what `np.empty` leaves in an array.

Fresh memory is often zero, so that ``y = np.empty(shape)`` followed by ``y[k] += ...`` is right by chance, most of the
time. An answer therefore runs as a copy, in whose NumPy `np.empty` and `np.empty_like` fill their arrays: with a nan
whose bits are known again in the result, or with an uncommon integer. NumPy itself stays as it is: Numba, for one,
looks its functions up by identity, perhaps for the first time while an answer runs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import CellType, FunctionType, ModuleType
from typing import Any

import numpy as np

from minicoord.learn.checking.bytecode import is_filled, referenced_names

CAUSE = (
    "np.empty leaves in an array whatever the memory held, and some of it is still there; "
    "write every number, or start with np.zeros where you add with +="
)

NAN_BITS = 0x7FD5C0DE
"""A quiet nan in float32; its bits survive sums, products and the conversions between float32 and float64."""
SIGN = 0x80000000


def with_filled_memory(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a copy of a function, and of those of the same file that it calls, for which `np.empty` fills its arrays.

    A function that does not name `np.empty` is returned as it is, and so is anything that is not written in Python.
    What Numba has compiled is called unchanged.
    """
    if not isinstance(function, FunctionType):
        return function
    functions = _functions_of_this_file(function)
    if not any({"empty", "empty_like"} & referenced_names(each) for each in functions):
        return function
    variables = dict(function.__globals__)
    copies = {id(each): _copy(each, variables) for each in functions}
    variables.update({name: _replaced(value, copies) for name, value in variables.items()})
    for copied in copies.values():
        for cell in filter(is_filled, copied.__closure__ or ()):
            cell.cell_contents = _replaced(cell.cell_contents, copies)
    return copies[id(function)]


def _functions_of_this_file(function: FunctionType) -> list[FunctionType]:
    """Return a function and, recursively, those with the same global variables to which it refers."""
    found = [function]
    for each in found:  # grows on the way
        values = [each.__globals__.get(name) for name in referenced_names(each)]
        values += [cell.cell_contents for cell in filter(is_filled, each.__closure__ or ())]
        for value in values:
            known = any(value is other for other in found)
            if isinstance(value, FunctionType) and value.__globals__ is function.__globals__ and not known:
                found.append(value)
    return found


def _copy(function: FunctionType, variables: dict[str, Any]) -> FunctionType:
    cells = [CellType(cell.cell_contents) if is_filled(cell) else CellType() for cell in function.__closure__ or ()]
    closure = tuple(cells) or None
    copied = FunctionType(function.__code__, variables, function.__name__, function.__defaults__, closure)
    copied.__kwdefaults__ = function.__kwdefaults__
    return copied


def _replaced(value: Any, copies: dict[int, FunctionType]) -> Any:
    """Return what stands for a value of a variable in the copies."""
    if value is np:
        return _filling_numpy()
    if value is np.empty or value is np.empty_like:
        return getattr(_filling_numpy(), value.__name__)
    return copies.get(id(value), value)


@cache
def _filling_numpy() -> ModuleType:
    """Return a module like NumPy, but for the two functions."""
    module = _Numpy("numpy")
    module.empty, module.empty_like = _filling(np.empty), _filling(np.empty_like)  # type: ignore[attr-defined]
    return module


class _Numpy(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _filling(create: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def filled(*args: Any, **options: Any) -> np.ndarray:
        array = create(*args, **options)
        if isinstance(array, np.ndarray) and array.dtype.kind in "fiu":
            array[...] = _fill_value(array.dtype)
        return array

    return filled


def _fill_value(dtype: np.dtype[Any]) -> Any:
    if dtype.kind == "f":
        return np.uint32(NAN_BITS).view(np.float32).astype(dtype)
    return np.iinfo(dtype).max - 90


def left_over(result: Any) -> bool:
    """Whether a result holds numbers that came from filled memory."""
    if isinstance(result, tuple):
        return any(map(left_over, result))
    if not isinstance(result, np.ndarray | np.generic) or result.dtype.kind not in "fiu" or not result.size:
        return False
    if result.dtype.kind != "f":
        return bool((result == _fill_value(result.dtype)).any())
    with np.errstate(all="ignore"):
        bits = np.atleast_1d(np.asarray(result)).astype(np.float32).view(np.uint32)
    return bool(((bits & ~np.uint32(SIGN)) == NAN_BITS).any())
