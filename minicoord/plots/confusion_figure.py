"""Which classes a classifier takes for which, and what another network changes about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.style import check_models, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_whole
from minicoord.system.arrays import check_room


@check_types
def confusion_counts(labels: NDArray, predicted: NDArray, classes: int) -> NDArray[np.int64]:
    """Return how many samples of each class were taken for each class: (classes, classes), the true one in rows.

    Raises
    ------
    ValueError
        If the arrays are not (n,) of whole numbers from 0 to below `classes`.

    Examples
    --------
    >>> confusion_counts(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
    array([[1, 1],
           [0, 1]])
    """
    check_whole("confusion_counts: classes", classes, 1)
    check_room("confusion_counts: the counts", (classes, classes), np.int64)
    for name, array in (("labels", labels), ("predicted", predicted)):
        if array.ndim != 1 or array.shape != labels.shape or array.dtype.kind not in "iu":
            given = f"shape {array.shape} and dtype {array.dtype}"
            raise ValueError(f"confusion_counts: {name} has {given}, wanted whole numbers (n,), as many as labels")
        if array.size and not 0 <= array.min() <= array.max() < classes:
            ends = f"{array.min()} to {array.max()}"
            raise ValueError(f"confusion_counts: {name} go from {ends}, wanted 0 to {int(classes) - 1}")
    pairs = labels.astype(np.int64) * int(classes) + predicted.astype(np.int64)  # (n,)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


@styled
@check_types
def confusion_figure(counts: Mapping[str, NDArray], classes: Sequence[str], title: str = "") -> Figure:
    """Draw a confusion matrix for each model, and what the last model has more or less than the first.

    Parameters
    ----------
    counts : dict of ndarray (classes, classes)
        For each model, as `confusion_counts` returns it, or a sum of such.
    classes : sequence of str
        The name of each class.
    title : str
        Title of the figure.

    Returns
    -------
    matplotlib.figure.Figure
        Numbers are shares of the true class in percent, rounded; of a difference, percentage points. Shares below half
        a percent are left out.

    Raises
    ------
    ValueError
        If `counts` is empty, or a matrix does not fit the classes.
    """
    models = check_models(counts, "confusion_figure: counts")
    shares = {}
    for model in models:
        matrix = np.asarray(counts[model], np.float64)
        if matrix.shape != (len(classes), len(classes)):
            raise ValueError(f"confusion_figure: {model} has shape {matrix.shape}, wanted {(len(classes),) * 2}")
        shares[model] = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)  # rows sum to 100
    panels = len(models) + (len(models) > 1)
    figure = new_figure(1.2 + 3.5 * panels, 4.4)
    figure.suptitle(title)
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for ax, model in zip(axes, models, strict=False):
        _draw(ax, shares[model], classes, "Blues", (0.0, 100.0))
        ax.set_title(f"{model_name(model)}: {np.diag(shares[model]).mean():.1f} % right")
    if len(models) > 1:
        first, last = models[0], models[-1]
        difference = shares[last] - shares[first]
        most = max(1.0, float(np.abs(difference).max()))
        _draw(axes[-1], difference, classes, "RdBu", (-most, most), signed=True)
        axes[-1].set_title(f"{model_name(last)} minus {model_name(first)}")
    axes[0].set_ylabel("true class")
    for ax in axes[1:]:
        ax.set_yticklabels([])
    return figure


def _draw(
    ax: Axes, shares: NDArray, classes: Sequence[str], colours: str, bounds: tuple[float, float], signed: bool = False
) -> None:
    low, high = bounds
    ax.imshow(shares, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    places = range(len(classes))
    ax.set_xticks(places, labels=list(classes), rotation=90)
    ax.set_yticks(places, labels=list(classes))
    ax.tick_params(length=0)
    ax.set_xlabel("predicted class")
    for (row, column), share in np.ndenumerate(shares):
        if abs(share) > 0.5:
            is_dark = share > 0.6 * high or (signed and share < 0.6 * low)
            text = f"{share:+.0f}" if signed else f"{share:.0f}"
            colour = "white" if is_dark else "black"
            ax.text(column, row, text, ha="center", va="center", fontsize=6, color=colour)
