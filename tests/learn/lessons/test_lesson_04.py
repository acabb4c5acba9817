"""What lesson 04 shows: the deconvolution network that was thought out, and the drawings."""

from __future__ import annotations

import numpy as np
import pytest
from figure_checks import assert_legible, rectangles
from matplotlib.figure import Figure

from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.classification.painters import deconv_painter
from minicoord.experiments.supervised.pixels import accuracy
from minicoord.learn.lessons import lesson04
from minicoord.learn.lessons.exact_deconvolution import exact_deconvolution

DATA = not_so_clevr()
PARTS = {name: split(DATA, name) for name in ("uniform", "quadrant")}


@pytest.mark.compiled
def test_the_exact_deconvolution_network_is_right_at_every_place():
    net = exact_deconvolution()
    everywhere = not_so_clevr(64, 1)  # squares of one pixel: all 64 x 64 places
    assert accuracy(net, everywhere, everywhere.inputs(), np.arange(len(everywhere))) == 1.0


def test_the_exact_deconvolution_network_is_one_of_the_paper_s():
    exact, paper = exact_deconvolution(), deconv_painter(1, 2, batch_norm=False, rng=0)
    assert {k: v.shape for k, v in exact.params.items()} == {k: v.shape for k, v in paper.params.items()}


def test_guesses_are_the_right_pixels_of_a_network_that_is_right():
    part = PARTS["quadrant"].test[:40]
    assert np.array_equal(lesson04.guesses(exact_deconvolution(), DATA, part), DATA.centres[part])


def test_five_in_a_row_has_the_wrong_held_out_place_in_the_middle():
    parts = PARTS["uniform"]
    guessed = DATA.centres.copy()
    guessed[parts.test[100:120]] += 1
    row = lesson04.five_in_a_row(DATA, parts, guessed)
    assert (np.diff(DATA.centres[row], axis=0) == (1, 0)).all()
    assert row[2] in parts.test[100:120]
    assert np.isin(np.delete(row, 2), parts.train).all()


def test_five_in_a_row_is_there_even_if_nothing_is_wrong():
    row = lesson04.five_in_a_row(DATA, PARTS["uniform"], DATA.centres)
    assert len(row) == 5
    assert (np.diff(DATA.centres[row], axis=0) == (1, 0)).all()


def test_painting_adds_what_overlaps():
    figure = lesson04.painting(np.array([[1.0, 2.0]]), np.ones((2, 3)), stride=2, painted_by=2)
    canvas = figure.axes[2].images[0].get_array()
    assert canvas is not None
    assert canvas.tolist() == [[1, 1, 3, 2, 2]] * 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda net: lesson04.growing_images([(1, 1, 2), (2, 2, 64), (4, 4, 1)], kernel=3),
        lambda net: lesson04.parameter_bars({"c = 1, fs = 2": 46465, "CoordConv": 7553}),
        lambda net: lesson04.learning_curves(
            {"uniform": [("a", [{"epoch": 1, "train_accuracy": 0.5, "test_accuracy": 0.4}, {"epoch": 2}])]}
        ),
        lambda net: lesson04.test_against_train([("a", "uniform", 90.0, 80.0), ("b", "quadrant", 90.0, 0.0)]),
        lambda net: lesson04.where_it_points(
            DATA, PARTS["quadrant"], np.full((len(PARTS["quadrant"].test), 2), 4, np.int64)
        ),
        lambda net: lesson04.neighbours(net, DATA, PARTS["uniform"], np.array([0, 56, 112])),
        lambda net: lesson04.two_softmaxes({"exact": net}, DATA, PARTS["quadrant"], 40, 50),
        lambda net: lesson04.softmax_row(np.array([[3, 4], [5, 6]]), np.zeros((2, 64, 64))),
        lambda net: lesson04.binary_digits(37),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw(exact_deconvolution())
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_a_network_has_one_colour_on_both_splits_and_one_line_in_the_legend():
    rows = [{"epoch": 1, "train_accuracy": 0.5, "test_accuracy": 0.4}, {"epoch": 2}]
    figure = lesson04.learning_curves({"uniform": [("a", rows), ("b", rows)], "quadrant": [("b", rows)]})
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["a", "b", "test", "train"]
    uniform, quadrant = ([line for line in ax.lines if list(np.ravel(line.get_xdata())) == [1]] for ax in figure.axes)
    assert [line.get_linestyle() for line in quadrant] == ["--", "-"]
    assert [np.ravel(line.get_ydata())[0] for line in quadrant] == [50, 40]
    assert uniform[2].get_color() == quadrant[0].get_color() == figure.legends[0].get_lines()[1].get_color()
    assert uniform[0].get_color() != uniform[2].get_color()


def test_runs_of_different_length_are_laid_over_each_other():
    long, short = ([{"epoch": k, "train_accuracy": 0.5, "test_accuracy": 0.4} for k in (1, n)] for n in (40, 20))
    figure = lesson04.learning_curves({"uniform": [("a", long), ("b", short)]})
    curves = [line for line in figure.axes[0].lines if np.ravel(line.get_ydata())[0] in (40, 50)]
    assert [np.ravel(line.get_xdata())[-1] for line in curves] == [100, 100, 100, 100]
    assert figure.axes[0].get_xlabel() == "part of the training (%)"
    alone = lesson04.learning_curves({"uniform": [("a", long)]})
    assert alone.axes[0].get_xlabel() == "epoch"


def test_what_is_lit_after_an_epoch_comes_with_the_accuracies_up_to_then():
    parts = PARTS["quadrant"]
    rows = [
        {"epoch": 1},
        {"epoch": 2, "train_accuracy": 0.25, "test_accuracy": 0.0},
        {"epoch": 3},
        {"epoch": 4, "train_accuracy": 0.5, "test_accuracy": 0.125},
        {"epoch": 6, "train_accuracy": 1.0, "test_accuracy": 0.0},
    ]
    guessed = np.full((len(parts.test), 2), 7)
    guessed[:3] = 40, 50
    figure = lesson04.lit_after(4, DATA, parts, guessed, rows)
    pixels, curves = figure.axes
    assert pixels.get_title() == f"epoch 4: 2 pixels lit for {len(parts.test)} positions"
    known, lit = pixels.collections
    assert np.array_equal(known.get_offsets(), DATA.centres[parts.train])
    assert np.asarray(lit.get_offsets()).tolist() == [[7, 7], [40, 50]]
    (frame,) = rectangles(pixels)
    assert frame.get_xy() == tuple(DATA.centres[parts.test].min(axis=0) - 0.5)
    train, test = curves.lines
    np.testing.assert_array_equal([train.get_xdata(), test.get_xdata()], [[2, 4], [2, 4]])
    np.testing.assert_array_equal([train.get_ydata(), test.get_ydata()], [[25, 50], [0, 12.5]])
    assert curves.get_xlim() == (0, 6), "the axis is that of the whole training, so that it does not jump"
    assert_legible(figure)
