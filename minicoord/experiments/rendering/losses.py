"""What rendering is trained with, and judged by: losses of a drawing, and the overlap of two squares."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.losses import mean_squared_error, sigmoid_cross_entropy, softmax_cross_entropy
from minicoord.train.accumulation import Loss


def iou(drawn: NDArray, target: NDArray) -> NDArray[np.float64]:
    """Return the overlap of drawn and wanted pixels of each image, intersection over union.

    Parameters
    ----------
    drawn : ndarray, shape (N, H, W, 1)
        Logits; a pixel above 0, a probability above one half, is drawn.
    target : ndarray, shape (N, H, W, 1)
        1 where a pixel should be drawn, else 0.

    Returns
    -------
    ndarray of float64, shape (N,)
        From 0 to 1; 1 if nothing was drawn and nothing wanted.

    Examples
    --------
    >>> import numpy as np
    >>> logits = np.array([3.0, 2.0, -1.0, -4.0]).reshape(1, 2, 2, 1)
    >>> iou(logits, np.array([1.0, 0.0, 1.0, 0.0]).reshape(1, 2, 2, 1)).tolist()
    [0.3333333333333333]
    """
    lit, wanted = (drawn > 0).reshape(len(drawn), -1), (target > 0.5).reshape(len(target), -1)
    union = np.count_nonzero(lit | wanted, axis=1)
    both = np.count_nonzero(lit & wanted, axis=1)
    return np.where(union == 0, 1.0, both / np.maximum(union, 1))


def squares_around_half(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the mean squared error of ``logits + 1/2``, and its gradient: the other loss of the official sweep.

    There the network's output itself should be 0 or 1, and yet was judged as a logit, at 0. With one half taken off, a
    pixel is drawn where that output is above one half.
    """
    return mean_squared_error(logits + logits.dtype.type(0.5), target)


def sigmoid_cross_entropy_sum(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the cross-entropy of an image, the sum over its pixels, on average over the images; and its gradient.

    The official code takes the mean over the pixels. It is the same loss, 4,096 times smaller, and an L2 penalty of the
    same strength then weighs 4,096 times more: with it, the CoordConv network never begins to draw.
    """
    loss, gradient = sigmoid_cross_entropy(logits, target)
    pixels = math.prod(logits.shape[1:])
    return pixels * loss, logits.dtype.type(pixels) * gradient


def sigmoid_cross_entropy_per_lit_pixel(logits: NDArray, target: NDArray) -> tuple[float, NDArray]:
    """Return the cross-entropy of all pixels over the number of those that should be lit, and its gradient.

    That makes it about as large as the cross-entropy of one choice among 4,096 pixels, so that both can be added.
    """
    loss, gradient = sigmoid_cross_entropy(logits, target)
    share = logits.size / max(float(target.sum()), 1.0)
    return share * loss, logits.dtype.type(share) * gradient


LOSSES: dict[str, Loss] = {
    "sigmoid": sigmoid_cross_entropy,
    "sigmoid-sum": sigmoid_cross_entropy_sum,
    "sigmoid-lit": sigmoid_cross_entropy_per_lit_pixel,
    "squares": squares_around_half,
}


def loss_with_pointer(draw: Loss, weight: float, point: str = "softmax") -> Loss:
    """Return a loss of drawing and map side by side: `draw` of the one and `weight` times that of the other.

    The map should point at the centre of the square, which is read from the target image. `point` names its loss:
    ``"softmax"``, cross-entropy, or ``"squares"``, mean squared error against the image of one lit pixel.

    Raises
    ------
    ValueError
        If `point` is something else.
    """
    if point not in ("softmax", "squares"):
        raise ValueError(f"rendering: the pointer_loss was {point!r}, it must be one of softmax, squares")

    def loss(output: NDArray, target: NDArray) -> tuple[float, NDArray]:
        drawn, pointed = (np.ascontiguousarray(output[..., k : k + 1]) for k in (0, 1))
        drawing_loss, of_drawing = draw(drawn, target)
        centres = centres_of(target)
        if point == "softmax":
            pointer_loss, of_map = softmax_cross_entropy(pointed, centres)
        else:
            lit = np.zeros_like(pointed)
            lit.reshape(len(lit), -1)[np.arange(len(lit)), centres] = 1
            pointer_loss, of_map = mean_squared_error(pointed, lit)
        return drawing_loss + weight * pointer_loss, np.concatenate([of_drawing, weight * of_map], axis=-1)

    return loss


def centres_of(squares: NDArray) -> NDArray[np.int64]:
    """Return for each image (N, H, W, 1) the flat index of the middle of the pixels that are lit."""
    width = squares.shape[2]
    rows, columns = (np.asarray(squares.any(axis=axes)) for axes in ((2, 3), (1, 3)))
    middles = [(lit.argmax(axis=1) + lit.shape[1] - 1 - lit[:, ::-1].argmax(axis=1)) // 2 for lit in (rows, columns)]
    return middles[0] * width + middles[1]
