"""The picture of a wrong answer: what was wanted, what came, and the difference."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from minicoord.learn.lessons.page import picture_html
from minicoord.plots.style import BLUE, VERMILLION, new_figure, show_image, styled

if TYPE_CHECKING:
    from minicoord.learn.checking.verdict import Verdict

MOST_ROWS, MOST_COLUMNS = 40, 80
MOST_NUMBERS = 12
CELL_INCHES = 0.44


def verdict_html(verdict: Verdict) -> str:
    """Return a verdict as a piece of a page: its sentence, the likely cause, and the picture if there is one."""
    colour, sign = (BLUE, "Right") if verdict.passed else (VERMILLION, "Not yet")
    if verdict.outcome == "not attempted":
        colour, sign = "#606060", "Open"
    sentence, cause = html.escape(verdict.sentence), html.escape(verdict.cause or "")
    parts = [f"<strong>{sign}.</strong> <code>{html.escape(verdict.exercise)}</code>: {sentence}"]
    if cause:
        parts.append(f"<br><strong>The likely cause:</strong> {cause}.")
    if not verdict.passed:
        parts.append(f'<br><small>A hint: <code>hint("{html.escape(verdict.exercise)}")</code></small>')
    picture = ""
    if can_be_drawn(verdict.wanted, verdict.got):
        alt = "Three panels: what was wanted, what came, and the difference, where wrong cells have a frame."
        picture = picture_html(compare_figure(verdict.wanted, verdict.got), alt)
    return f'<div style="border-left:4px solid {colour};padding-left:0.8em"><p>{"".join(parts)}</p>{picture}</div>'


def can_be_drawn(wanted: Any, got: Any) -> bool:
    """Whether these are two arrays of numbers of one shape, with more than one number."""
    return all(
        isinstance(value, np.ndarray) and value.ndim > 0 and value.size > 1 and value.dtype.kind in "biuf"
        for value in (wanted, got)
    ) and bool(wanted.shape == got.shape)


@styled
def compare_figure(wanted: NDArray, got: NDArray) -> Figure:
    """Draw the slice with the first difference: wanted, got, and got - wanted, with a frame around wrong cells.

    Parameters
    ----------
    wanted, got : ndarray
        Of the same shape, any number of axes. Of four axes the middle two are drawn, as they are the rows and columns
        of images; of three the first two unless the last two are longer; of one axis a single row.

    Returns
    -------
    matplotlib.figure.Figure
    """
    a, b, corner, where = common_slice(wanted, got)
    difference = b - a
    wrong = ~np.isclose(a, b, rtol=0, atol=1e-6 * _largest(a), equal_nan=True)
    rows, columns = a.shape
    printed = rows <= MOST_NUMBERS and columns <= MOST_NUMBERS
    stacked = columns > 5 * rows and not printed  # long rows lie below each other
    side = CELL_INCHES if printed else min(CELL_INCHES, (8.0 if stacked else 3.0) / columns, 3.0 / rows)
    width, height = max(1.6, columns * side), max(0.3, rows * side)
    shape = (3, 1) if stacked else (1, 3)
    figure = new_figure(min(11.0, shape[1] * width + 1.0), shape[0] * (height + 0.6) + 0.4)
    panels = figure.subplots(*shape, squeeze=False).ravel()
    finite = np.concatenate([a[np.isfinite(a)], b[np.isfinite(b)], [0.0]])
    low, high = float(finite.min()), float(finite.max())
    high = high if high > low else low + 1.0
    off = _largest(difference)
    for panel, title, values, colours, span in (
        (panels[0], "wanted", a, "cividis", (low, high)),
        (panels[1], "got", b, "cividis", (low, high)),
        (panels[2], "got - wanted", difference, "PuOr", (-off, off)),
    ):
        show_image(panel, values, colours, *span, corner=corner)
        panel.set_title(title)
        if printed:
            _print_numbers(panel, values, *span, corner, diverging=title == "got - wanted")
    if wrong.sum() <= MOST_NUMBERS**2:
        for i, j in np.argwhere(wrong):
            panels[2].add_patch(_frame(j + corner[0], i + corner[1]))
    figure.suptitle(where)
    return figure


def common_slice(wanted: NDArray, got: NDArray) -> tuple[NDArray, NDArray, tuple[int, int], str]:
    """Return the slice of two axes of both that holds the first difference, its first column and row, and its name."""
    a, b = wanted.astype(np.float64), got.astype(np.float64)
    wrong = np.argwhere(~np.isclose(a, b, rtol=0, atol=1e-6 * _largest(a), equal_nan=True))
    first = [int(k) for k in wrong[0]] if len(wrong) else [0] * a.ndim
    if a.ndim == 1:
        a, b, first, shown = a[None], b[None], [0, first[0]], (0, 1)
    elif a.ndim == 3 and min(a.shape[1:]) < a.shape[0]:
        shown = (0, 1)
    else:
        shown = (a.ndim - 2, a.ndim - 1) if a.ndim != 4 else (1, 2)
    index: list[Any] = list(first)
    words = [str(k) for k in first]
    starts = []
    for axis, most in zip(shown, (MOST_ROWS, MOST_COLUMNS), strict=True):
        start = max(0, min(first[axis] - most // 2, a.shape[axis] - most))
        stop = min(a.shape[axis], start + most)
        index[axis] = slice(start, stop)
        starts.append(start)
        words[axis] = ":" if stop - start == a.shape[axis] else f"{start}:{stop}"
    if wanted.ndim == 1:
        words = words[1:]
    where = f"[{', '.join(words)}] of shape {wanted.shape}"
    return a[tuple(index)], b[tuple(index)], (starts[1], starts[0]), where


def _print_numbers(
    panel: Any, values: NDArray, low: float, high: float, corner: tuple[int, int], diverging: bool
) -> None:
    """Print every number into its cell, in black or white, whichever can be read."""
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
