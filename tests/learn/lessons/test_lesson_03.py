"""What lesson 03 shows: its four shapes, and drawings of gradients with the right numbers in them."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import assert_legible, framed, images, rectangles, words
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from minicoord.kernels.im2col import col2im, im2col
from minicoord.kernels.pooling import max_pool2d, max_pool2d_backward
from minicoord.learn.lessons import lesson03
from minicoord.nn.losses import softmax
from minicoord.plots.style import ORANGE, SKY_BLUE


def heights(ax: Axes) -> list[float]:
    return [bar.get_height() for bar in rectangles(ax)]


def curves(figure: Figure) -> dict[str, NDArray]:
    """The lines that have a name, by name: their y."""
    lines = figure.axes[0].lines
    return {str(line.get_label()): np.asarray(line.get_ydata()) for line in lines if str(line.get_label())[0] != "_"}


def test_four_shapes_look_as_they_are_labelled():
    seen, labels = lesson03.four_shapes(800, seed=0)
    assert seen.shape == (800, 12, 12, 1) and seen.dtype == np.float32
    of_shape = {name: seen[labels == k, ..., 0] for k, name in enumerate(lesson03.SHAPES)}
    lit = {"square": 16, "cross": 9, "level bar": 5, "upright bar": 5}
    for name, pictures in of_shape.items():
        assert len(pictures) > 150
        assert pictures.sum(axis=(1, 2)).mean() == pytest.approx(lit[name], abs=1.5)
    brightest_row = {name: pictures.sum(axis=2).max(axis=1).mean() for name, pictures in of_shape.items()}
    brightest_column = {name: pictures.sum(axis=1).max(axis=1).mean() for name, pictures in of_shape.items()}
    assert brightest_row["level bar"] > 1.5 * brightest_column["level bar"]
    assert brightest_column["upright bar"] > 1.5 * brightest_row["upright bar"]


def test_four_shapes_are_anywhere_and_are_those_of_the_seed():
    seen, labels = lesson03.four_shapes(800, seed=1)
    again, same = lesson03.four_shapes(800, seed=1)
    assert_array_equal(seen, again)
    assert_array_equal(labels, same)
    assert not np.array_equal(labels, lesson03.four_shapes(800, seed=0)[1])
    each = seen[..., 0].mean(axis=0)
    for along in (each.mean(axis=0), each.mean(axis=1)):
        assert along.min() > 0.005, "a row or a column that no shape ever reaches"
        assert along[5:7].min() > along[[0, -1]].max()
    quarters = [each[:6, :6], each[:6, 6:], each[6:, :6], each[6:, 6:]]
    assert_allclose([quarter.sum() for quarter in quarters], (16 + 9 + 5 + 5) / 4 / 4, rtol=0.15)


def test_what_goes_forward_comes_back_in_the_same_shape():
    steps = ["image", "conv 3x3\nReLU", "conv 3x3\nReLU", "max pool", "conv 1x1", "loss"]
    carried = ["x\n(N, 12, 12, 1)", "h1\n(N, 12, 12, 8)", "h2\n(N, 12, 12, 8)", "p\n(N, 1, 1, 8)", "z\n(N, 4)"]
    figure = lesson03.there_and_back(steps, carried)
    said = [text.get_text() for text in figure.axes[0].texts]
    assert said[: len(steps)] == steps
    assert said[len(steps) : -2] == [word for shape in carried for word in (shape, f"d{shape}")]
    assert len(figure.axes[0].patches) == len(steps) + 2 * len(carried)
    assert_legible(figure)


def test_errors_against_steps_are_drawn_and_zero_does_not_break_the_logarithm():
    steps = 10.0 ** np.arange(-12, 0.5, 0.5)
    errors = {
        "one-sided, float64": steps + 1e-16 / steps,
        "central, float64": np.where(steps > 1e-5, steps**2, 0),
        "central, float32": np.ones_like(steps),
    }
    figure = lesson03.error_against_step(steps, errors)
    drawn = curves(figure)
    assert list(drawn) == list(errors)
    assert_array_equal(drawn["one-sided, float64"], errors["one-sided, float64"])
    assert drawn["central, float64"].min() == 1e-16
    (ax,) = figure.axes
    assert_array_equal(ax.lines[0].get_xdata(), steps)
    assert_array_equal(ax.lines[-1].get_ydata(), [1e-7, 1e-7])
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert_legible(figure)


def test_windows_over_each_pixel_are_those_that_col2im_counts():
    counts = {}
    for name, k, stride, pad in (("window 3, stride 1", 3, 1, 0), ("padding 1", 3, 1, 1), ("stride 2", 3, 2, 0)):
        ones = np.ones((1, 6, 8, 1))
        rows = np.ones_like(im2col(ones, k, stride, pad))
        counts[name] = col2im(rows, ones.shape, k, stride, pad)[0, ..., 0]
    figure = lesson03.windows_over_pixels(counts)
    assert [ax.get_title() for ax in figure.axes] == list(counts)
    for ax, drawn, count in zip(figure.axes, images(figure), counts.values(), strict=True):
        assert_array_equal(drawn, count)
        assert [text.get_text() for text in ax.texts] == [f"{value:g}" for value in count.ravel()]
    assert (counts["window 3, stride 1"][0, 0], counts["window 3, stride 1"][3, 3]) == (1, 9)
    assert not counts["stride 2"][-1].any()
    assert len({ax.images[0].get_clim() for ax in figure.axes}) == 1, "the same number in two colours"
    assert_legible(figure)


def test_each_gradient_stands_in_its_window_where_the_largest_number_is():
    x = np.random.default_rng(0).permutation(24).reshape(4, 6).astype(float)
    dy = np.array([[1.0, -2.0, 3.0], [-1.0, 2.0, 1.0]])
    _, places = max_pool2d(x[None, :, :, None], 2)
    dx = max_pool2d_backward(dy[None, :, :, None], places, (1, 4, 6, 1))[0, ..., 0]
    figure = lesson03.winners(x, dy, dx, 2, 2)
    shown, coming, going = images(figure)
    assert len(rectangles(figure.axes[0])) == len(rectangles(figure.axes[2])) == dy.size
    for number, gradient in enumerate(coming.ravel()):
        window = framed(figure.axes[0], number)
        assert window == framed(figure.axes[2], number)
        assert going[window].ravel()[shown[window].argmax()] == gradient == going[window].sum()
    assert_legible(figure)


def test_windows_that_overlap_are_framed_at_the_stride():
    x = np.arange(15.0).reshape(3, 5)
    figure = lesson03.winners(x, np.ones((1, 2)), np.zeros((3, 5)), 3, 2)
    rows, columns = framed(figure.axes[0], 1)
    assert (rows, columns) == (slice(0, 3), slice(2, 5))


@pytest.mark.parametrize(("right_logit", "label"), [(-4.0, 0), (0.0, 2), (6.0, 4)])
def test_bars_of_probability_minus_truth(right_logit: float, label: int):
    z = np.array([1.0, -0.5, 0.3, 0.8, -1.0])
    z[label] = right_logit
    p = softmax(z[None])[0]
    figure = lesson03.probabilities_minus_truth(z, p, p - (np.arange(5) == label), label)
    logits, probabilities, gradient = (heights(ax) for ax in figure.axes)
    assert_array_equal(logits, z)
    assert sum(probabilities) == pytest.approx(1)
    assert sum(gradient) == pytest.approx(0) and gradient[label] < 0
    for ax in figure.axes:
        low, high = ax.get_ylim()
        assert low <= min(0, *heights(ax)) and max(heights(ax)) <= high, "a bar leaves its panel"
        assert [to_hex(bar.get_facecolor()).upper() == ORANGE for bar in rectangles(ax)] == list(np.arange(5) == label)
        assert to_hex(rectangles(ax)[1].get_facecolor()).upper() == SKY_BLUE
    assert_legible(figure)


def test_a_gradient_its_quotient_and_what_is_between_them():
    right = np.random.default_rng(0).normal(size=(5, 7))
    parts = {
        "right": (right, right + 1e-9),
        "flipped": (right[::-1], right),
        "cut at one side": (np.roll(right, 1, axis=(0, 1)), right),
    }
    figure = lesson03.where_gradients_differ(parts)
    drawn = images(figure)
    for line, (gradient, quotient) in enumerate(parts.values()):
        assert_array_equal(drawn[3 * line : 3 * line + 3], [gradient, quotient, gradient - quotient])
    assert "largest: 1e-09" in words(figure)
    assert [ax.get_ylabel() for ax in figure.axes[::3]] == list(parts)
    assert_legible(figure)


def test_gradients_of_nothing_can_be_drawn():
    figure = lesson03.where_gradients_differ({"dead": (np.zeros((2, 3)), np.zeros((2, 3)))})
    assert "largest: 0" in words(figure)
    assert_legible(figure, least=5)


def test_first_steps_are_drawn_with_the_minimum():
    paths = {
        "Adam": np.minimum(3, 0.1 * np.arange(61)),
        "without correction": 3 - 3 * np.cos(np.arange(61) / 9),
    }
    figure = lesson03.first_steps(paths, 3.0)
    drawn = curves(figure)
    for name, path in paths.items():
        assert_array_equal(drawn[name], path)
    assert_array_equal(figure.axes[0].lines[-1].get_ydata(), [3, 3])
    assert_legible(figure)


def test_eight_shapes_have_their_names():
    seen, labels = lesson03.four_shapes(8, seed=0)
    names = [lesson03.SHAPES[label] for label in labels]
    figure = lesson03.shapes(seen[..., 0], names)
    assert_array_equal(images(figure), seen[..., 0])
    assert [ax.get_title() for ax in figure.axes] == names
    assert_legible(figure)


def test_eight_of_the_longest_names_fit():
    assert_legible(lesson03.shapes(np.zeros((8, 12, 12)), [max(lesson03.SHAPES, key=len)] * 8))


def test_many_losses_are_means_of_ten_steps_drawn_at_the_last_of_them():
    noisy = 1.4 * np.exp(-np.arange(120) / 40) + 0.1 * np.random.default_rng(0).normal(size=120)
    figure = lesson03.losses({"right gradient": noisy.tolist(), "planted mistake": [1.3] * 120}, chance=np.log(4))
    first, second = figure.axes[0].lines[:2]
    assert_allclose(np.asarray(first.get_ydata()), [noisy[end - 10 : end].mean() for end in range(10, 121)])
    assert_array_equal(first.get_xdata(), np.arange(10, 121))
    assert_allclose(np.asarray(second.get_ydata()), 1.3)
    assert_allclose(np.asarray(figure.axes[0].lines[2].get_ydata()), np.log(4))
    assert_legible(figure)


def test_few_losses_are_drawn_as_they_are():
    few = {"the library's kernels": [1.4, 0.9, 0.2], "the functions of this lesson": [1.4, 0.9, 0.2]}
    figure = lesson03.losses(few, chance=np.log(4), unit="epoch")
    drawn = curves(figure)
    for name, values in few.items():
        assert_array_equal(drawn[name], values)
    assert_array_equal(figure.axes[0].lines[0].get_xdata(), [1, 2, 3])
    assert figure.axes[0].get_xlabel() == "epoch"
    assert_legible(figure)


@pytest.mark.parametrize("done", [0, 1, 3, 4])
def test_rows_are_added_back_one_after_the_other(done: int):
    rows = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [10, 20, 30, 40], [50, 60, 70, 80]])
    some = np.where(np.arange(4)[:, None] < done, rows, 0).astype(float)
    right = col2im(some, (1, 3, 3, 1), 2, 1, 0)[0, ..., 0]
    figure = lesson03.added_back(rows, (3, 3), 2, done)
    matrix, image = figure.axes
    assert_array_equal(images(figure)[0], rows)
    assert_array_equal(images(figure)[1], right)
    assert image.get_title() == f"the image after {done} of 4 rows"
    if done:
        assert framed(matrix) == (slice(done - 1, done), slice(0, 4))
        assert framed(image) == (slice((done - 1) // 2, (done - 1) // 2 + 2), slice((done - 1) % 2, (done - 1) % 2 + 2))
    assert_legible(figure)


def test_the_relative_error_is_the_largest_difference_over_the_largest_number():
    assert lesson03.relative_error(np.array([[2.0, -8.0]]), np.array([[2.0, -6.0]])) == 0.25
    assert lesson03.relative_error(np.zeros(3), np.zeros(3)) == 0
