"""Whole networks, and their training, with a learner's functions."""

import numpy as np
import pytest
from learners_functions import (
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    my_add_coords,
    my_im2col,
    solutions,
)
from numpy.testing import assert_allclose

from minicoord import softmax_cross_entropy
from minicoord.learn.lessons.toy import toy_painter, train_toy
from minicoord.learn.swap_in.swap import using


def whole_pass(model, x, labels):
    loss, dlogits = softmax_cross_entropy(model.forward(x), labels)
    model.backward(dlogits)
    return loss, {key: gradient.copy() for key, gradient in model.grads.items()}


def test_a_whole_classifier_gives_the_same_results_without_a_chain():
    model = toy_painter(seed=0).astype(np.float64)
    x, labels = np.random.default_rng(4).normal(size=(5, 2)), np.array([3, 17, 0, 255, 128])
    loss, gradients = whole_pass(model, x, labels)
    with using(im2col=my_im2col, add_coords=my_add_coords, compiled=False) as calls:
        my_loss, my_gradients = whole_pass(model, x, labels)
    assert my_loss == pytest.approx(loss, rel=1e-12)
    for key, gradient in gradients.items():
        assert_allclose(my_gradients[key], gradient, rtol=0, atol=1e-12)
    assert calls == {"im2col": 6, "add_coords": 2}  # three convolutions, forward and backward


def test_slices_of_a_batch_give_the_same_gradients():
    from minicoord.train.accumulation import batch_gradients

    model = toy_painter(seed=0).astype(np.float64)
    x, labels = np.random.default_rng(4).normal(size=(5, 2)), np.arange(5)
    expected = whole_pass(model, x, labels)
    with using(add_coords=my_add_coords, compiled=False):
        loss = batch_gradients(model, softmax_cross_entropy, x, labels, slice_size=2)
    assert loss == pytest.approx(expected[0], rel=1e-12)
    for key, gradient in expected[1].items():
        assert_allclose(model.grads[key], gradient, rtol=0, atol=1e-12)


@pytest.mark.compiled  # pure Python takes too long
def test_training_ends_with_the_same_losses():
    library, mine = toy_painter(seed=1), toy_painter(seed=1)
    expected = train_toy(library, epochs=4)
    others = solutions("conv_product", "conv_dw", "col2im", "softmax_cross_entropy", "adam_step")
    with using(im2col=my_im2col, add_coords=my_add_coords, compiled=False, **others) as calls:
        got = train_toy(mine, epochs=4)
    assert (got.train_accuracy, got.test_accuracy) == (expected.train_accuracy, expected.test_accuracy)
    losses = [[row["train_loss"] for row in run.history.rows] for run in (got, expected)]
    assert_allclose(*losses, rtol=1e-3)
    steps = 4 * 10
    assert calls["im2col"] == 6 * steps + 2 * 3  # forward and backward, and two evaluations


@pytest.mark.compiled
def test_the_toy_task_is_solved_only_with_coordinates():
    solved = train_toy(toy_painter(seed=0))
    hopeless = train_toy(toy_painter(seed=0, coordconv=False), epochs=2)
    assert (solved.train_accuracy, solved.test_accuracy) == (1.0, 1.0)
    assert hopeless.train_accuracy < 0.05
    assert (len(solved.parts.train), len(solved.parts.test)) == (160, 36)
