"""Where agents go."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.style import check_models, label_pixel_axes, model_name, new_figure, show_image, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown


@styled
@check_types
def visit_maps(maps: Mapping[str, Mapping[str, NDArray]], game: str) -> Figure:
    """Draw the share of the time that an agent spends at each pixel while it plays.

    Parameters
    ----------
    maps : dict of dict of ndarray
        For each network ``visits`` (H, W), shares from 0 to 1.
    game : str
        The name of the game, for the title.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each network, on one scale from 0 to the largest share.

    Raises
    ------
    ValueError
        If `maps` is empty, visits are not as above, or no network has any: some games do not show where the agent is.
    """
    models = check_models(maps, "visit_maps: maps")
    for model in models:
        _check(f"visit_maps: maps[{shown(model)}]", maps[model])
    models = [model for model in models if maps[model]["visits"].size]
    if not models:
        raise ValueError(
            f"visit_maps: no picture of {shown(game)[1:-1]} shows where the agent is, wanted a game that does"
        )
    largest = max(float(maps[model]["visits"].max()) for model in models)
    figure = new_figure(1.2 + 2.6 * len(models), 3.3)
    figure.suptitle(f"{game}: where the agent is while it plays")
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    drawn = None
    for k, (ax, model) in enumerate(zip(panels, models, strict=True)):
        drawn = show_image(ax, 100 * maps[model]["visits"], "cividis", 0, 100 * max(largest, 1e-9))
        ax.set_title(model_name(model))
        label_pixel_axes(ax, x=True, y=k == 0)
    if drawn is not None:
        figure.colorbar(drawn, ax=list(panels), label="time (%)", shrink=0.8)
    return figure


def _check(what: str, arrays: Mapping[str, NDArray]) -> None:
    """Raise ValueError unless there are visits: shares (H, W), or an empty array."""
    if "visits" not in arrays:
        raise ValueError(f"{what} has no 'visits', wanted the share of the time at each pixel")
    visits = arrays["visits"]
    if visits.size and (visits.ndim != 2 or not 0 <= visits.min() <= visits.max() <= 1):
        raise ValueError(f"{what}['visits'] is {shown(visits)}, wanted (H, W) with shares from 0 to 1")
