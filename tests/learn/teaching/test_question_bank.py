"""The exam: twenty-four questions, each answered, with points that add up, and numbers that the library confirms."""

import re
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from minicoord import Conv2D, CoordConv2D
from minicoord.datasets import not_so_clevr, split
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.learn.definition.course import get
from minicoord.system.paths import teaching_folder

HEADING = re.compile(r"^## (\d+)\. (.+?)(?: \((\d+) points\))?$", re.MULTILINE)


def parts(name):
    """The title and the text of each numbered section of a page."""
    text = (teaching_folder() / name).read_text(encoding="utf-8")
    found = list(HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {int(m[1]): (m[2], m[3], text[m.end() : end]) for m, end in zip(found, ends, strict=True)}


QUESTIONS, ANSWERS = parts("question_bank.md"), parts("question_bank_answers.md")


def solved(id, *args):
    return get(id).solution(*args)


def assert_in_answer(number, *texts):
    words = " ".join(ANSWERS[number][2].split())
    for text in texts:
        assert text in words, (number, text)


def test_there_are_twenty_four_questions_each_with_an_answer():
    assert list(QUESTIONS) == list(ANSWERS) == list(range(1, 25))
    assert [title for title, _, _ in QUESTIONS.values()] == [title for title, _, _ in ANSWERS.values()]


@pytest.mark.parametrize("number", QUESTIONS)
def test_points_add_up_and_every_part_is_answered(number):
    _, points, question = QUESTIONS[number]
    answer = ANSWERS[number][2]
    assert sum(map(int, re.findall(r"\((\d)\)", answer))) == int(points)
    count = [len(re.findall(r"^\d\. ", text, re.MULTILINE)) for text in (question, answer)]
    assert count[0] == count[1]


def test_the_total_is_as_the_page_says():
    text = (teaching_folder() / "question_bank.md").read_text(encoding="utf-8")
    assert f"{sum(int(points) for _, points, _ in QUESTIONS.values())} points" in text


def test_1_2_3_the_data_its_splits_and_baselines():
    data = not_so_clevr()
    assert (data.centres.min(), data.centres.max(), len(data)) == (4, 59, 3136)
    assert_in_answer(1, "4 to 59", "3,136", f"{(20 - 4) * (30 - 4)}")
    assert len([1 for y in range(20) for x in range(30) if 2 <= y <= 17 and 2 <= x <= 27]) == 416
    part = split(data, "quadrant")
    x, y = data.centres.T
    with_equal = int(((x >= 32) & (y >= 32)).sum())
    assert_in_answer(2, f"{len(part.test)} in the test set", f"{len(part.train):,} in the", f"{with_equal}; ")
    assert_in_answer(2, f"{with_equal - len(part.test)} have changed")
    assert_in_answer(3, f"{np.log(4096):.3f}", f"{np.log(3136):.3f}", f"{100 / 3136:.3f}".lstrip("0") + " %")


def test_4_sizes():
    size = get("conv_out_size").solution
    for row, column, *window in ((30, 22, 5, 2, 0), (32, 24, 4, 2, 1), (64, 48, 3, 1, 1)):
        assert (size(64, *window), size(48, *window)) == (row, column)
        assert_in_answer(4, f"{row} rows, {column} columns")


def test_5_im2col():
    matrix = solved("im2col", np.zeros((2, 5, 7, 3)), 3, 1, 0)
    row, column = solved("im2col_index", (1, 2, 4), (0, 1, 2), 3, 5, 3, 3)
    assert_in_answer(5, f"{matrix.shape[0]} rows, {matrix.shape[1]} columns", f"= {row}.", f"= {column}.")


def test_6_gradients():
    cols, w, dy = np.array([[2.0, 1], [0, 3]]), np.array([[4.0], [5]]), np.array([[1.0], [-2]])

    def text(array):
        return str(array.astype(int).tolist())

    assert_in_answer(6, text(cols.T @ dy), text(dy.sum(axis=0)), text(dy @ w.T))
    ones = np.ones((1, 7, 7, 1))
    added = solved("col2im", np.ones_like(solved("im2col", ones, 3, 1, 0)), ones.shape, 3, 1, 0)
    assert added[0, 3, 3, 0] == 9 and "there are 9" in ANSWERS[6][2]


def test_8_softmax():
    z = np.array([[0, np.log(3)]])
    gradient = solved("softmax_cross_entropy_dx", z, np.array([0]))
    assert gradient[0] == pytest.approx([-0.75, 0.75])
    assert float(solved("softmax_cross_entropy", z, np.array([0]))) == pytest.approx(1.386, abs=5e-4)
    of_four = solved("softmax_cross_entropy_dx", np.repeat(z, 4, axis=0), np.zeros(4, int))
    assert of_four[0] == pytest.approx([-0.1875, 0.1875])
    assert_in_answer(8, "1.386", "(-.75, .75)", "(-.1875, .1875)")


def test_9_adam():
    for scale in (1, 1000):
        w, *_ = solved(
            "adam_step", np.zeros(1), np.full(1, 0.5 * scale), np.zeros(1), np.zeros(1), 1, 0.1, 0.9, 0.999, 1e-8
        )
        assert w[0] == pytest.approx(-0.1, abs=1e-6)
    assert_in_answer(9, "By .1, against the gradient", "By .1 as well")


def test_10_11_15_networks():
    net = deconv_painter(c=1, fs=2, rng=0)
    assert net.forward(np.zeros((1, 2), np.float32)).shape[1:3] == (64, 64)
    norms = sum(array.size for name, array in net.params.items() if name.rpartition(".")[2] in ("gamma", "beta"))
    assert_in_answer(11, "= 576", f"= {norms} (2)", f"{net.n_params:,} in all", f"{net.n_params - norms:,} + {norms}")
    widths = (4, 32, 32, 64, 64, 1)
    macs = 4096 * sum(a * b for a, b in pairwise(widths))
    assert coordconv_painter(0).n_params == 7553 and round(macs / 1e6, 1) == 30.1
    assert_in_answer(15, "7,553 in all", "30.1 million")
    assert f"{deconv_painter(c=2, fs=3, rng=0).n_params:,}" in QUESTIONS[15][2]


def test_14_add_coords():
    def words(values):
        return ", ".join(
            str(Fraction(v).limit_denominator(2)).replace("-1/2", "-.5").replace("1/2", ".5") for v in values
        )

    x = np.zeros((1, 3, 5, 1))
    right = solved("add_coords", x)[0, ..., 1:]
    bug = next(m.function for m in get("add_coords").mistakes if m.function.__name__ == "divisors_exchanged")(x)[
        0, ..., 1:
    ]
    for coords in (right, bug):
        assert_in_answer(14, f"i: {words(coords[:, 0, 0])}", f"j: {words(coords[0, :, 1])}")
    square = np.zeros((1, 5, 5, 1))
    mistakes = {m.function.__name__: m.function for m in get("add_coords").mistakes}
    assert np.array_equal(mistakes["divisors_exchanged"](square), solved("add_coords", square))
    assert solved("add_r", solved("add_coords", x))[0, 0, 0, -1] == pytest.approx(np.sqrt(2))


def test_17_18_distances_and_overlaps():
    data = not_so_clevr()
    off = np.hypot(*(data.centres - 31.5).T).mean()
    assert_in_answer(17, f"{off:.1f} on average")
    square = np.zeros((1, 64, 64))
    square[0, 10:19, 10:19] = 1
    for shift in ((0, 1), (1, 1)):
        iou = float(solved("iou", np.roll(square, shift, (1, 2)), square)[0])
        assert_in_answer(18, f"{iou:.2f}"[1:])
    assert_in_answer(18, f"{100 * (1 - 81 / 4096):.1f} %")


def test_20_anchors_and_pairs():
    assert 13 * 13 * 9 == 1521
    assert_in_answer(20, "1,521", f"({8 + 4 * 1}, {8 + 4 * 2}, 15, 15)", "(12, 12, 12, 12)")
    before, after = np.array([88.1, 87.6, 88.9]), np.array([87.9, 87.3, 88.8])
    assert (after - before).mean() == pytest.approx(-0.2)


def test_21_entropies():
    middles = 3.2 + 6.4 * np.indices((10, 10)).reshape(2, -1).T  # (x, y) of the bins of a canvas of 64 x 64
    for places, said in ((middles, "4.61"), (middles[:8], "2.08"), (middles[:1], "and 0")):
        entropy = solved("entropy_of_places", np.repeat(places, 10, axis=0), 0, 64, 10)
        assert said.endswith(f"{entropy:.2f}") or (said == "and 0" and entropy == pytest.approx(0))
        assert_in_answer(21, said)


def test_22_divergence_and_its_gradient():
    mean, log_variance = np.array([[1.0, 0.0]]), np.log([[1.0, 4.0]])
    assert float(np.sum(solved("kl_gaussian", mean, log_variance))) == pytest.approx(1.31, abs=0.005)
    d_mean, d_log_variance = solved("kl_gaussian_dx", mean, log_variance)
    np.testing.assert_allclose(d_mean, [[1, 0]])
    np.testing.assert_allclose(d_log_variance, [[0, 1.5]])


def test_23_returns_and_a_policy_gradient():
    rewards = np.array([[0.0], [0.0], [1.0], [0.0], [0.0]])
    after, none = np.full((5, 1), 0.8), np.zeros((5, 1), bool)
    third = none.copy()
    third[2] = True
    ended = solved("n_step_returns", rewards, third, none, after, 0.5)
    np.testing.assert_allclose(ended[:, 0], [0.25, 0.5, 1, 0.2, 0.4])
    cut = solved("n_step_returns", rewards, none, third, after, 0.5)
    np.testing.assert_allclose(cut[:3, 0], [0.35, 0.7, 1.4])
    gradient = solved("policy_gradient", np.log([[0.5, 0.25, 0.25]]), np.array([0]), np.array([2.0]))
    np.testing.assert_allclose(gradient, [[-1, 0.5, 0.5]])


def test_24_weights_of_coordinate_channels():
    added = [CoordConv2D(c, 16, 3).n_params - Conv2D(c, 16, 3).n_params for c in (3, 16, 16)]
    assert_in_answer(24, f"= {added[0]}", f"{sum(added)}")
