"""Calling a learner's functions in place of the library's, with a check of what they return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Function = Callable[..., Any]


class Calling:
    """What all replacements share: the functions that take part, and how one is called.

    Parameters
    ----------
    functions : mapping of str to callable
        The answer to each exercise that takes part, by the id of the exercise.
    """

    def __init__(self, functions: Mapping[str, Function]) -> None:
        self.functions = functions

    def uses(self, ids: frozenset[str]) -> bool:
        """Whether there is a function for any of these exercises."""
        return not ids.isdisjoint(self.functions)

    def _call(self, id: str, arguments: tuple[Any, ...], shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Return the learner's result as a contiguous array; raise if its shape or dtype is not the expected one."""
        result = self.functions[id](*arguments)
        if not isinstance(result, np.ndarray) or result.shape != shape or result.dtype != dtype:
            raise ValueError(f"using: {id} returned {described(result)}, expected an array {shape} {np.dtype(dtype)}")
        return np.ascontiguousarray(result)


def described(result: Any) -> str:
    """Return the shape and dtype of a result, or its type if it is no array."""
    return f"{getattr(result, 'shape', type(result).__name__)} {getattr(result, 'dtype', '')}".rstrip()
