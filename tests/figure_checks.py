"""What every figure must be: legible. Shared by the tests of figures."""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from numpy.typing import NDArray

SLACK = 1.0  # pixels


def undrawn_numbers(figure: Figure) -> set[Text]:
    """The numbers of ticks outside an axis's range: matplotlib keeps them, but does not draw them."""
    hidden: set[Text] = set()
    for ax in figure.findobj(Axes):
        assert isinstance(ax, Axes)
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks() + axis.get_minor_ticks():
                if not ax.axison or not low <= tick.get_loc() <= high:
                    hidden.update((tick.label1, tick.label2))
    return hidden


def assert_legible(figure: Figure, least: int = 6) -> None:
    """No two texts overlap and none leaves the page; there are at least so many."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    page, hidden = figure.bbox, undrawn_numbers(figure)
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text not in hidden]
    shown = [text for text in texts if text.get_visible() and text.get_text().strip()]
    boxes = [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in shown]
    assert len(boxes) >= least
    for words, box in boxes:
        on_page = box.x0 > -SLACK and box.y0 > -SLACK and box.x1 < page.x1 + SLACK and box.y1 < page.y1 + SLACK
        assert on_page, f"{words!r} leaves the page"
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        apart_x = min(a.x1, b.x1) - max(a.x0, b.x0) < SLACK
        apart_y = min(a.y1, b.y1) - max(a.y0, b.y0) < SLACK
        assert apart_x or apart_y, f"{one!r} lies on {other!r}"


def image_panels(figure: Figure) -> list[Axes]:
    return [ax for ax in figure.findobj(Axes) if isinstance(ax, Axes) and ax.images and ax.axison]


def words(figure: Figure) -> str:
    """What is written into the panels, above, below and beside them; a line for each text."""
    axes = figure.axes
    found = [text.get_text() for ax in axes for text in (*ax.texts, ax.title, ax.xaxis.label, ax.yaxis.label)]
    return "\n".join(found)


def images(figure: Figure) -> list[NDArray]:
    """The arrays that are drawn as images, panel by panel."""
    return [np.asarray(image.get_array()) for ax in figure.axes for image in ax.images]


def rectangles(ax: Axes) -> list[Rectangle]:
    return [patch for patch in ax.patches if isinstance(patch, Rectangle)]


def framed(ax: Axes, which: int = 0) -> tuple[slice, slice]:
    """The pixels inside a frame, as slices of rows and columns."""
    box = rectangles(ax)[which]
    row, column = box.get_y() + 0.5, box.get_x() + 0.5
    assert row.is_integer() and column.is_integer(), "a frame between the pixels"
    return slice(int(row), int(row + box.get_height())), slice(int(column), int(column + box.get_width()))
