"""The figures of lesson 02: a sliding window, the rows it makes, one product, and what moves with the image."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.plots.style import BLUE, GREEN, ORANGE, SKY_BLUE, VERMILLION, new_figure, show_image, styled

LETTER = np.array(
    [
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 1, 1, 1, 0, 0, 0, 0],
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
    ],
    dtype=np.float64,
)
"""An image of 6 x 8 pixels without any symmetry: a letter F."""

DIFFERENCES = "PuOr"


def frame(ax: Axes, row: float, column: float, height: float, width: float, colour: str = ORANGE) -> None:
    """Draw a frame around pixels of an image."""
    corner = column - 0.5, row - 0.5
    look = {"edgecolor": colour, "linewidth": 2.2, "zorder": 3}  # above the panel's own edge
    ax.add_patch(Rectangle(corner, width, height, fill=False, clip_on=False, **look))


def numbers(ax: Axes, values: NDArray, size: float = 8, light_from: float = np.inf) -> None:
    """Write a number into each pixel, white where its magnitude is at least `light_from`; NaN stays empty."""
    for (i, j), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if abs(value) >= light_from else "black"
            ax.text(
                j,
                i,
                f"{value + 0.0:g}".replace("-", "\N{MINUS SIGN}"),
                ha="center",
                va="center",
                fontsize=size,
                color=colour,
            )


def _signed(ax: Axes, values: NDArray, title: str, limit: float = 4.0) -> None:
    show_image(ax, np.nan_to_num(values), DIFFERENCES, -limit, limit)
    numbers(ax, values, light_from=0.75 * limit)
    ax.set(title=title, xticks=[], yticks=[])


@styled
def window_at(x: NDArray, w: NDArray, y: NDArray, position: int) -> Figure:
    """Draw one window position: the image (h, w), the kernel (k, k), their products, and the output so far.

    Parameters
    ----------
    position : int
        Number of the window position, row by row; `y` is shown up to there.
    """
    k = len(w)
    i, j = divmod(position, y.shape[1])
    so_far = np.where(np.arange(y.size).reshape(y.shape) <= position, y, np.nan)
    products = x[i : i + k, j : j + k] * w + 0.0  # so that no -0 is written
    figure = new_figure(9, 2.7)
    shapes = (x, w, products, so_far)
    panels = figure.subplots(1, 4, width_ratios=[a.shape[1] for a in shapes])
    titles = "the image", "the kernel", "their products", "the output so far"
    for ax, values, title in zip(panels, shapes, titles, strict=True):
        _signed(ax, values, title)
    frame(panels[0], i, j, k, k)
    frame(panels[2], 0, 0, k, k)
    frame(panels[3], i, j, 1, 1)
    panels[2].set_xlabel(f"sum: {products.sum():g}")
    panels[3].set_xlabel(f"row {i}, column {j}: {y[i, j]:g}")
    figure.set_label(
        f"An image with the window at row {i}, column {j}, the kernel, the products, and the output, there {y[i, j]:g}"
    )
    return figure


@styled
def positions_on_an_axis(n: int, k: int, stride: int, pad: int) -> Figure:
    """Draw an axis of n pixels with its padding, and below it every position of a window of k pixels."""
    positions = max((n + 2 * pad - k) // stride + 1, 0)
    figure = new_figure(9, 0.9 + 0.26 * max(positions, 1))
    ax = figure.subplots()
    for p in range(-pad, n + pad):
        inside = 0 <= p < n
        ax.add_patch(Rectangle((p, 0), 1, 1, facecolor=SKY_BLUE if inside else "white", edgecolor="0.3", linewidth=0.8))
        ax.text(p + 0.5, 0.5, str(p) if inside else "0", ha="center", va="center", color="black" if inside else "0.5")
    for number in range(positions):
        start = number * stride - pad
        ax.add_patch(Rectangle((start, -number - 1.05), k, 0.7, facecolor=ORANGE, edgecolor="none"))
        ax.text(start - 0.3, -number - 0.7, f"position {number}", ha="right", va="center", fontsize=8)
    left = (n - 1) + pad - ((positions - 1) * stride + k - 1 - pad) if positions else n
    rest = "no pixel left over" if left == 0 else f"{left} left over at the end"
    count = "1 position" if positions == 1 else f"{positions} positions"
    title = f"{n} pixels, window of {k}, stride {stride}, padding {pad}: {count}, {rest}"
    ax.set(xlim=(-pad - 3.0, n + pad + 0.3), ylim=(-max(positions, 1) - 0.3, 1.2), title=title)
    ax.axis("off")
    figure.set_label(f"{title}. The positions are drawn one below the other.")
    return figure


@styled
def row_of_a_position(x: NDArray, cols: NDArray, k: int, position: int) -> Figure:
    """Draw a window on a one-channel image (h, w), the im2col matrix, and the row that this window becomes."""
    out_w = x.shape[1] - k + 1
    i, j = divmod(position, out_w)
    figure = new_figure(9, 4.2)
    image, matrix = figure.subplots(1, 2, width_ratios=(1.5, 1))
    show_image(image, x, "Blues", 0, 2.5)
    numbers(image, x)
    frame(image, i, j, k, k)
    image.set(title=f"the window at row {i}, column {j}", xticks=[], yticks=[])
    show_image(matrix, cols, "Blues", 0, 2.5)
    frame(matrix, position, 0, 1, cols.shape[1])
    matrix.set(
        title="the matrix of im2col", aspect="auto", xlabel="pixel of the window", ylabel="position of the window",
        xticks=range(k * k), xticklabels=[f"{a},{b}" for a in range(k) for b in range(k)],
    )  # fmt: skip
    matrix.tick_params(axis="x", labelsize=7)
    values = "  ".join(f"{value:g}" for value in cols[position])
    image.set_xlabel(f"row {position} of the matrix:  {values}", color="black", fontsize=10, labelpad=8)
    figure.set_label(
        f"The window at row {i}, column {j} of an image, and the matrix in which it is row {position}: {values}"
    )
    return figure


@styled
def rows_so_far(x: NDArray, k: int, done: int) -> Figure:
    """Draw how im2col fills its matrix: a one-channel image (h, w), and the rows of the first `done` windows (k, k)."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (k, k))
    positions, (height, width) = windows.shape[:2], x.shape
    rows = windows.reshape(-1, k * k)
    so_far = np.where(np.arange(len(rows))[:, None] < done, rows, np.nan)
    figure = new_figure(8, 0.9 + 0.34 * max(height, len(rows)))
    image, matrix = figure.subplots(1, 2, width_ratios=(width, k * k))
    for ax, values in ((image, x), (matrix, so_far)):
        show_image(ax, np.nan_to_num(values), "Blues", 0, 2.5 * float(x.max()))
        numbers(ax, values)
        ax.set(xticks=[], yticks=[])
    image.set_title("the image and the window")
    matrix.set_title(f"the matrix of im2col: {done} of {len(rows)} rows")
    if done:
        i, j = np.unravel_index(done - 1, positions)
        frame(image, float(i), float(j), k, k)
        frame(matrix, done - 1, 0, 1, k * k)
    return figure


