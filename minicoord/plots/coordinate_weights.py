"""What becomes of the coordinate weights in the first layer of agents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.style import check_models, model_colours, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import check_whole, shown

COORDINATES = ("i", "j", "r")


@styled
@check_types
def coordinate_weights(weights: Mapping[str, Sequence[tuple[NDArray, NDArray]]], channels: int, game: str) -> Figure:
    """Draw the norm of the weights on each channel of the first layer, before and after training.

    Parameters
    ----------
    weights : dict of list of (ndarray, ndarray)
        For each network and run, the weights before and after training (kh, kw, channels, outputs), where those of the
        coordinates come last.
    channels : int
        Channels of the pictures, without the coordinates.
    game : str
        The name of the game, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each network, with a line for each run and channel from the Euclidean norm before to that after.

    Raises
    ------
    ValueError
        If there is no network, one has no run, or weights have fewer channels than the pictures, or not the same number
        in all runs of a network.
    """
    models = check_models(weights, "coordinate_weights: weights")
    check_whole("coordinate_weights: channels", channels, 1)
    for model in models:
        _check(f"coordinate_weights: {shown(model)[1:-1]}", weights[model], channels)
    colours = model_colours(models)
    figure = new_figure(1.0 + 2.3 * len(models), 3.1)
    figure.suptitle(f"{game}\nweights of the first layer")
    panels = figure.subplots(1, len(models), squeeze=False, sharey=True)[0]
    for ax, model in zip(panels, models, strict=True):
        for before, after in weights[model]:
            norms = [np.sqrt(np.square(w.astype(np.float64)).sum(axis=(0, 1, 3))) for w in (before, after)]  # (c,)
            for k, (start, end) in enumerate(zip(*norms, strict=True)):
                ax.plot([k - 0.25, k + 0.25], [start, end], color=colours[model], linewidth=1, marker="o", markersize=3)
        names = [*(str(k + 1) for k in range(channels)), *COORDINATES]
        count = weights[model][0][0].shape[2]
        ax.set_xticks(range(count), labels=names[:count])
        ax.set(title=model_name(model), xlabel="channel", xlim=(-0.6, count - 0.4))
        ax.grid(axis="y", color="0.92", linewidth=0.6)
    panels[0].set(ylabel="norm, before to after training", ylim=(0, 1.05 * panels[0].get_ylim()[1]))
    return figure


def _check(what: str, pairs: Sequence[tuple[NDArray, NDArray]], channels: int) -> None:
    """Raise ValueError unless there are weights, all of the same number of channels, at least so many."""
    if not pairs:
        raise ValueError(f"{what} has no run, wanted at least one")
    most, counts = channels + len(COORDINATES), set()
    for array in (array for pair in pairs for array in pair):
        if array.ndim != 4 or not channels <= array.shape[2] <= most:
            wanted = f"(kh, kw, c, outputs) with {channels} to {most} channels"
            raise ValueError(f"{what} has weights {array.shape}, wanted {wanted}")
        counts.add(array.shape[2])
    if len(counts) > 1:
        raise ValueError(f"{what} has weights of {sorted(counts)} channels, wanted the same number in all")
