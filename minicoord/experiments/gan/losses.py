"""What a GAN is trained on. Each loss takes the logits of a batch, and returns their mean loss and its gradient.

The discriminator sees real images and images of the generator, and wants high logits for the first and low ones for the
second; the generator wants high logits for its own.

*Non-saturating* (Goodfellow et al., 2014): the cross-entropy of real against fake, with the labels exchanged for the
generator. With minus the discriminator's own loss, its gradient would vanish where it is needed most: where the
discriminator is sure.

*Hinge* (Lim and Ye, 2017): logits beyond 1, or -1, are good enough, and their images teach nothing more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.losses import sigmoid_cross_entropy

Loss = Callable[[NDArray], tuple[float, NDArray]]
"""``loss(logits) -> (mean, dlogits)``, with logits and dlogits of shape (N, 1)."""


class GanLoss(NamedTuple):
    """The three parts of a loss.

    Attributes
    ----------
    real, fake : callable
        The discriminator's, of real images and of the generator's; their sum is its loss.
    generator : callable
        The generator's.
    """

    real: Loss
    fake: Loss
    generator: Loss


def taken_for_real(logits: NDArray) -> tuple[float, NDArray]:
    """Return the mean of ``-log(sigmoid(logit))``: the cross-entropy with the label "real".

    Examples
    --------
    >>> loss, dlogits = taken_for_real(np.zeros((2, 1)))
    >>> round(loss, 4), dlogits.tolist()  # ln 2
    (0.6931, [[-0.25], [-0.25]])
    """
    return sigmoid_cross_entropy(logits, np.ones_like(logits))


def taken_for_fake(logits: NDArray) -> tuple[float, NDArray]:
    """Return the mean of ``-log(1 - sigmoid(logit))``: the cross-entropy with the label "fake"."""
    return sigmoid_cross_entropy(logits, np.zeros_like(logits))


def above_one(logits: NDArray) -> tuple[float, NDArray]:
    """Return the mean of ``max(0, 1 - logit)``.

    Examples
    --------
    >>> above_one(np.array([[3.0], [0.5]]))
    (0.25, array([[ 0. ],
           [-0.5]]))
    """
    short = 1 - logits
    return _mean(np.maximum(short, 0)), np.where(short > 0, -_share(logits), 0).astype(logits.dtype)


def below_minus_one(logits: NDArray) -> tuple[float, NDArray]:
    """Return the mean of ``max(0, 1 + logit)``."""
    over = 1 + logits
    return _mean(np.maximum(over, 0)), np.where(over > 0, _share(logits), 0).astype(logits.dtype)


def high(logits: NDArray) -> tuple[float, NDArray]:
    """Return the mean of ``-logit``, which has the same gradient everywhere."""
    return -_mean(logits), np.full_like(logits, -_share(logits))


LOSSES: dict[str, GanLoss] = {
    "non-saturating": GanLoss(taken_for_real, taken_for_fake, taken_for_real),
    "hinge": GanLoss(above_one, below_minus_one, high),
}


def _mean(values: NDArray) -> float:
    return float(np.mean(values, dtype=np.float64))


def _share(logits: NDArray) -> np.floating:
    """Return 1 / N in the dtype of the logits: what a logit has in a mean."""
    return logits.dtype.type(1 / logits.size)
