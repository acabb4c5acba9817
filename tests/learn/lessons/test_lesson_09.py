"""What lesson 09 shows: its drawings, what it says about pairs, and networks that run with a learner's functions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from minicoord import Conv2D, CoordConv2D, ReLU, Sequential, experiments, softmax_cross_entropy
from minicoord.experiments.image_classification.networks import residual_network
from minicoord.experiments.image_classification.paired import bootstrap_interval
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson09, lesson09_drawings as drawings
from minicoord.learn.lessons.lesson09 import JoinedBlock, StudyPairs, with_your_blocks

RNG = np.random.default_rng(0)
A, B = 0.8 + 0.01 * RNG.normal(size=(2, 10))
residual_dx, paired_interval = get("residual_dx").solution, get("paired_interval").solution


def gradients(net: Sequential, x: np.ndarray, labels: np.ndarray, of: Sequential | None = None) -> list[np.ndarray]:
    """Return the gradients after a pass through `net`, in the order of the layers of `of`, which shares them."""
    _, dlogits = softmax_cross_entropy(net.forward(x, training=True), labels)
    dx = net.backward(dlogits)
    assert dx is not None
    return [dx, *(gradient.copy() for _, layer in (of or net).leaves() for gradient in layer.grads.values())]


@pytest.mark.parametrize("model", ["conv", "coordconv", "control"])
def test_a_network_with_your_blocks_has_the_gradients_of_the_library(model: str):
    rng = np.random.default_rng(1)
    net = residual_network(model, 3, channels=(2, 3, 4)).astype(np.float64)
    x, labels = rng.normal(size=(5, 6, 9, 1)), rng.integers(0, 10, 5)
    expected = gradients(net, x, labels)
    yours = with_your_blocks(net, residual_dx)
    got = gradients(yours, x, labels, of=net)
    blocks = [layer for layer in yours.layers if isinstance(layer, JoinedBlock)]
    assert [block.calls for block in blocks] == [1, 1, 1]
    assert len(yours.layers) == len(net.layers) - 3  # three ReLUs are part of their blocks
    assert len(got) == len(expected)
    for a, b in zip(got, expected, strict=True):
        assert_allclose(a, b, rtol=0, atol=1e-12)


def test_a_relu_that_belongs_to_no_block_stays():
    net = Sequential([Conv2D(1, 1, 1, rng=0), ReLU()])
    assert with_your_blocks(net, residual_dx).layers == net.layers


def test_a_wrong_answer_trains_a_wrong_network():
    rng = np.random.default_rng(2)
    x, labels = rng.normal(size=(4, 5, 5, 1)).astype(np.float32), np.arange(4)
    without_shortcut = next(
        m.function for m in get("residual_dx").mistakes if m.function.__name__ == "without_shortcut"
    )
    right, wrong = (
        gradients(with_your_blocks(residual_network("conv", 0, channels=(2, 3, 4)), function), x, labels)
        for function in (residual_dx, without_shortcut)
    )
    assert np.abs(right[0] - wrong[0]).max() > 1e-3


def test_gradients_vanish_in_a_row_and_not_in_a_residual_stack():
    row, residual = (lesson09.gradient_sizes(0.3, kind) for kind in (False, True))
    assert row[-1] < 1e-10
    assert 0.5 < residual[-1] < 5
    usual, grown = (lesson09.gradient_sizes(1.0, kind)[-1] for kind in (False, True))
    assert 0.1 < usual < 10 < 100 < grown


def test_halving_takes_the_mean_of_four_pixels():
    images = np.arange(2 * 4 * 6, dtype=np.float64).reshape(2, 4, 6)
    half = lesson09.halved(images)
    assert half.shape == (2, 2, 3)
    assert half[1, 0, 2] == images[1, :2, 4:].mean()


def test_the_nearest_mean_is_that_of_the_full_distance():
    rng = np.random.default_rng(3)
    train, labels, test = rng.normal(size=(30, 3, 4)), rng.integers(2, 5, 30), rng.normal(size=(7, 3, 4))
    means = {c: train[labels == c].mean(axis=0) for c in (2, 3, 4)}
    wanted = [min(means, key=lambda c: np.sum((image - means[c]) ** 2)) for image in test]
    assert lesson09.nearest_mean(train, labels, test).tolist() == wanted


def test_torn_differences_are_those_of_two_seeds():
    a, b = np.array([0.5, 0.6]), np.array([0.1, 0.4])
    assert lesson09.torn_differences(a, b) == pytest.approx([10, 50])


def test_pairs_that_share_their_luck_are_worth_many_runs():
    luck = np.linspace(-0.02, 0.02, 10)
    small = 0.001 * (-1.0) ** np.arange(10)
    shared = lesson09.what_pairs_share(0.8 + luck + small, 0.8 + luck)
    apart = lesson09.what_pairs_share(0.8 + luck, 0.8 - luck)
    assert float(str(shared["paired"])) < 0.2 < 1 < float(str(shared["of their difference, unpaired"]))
    assert float(str(shared["worth, in runs without pairs"])) > 1000
    assert apart["worth, in runs without pairs"] == "5"
    assert lesson09.what_pairs_share(luck, luck)["worth, in runs without pairs"] == "-"


def test_intervals_without_effect_miss_zero_too_often_if_there_are_few_pairs():
    missed = []
    for pairs in (2, 10, 40):
        low, high = lesson09.bounds_without_effect(pairs).T
        missed.append(np.mean((low > 0) | (high < 0)))
    assert missed[0] == pytest.approx(0.5, abs=0.05)
    assert missed[1] == pytest.approx(0.1, abs=0.03)
    assert missed[2] == pytest.approx(0.06, abs=0.025)


def test_the_exercise_gives_the_interval_of_the_experiment():
    mean, low, high = paired_interval(A, B, lesson09.chosen_pairs(10))
    assert (low, high) == pytest.approx(bootstrap_interval(100 * (A - B)))
    assert low < mean < high


def record(model: str, seed: int, variant: str = "centred", preset: str = "full", **changes: Any) -> dict[str, Any]:
    settings = experiments.get(lesson09.NAME).presets[preset][model]
    share = 0.8 + 0.01 * seed + (0.002 if model == "coordconv" else 0)
    return {
        "experiment": lesson09.NAME,
        "model": model,
        "variant": variant,
        "seed": seed,
        "preset": preset,
        "settings": {**vars(settings), **changes},
        "metrics": {"test_accuracy": share, "new_places_accuracy": share - 0.1},
    }


def test_pairs_are_matched_by_seed_whatever_the_order_of_the_records():
    runs = [record("coordconv", seed) for seed in (4, 2, 3)] + [record("conv", seed) for seed in (3, 5, 2)]
    study = lesson09.study_pairs(runs)
    assert [(pairs.networks, pairs.measured) for pairs in study] == [
        ("CoordConv minus convolution", "centred, test accuracy"),
        ("CoordConv minus convolution", "centred, at new positions"),
    ]
    assert study[0].b.tolist() == pytest.approx([0.82, 0.83])
    assert study[0].differences == pytest.approx([0.2, 0.2])


def test_one_pair_is_no_study():
    assert lesson09.study_pairs([record("coordconv", 2), record("conv", 2)]) == []
    assert lesson09.study_pairs([]) == []


def test_runs_of_the_full_preset_count_and_changed_ones_do_not():
    quick, full, changed = record("conv", 0, preset="quick"), record("conv", 2), record("conv", 3, epochs=2)
    other = {**full, "experiment": "regression"}
    assert lesson09.unchanged([quick, full, changed, other]) == [full]
    assert lesson09.unchanged([quick, changed]) == [quick]
    assert lesson09.unchanged([]) == []


STUDY = [
    StudyPairs("CoordConv minus convolution", "centred, test accuracy", A, B),
    StudyPairs("CoordConv minus zero coordinates", "centred, test accuracy", B, A),
    StudyPairs("CoordConv minus convolution", "shifted, at new positions", A[:3], B[:3]),
]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.clothes(np.zeros((3, 4, 4)), ["a", "b", "c"]),
        lambda: drawings.block(),
        lambda: drawings.gradients_by_depth(0.5),
        lambda: drawings.front_outputs({"image": np.eye(3), "i": np.eye(3)}, {"with": np.ones((3, 3, 8))}),
        lambda: drawings.places_drawn(np.eye(28, dtype=np.float32)),
        lambda: drawings.pairs_drawn(A, B, ("a", "b")),
        lambda: drawings.pairs_drawn(A, A, ("a", "b")),
        lambda: drawings.bootstrap_drawn(100 * (A - B), lesson09.chosen_pairs(10, draws=50)),
        lambda: drawings.chances(0.4, counts=(2, 10)),
        lambda: drawings.differences_drawn(STUDY, paired_interval, paper=0.04),
        lambda: drawings.differences_drawn(STUDY[1:2], paired_interval),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw: Any):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_the_mark_of_the_paper_is_in_the_first_row_of_the_first_panel():
    figure = drawings.differences_drawn(STUDY, paired_interval, paper=0.04)
    marked = [any(np.asarray(line.get_xdata())[0] == 0.04 for line in ax.lines) for ax in figure.axes]
    assert marked == [True, False]
    assert figure.axes[0].get_title() == "centred, test accuracy"


def test_coordinates_of_a_front_layer_come_after_the_image():
    """The exercise and the library agree on the order of the weights, on a rectangle and with several channels."""
    layer = CoordConv2D(3, 4, 1, with_r=True, rng=0, dtype=np.float64)
    layer.params["b"][:] = np.arange(4)
    x = np.random.default_rng(4).normal(size=(2, 3, 7, 3))
    got = get("front_features").solution(x, layer.params["w"], layer.params["b"])
    assert_allclose(got, layer.forward(x), rtol=0, atol=1e-12)
