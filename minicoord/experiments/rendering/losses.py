"""The losses of rendering, and its metric: the overlap of the drawn and the target square."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.losses import mean_squared_error, sigmoid_cross_entropy, softmax_cross_entropy
from minicoord.system.arguments import shown
from minicoord.train.accumulation import Loss


def iou(drawn: NDArray, target: NDArray) -> NDArray[np.float64]:
    """Return the intersection over union of the drawn and the target pixels of each image.

    Parameters
    ----------
    drawn : ndarray, shape (N, H, W, 1)
        Logits. A pixel whose logit is above 0, its probability above one half, counts as drawn.
    target : ndarray, shape (N, H, W, 1)
        1 where a pixel should be drawn, 0 elsewhere.

    Returns
    -------
    ndarray of float64, shape (N,)
        From 0 to 1; 1 if both are empty.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.array([3.0, 2.0, -1.0, -4.0]).reshape(1, 2, 2, 1)
    >>> iou(logits, np.array([1.0, 0.0, 1.0, 0.0]).reshape(1, 2, 2, 1)).tolist()
    [0.3333333333333333]
    """
    lit, wanted = (drawn > 0).reshape(len(drawn), -1), (target > 0.5).reshape(len(target), -1)  # (N, H * W) each
    union = np.count_nonzero(lit | wanted, axis=1)  # (N,)
    intersection = np.count_nonzero(lit & wanted, axis=1)  # (N,)
    return np.where(union == 0, 1.0, intersection / np.maximum(union, 1))


def squares_around_half(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the mean squared error of ``logits + 1/2``, and its gradient: the second loss of the official sweep.

    In the official code the output itself is trained towards 0 or 1, and yet evaluated as a logit, with the threshold
    0. Here the output is the logit plus one half, so that a pixel is drawn where the output is above one half.

    `logits` and `target` have the shape (N, H, W, 1), as does the gradient with respect to the logits; so in the other
    losses of this file.
    """
    return mean_squared_error(logits + logits.dtype.type(0.5), target)


def sigmoid_cross_entropy_sum(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the cross-entropy summed over the pixels of an image and averaged over the images, and its gradient.

    The official code averages over the pixels too. That loss is 4,096 times smaller, so an L2 penalty of the same
    strength weighs 4,096 times more, and with it the CoordConv network never begins to draw.
    """
    loss, gradient = sigmoid_cross_entropy(logits, target)
    pixels = math.prod(logits.shape[1:])
    return pixels * loss, logits.dtype.type(pixels) * gradient


def sigmoid_cross_entropy_per_lit_pixel(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the summed cross-entropy of all pixels over the number of lit target pixels, and its gradient.

    It is about as large as the cross-entropy of one choice among 4,096 pixels, so that the two can be added.
    """
    loss, gradient = sigmoid_cross_entropy(logits, target)
    factor = logits.size / max(float(target.sum()), 1.0)
    return factor * loss, logits.dtype.type(factor) * gradient


LOSSES: dict[str, Loss] = {
    "sigmoid": sigmoid_cross_entropy,
    "sigmoid-sum": sigmoid_cross_entropy_sum,
    "sigmoid-lit": sigmoid_cross_entropy_per_lit_pixel,
    "squares": squares_around_half,
}


def loss_with_pointer(draw: Loss, weight: float, point: str = "softmax") -> Loss:
    """Return a loss for the drawing and the pointer's map side by side: that of the one plus that of the other.

    The map should point at the centre of the square, which is read from the target image.

    Parameters
    ----------
    draw : callable
        The loss of the drawing, one of `LOSSES`.
    weight : float
        The weight of the pointer's loss.
    point : {"softmax", "squares"}
        The pointer's loss: cross-entropy, or mean squared error against the image of one lit pixel.

    Returns
    -------
    callable
        ``loss(output, target) -> (value, gradient)`` with output and gradient of shape (N, H, W, 2), drawing first, and
        target of shape (N, H, W, 1).

    Raises
    ------
    ValueError
        If `point` is anything else.
    """
    if point not in ("softmax", "squares"):
        raise ValueError(f"rendering: the pointer_loss was {shown(point)}, wanted one of softmax, squares")

    def loss(output: NDArray, target: NDArray) -> tuple[float, NDArray]:
        drawing, pointer_map = (np.ascontiguousarray(output[..., k : k + 1]) for k in (0, 1))  # (N, H, W, 1) each
        drawing_loss, drawing_gradient = draw(drawing, target)
        centres = centres_of(target)  # (N,), flat indices
        if point == "softmax":
            pointer_loss, map_gradient = softmax_cross_entropy(pointer_map, centres)
        else:
            lit = np.zeros_like(pointer_map)
            lit.reshape(len(lit), -1)[np.arange(len(lit)), centres] = 1
            pointer_loss, map_gradient = mean_squared_error(pointer_map, lit)
        gradient = np.concatenate([drawing_gradient, weight * map_gradient], axis=-1)  # (N, H, W, 2)
        return drawing_loss + weight * pointer_loss, gradient

    return loss


def centres_of(squares: NDArray) -> NDArray[np.int64]:
    """Return the flat index of the middle of the lit rectangle in each image: (N, H, W, 1) to (N,)."""
    width = squares.shape[2]
    rows, columns = (np.asarray(squares.any(axis=axes)) for axes in ((2, 3), (1, 3)))  # (N, H) and (N, W): any lit?
    # The middle of the first and the last lit row, and so with columns; argmax finds the first True.
    middles = [(lit.argmax(axis=1) + lit.shape[1] - 1 - lit[:, ::-1].argmax(axis=1)) // 2 for lit in (rows, columns)]
    return middles[0] * width + middles[1]
