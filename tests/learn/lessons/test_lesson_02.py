"""What lesson 02 shows: windows, rows and products with the right numbers in them, and drawings that can be read."""

from __future__ import annotations

import re

import numpy as np
import pytest
from figure_checks import assert_legible, framed, images, rectangles, words
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson02
from minicoord.plots.style import SKY_BLUE
from minicoord.reference import conv2d

LETTER = lesson02.LETTER
EDGES = np.array([[1.0, 0.0, -1.0]] * 3)
ANSWER = np.array([[np.sum(LETTER[a : a + 3, b : b + 3] * EDGES) for b in range(6)] for a in range(4)])
ROWS = np.lib.stride_tricks.sliding_window_view(LETTER, (3, 3)).reshape(-1, 9)
MINUS = "\N{MINUS SIGN}"


@pytest.mark.parametrize("position", [0, 8, 23])
def test_the_window_its_products_and_the_output_up_to_there(position: int):
    figure = lesson02.window_at(LETTER, EDGES, ANSWER, position)
    image, kernel, products, output = images(figure)
    where = framed(figure.axes[0])
    assert_array_equal(image, LETTER)
    assert_array_equal(kernel, EDGES)
    assert_array_equal(products, LETTER[where] * EDGES)
    assert_array_equal(output.ravel()[: position + 1], ANSWER.ravel()[: position + 1])
    assert len(figure.axes[3].texts) == position + 1, "an output is told before its position has come"
    row, column = divmod(position, 6)
    assert (where[0].start, where[1].start) == (row, column)
    assert framed(figure.axes[3]) == (slice(row, row + 1), slice(column, column + 1))
    assert f"sum: {ANSWER[row, column]:g}\n" in words(figure)
    assert f"row {row}, column {column}: {ANSWER[row, column]:g}" in words(figure)
    assert_legible(figure)


def test_numbers_have_a_minus_no_minus_zero_and_nothing_for_nan():
    ax = Figure().subplots()
    lesson02.numbers(ax, np.array([[-2.0, -0.0], [np.nan, 0.5]]), light_from=2)
    assert [(text.get_text(), text.get_position(), text.get_color()) for text in ax.texts] == [
        (f"{MINUS}2", (0, 0), "white"), ("0", (1, 0), "black"), ("0.5", (1, 1), "black"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "k", "stride", "pad"),
    [(8, 3, 1, 0), (8, 3, 1, 1), (8, 3, 2, 0), (5, 5, 4, 0), (5, 1, 4, 3), (14, 1, 1, 3), (14, 5, 4, 3), (14, 5, 1, 0)],
)
def test_every_position_on_an_axis_is_drawn_and_counted(n: int, k: int, stride: int, pad: int):
    figure = lesson02.positions_on_an_axis(n, k, stride, pad)
    (ax,) = figure.axes
    starts = [start for start in range(-pad, n + pad, stride) if start + k <= n + pad]
    drawn = rectangles(ax)
    assert [box.get_x() for box in drawn[: n + 2 * pad]] == list(range(-pad, n + pad))
    assert [(box.get_x(), box.get_width()) for box in drawn[n + 2 * pad :]] == [(start, k) for start in starts]
    blue = [to_hex(box.get_facecolor()).upper() == SKY_BLUE for box in drawn[: n + 2 * pad]]
    assert blue == [False] * pad + [True] * n + [False] * pad
    cells = [text.get_text() for text in ax.texts[: n + 2 * pad]]
    assert cells == ["0"] * pad + [str(pixel) for pixel in range(n)] + ["0"] * pad
    left = n + pad - (starts[-1] + k)
    count = "1 position" if len(starts) == 1 else f"{len(starts)} positions"
    rest = f"{left} left over at the end" if left else "no pixel left over"
    assert ax.get_title().endswith(f": {count}, {rest}")
    assert len(starts) == get("conv_out_size").solution(n, k, stride, pad)
    assert_legible(figure)


def test_a_window_larger_than_the_image_has_no_position():
    figure = lesson02.positions_on_an_axis(3, 5, 1, 0)
    assert "0 positions, 3 left over" in words(figure)
    assert len(rectangles(figure.axes[0])) == 3


@pytest.mark.parametrize("position", [0, 8, 23])
def test_the_framed_row_of_the_matrix_is_the_framed_window(position: int):
    figure = lesson02.row_of_a_position(LETTER, ROWS, 3, position)
    image, matrix = images(figure)
    row = matrix[framed(figure.axes[1])]
    assert_array_equal(row.ravel(), image[framed(figure.axes[0])].ravel())
    assert f"row {position} of the matrix:  " + "  ".join(f"{value:g}" for value in row.ravel()) in words(figure)
    assert [label.get_text() for label in figure.axes[1].get_xticklabels()][3] == "1,0"
    assert_legible(figure)


