"""What lesson 07 shows: its drawings, and the two halves of a renderer."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from minicoord import Sequential, Softmax
from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.experiments.rendering.renderers import coordconv_renderer, square_drawer
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson07
from minicoord.learn.lessons.exact_deconvolution import exact_deconvolution

DATA = not_so_clevr()
PARTS = {name: split(DATA, name) for name in ("uniform", "quadrant")}
iou, pointed_at = get("iou").solution, get("pointed_at").solution


@pytest.mark.parametrize("show_pointer", [False, True])
def test_the_pointer_is_what_comes_before_the_softmax(show_pointer):
    renderer = coordconv_renderer(rng=3, show_pointer=show_pointer)
    place = DATA.inputs([77])
    assert np.array_equal(lesson07.pointer_of(renderer).forward(place), coordconv_painter(3).forward(place))


def test_a_pointer_and_a_kernel_of_ones_render():
    renderer = Sequential([*exact_deconvolution().layers, Softmax(), *square_drawer(9).layers])
    some = PARTS["quadrant"].test[::40]
    assert (iou(lesson07.probabilities(renderer, DATA, some), DATA.squares(some)[..., 0]) == 1).all()


def test_probabilities_of_large_logits_do_not_overflow():
    drawer = Sequential([*exact_deconvolution().layers])
    p = lesson07.probabilities(drawer, DATA, np.arange(20))
    assert np.isfinite(p).all()
    assert p.shape == (20, 64, 64)


@pytest.mark.parametrize(
    "draw",
    [
        lambda: lesson07.two_squares(1, 2, iou),
        lambda: lesson07.overlap_by_shift(iou),
        lambda: lesson07.one_hot_to_square(np.eye(20), np.ones((9, 9)), np.eye(20)),
        lambda: lesson07.overlap_curves({"uniform": [{"epoch": 1, "train_iou": 0.5, "test_iou": 0.4}]}),
        lambda: lesson07.overlap_over_the_canvas({name: np.linspace(0, 1, len(DATA)) for name in PARTS}, DATA, PARTS),
        lambda: lesson07.wanted_and_drawn(np.array([[4, 5], [6, 7]]), {"a": np.zeros((2, 9, 9))}),
        lambda: lesson07.softmax_pointing(np.arange(12.0).reshape(3, 4), 2.0, pointed_at),
        lambda: lesson07.where_it_is_pointed(np.array([[4, 5]]), {"a": np.array([[4.5, 5.5]])}),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()
