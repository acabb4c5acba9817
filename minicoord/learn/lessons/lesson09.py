"""What lesson 09 computes: gradients of deep stacks, networks with a learner's functions, and what pairs say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.image_classification.paired import PAIRS, WORDS, compare
from minicoord.experiments.image_classification.settings import VARIANTS
from minicoord.nn.composites.residual import Residual
from minicoord.nn.initialisers import scaled
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.base import Layer
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.model import Sequential
from minicoord.plots.style import model_name

Record = Mapping[str, Any]
NAME = "image-classification"
DEPTH = 24


def gradient_sizes(scale: float, residual: bool, seed: int = 0) -> NDArray[np.float64]:
    """Return the size of the gradient below each of 24 layers, from the last to the first, relative to that above all.

    Parameters
    ----------
    scale : float
        The initial weights are those of he_normal times this.
    residual : bool
        Whether the input of each layer is added to its output, before the ReLU.
    seed : int
        Where weights, images and the gradient come from.
    """
    rng = np.random.default_rng(seed)
    layers: list[Layer] = []
    for _ in range(DEPTH):
        layer = Conv2D(8, 8, 3, rng=rng, init=scaled("he_normal", scale))
        layers += [Residual(layer) if residual else layer, ReLU()]
    x = np.maximum(rng.normal(size=(4, 12, 12, 8)), 0).astype(np.float32)
    for layer in layers:
        x = layer.forward(x)
    gradient = rng.normal(size=x.shape).astype(np.float32)
    above = float(np.linalg.norm(gradient))
    sizes = []
    for layer in reversed(layers):
        gradient = layer.backward(gradient)
        if not isinstance(layer, ReLU):
            sizes.append(float(np.linalg.norm(gradient)) / above)
    return np.array(sizes)


class JoinedBlock(Residual):
    """A residual block and the ReLU behind it, whose dx a learner's `residual_dx` computes.

    Parameters
    ----------
    block : Residual
        Its body and shortcut become those of this block.
    residual_dx : callable
        The answer to the exercise.

    Attributes
    ----------
    calls : int
        How often the function was called.
    """

    def __init__(self, block: Residual, residual_dx: Callable[..., NDArray]) -> None:
        super().__init__(block.body, block.shortcut)
        self.residual_dx, self.calls = residual_dx, 0
        self._y: NDArray | None = None

    def _run(self, x: NDArray, training: bool, prefix: str) -> NDArray:
        self._y = np.maximum(super()._run(x, training, prefix), 0)
        return self._y

    def backward(self, dy: NDArray, need_dx: bool = True) -> NDArray | None:
        """Put the gradients of both paths into `grads`, and return dx, of the shape of the input."""
        self.recall(dy)  # as the library's block, which refuses a second backward pass
        self.calls += 1
        shortcut = (lambda dz: dz) if self.shortcut is None else self.shortcut.backward
        return self.residual_dx(dy, self._y, self.body.backward, shortcut)


def with_your_blocks(net: Sequential, residual_dx: Callable[..., NDArray]) -> Sequential:
    """Return a network of the same layers in which each residual block, with its ReLU, is a `JoinedBlock`."""
    layers: list[Layer] = []
    for layer in net.layers:
        if isinstance(layer, Residual):
            layers.append(JoinedBlock(layer, residual_dx))
        elif not (isinstance(layer, ReLU) and layers and isinstance(layers[-1], JoinedBlock)):
            layers.append(layer)
    return Sequential(layers)


def halved(images: NDArray) -> NDArray:
    """Return images (n, h, w) at half the resolution: each pixel is the mean of 2 x 2."""
    n, h, w = images.shape
    return images.reshape(n, h // 2, 2, w // 2, 2).mean(axis=(2, 4))


def nearest_mean(train: NDArray, labels: NDArray, test: NDArray) -> NDArray[np.int64]:
    """Return for each test image (n, h, w) the class whose mean training image is nearest: (n,)."""
    classes = np.unique(labels)
    means = np.stack([train[labels == c].mean(axis=0).ravel() for c in classes])  # (classes, h * w)
    distances = (means**2).sum(axis=1) - 2 * test.reshape(len(test), -1) @ means.T  # without what all have in common
    return classes[distances.argmin(axis=1)]


def torn_differences(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Return the differences, in percentage points, of all a[k] and b[l] with k != l."""
    all_of_them = 100 * (a[:, None] - b[None, :])
    return all_of_them[~np.eye(len(a), dtype=bool)]