def test_a_row_times_a_column_is_the_framed_number():
    weights = np.random.default_rng(0).normal(size=(9, 3))
    figure = lesson02.one_product(ROWS, weights, ROWS @ weights)
    cols, w, y = (image[framed(ax)] for ax, image in zip(figure.axes, images(figure), strict=True))
    assert_allclose(cols @ w, y)
    assert y.size == 1 and cols.any(), "the framed row shows nothing"
    assert [ax.get_title() for ax in figure.axes] == ["cols (24, 9)", "w (9, 3)", "y (24, 3)"]
    assert len({image.get_clim() for ax in figure.axes for image in ax.images}) == 1
    assert_legible(figure)


def scene(columns: int) -> dict[str, NDArray]:
    """Four images as the lesson compares them, moved by `columns`."""
    image = np.zeros((14, 20))
    image[3:9, min(4 + columns, 18) : 12 + columns] = 1
    then = conv2d(image[None, :, :, None], np.ones((5, 5, 1, 1)), stride=1, padding=2)[0, ..., 0]
    return {"moved": 8 * image, "moved, then convolved": then, "convolved, then moved": then, "difference": 0 * then}


@pytest.mark.parametrize("columns", [0, 14])
def test_pictures_share_one_scale_and_the_difference_has_its_own(columns: int):
    shown = scene(columns)
    shown["difference"][0, 0] = -3.25
    figure = lesson02.pictures(shown, difference="difference")
    for drawn, wanted in zip(images(figure), shown.values(), strict=True):
        assert_array_equal(drawn, wanted)
    high = max(image.max() for image in shown.values())
    limits = [ax.images[0].get_clim() for ax in figure.axes]
    assert limits == [(0, high)] * 3 + [(-high / 2, high / 2)]
    assert "largest: 3.2" in words(figure)
    assert_legible(figure, least=5)


def test_pictures_of_nothing_can_be_drawn():
    nothing = {name: np.zeros((14, 20)) for name in ("an image", "difference")}
    figure = lesson02.pictures(nothing, difference="difference")
    assert "largest: 0" in words(figure)
    assert_legible(figure, least=3)


def test_six_pictures_in_a_row_can_be_read():
    rng = np.random.default_rng(0)
    names = [f"{word} {n}" for word in ("input", "output") for n in range(3)]
    figure = lesson02.pictures({name: rng.normal(size=(64, 64)) for name in names}, height=1.9)
    assert [ax.get_title() for ax in figure.axes] == names
    assert_legible(figure)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((0.09, 0.0012, 0.00011), ["90 ms", "1.2 ms, 75 times as fast", "0.11 ms, 820 times as fast"]),
        ((3.1, 0.0317, 1e-6), ["3,100 ms", "31.7 ms, 98 times as fast", "0.001 ms, 3,100,000 times as fast"]),
        ((0.01, 0.02, 0.01), ["10 ms", "20 ms, 0.5 times as fast", "10 ms, 1 times as fast"]),
    ],
)
def test_times_are_told_in_words_and_drawn_as_bars(seconds: tuple[float, ...], said: list[str]):
    figure = lesson02.seconds_as_bars(dict(zip(("loops", "rows and product", "library"), seconds, strict=True)))
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.texts] == said
    assert_allclose([bar.get_width() for bar in rectangles(ax)], [1000 * time for time in seconds])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["loops", "rows and product", "library"]
    assert ax.yaxis_inverted(), "the first is at the bottom"
    assert_legible(figure)


def test_the_border_creeps_in_by_a_pixel_each_layer():
    image, after = np.ones((1, 24, 32, 1)), {}
    for layer in range(1, 9):
        image = conv2d(image, np.full((3, 3, 1, 1), 1 / 9), stride=1, padding=1)
        if layer in (1, 2, 4, 8):
            after[layer] = image[0, ..., 0]
    figure = lesson02.border_creeps_in(after)
    titles = [ax.get_title() for ax in figure.axes[:4]]
    assert titles == ["after 1 layer", "after 2 layers", "after 4 layers", "after 8 layers"]
    for title, drawn in zip(titles, images(figure), strict=False):
        noticed = int(re.findall(r"\d", title)[0])
        assert np.argmax(np.isclose(drawn[12], 1)) == noticed
    assert all(ax.images[0].get_clim() == (0, 1) for ax in figure.axes[:4])
    assert_legible(figure)


@pytest.mark.parametrize("done", [0, 1, 4, 6])
def test_the_rows_so_far_are_those_of_the_windows_so_far(done: int):
    x = np.arange(1.0, 21.0).reshape(4, 5)
    right = get("im2col").solution(x[None, :, :, None], 3, 1, 0)
    figure = lesson02.rows_so_far(x, 3, done)
    image, matrix = figure.axes
    assert_array_equal(images(figure)[0], x)
    assert_array_equal(images(figure)[1], np.where(np.arange(6)[:, None] < done, right, 0))
    assert len(matrix.texts) == 9 * done, "a row is told before its window has come"
    assert matrix.get_title().endswith(f"{done} of 6 rows")
    if done:
        assert_array_equal(x[framed(image)].ravel(), right[framed(matrix)].ravel())
        assert framed(matrix)[0].start == done - 1
    else:
        assert rectangles(image) == []
    assert_legible(figure)
