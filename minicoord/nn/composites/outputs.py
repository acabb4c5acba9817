"""What a model gives: one array, or for a model with heads a dict of them, which may hold dicts again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from numpy.typing import NDArray

Output = Any
"""An ndarray, or a dict of str to `Output`."""


def arrays_of(output: Output) -> Iterator[NDArray]:
    """Yield the arrays of an output, head by head.

    Examples
    --------
    >>> import numpy as np
    >>> [array.shape for array in arrays_of({"policy": np.zeros((2, 4)), "value": np.zeros((2, 1))})]
    [(2, 4), (2, 1)]
    """
    if isinstance(output, dict):
        for part in output.values():
            yield from arrays_of(part)
    else:
        yield output


def map_arrays(function: Callable[[NDArray], Any], output: Output) -> Any:
    """Return the output with ``function(array)`` in the place of each array. A None, no gradient, stays None.

    Examples
    --------
    >>> import numpy as np
    >>> map_arrays(lambda gradient: gradient / 2, {"policy": np.ones(2), "value": None})
    {'policy': array([0.5, 0.5]), 'value': None}
    """
    if isinstance(output, dict):
        return {name: map_arrays(function, part) for name, part in output.items()}
    return None if output is None else function(output)
