"""What lesson 08 shows: its clocks and words, and drawings that can be read."""

from __future__ import annotations

import re
import time
from importlib.util import find_spec
from pathlib import Path

import numba
import numpy as np
import pytest
from figure_checks import assert_legible
from matplotlib.figure import Figure

from minicoord import Adam, Conv2D, CoordConv2D, Sequential, Tile, softmax_cross_entropy
from minicoord.learn.lessons import lesson08, lesson08_drawings as drawings

RECORD = [
    {"name": "step/coordconv-classifier/16", "ms": 26.0, "torch_ms": 52.0, "numpy_ms": 102.0, "ratio": 2.0},
    {"name": "step/detection-trunk/16", "ms": 35.0, "torch_ms": 28.0, "numpy_ms": 87.0, "ratio": 0.8},
    {"name": "conv1x1-4-32/64px/16/forward", "ms": 0.6, "torch_ms": 0.4, "numpy_ms": 4.5, "ratio": 0.67},
    {"name": "conv1x1-4-32/64px/16/backward", "ms": 1.2, "torch_ms": 3.3, "numpy_ms": 5.1, "ratio": 2.8},
]
WAYS = [
    {"way": "loops over pixels in Python", "ms": 3800.0, "gain": None},
    {"way": "whole im2col matrix in NumPy", "ms": 116.0, "gain": 33.0},
    {"way": "nested loops in Numba", "ms": 444.0, "gain": 0.26},
    {"way": "1x1 layers in a chain, tile by tile", "ms": 26.0, "gain": 17.0},
]
CACHES = {"L1": 32, "L2": 1024, "L3": 32768}


def test_the_first_call_does_not_count():
    waits = iter([0.2, 0.01, 0.01, 0.01])
    assert lesson08.median_seconds(lambda: time.sleep(next(waits)), rounds=3) < 0.15


def test_one_slow_call_does_not_move_the_median():
    waits = iter([0.0, 0.01, 0.3, 0.01])
    assert lesson08.median_seconds(lambda: time.sleep(next(waits)), rounds=3) < 0.2


def test_threads_are_given_back_also_after_an_error():
    before = numba.get_num_threads()
    with lesson08.threads(1) as used:
        assert used == numba.get_num_threads() == 1
    assert numba.get_num_threads() == before
    with pytest.raises(ZeroDivisionError), lesson08.threads(1):
        _ = 1 / 0
    assert numba.get_num_threads() == before


def test_no_more_threads_than_there_are():
    with lesson08.threads(10_000) as used:
        assert used == lesson08.most_threads()


def test_caches_are_read_in_kilobytes_and_those_for_code_left_out(tmp_path: Path):
    for k, (level, kind, size) in enumerate([(1, "Data", "48K"), (1, "Instruction", "32K"), (3, "Unified", "36M")]):
        folder = tmp_path / f"index{k}"
        folder.mkdir()
        for name, value in {"level": level, "type": kind, "size": size}.items():
            (folder / name).write_text(f"{value}\n", encoding="ascii")
    assert lesson08.caches(tmp_path) == {"L1": 48, "L3": 36 * 1024}


def test_how_busy_says_the_cores():
    assert re.match(r"\d+ cores", lesson08.how_busy())


@pytest.mark.compiled
def test_what_numba_says_names_types_and_lines_but_no_folder():
    @numba.njit
    def two_types(x):
        if x > 0:
            return x
        return "none"

    said = lesson08.what_numba_says(two_types, 1.0)
    assert said.startswith("TypingError: ")
    assert "Can't unify return type" in said
    assert "float64" in said
    assert re.search(r"Line \d+", said)
    assert str(Path(__file__).parent) not in said


def test_folders_colours_and_empty_lines_are_left_out_of_a_message():
    def fails():
        raise TypeError('\x1b[1mno such thing\x1b[0m\n\nFile "/home/someone/lesson.py", line 3:\n    <source elided>\n')

    assert lesson08.what_numba_says(fails) == "TypeError: no such thing\nLine 3:"


def test_what_numba_says_wants_an_error():
    with pytest.raises(ValueError, match="raised no error, wanted one that does not compile"):
        lesson08.what_numba_says(abs, 1)


def small_classifier() -> Sequential:
    return Sequential([Tile(6, 5), CoordConv2D(2, 3, 1, rng=0, activation="relu"), Conv2D(3, 1, 1, rng=0)])


def test_every_part_of_a_step_is_timed_in_its_order():
    model, centres = small_classifier(), np.zeros((2, 2), np.float32)
    before = model.params["1.w"].copy()
    taken = lesson08.seconds_by_layer(model, softmax_cross_entropy, Adam(0.1), centres, np.array([3, 20]), rounds=2)
    assert list(taken) == [
        "Tile (layer 0), forward",
        "CoordConv2D 4 to 3 (layer 1), forward",
        "Conv2D 3 to 1 (layer 2), forward",
        "loss",
        "Conv2D 3 to 1 (layer 2), backward",
        "CoordConv2D 4 to 3 (layer 1), backward",
        "Adam",
    ]
    assert min(taken.values()) > 0
    assert not np.array_equal(model.params["1.w"], before), "a step that trains nothing was timed"
    assert_legible(drawings.layer_bars(taken))


