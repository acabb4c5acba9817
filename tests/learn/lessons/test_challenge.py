"""The challenges can be solved, and what is said of an attempt is true."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from minicoord.learn.definition.course import PARTS, get
from minicoord.learn.lessons import challenge

LESSONS = Path(__file__).resolve().parents[3] / "lessons"
RNG = np.random.default_rng(0)
BATCH = RNG.normal(size=(2, 5, 7, 3))


def im2col_without_a_loop(x, k, stride, pad):
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    windows = sliding_window_view(padded, (k, k), axis=(1, 2))[:, ::stride, ::stride]  # (n, i, j, c, ki, kj)
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, k * k * x.shape[3])


def max_pool_dx_without_a_loop(dy, x, k, stride):
    dx = np.zeros_like(x)
    windows = sliding_window_view(x, (k, k), axis=(1, 2))[:, ::stride, ::stride]
    winners = windows.reshape(*windows.shape[:4], k * k).argmax(axis=-1)
    n, i, j, c = np.indices(winners.shape)
    np.add.at(dx, (n, i * stride + winners // k, j * stride + winners % k, c), dy)
    return dx


def pointer_loss(w, images, centres):
    count, height, width = images.shape
    rows = sliding_window_view(np.pad(images, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
    rows = rows.reshape(count, height * width, 9)
    z = rows @ w.reshape(9)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    i, j = np.divmod(np.arange(height * width), width)
    places = np.stack([j, i], axis=1).astype(float)
    off = p @ places - centres
    dp = (2 * off / count) @ places.T
    dz = p * (dp - (p * dp).sum(axis=1, keepdims=True))
    return (off**2).sum(axis=1).mean(), np.einsum("nkr,nk->r", rows, dz).reshape(3, 3)


IM2COL_CASES = [(BATCH, 3, 1, 1), (BATCH, 2, 3, 0), (BATCH[:, :1], 1, 2, 2), (BATCH[:1, :, :4], 4, 1, 3)]


def test_im2col_can_be_written_without_a_loop(capsys: pytest.CaptureFixture[str]):
    challenge.without_a_loop(im2col_without_a_loop, get("im2col").solution, IM2COL_CASES)
    assert capsys.readouterr().out == "right in all 4 cases, and without a loop\n"


def test_the_way_back_through_max_pooling_can_be_written_without_a_loop(capsys: pytest.CaptureFixture[str]):
    x = RNG.integers(0, 4, (2, 5, 7, 3)).astype(float)
    shapes = {(2, 2): (2, 2, 3, 3), (3, 1): (2, 3, 5, 3), (1, 3): (2, 2, 3, 3)}
    cases = [(RNG.normal(size=shape), x, k, stride) for (k, stride), shape in shapes.items()]
    challenge.without_a_loop(max_pool_dx_without_a_loop, get("max_pool_dx").solution, cases)
    assert capsys.readouterr().out == "right in all 3 cases, and without a loop\n"


def test_a_loop_a_wrong_shape_and_wrong_numbers_are_told(capsys: pytest.CaptureFixture[str]):
    def said(attempt) -> str:
        challenge.without_a_loop(attempt, get("im2col").solution, IM2COL_CASES)
        return capsys.readouterr().out.strip()

    assert said(get("im2col").solution) == "right in all 4 cases, but it has a loop"
    assert said(lambda x, k, stride, pad: None) == challenge.OPEN
    assert said(lambda x, k, stride, pad: np.zeros(3)) == "case 1: the shape is (3,), wanted (70, 27)"
    off_by_one = said(lambda x, k, stride, pad: im2col_without_a_loop(x, k, stride, pad) + 1)
    assert off_by_one == "case 1: 1890 of 1890 numbers are wrong"


def test_a_pointer_of_nine_weights_learns_positions_that_it_never_saw(capsys: pytest.CaptureFixture[str]):
    challenge.train_pointer(pointer_loss)
    gradient, trained, unseen = capsys.readouterr().out.splitlines()
    assert gradient.startswith("gradient: relative error") and not gradient.endswith("wrong")
    for line, where in ((trained, "trained on"), (unseen, "in the unseen quarter")):
        assert where in line and float(line.split(": ")[1].split()[0]) < 0.25


def test_a_wrong_gradient_and_an_open_pointer_are_told(capsys: pytest.CaptureFixture[str]):
    def wrong(w: NDArray, images: NDArray, centres: NDArray) -> tuple[float, NDArray]:
        loss, dw = pointer_loss(w, images, centres)
        return loss, dw[::-1]

    challenge.train_pointer(wrong, steps=1)
    assert capsys.readouterr().out.splitlines()[0].endswith("so it is wrong")
    challenge.train_pointer(lambda w, images, centres: None)
    assert capsys.readouterr().out.strip() == challenge.OPEN


def product_of_loops(a, b):
    y = np.zeros((len(a), b.shape[1]), a.dtype)
    for k in range(len(b)):
        y += a[:, k, None] * b[k]
    return y


def product_of_a_library(a, b):
    return np.dot(a, b)


def test_a_product_is_measured_and_beats_a_rival_or_does_not(capsys: pytest.CaptureFixture[str]):
    def said(attempt, times: float) -> str:
        challenge.beat(attempt, product_of_loops, a, b, times)
        return capsys.readouterr().out.strip()

    a, b = RNG.random((2, 24, 24), dtype=np.float32)
    assert said(product_of_loops, 1e-9).endswith("of product_of_loops; 1e-09 times are beaten")
    assert said(product_of_loops, 1e9).endswith("are not yet beaten")
    assert said(product_of_a_library, 1e9).endswith("but it leaves the product to a library")
    assert said(lambda a, b: None, 1.0) == challenge.OPEN
    assert said(lambda a, b: b, 1.0) == said(lambda a, b: b[:1], 1.0) == "not the product yet: compare it with a @ b"


def test_a_product_and_its_rival_take_turns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    calls: list[str] = []
    slow, quick = 0.004, 0.001

    def seconds(way, a, b, rounds: int) -> float:
        calls.append(way.__name__)
        busy = 10 if len(calls) > 6 else 1  # the machine gets busy halfway, for both
        return busy * (slow if way is product_of_loops else quick)

    monkeypatch.setattr(challenge, "median_seconds", seconds)
    a, b = RNG.random((2, 24, 24), dtype=np.float32)
    challenge.beat(product_of_a_library, product_of_loops, a, b, times=3.9)
    assert calls[:4] == 2 * ["product_of_a_library", "product_of_loops"] and len(calls) == 2 * challenge.ROUNDS
    assert "4.0 times the" in (said := capsys.readouterr().out) and "3.9 times are beaten" in said


def text_of(part: str) -> str:
    (path,) = LESSONS.glob(f"{part}_*.ipynb")
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("part", [part for part in PARTS if part not in ("00", "01", "03", "14")])
def test_a_lesson_ends_with_a_challenge_that_is_optional_and_unmarked(part: str):
    challenges = text_of(part).partition("## A challenge\n")[2].partition("\n## ")[0]
    assert "optional and unmarked" in challenges and "minutes" in challenges
    assert "<summary>A direction</summary>" in challenges


def test_the_last_lesson_has_a_final_project_with_a_rubric_of_twelve_points():
    project = text_of("14").partition("## The final project\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in project.splitlines() if line.startswith("|")]
    assert rows[0][-3:] == ["0 points", "1 point", "2 points"]
    criteria = rows[2:]
    assert all(len(row) == 4 and all(row) for row in criteria) and "Twelve points" in project
    assert 2 * len(criteria) == 12


def test_there_is_one_final_project_with_a_list_to_check_and_others_point_to_it():
    with_rubric = [part for part in PARTS if "**The rubric.**" in text_of(part)]
    assert with_rubric == [list(PARTS)[-1]] == ["14"]
    of_a_network = text_of("14").partition("**B. A network of your own.**")[2].partition("**For both")[0]
    assert len(re.findall(r"^\d+\. ", of_a_network, re.M)) == 10 and "ten points of the list" in text_of("14")
    assert "at the end of lesson [14]" in text_of("10")
