"""The authors' blog figures 5 and 9: softmax and logits around three neighbouring pixels, one network or two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from minicoord.nn.losses import softmax
from minicoord.plots.close_up import colour_bar, frame_target, place_of_largest, window_around, write_probabilities
from minicoord.plots.style import model_name, new_figure, order_models, show_image, styled
from minicoord.system.argument_types import check_types

Pixel = tuple[int, int]


@styled
@check_types
def neighbour_zoom(
    logits: Mapping[str, NDArray], targets: Sequence[Pixel], labels: Sequence[str], half: int = 4
) -> Figure:
    """Draw a column for each pixel that a network should have found: for each network its softmax and its logits.

    Parameters
    ----------
    logits : dict of ndarray, shape (k, H, W)
        For each model the logits for the k samples.
    targets : sequence of (int, int)
        The pixels of the samples as (x, y): column, row.
    labels : sequence of str
        The title of each sample, such as "train pixel, learned".
    half : int
        A window reaches this many pixels from its target to each side, less at the border.

    Returns
    -------
    matplotlib.figure.Figure
        The target is framed in orange. Probabilities of .01 and more are written into their pixels. The logits of a
        network share one scale in all its windows.

    Raises
    ------
    ValueError
        If there is no model, or the numbers of samples differ.
    """
    models = order_models(logits)
    samples = [len(logits[model]) for model in models]
    if not models or len({len(targets), len(labels), *samples}) != 1:
        raise ValueError(
            f"neighbour_zoom: {len(targets)} targets, {len(labels)} labels and logits of "
            f"{', '.join(map(str, samples)) or 'no'} samples were given, wanted the same number of each"
        )
    figure = new_figure(0.9 + 2.75 * len(targets), 0.5 + 4.8 * len(models))
    panels = figure.subplots(2 * len(models), len(targets), squeeze=False)
    for k, model in enumerate(models):
        _draw_softmax(panels[2 * k], model, logits[model], targets, half)
        _draw_logits(panels[2 * k + 1], model, logits[model], targets, half)
    for ax, label, target in zip(panels[0], labels, targets, strict=True):
        ax.set_title(f"{label}\n(x, y) = ({target[0]}, {target[1]})\n{ax.get_title()}")
    for ax in panels[:, 1:].flat:
        ax.set_ylabel("")
    for ax in panels[:-1].flat:
        ax.set_xlabel("")
    return figure


def _draw_softmax(panels: NDArray, model: str, logits: NDArray, targets: Sequence[Pixel], half: int) -> None:
    probabilities = softmax(np.asarray(logits, np.float32)[..., None])[..., 0]
    for ax, image, target in zip(panels, probabilities, targets, strict=True):
        window, corner = window_around(image, target, half)
        shown = show_image(ax, window, "gray", 0.0, 1.0, corner)
        frame_target(ax, target)
        write_probabilities(ax, window, corner, fontsize=6.5)
        ax.set_title(_found(image, target))
    _finish_row(panels, f"{model_name(model)}: softmax", shown, "probability")


def _draw_logits(panels: NDArray, model: str, logits: NDArray, targets: Sequence[Pixel], half: int) -> None:
    windows = [window_around(image, target, half) for image, target in zip(logits, targets, strict=True)]
    low = min(float(np.min(window)) for window, _ in windows)
    high = max(float(np.max(window)) for window, _ in windows)
    for ax, (window, corner), target in zip(panels, windows, targets, strict=True):
        shown = show_image(ax, np.asarray(window, np.float64), "cividis", low, max(high, low + 1e-6), corner)
        frame_target(ax, target)
    _finish_row(panels, f"{model_name(model)}: logits", shown, "logit")


def _found(probabilities: NDArray, target: Pixel) -> str:
    """Return in words whether the largest probability is at the target, and if not, where it is."""
    x, y = place_of_largest(probabilities)
    largest = probabilities[y, x]
    return f"right, with {largest:.2f}" if (x, y) == target else f"wrong: {largest:.2f} at ({x}, {y})"


def _finish_row(panels: NDArray, name: str, shown: AxesImage, label: str) -> None:
    """Write the name of the row on its left, and draw one colour bar on its right."""
    colour_bar(panels[-1], shown, label, width=0.05)
    first: Axes = panels[0]
    first.text(-0.3, 0.5, name, transform=first.transAxes, rotation=90, ha="right", va="center", fontweight="bold")