@styled
def one_product(cols: NDArray, weights: NDArray, y: NDArray) -> Figure:
    """Draw three matrices as a product: rows of pixels, kernels as columns, outputs; one row of it framed."""
    figure = new_figure(9, 4.2)
    panels = figure.subplots(1, 3, width_ratios=(cols.shape[1], 2 * weights.shape[1], 2 * y.shape[1]))
    limit = float(max(np.abs(a).max() for a in (cols, weights, y)))
    titles = f"cols {cols.shape}", f"w {weights.shape}", f"y {y.shape}"
    for ax, values, title in zip(panels, (cols, weights, y), titles, strict=True):
        show_image(ax, values, DIFFERENCES, -limit, limit)
        ax.set(title=title, aspect="auto", xticks=[], yticks=[])
    row, column = len(cols) // 3, y.shape[1] - 1
    frame(panels[0], row, 0, 1, cols.shape[1])
    frame(panels[1], 0, column, len(weights), 1, BLUE)
    frame(panels[2], row, column, 1, 1, GREEN)
    panels[0].set(ylabel="positions of the window", xlabel="pixels of the window")
    panels[1].set(xlabel="channels out")
    panels[2].set(xlabel="channels out")
    for ax, sign in zip(panels[1:], ("@", "="), strict=True):
        ax.annotate(
            sign,
            (0, 0.5),
            xytext=(-30, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            fontsize=15,
            va="center",
        )
    return figure


@styled
def pictures(images: Mapping[str, NDArray], difference: str = "", height: float = 2.3) -> Figure:
    """Draw images (h, w) in one row on a shared grey scale; the one named `difference` in colours around zero."""
    figure = new_figure(9, height)
    panels = figure.subplots(1, len(images), squeeze=False)[0]
    plain = [image for name, image in images.items() if name != difference]
    low, high = min(float(image.min()) for image in plain), max(float(image.max()) for image in plain)
    for ax, (name, image) in zip(panels, images.items(), strict=True):
        if name == difference:
            limit = max(high - low, 1e-9) / 2
            show_image(ax, image, DIFFERENCES, -limit, limit)
            ax.set_xlabel(f"largest: {np.abs(image).max():.2g}")
        else:
            show_image(ax, image, "gray", low, high)
        ax.set(title=name, xticks=[], yticks=[])
    return figure


@styled
def seconds_as_bars(seconds: Mapping[str, float]) -> Figure:
    """Draw times as bars on a logarithmic scale, each labelled with its speed-up over the first."""
    figure = new_figure(8, 0.8 + 0.42 * len(seconds))
    ax = figure.subplots()
    first = next(iter(seconds.values()))
    for k, time in enumerate(seconds.values()):
        ax.barh(k, 1000 * time, color=VERMILLION if k == 0 else BLUE, height=0.6)
        ms = f"{1000 * time:.3g}" if time < 0.9995 else f"{1000 * time:,.0f}"
        text = f"{ms} ms" + (f", {first / time:.2g} times as fast" if k and first / time < 99.5 else "")
        if k and first / time >= 99.5:
            text += f", {float(f'{first / time:.2g}'):,.0f} times as fast"
        ax.text(1000 * time * 1.15, k, text, va="center")
    ax.set(xscale="log", yticks=range(len(seconds)), yticklabels=list(seconds), xlabel="milliseconds (logarithmic)")
    ax.set_xlim(right=1000 * first * 12)
    ax.invert_yaxis()
    return figure


@styled
def border_creeps_in(layers: Mapping[int, NDArray]) -> Figure:
    """Draw what convolutions make of an image that is 1 everywhere: where the output still has its value inside."""
    figure = new_figure(9, 2.5)
    panels = figure.subplots(1, len(layers), squeeze=False)[0]
    for ax, (count, image) in zip(panels, layers.items(), strict=True):
        drawn = show_image(ax, image, "cividis", 0, 1)
        ax.set(title=f"after {count} layer{'s' if count > 1 else ''}", xlabel="column (pixels)")
    panels[0].set_ylabel("row (pixels)")
    figure.colorbar(drawn, ax=panels, label="output", shrink=0.8)
    return figure
