"""What a variational autoencoder is trained on, and the random step in its middle. Each with its gradient.

The encoder gives for an image a normal distribution of codes: a mean and the logarithm of a variance for each of z
numbers. The decoder gets one code drawn from it. Two things are wanted: that the decoded image is near the image, and
that the distributions of all images are near the standard normal one, from which new codes are drawn later.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.losses import mean_squared_error


def reparametrise(mean: NDArray, log_variance: NDArray, noise: NDArray) -> NDArray:
    """Return codes drawn from normal distributions: ``mean + exp(log_variance / 2) * noise``.

    A draw has no gradient. Written like this, all randomness is in `noise`, which is a constant to the backward pass,
    and the code is a smooth function of mean and variance.

    Parameters
    ----------
    mean, log_variance : ndarray (N, z)
        The logarithm is of the variance, so that any number is allowed.
    noise : ndarray (N, z)
        Drawn from the standard normal distribution.

    Returns
    -------
    ndarray (N, z)

    Examples
    --------
    >>> code = reparametrise(np.array([[1.0, 1.0]]), np.log([[4.0, 9.0]]), np.array([[1.0, -1.0]]))
    >>> code.round(6)  # 1 plus a deviation of 2, 1 minus one of 3
    array([[ 3., -2.]])
    """
    return mean + np.exp(log_variance / 2) * noise


def reparametrise_backward(dcodes: NDArray, log_variance: NDArray, noise: NDArray) -> tuple[NDArray, NDArray]:
    """Return dmean and dlog_variance, both (N, z), for a gradient `dcodes` (N, z) with respect to the codes."""
    return dcodes, dcodes * noise * np.exp(log_variance / 2) / 2


def kl_divergence(mean: NDArray, log_variance: NDArray) -> tuple[float, NDArray, NDArray]:
    """Return the KL divergence of the distributions of codes from the standard normal one, on average over images.

    Parameters
    ----------
    mean, log_variance : ndarray (N, z)

    Returns
    -------
    kl : float
        The mean over images of ``sum((mean^2 + exp(log_variance) - 1 - log_variance) / 2)``, in nats. Never negative,
        and 0 only where all means are 0 and all variances 1.
    dmean, dlog_variance : ndarray (N, z)
        Its gradients, ``mean / N`` and ``(exp(log_variance) - 1) / (2 N)``.

    Examples
    --------
    >>> kl, dmean, dlog_variance = kl_divergence(np.array([[0.0, 3.0]]), np.zeros((1, 2)))
    >>> kl, dmean.tolist(), dlog_variance.tolist()
    (4.5, [[0.0, 3.0]], [[0.0, 0.0]])
    """
    images = len(mean)
    kl = kl_of_each(mean, log_variance).sum(dtype=np.float64) / images
    return float(kl), mean / images, np.expm1(log_variance) / (2 * images)


def kl_of_each(mean: NDArray, log_variance: NDArray) -> NDArray:
    """Return the KL divergence of each number of each code on its own, (N, z), in nats."""
    return (np.square(mean) + np.expm1(log_variance) - log_variance) / 2


def squared_error(images: NDArray, wanted: NDArray) -> tuple[float, NDArray]:
    """Return the squared error of an image, summed over its pixels and channels, on average over images; and dimages.

    Parameters
    ----------
    images, wanted : ndarray (N, H, W, 3)
        In [-1, 1]: a channel of a pixel that is all wrong has an error of 4.

    Returns
    -------
    error : float
    dimages : ndarray (N, H, W, 3)
        ``2 * (images - wanted) / N``.

    Examples
    --------
    >>> error, dimages = squared_error(np.zeros((2, 4, 4, 3)), np.ones((2, 4, 4, 3)))
    >>> error, dimages[0, 0, 0].tolist()
    (48.0, [-1.0, -1.0, -1.0])
    """
    mean, dimages = mean_squared_error(images, wanted)
    numbers = images[0].size  # of an image
    return mean * numbers, dimages * numbers
