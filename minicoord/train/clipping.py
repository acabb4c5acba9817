"""Clipping of the gradient: its norm, over all parameters together, is at most a given number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.layers.base import Layer
from minicoord.system.arguments import check_kind, check_number

PIECE = 2**16  # numbers, whose squares stay in the cache until they are added up


def clip_gradients(model: Layer, most: float) -> float:
    """Scale all gradients of a model, in place, so that their common norm is at most `most`; return what it was.

    The gradients of all parameters are one long vector g. Where ``norm(g) > most``, every entry is multiplied by
    ``most / norm(g)``: the direction stays. To clip each array, or each entry, by itself would turn it.

    Parameters
    ----------
    model : Layer
        A model or a single layer after its backward pass.
    most : float
        The largest norm, above 0.

    Returns
    -------
    float
        The norm before, summed in float64.

    Raises
    ------
    TypeError, ValueError
        If `model` is not a layer, or `most` not a number above 0.
    FloatingPointError
        If a gradient is no longer finite; nothing is changed then.

    Examples
    --------
    >>> from minicoord import Dense
    >>> layer = Dense(1, 1)
    >>> layer.grads["w"][:], layer.grads["b"][:] = 3, 4
    >>> clip_gradients(layer, 0.5)
    5.0
    >>> layer.grads["w"].item(), layer.grads["b"].item()
    (0.30000001192092896, 0.4000000059604645)
    """
    check_kind("clip_gradients: model", model, Layer, "a model or a layer")
    check_number("clip_gradients: most", most, 0.0, above=True)
    gradients = model.grads
    norm = math.sqrt(sum(_sum_of_squares(g.reshape(-1)) for g in gradients.values()))
    if not math.isfinite(norm):
        raise FloatingPointError(f"the norm of the gradient became {norm}: try a lower learning rate")
    if norm > most:
        for g in gradients.values():
            g *= g.dtype.type(most / norm)
    return norm


def _sum_of_squares(g: NDArray) -> float:
    """Return the sum of the squares of a flat array in float64, that of a long one as the sum of its halves.

    Halves of whole eights are how NumPy adds up a long array, too, so that the bits are the same. It is not a dot
    product: BLAS would divide long ones among threads, and the last bits would depend on their number.
    """
    if g.size <= PIECE:
        return float(np.sum(np.square(g, dtype=np.float64)))
    half = g.size // 2 // 8 * 8
    return _sum_of_squares(g[:half]) + _sum_of_squares(g[half:])
