"""Where on the canvas detectors miss digits."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from minicoord.plots.box_panels import MapsByModel
from minicoord.plots.inputs import check_arrays, check_size
from minicoord.plots.style import check_models, label_pixel_axes, model_name, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown

CELL = 8  # pixels: side of the squares over which digits are counted
FOUND = 0.5  # IOU from which on a kept box finds a digit


@styled
@check_types
def missed_digits(maps: MapsByModel, padding: str, canvas: int = 64) -> Figure:
    """Draw the share of digits that no kept box meets with an IOU of .5, by the place of their centre.

    Parameters
    ----------
    maps : dict of dict of ndarray
        For each network ``centres`` (N, D, 2), row and column of the centres of the digits in pixels, and ``best``
        (N, D), the IOU of each with the best kept box.
    padding : str
        The padding of the networks, for the title.
    canvas : int
        Side of the images in pixels.

    Returns
    -------
    matplotlib.figure.Figure
        A panel for each network, on one scale from 0 to the largest share. Squares of 8 x 8 pixels without a digit are
        grey.

    Raises
    ------
    ValueError
        If `maps` is empty, an array is missing or of another shape, or a centre lies beyond the canvas.
    """
    models = check_models(maps, "missed_digits: maps")
    check_size("missed_digits: canvas", canvas)
    for model in models:
        check_arrays(f"missed_digits: maps[{model!r}]", maps[model], {"centres": ("N", "D", 2), "best": ("N", "D")})
        centres = np.asarray(maps[model]["centres"], np.float64)
        if not ((centres >= 0) & (centres <= canvas)).all():  # float16, as in records, rounds 63.99 to 64
            raise ValueError(f"missed_digits: a centre of {shown(model)} lies beyond the canvas, wanted 0 to {canvas}")
    shares = {model: missed_share(maps[model]["centres"], maps[model]["best"], canvas) for model in models}
    seen = np.concatenate([share[np.isfinite(share)] for share in shares.values()])
    largest = max(float(seen.max()), 0.01) if len(seen) else 0.01
    figure = new_figure(1.2 + 2.7 * len(models), 3.4)
    figure.suptitle(f'digits without a kept box at IOU .5, padding "{padding}"')
    panels = figure.subplots(1, len(models), squeeze=False)[0]
    for k, (ax, model) in enumerate(zip(panels, models, strict=True)):
        ax.set_facecolor("0.85")  # shows through where there is no digit
        ax.imshow(
            100 * np.ma.masked_invalid(shares[model]),
            cmap="cividis",
            vmin=0,
            vmax=100 * largest,
            interpolation="nearest",
            extent=(-0.5, canvas - 0.5, canvas - 0.5, -0.5),
        )
        ax.set(xticks=(0, canvas - 1), yticks=(0, canvas - 1))
        missed = 100 * float(np.mean(np.asarray(maps[model]["best"]) < FOUND))
        ax.set_title(f"{model_name(model)}: {missed:.1f} %")
        label_pixel_axes(ax, x=True, y=k == 0)
    figure.colorbar(panels[0].images[0], ax=list(panels), label="missed (%)", shrink=0.8)
    return figure


def missed_share(centres: NDArray, best: NDArray, canvas: int) -> NDArray[np.float64]:
    """Return the share of digits with `best` below .5 in each square of the canvas, rows from the top.

    Parameters
    ----------
    centres : ndarray (N, D, 2)
        Row and column of each digit, in pixels, 0 to `canvas`.
    best : ndarray (N, D)
    canvas : int
        Side of the images in pixels.

    Returns
    -------
    ndarray (cells, cells)
        NaN where there is no digit.
    """
    cells = -(-canvas // CELL)
    place = (np.asarray(centres, np.float64).reshape(-1, 2) // CELL).astype(int).clip(max=cells - 1)  # (N * D, 2)
    cell = place[:, 0] * cells + place[:, 1]  # (N * D,)
    digits = np.bincount(cell, minlength=cells * cells)
    missed = np.bincount(cell, np.asarray(best).reshape(-1) < FOUND, minlength=cells * cells)
    with np.errstate(invalid="ignore"):
        return (missed / digits).reshape(cells, cells)