def test_a_race_that_does_not_show_is_not_claimed():
    assert "The race is there all the same" in lesson08.share_of_runs([5.0, 5.0], 5.0)
    assert lesson08.share_of_runs([5.0, 2.0, 3.0, 3.0], 5.0) == "3 of 4 runs are wrong; 3 different results"


@pytest.mark.compiled
def test_pytorch_is_measured_where_it_is_there_and_else_not():
    ms = lesson08.pytorch_ms(rounds=1)
    assert (ms is None) == (find_spec("torch") is None)
    assert ms is None or 1 < ms < 100_000


@pytest.mark.parametrize(("tasks", "threads", "longest", "rows"), [(16, 2, 8, 2), (5, 4, 2, 4), (3, 8, 1, 3)])
def test_tasks_are_shared_out_evenly(tasks: int, threads: int, longest: int, rows: int):
    figure = drawings.tasks_on_threads(tasks, threads)
    (ax,) = figure.axes
    assert len(ax.patches) == tasks
    assert len(ax.get_yticks()) == rows
    assert ax.get_title(loc="left").endswith(f"over after {longest}")


def test_runs_that_went_wrong_are_counted():
    figure = drawings.race_results([10.0, 4.0, 6.0, 10.0], right=10.0)
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == ["right: 2 runs", "wrong: 2 runs", "the right sum"]


def test_slower_is_told_as_slower():
    (ax,) = drawings.time_bars({"a": 0.001, "b": 0.0001, "c": 0.012}).axes
    assert [text.get_text() for text in ax.texts] == [
        "1 ms", "100 µs, 10 times as fast", "12 ms, takes 12 times as long",
    ]  # fmt: skip


def test_the_way_has_a_bar_for_each_way_and_the_recorded_time_of_pytorch():
    now, before = drawings.the_way(WAYS, 52.0, 60.0), drawings.the_way(WAYS, 52.0)
    assert len(now.axes[0].patches) == len(WAYS) + 1
    assert len(before.axes[0].patches) == len(WAYS)
    (line,) = before.axes[0].lines
    assert np.array_equal(line.get_xdata(), [0.052, 0.052])
    words = [text.get_text() for text in before.axes[0].texts]
    assert words == ["3.8 s", "116 ms, 33 times as fast", "444 ms, takes 3.8 times as long", "26 ms, 17 times as fast"]


@pytest.mark.parametrize(
    ("rows", "vectors", "title"),
    [
        (1, 1, "1 x 1: 2 loads for 1 multiply-add, 2 for each; in 3 registers"),
        (4, 2, "4 x 2: 6 loads for 8 multiply-adds, 0.75 for each; in 11 registers"),
        (8, 2, "8 x 2: 10 loads for 16 multiply-adds, 0.625 for each; in 19 registers"),
    ],
)
def test_a_block_has_a_box_for_each_load_and_each_sum(rows: int, vectors: int, title: str):
    (ax,) = drawings.block_of_sums(rows, vectors, 16).axes
    assert len(ax.patches) == rows + vectors + rows * vectors
    assert ax.get_title(loc="left") == title


def test_what_is_faster_is_counted_from_the_rows():
    figure = drawings.against_pytorch(RECORD)
    titles = [ax.get_title() for ax in figure.axes]
    assert titles == [
        "forward passes: ours ahead in 0 of 1",
        "backward passes: ours ahead in 1 of 1",
        "training steps: ours ahead in 1 of 2",
    ]


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.time_bars({"loops in Python": 0.059, "NumPy": 87e-6, "your loops, njit": 13e-6}),
        lambda: drawings.time_bars({"* 2.0": 37e-6, "constants": 15e-6}),
        lambda: drawings.rate_bars({"as it is defined": 1.9, "tiles of 64": 3.9, "another order": 28, "BLAS": 92}),
        lambda: drawings.race_results([10.0, 4.0] * 50, right=10.0),
        lambda: drawings.working_set(
            [2**k for k in range(2, 18)],
            {"jumping": np.geomspace(2, 200, 16).tolist(), "in order": np.geomspace(0.03, 0.2, 16).tolist()},
            CACHES,
            "nanoseconds",
        ),
        lambda: drawings.tile_curve([2**k for k in range(4, 25, 2)], np.linspace(15, 7, 11).tolist(), CACHES),
        lambda: drawings.tiles_of_a_product(96, 1024, CACHES),
        lambda: drawings.tiles_of_a_product(512, 1024, {}),
        lambda: drawings.block_of_sums(4, 2),
        lambda: drawings.block_of_sums(8, 2, 16),
        lambda: drawings.block_of_sums(12, 1, 8),
        lambda: drawings.block_of_sums(1, 4, 4),
        lambda: drawings.the_way(WAYS, 52.0),
        lambda: drawings.the_way(WAYS, 52.0, 60.0),
        lambda: drawings.against_pytorch(RECORD),
    ],
)
def test_each_drawing_can_be_read_and_has_words(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    assert len(str(figure.get_label())) > 40
    assert_legible(figure)


@pytest.mark.parametrize("ratio", [0.96, 1.0, 1.04])
def test_where_nothing_was_gained_it_says_so(ratio: float):
    (ax,) = drawings.time_bars({"one thread": 0.001, "two threads": 0.001 / ratio}).axes
    assert ax.texts[1].get_text().endswith(", no change")
    assert drawings.compared(1.1) == "1.1 times as fast" and drawings.compared(0.9) == "takes 1.1 times as long"