def what_pairs_share(a: NDArray, b: NDArray) -> dict[str, object]:
    """Return how far accuracies (pairs,) of two networks spread, alone and as differences, for a row of a table.

    The last column is how many independent runs of each network would say as much as these pairs: the number of pairs
    times the ratio of the variance without pairs to that of the differences.
    """
    alone = 100 * a.std(ddof=1), 100 * b.std(ddof=1)
    together, apart = 100 * (a - b).std(ddof=1), float(np.hypot(*alone))
    worth = f"{len(a) * (apart / together) ** 2:.0f}" if together > 0 else "-"
    return {
        "spread of the first": f"{alone[0]:.2f}",
        "of the second": f"{alone[1]:.2f}",
        "of their difference, unpaired": f"{apart:.2f}",
        "paired": f"{together:.2f}",
        "pairs": len(a),
        "worth, in runs without pairs": worth,
    }


def reading(low: float, high: float) -> str:
    """Return what an interval of a difference says, in a few words.

    Examples
    --------
    >>> reading(-0.5, 0.2), reading(-0.5, -0.1), reading(0.1, 0.4)
    ('zero is inside: no difference shown', 'below zero: harm', 'above zero: help')
    """
    if low > 0:
        return "above zero: help"
    return "below zero: harm" if high < 0 else "zero is inside: no difference shown"


def largest_harm(low: float) -> str:
    """Return the largest harm, in percentage points, that fits an interval with this lower bound.

    Examples
    --------
    >>> largest_harm(-0.52), largest_harm(0.2)
    ('0.52 points', 'none')
    """
    return f"{-low:.2f} points" if low < 0 else "none"


def chosen_pairs(pairs: int, draws: int = 10_000, seed: int = 0) -> NDArray[np.int64]:
    """Return the numbers of the pairs of each bootstrap sample: (draws, pairs)."""
    return np.random.default_rng(seed).integers(0, pairs, (draws, pairs))


def bounds_without_effect(pairs: int, studies: int = 2000, draws: int = 2000, seed: int = 0) -> NDArray[np.float64]:
    """Return the intervals of made-up studies in which the two networks are equally good: (studies, 2).

    The differences of each study are drawn from a normal distribution of mean 0 and standard deviation 1.
    """
    rng = np.random.default_rng(seed)
    differences = rng.normal(size=(studies, pairs))
    chosen = rng.integers(0, pairs, (draws, pairs))
    # How often each pair is in each sample; one product with these counts gives the means of all studies.
    counts = (chosen[:, :, None] == np.arange(pairs)).sum(axis=1)  # (draws, pairs)
    means = differences @ counts.T / pairs  # (studies, draws)
    return np.quantile(means, [0.025, 0.975], axis=1).T


def power_row(pairs: int, spread: float) -> dict[str, object]:
    """Return, for a number of pairs, the harm that 8 of 10 studies show and the share of false alarms."""
    bounds = bounds_without_effect(pairs)
    alarms = (bounds[:, 0] > 0) | (bounds[:, 1] < 0)
    return {
        "pairs": pairs,
        "8 of 10 studies show a harm of": f"{spread * np.quantile(bounds[:, 1], 0.8):.2f} points",
        "no harm, and yet zero is outside": f"{100 * alarms.mean():.0f} %",
    }


def unchanged(records: Sequence[Record]) -> list[Record]:
    """Return the runs of image classification with the settings of their preset: of the preset "full", or all."""
    experiment = experiments.get(NAME)
    runs = [r for r in records if r["experiment"] == NAME and not experiment.differences(r)]
    full = [r for r in runs if r["preset"] == "full"]
    return full or runs


@dataclass(frozen=True, eq=False)
class StudyPairs:
    """The accuracies of two networks on the seeds that both have.

    Attributes
    ----------
    networks : str
        Such as "CoordConv minus convolution".
    measured : str
        On which images and at which positions: "shifted, at new positions".
    a, b : ndarray of float64, (pairs,)
        Accuracies of the first and of the second network, from 0 to 1.
    """

    networks: str
    measured: str
    a: NDArray[np.float64]
    b: NDArray[np.float64]

    @property
    def differences(self) -> NDArray[np.float64]:
        """The differences a minus b, in percentage points."""
        return 100 * (self.a - self.b)


def study_pairs(runs: Sequence[Record]) -> list[StudyPairs]:
    """Return the pairs of all comparisons of the experiment that have at least two, in the order of its figures."""
    found = []
    for variant, metric, (model, other) in product(VARIANTS, WORDS, PAIRS):
        compared = compare(runs, model, other, variant, metric)
        if compared is None or len(compared.seeds) < 2:
            continue
        of = {
            (r["model"], r["seed"]): r["metrics"][metric]
            for r in runs
            if (r["variant"], r["preset"]) == (variant, compared.preset)
        }
        a, b = (np.array([of[name, seed] for seed in compared.seeds], np.float64) for name in (model, other))
        networks = f"{model_name(model)} minus {model_name(other)}"
        found.append(StudyPairs(networks, f"{variant}, {WORDS[metric]}", a, b))
    return found
