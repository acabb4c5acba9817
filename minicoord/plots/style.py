"""What all figures share: colours, fonts, names of models, black-to-white images, and saving."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ParamSpec

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from minicoord.system.argument_types import check_types
from minicoord.system.arguments import shown
from minicoord.system.files import write_atomically
from minicoord.system.places import make_folder

# Okabe and Ito's palette: colours that people with any kind of colour vision can tell apart.
BLACK = "#000000"
ORANGE = "#E69F00"
SKY_BLUE = "#56B4E9"
GREEN = "#009E73"
BLUE = "#0072B2"
VERMILLION = "#D55E00"
PURPLE = "#CC79A7"

MODEL_COLOURS = {
    "truth": BLACK,
    "conv": VERMILLION,
    "conv-no-bn": ORANGE,
    "conv-fc": VERMILLION,
    "conv-full": ORANGE,
    "coordconv": BLUE,
    "control": GREEN,
    "conv-pool": VERMILLION,
    "conv-dense": ORANGE,
    "coordconv-pool": BLUE,
    "coordconv-dense": SKY_BLUE,
}
OTHER_COLOURS = (GREEN, PURPLE, SKY_BLUE)
REFERENCE_LINE: dict[str, Any] = {"color": "0.35", "linewidth": 1.2, "linestyle": (0, (1, 1.5))}
"""The look of a line at a number that the paper reports."""

PARTS = ("train", "test")
"""The parts of a split, in the order of panels."""

MODEL_NAMES = {
    "truth": "truth",
    "conv": "convolution",
    "conv-no-bn": "convolution without batch norm",
    "conv-fc": "conv + FC",
    "conv-full": "fully convolutional",
    "coordconv": "CoordConv",
    "control": "zero coordinates",
    "coordconv-relu": "CoordConv, ReLU",
    "coordconv-mean": "CoordConv, mean",
    "coordconv-relu-mean": "CoordConv, ReLU, mean",
    "coordconv-image": "CoordConv, image",
    "coordconv-features": "CoordConv, features",
    "coordconv-boxes": "CoordConv, boxes",
    "conv-pool": "convolution, pooling",
    "conv-dense": "convolution, dense",
    "coordconv-pool": "CoordConv, pooling",
    "coordconv-dense": "CoordConv, dense",
    "coordconv-r-pool": "CoordConv with r, pooling",
    "coordconv-r-dense": "CoordConv with r, dense",
    "coordconv-g": "CoordConv in G",
    "coordconv-d": "CoordConv in D",
}

RC: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 9.0,
    "axes.titlesize": 9.0,
    "axes.labelsize": 9.0,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.5,
    "figure.titlesize": 10.5,
    "figure.facecolor": "white",
    "axes.facecolor": "white",
    "savefig.facecolor": "auto",
    "text.color": "black",
    "axes.edgecolor": "#404040",
    "axes.labelcolor": "black",
    "xtick.color": "black",
    "ytick.color": "black",
    "axes.linewidth": 0.8,
    "axes.spines.top": True,
    "axes.spines.right": True,
    "axes.grid": False,
}

Arguments = ParamSpec("Arguments")


class NotebookFigure(Figure):
    """A figure that a notebook displays even if pyplot was never imported."""

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png")
        return picture.getvalue()


def styled(draw: Callable[Arguments, Figure]) -> Callable[Arguments, Figure]:
    """Run `draw` with the settings of this file, whatever style the user has set, and leave that style unchanged."""

    @functools.wraps(draw)
    def wrapped(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Figure:
        with matplotlib.rc_context(RC):
            return draw(*args, **kwargs)

    return wrapped


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of `width` x `height` inches that lays out its panels without overlap."""
    figure = NotebookFigure(figsize=(width, height), layout="constrained", dpi=100)
    FigureCanvasAgg(figure)
    return figure


def model_name(model: str) -> str:
    """Return the name of a model as figures show it, such as "CoordConv" for "coordconv"."""
    return MODEL_NAMES.get(model, model)


def order_models(models: Iterable[str]) -> list[str]:
    """Return each model once: those of the paper first, from convolution to CoordConv, then the others as given."""
    found = list(dict.fromkeys(models))
    return [model for model in MODEL_COLOURS if model in found] + [m for m in found if m not in MODEL_COLOURS]


def check_models(models: Iterable[str], what: str) -> list[str]:
    """Return each model once as `order_models` does, or raise ValueError naming `what` if there are none."""
    found = order_models(models)
    if not found:
        raise ValueError(f"{what} is empty, wanted at least one model")
    return found


def model_colours(models: list[str]) -> dict[str, str]:
    """Return one colour per model; the models of the paper have the same colour in every figure."""
    others = [model for model in models if model not in MODEL_COLOURS]
    colours = {model: OTHER_COLOURS[k % len(OTHER_COLOURS)] for k, model in enumerate(others)}
    return {model: MODEL_COLOURS.get(model) or colours[model] for model in models}


def show_black_to_white(ax: Axes, image: NDArray) -> float:
    """Draw an image (H, W) with 0 black and its largest value white; return that value.

    Values that are not finite are painted vermillion, because any grey could be mistaken for data.
    """
    image = np.asarray(image, dtype=np.float64)
    finite = image[np.isfinite(image)]
    largest = float(finite.max()) if finite.size else 0.0
    show_image(ax, image, "gray", 0.0, largest if largest > 0 else 1.0)
    return largest


def show_image(
    ax: Axes, image: NDArray, colour_map: str, low: float, high: float, corner: tuple[int, int] = (0, 0)
) -> AxesImage:
    """Draw an image (H, W), whose first pixel is (x, y) = `corner`, without smoothing, axes in pixels."""
    cmap = matplotlib.colormaps[colour_map].with_extremes(bad=VERMILLION)
    (x, y), (height, width) = corner, image.shape
    extent = (x - 0.5, x + width - 0.5, y + height - 0.5, y - 0.5)
    drawn = ax.imshow(image, cmap=cmap, vmin=low, vmax=high, interpolation="nearest", extent=extent)
    ax.set_xticks(sorted({x, x + width - 1}))
    ax.set_yticks(sorted({y, y + height - 1}))
    return drawn


def label_pixel_axes(ax: Axes, x: bool, y: bool) -> None:
    """Label the axes of an image panel: with a name where `x` or `y` is true, elsewhere without numbers."""
    if x:
        ax.set_xlabel("x (pixels)", labelpad=-4)
    else:
        ax.set_xticklabels([])
    if y:
        ax.set_ylabel("y (pixels)", labelpad=-4)
    else:
        ax.set_yticklabels([])


def check_image(image: object, what: str) -> NDArray:
    """Return `image` as an array with two axes, or raise ValueError naming `what`."""
    array = np.asarray(image)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"{what} has shape {array.shape}, wanted (H, W)")
    return array


@check_types
def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a figure to a PNG file at 150 dots per inch.

    The file is written under a temporary name and then renamed, so `path` never holds half a picture. Missing folders
    are created.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    path : str or path
        The file to write; its name must end in ``.png``.

    Returns
    -------
    pathlib.Path
        The path of the picture.

    Raises
    ------
    ValueError
        If the name does not end in ``.png``.
    """
    path = Path(path)
    if path.suffix.lower() != ".png":
        raise ValueError(f"save_figure: the file is named {shown(path.name)}, wanted a name that ends in .png")
    make_folder(path.parent)
    with write_atomically(path) as file:
        figure.savefig(file, format="png", dpi=150)
    return path
