"""The picture of a wrong result: what was expected, what the function returned, and the difference."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.learn.lessons.page import picture_html
from minicoord.plots.style import new_figure, show_image, styled

MAX_ROWS, MAX_COLUMNS = 40, 80
MAX_PRINTED = 12  # rows and columns in which every number is printed
CELL_INCHES = 0.44


def difference_html(expected: Any, got: Any) -> str:
    """Return the picture of two arrays and their difference as HTML; empty for values that cannot be drawn."""
    if not can_be_drawn(expected, got):
        return ""
    alt = "Three panels: the expected result, what your function returned, and the difference, with wrong cells framed."
    return picture_html(compare_figure(expected, got), alt)


def can_be_drawn(expected: Any, got: Any) -> bool:
    """Whether both are arrays of numbers, of the same shape and with more than one number."""
    return all(
        isinstance(value, np.ndarray) and value.ndim > 0 and value.size > 1 and value.dtype.kind in "biuf"
        for value in (expected, got)
    ) and bool(expected.shape == got.shape)


@styled
def compare_figure(expected: NDArray, got: NDArray) -> Figure:
    """Draw the slice with the first difference: expected, got, and got - expected, with wrong cells framed.

    Parameters
    ----------
    expected, got : ndarray
        Of the same shape, with any number of axes. With four axes the middle two are drawn, as these are the rows and
        columns of images; with three axes the first two, unless the last two are longer; with one axis a single row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    a, b, corner, where = common_slice(expected, got)
    difference = b - a
    wrong = ~np.isclose(a, b, rtol=0, atol=1e-6 * _largest(a), equal_nan=True)
    rows, columns = a.shape
    printed = rows <= MAX_PRINTED and columns <= MAX_PRINTED
    stacked = columns > 5 * rows and not printed  # long rows are drawn below each other
    side = CELL_INCHES if printed else min(CELL_INCHES, (8.0 if stacked else 3.0) / columns, 3.0 / rows)
    width, height = max(1.6, columns * side), max(0.3, rows * side)
    shape = (3, 1) if stacked else (1, 3)
    figure = new_figure(min(11.0, shape[1] * width + 1.0), shape[0] * (height + 0.6) + 0.4)
    panels = figure.subplots(*shape, squeeze=False).ravel()
    finite = np.concatenate([a[np.isfinite(a)], b[np.isfinite(b)], [0.0]])
    low, high = float(finite.min()), float(finite.max())
    high = high if high > low else low + 1.0
    largest = _largest(difference)
    for panel, title, values, colours, span in (
        (panels[0], "expected", a, "cividis", (low, high)),
        (panels[1], "got", b, "cividis", (low, high)),
        (panels[2], "got - expected", difference, "PuOr", (-largest, largest)),
    ):
        show_image(panel, values, colours, *span, corner=corner)
        panel.set_title(title)
        if printed:
            _print_numbers(panel, values, *span, corner, diverging=title == "got - expected")
    if wrong.sum() <= MAX_PRINTED**2:
        for i, j in np.argwhere(wrong):
            panels[2].add_patch(_frame(j + corner[0], i + corner[1]))
    figure.suptitle(where)
    return figure


def common_slice(expected: NDArray, got: NDArray) -> tuple[NDArray, NDArray, tuple[int, int], str]:
    """Return both slices of two axes that hold the first difference, their first column and row, and their name."""
    a, b = expected.astype(np.float64), got.astype(np.float64)
    wrong = np.argwhere(~np.isclose(a, b, rtol=0, atol=1e-6 * _largest(a), equal_nan=True))
    first = [int(k) for k in wrong[0]] if len(wrong) else [0] * a.ndim
    if a.ndim == 1:
        a, b, first, shown = a[None], b[None], [0, first[0]], (0, 1)
    elif a.ndim == 3 and min(a.shape[1:]) < a.shape[0]:
        shown = (0, 1)
    else:
        shown = (a.ndim - 2, a.ndim - 1) if a.ndim != 4 else (1, 2)
    index: list[Any] = list(first)
    labels = [str(k) for k in first]
    starts = []
    for axis, most in zip(shown, (MAX_ROWS, MAX_COLUMNS), strict=True):
        start = max(0, min(first[axis] - most // 2, a.shape[axis] - most))
        stop = min(a.shape[axis], start + most)
        index[axis] = slice(start, stop)
        starts.append(start)
        labels[axis] = ":" if stop - start == a.shape[axis] else f"{start}:{stop}"
    if expected.ndim == 1:
        labels = labels[1:]
    where = f"[{', '.join(labels)}] of shape {expected.shape}"
    return a[tuple(index)], b[tuple(index)], (starts[1], starts[0]), where


def _print_numbers(
    panel: Any, values: NDArray, low: float, high: float, corner: tuple[int, int], diverging: bool
) -> None:
    """Print every number into its cell, in black or white, whichever is legible."""
    for (i, j), value in np.ndenumerate(values):
        share = (value - low) / (high - low) if np.isfinite(value) else 0.5
        dark = abs(share - 0.5) > 0.35 if diverging else share < 0.5
        text = f"{value:.2g}" if np.isfinite(value) else str(value)
        if len(text) > 5:
            text = f"{value:.1g}"
        panel.text(
            j + corner[0], i + corner[1], text, ha="center", va="center", fontsize=7, color="white" if dark else "black"
        )


def _frame(x: int, y: int) -> Rectangle:
    return Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=0.9)


def _largest(values: NDArray) -> float:
    finite = np.abs(values[np.isfinite(values)])
    return float(finite.max()) if finite.size and finite.max() > 0 else 1.0
