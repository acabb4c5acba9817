"""The picture of a wrong result."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from minicoord.learn.checking.picture import (
    MAX_COLUMNS,
    MAX_ROWS,
    can_be_drawn,
    common_slice,
    compare_figure,
    difference_html,
)


def panels(figure: Figure) -> list:
    return [ax for ax in figure.axes if ax.images]


def test_three_panels_with_the_difference_framed():
    expected = np.arange(6.0).reshape(2, 3)
    got = expected.copy()
    got[1, 2] = 9
    figure = compare_figure(expected, got)
    left, middle, right = panels(figure)
    assert [panel.get_title() for panel in (left, middle, right)] == ["expected", "got", "got - expected"]
    np.testing.assert_array_equal(right.images[0].get_array(), got - expected)
    (frame,) = [patch for patch in right.patches if isinstance(patch, Rectangle)]
    assert frame.get_xy() == (1.5, 0.5)
    assert [text.get_text() for text in left.texts] == ["0", "1", "2", "3", "4", "5"]


def test_both_panels_have_one_scale():
    left, middle, _ = panels(compare_figure(np.zeros((3, 4)), np.full((3, 4), 7.0)))
    assert left.images[0].get_clim() == middle.images[0].get_clim() == (0, 7)


@pytest.mark.parametrize(
    "shape, place, name",
    [
        ((2, 5, 4, 3), (1, 2, 3, 2), "[1, :, :, 2] of shape (2, 5, 4, 3)"),
        ((7, 5, 2), (3, 1, 1), "[:, :, 1] of shape (7, 5, 2)"),
        ((2, 5, 4), (1, 2, 3), "[1, :, :] of shape (2, 5, 4)"),
        ((5, 4), (2, 3), "[:, :] of shape (5, 4)"),
        ((9,), (4,), "[:] of shape (9,)"),
        ((2, 2, 3, 3, 2), (1, 0, 1, 2, 1), "[1, 0, 1, :, :] of shape (2, 2, 3, 3, 2)"),
    ],
)
def test_the_slice_drawn_holds_the_first_difference(shape: tuple[int, ...], place: tuple[int, ...], name: str):
    expected = np.zeros(shape)
    got = expected.copy()
    got[place] = 1
    a, b, _, where = common_slice(expected, got)
    assert where == name
    assert a.ndim == 2 and a.sum() == 0 and b.sum() == 1


def test_a_large_array_is_cut_around_the_first_difference():
    expected, got = np.zeros((500, 300)), np.zeros((500, 300))
    got[250, 200] = 1
    a, b, (x, y), where = common_slice(expected, got)
    assert a.shape == (MAX_ROWS, MAX_COLUMNS)
    assert b[250 - y, 200 - x] == 1
    assert where == "[230:270, 160:240] of shape (500, 300)"
    assert len(panels(compare_figure(expected, got))) == 3


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float32, np.uint8])
def test_every_kind_of_number_is_drawn(dtype: type):
    expected = np.array([[0, 1, 0], [1, 0, 1]]).astype(dtype)
    figure = compare_figure(expected, 1 - expected if dtype is not bool else ~expected)
    assert [len(panel.texts) for panel in panels(figure)[:2]] == [expected.size] * 2  # a number in every cell


def test_infinities_and_nan_are_drawn_and_labelled():
    expected = np.zeros((2, 2))
    got = np.array([[np.nan, np.inf], [-np.inf, 0]])
    texts = [text.get_text() for text in panels(compare_figure(expected, got))[1].texts]
    assert texts == ["nan", "inf", "-inf", "0"]
    compare_figure(expected, np.full((2, 2), np.nan))


def test_values_that_cannot_be_drawn():
    x = np.ones((2, 3))
    assert can_be_drawn(x, x)
    assert not can_be_drawn(x, None) and not can_be_drawn(x, x.T) and not can_be_drawn(3, 4)
    assert not can_be_drawn(np.array(1.0), np.array(2.0)) and not can_be_drawn(
        np.array(["a", "b"]), np.array(["c", "d"])
    )


def test_the_html_holds_the_picture_and_its_alt_text_or_is_empty():
    page = difference_html(np.zeros((2, 3)), np.ones((2, 3)))
    assert 'alt="Three panels' in page and "data:image/png;base64," in page
    assert difference_html(None, None) == "" and difference_html(3, 4) == ""
