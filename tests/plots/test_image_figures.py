"""The figures of image classification: legible, true to their numbers, and refusing what they cannot draw."""

import numpy as np
import pytest
from figure_checks import assert_legible, images, words

from minicoord.plots import (
    Guesses,
    confusion_counts,
    confusion_figure,
    front_weights_figure,
    paired_differences,
    place_accuracy,
)
from minicoord.plots.place_accuracy import accuracy_by_place

CLASSES = ["T-shirt/top", "trouser", "ankle boot"]
RNG = np.random.default_rng(0)


def test_paired_differences_show_each_pair_its_mean_and_the_papers_value():
    rows = {"a minus\nb": ([1.0, 3.0], (1.0, 3.0)), "c minus\nb": ([-0.5], None)}
    figure = paired_differences(
        {"one": rows, "two": {"a minus\nb": ([0.1, 0.2], (0.1, 0.2))}}, ("one", "a minus\nb", 0.04)
    )
    assert_legible(figure)
    left, right = figure.axes
    lines = [line.get_xdata() for line in left.lines]
    for wanted in ([1.0, 3.0], [2.0], [-0.5], [0.04, 0.04]):
        assert any(np.array_equal(line, wanted) for line in lines), wanted
    assert not any(np.array_equal(line.get_xdata(), [0.04, 0.04]) for line in right.lines)
    low, high = left.get_xlim()
    assert -low == high > 3 and right.get_xlim()[1] < 1
    assert "paper, another task: +0.04" in [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.parametrize("panels", [{}, {"one": {}}, {"one": {"row": ([], None)}}])
def test_differences_without_a_pair_are_refused(panels):
    with pytest.raises(ValueError, match="wanted at least one difference in each"):
        paired_differences(panels)


def test_equal_networks_are_drawn():
    assert_legible(paired_differences({"one": {"row": ([0.0, 0.0], (0.0, 0.0))}}))


def test_confusion_counts_are_those_of_a_loop():
    labels, predicted = RNG.integers(0, 3, (2, 50))
    wanted = np.zeros((3, 3), np.int64)
    for true, guess in zip(labels, predicted, strict=True):
        wanted[true, guess] += 1
    np.testing.assert_array_equal(confusion_counts(labels, predicted, 3), wanted)


def test_confusion_shows_shares_of_the_true_class_and_their_difference():
    counts = {
        "conv": np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]),
        "coordconv": np.array([[4, 0, 0], [0, 4, 0], [2, 0, 2]]),
    }
    figure = confusion_figure(counts, CLASSES, "three classes")
    assert_legible(figure)
    first, second, difference = images(figure)
    np.testing.assert_allclose(first, [[75, 25, 0], [0, 100, 0], [0, 0, 0]])
    np.testing.assert_allclose(second, [[100, 0, 0], [0, 100, 0], [50, 0, 50]])
    np.testing.assert_allclose(difference, second - first)
    assert {"+25", "-25", "75"} <= set(words(figure).split("\n"))
    assert len(images(confusion_figure({"conv": counts["conv"]}, CLASSES))) == 1


def test_a_confusion_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match=r"conv has shape \(2, 2\), wanted \(3, 3\)"):
        confusion_figure({"conv": np.ones((2, 2))}, CLASSES)
    with pytest.raises(ValueError, match="wanted at least one model"):
        confusion_figure({}, CLASSES)


def test_front_weights_are_drawn_before_and_after_with_norms_of_all_runs():
    runs = [(RNG.standard_normal((4, 8)), RNG.standard_normal((4, 8))) for _ in range(3)]
    figure = front_weights_figure({"coordconv": runs, "control": runs[:1]}, "weights")
    assert_legible(figure)
    before, after = images(figure)[:2]
    np.testing.assert_array_equal(before, runs[0][0])
    np.testing.assert_array_equal(after, runs[0][1])
    panels = [ax for ax in figure.axes if ax.get_title() == "norm, before to after"]
    assert [len(ax.lines) for ax in panels] == [12, 4] and panels[0].get_ylim() == panels[1].get_ylim()
    ends = [float(np.asarray(line.get_ydata())[1]) for line in panels[0].lines[:4]]
    assert ends == pytest.approx([np.sqrt((row**2).sum()) for row in runs[0][1]])


@pytest.mark.parametrize("weights", [{}, {"coordconv": []}, {"coordconv": [(np.ones((3, 8)), np.ones((3, 8)))]}])
def test_weights_that_cannot_be_drawn_are_refused(weights):
    with pytest.raises(ValueError, match="front_weights_figure"):
        front_weights_figure(weights)


def guesses(places, right, new):
    return Guesses(np.array(places), np.array(right, bool), np.array(new, bool))


def test_accuracy_at_each_place():
    found = accuracy_by_place(guesses([[0, 0], [0, 0], [1, 2]], [1, 0, 1], [0, 0, 1]), 3)
    assert found[0, 0] == 0.5 and found[1, 2] == 1.0
    assert np.isnan(found).sum() == 7


def test_places_are_drawn_for_each_model_with_a_frame_around_new_ones():
    places = np.argwhere(np.ones((13, 13)))
    new = (places > 6).all(axis=1)
    both = {model: guesses(places, RNG.uniform(size=169) < 0.7, new) for model in ("conv", "coordconv", "control")}
    figure = place_accuracy(both, "accuracy by place")
    assert_legible(figure)
    right = both["conv"].right
    text = f"seen: {100 * right[~new].mean():.1f} %, new: {100 * right[new].mean():.1f} %"
    assert text in figure.axes[0].get_title()
    np.testing.assert_array_equal(images(figure)[0].astype(float), 100.0 * right.reshape(13, 13))


def test_no_guess_at_all_is_refused():
    with pytest.raises(ValueError, match="wanted at least one model"):
        place_accuracy({})
    with pytest.raises(ValueError, match="wanted at least one"):
        place_accuracy({"conv": guesses(np.zeros((0, 2), int), [], [])})
