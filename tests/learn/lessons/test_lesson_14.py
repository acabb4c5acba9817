"""What lesson 14 reads from records and computes, and its drawings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.testing import assert_allclose

from minicoord import CoordConv2D, lessons_folder
from minicoord.experiments.records.reading import load_records
from minicoord.learn.definition.course import get
from minicoord.learn.lessons import lesson14, lesson14_drawings as drawings, lesson14_networks as networks
from minicoord.learn.lessons.lesson14 import A_PLACE, COVERED, RELATIVE, SEEN

RECORDS = load_records(lessons_folder() / "results")


def record(experiment: str, model: str, seed: int, score: float, **more: Any) -> dict[str, Any]:
    fields = {"variant": "valid", "preset": "paper", "settings": {"official_anchors": False}, **more}
    return {"experiment": experiment, "model": model, "seed": seed, "metrics": {"test_iou": score}, **fields}


def only(task: str, answer: str, records: list[dict[str, Any]]) -> lesson14.Outcome:
    (found,) = [o for o in lesson14.outcomes(records) if (o.task.words, o.task.answer) == (task, answer)]
    return found


# Records


def test_all_tasks_are_recorded_and_the_paper_is_borne_out_where_the_answer_is_a_place():
    found = lesson14.outcomes(RECORDS)
    assert [outcome.task for outcome in found] == list(lesson14.TASKS)
    for outcome in found:
        if outcome.task.answer == A_PLACE:
            assert outcome.difference > 5
        if outcome.task.answer in (RELATIVE, SEEN):
            assert outcome.difference < 0.5
        if outcome.task.answer == COVERED:
            assert 0 <= outcome.difference < 5


def test_paired_runs_are_those_of_the_account_of_results():
    found = {(o.task.words, o.task.answer): o for o in lesson14.outcomes(RECORDS)}
    garments = found["name the garment, anywhere", SEEN]
    assert len(garments.pairs()) == 10
    assert garments.row()["difference, points"] == "-1.2"
    assert garments.row()["95 % interval, paired"] == "-1.7 to -0.7"
    right = found["find digits, right anchors", RELATIVE]
    assert sorted(right.without) == [100, 101, 102, 103, 104]
    assert right.row()["without"] == "65.9 % (5 runs)" and right.row()["CoordConv"] == "63.8 % (5 runs)"


def test_pairs_are_preferred_and_of_them_those_with_the_most_seeds():
    few = {"settings": {"official_anchors": False, "images": 3000}}
    runs = [
        *(record("detection", "conv", seed, 0.9, **few) for seed in (0, 1)),
        *(record("detection", "coordconv", seed, 0.1, **few) for seed in (0, 1)),
        *(record("detection", "conv", seed, 0.5 + seed / 100) for seed in (0, 1, 2, 7)),
        *(record("detection", "coordconv", seed, 0.6 + seed / 100) for seed in (0, 1, 2, 8)),
        record("detection", "coordconv", 3, 0.99, settings={"official_anchors": True}),
    ]
    outcome = only("find digits, right anchors", RELATIVE, runs)
    assert sorted(outcome.without) == sorted(outcome.coordconv) == [0, 1, 2]
    assert_allclose(outcome.pairs(), 10)
    assert outcome.row()["95 % interval, paired"] == "+10.0 to +10.0"


def test_without_pairs_the_best_plain_network_is_compared_with_the_settings_of_most_seeds():
    runs = [
        record("detection", "conv", 0, 0.3, preset="quick"),
        record("detection", "conv", 1, 0.7, preset="long"),
        record("detection", "coordconv", 0, 0.9, preset="lucky"),
        *(record("detection", "coordconv", seed, 0.8) for seed in (4, 5)),
    ]
    outcome = only("find digits, right anchors", RELATIVE, runs)
    assert (outcome.without, outcome.coordconv) == ({1: 0.7}, {4: 0.8, 5: 0.8})
    assert outcome.row() == {
        "the network is asked to": "find digits, right anchors",
        "the answer is": RELATIVE,
        "without": "70.0 % (1 run)",
        "CoordConv": "80.0 % (2 runs)",
        "difference, points": "+10.0",
        "95 % interval, paired": "",
    }


def test_a_task_without_runs_of_both_is_left_out_and_no_records_are_told():
    assert lesson14.outcomes([record("detection", "conv", 0, 0.3)]) == []
    assert lesson14.in_words([]) == "No runs of both networks are recorded in this copy."


def test_the_words_give_the_band_of_each_kind_of_answer():
    said = lesson14.in_words(lesson14.outcomes(RECORDS)).splitlines()
    kinds = [line.partition(":")[0] for line in said]
    assert kinds == [f"the answer is {answer}" for answer in (A_PLACE, COVERED, RELATIVE, SEEN)]
    assert said[-1] == "the answer is what is seen: -1.2 to -0.3 points with coordinates"


def test_places_of_the_detector_are_those_of_the_account_of_results():
    rows = {row["coordinates"]: row for row in lesson14.places(RECORDS)}
    assert list(rows) == ["at the image", "after the trunk", "before the last layer of the boxes", "at all three"]
    assert rows["at the image"]["change"] == "-3.6 %" and rows["at all three"]["change"] == "-3.3 %"
    assert rows["before the last layer of the boxes"]["95 % interval"] == "-0.8 to +0.5 %"
    assert lesson14.places([]) == []


def test_runs_with_and_without_r_are_paired():
    runs = [
        {**record("a2c", model, seed, 0.0), "metrics": {"test_return": value}, "variant": "control"}
        for model, seed, value in (
            ("coordconv-pool", 0, 1.0),
            ("coordconv-pool", 1, 3.0),
            ("coordconv-r-pool", 1, 5.0),
            ("coordconv-r-dense", 1, 5.0),
        )
    ]
    (row,) = lesson14.with_and_without_r(runs)
    assert (row["i and j"], row["i, j and r"], row["seeds"]) == ("3.00", "5.00", "1")
    assert lesson14.with_and_without_r([]) == []


# Padding


@pytest.mark.parametrize("depth", [1, 3, 5])
def test_zeros_are_seen_one_pixel_further_with_each_layer_and_a_mirror_not_at_all(depth: int):
    seen = networks.seen_of_the_border(depth, "zeros", (16, 20)) > 0
    inner = np.ones((16, 20), bool)
    inner[depth:-depth, depth:-depth] = False
    assert not (seen & ~inner).any()
    assert (seen[0].all() and seen[:, -1].all()) and seen[inner].mean() > 0.9
    assert not networks.seen_of_the_border(depth, "mirror", (16, 20)).any()


def test_padding_gives_the_place_away_a_little_and_coordinates_would_do_so_exactly():
    zeros, mirror = (networks.place_read_off(6, padding) for padding in ("zeros", "mirror"))
    assert 5 < zeros < mirror < networks.middle_off() + 0.1
    assert networks.middle_off((1, 4)) == 1.0


# Weights


def test_the_slow_convolution_is_that_of_the_library_in_the_other_layout():
    layer = CoordConv2D(2, 3, (3, 5), rng=0, dtype=np.float64, with_r=True)
    layer.params["b"][...] = [1, 2, 3]
    x = np.random.default_rng(0).normal(size=(2, 4, 7, 2))
    for order in ("ij", "xy"):
        channels = get("add_coords_first").solution(x.transpose(0, 3, 1, 2), True, order)
        kernel = get("kernel_to_torch").solution(layer.params["w"], True, order)
        y = networks.conv_as_in_pytorch(channels, kernel, layer.params["b"])
        assert_allclose(y.transpose(0, 2, 3, 1), layer.forward(x), atol=1e-12)


@pytest.mark.compiled
def test_a_network_that_grew_computes_the_same_and_learns_what_the_plain_one_does_not():
    plain = networks.finder()
    networks.trained_further(plain, 4)
    grown = networks.grown(plain, get("grown_kernel").solution)
    x, _ = networks.lit_pixels()
    assert np.array_equal(grown.forward(x), plain.forward(x))
    before, *_, after = networks.trained_further(grown, 12, seed=1)
    stays = networks.trained_further(plain, 12, seed=1)
    assert before == stays[0]
    assert after < 2 < 6 < stays[-1]


@pytest.mark.compiled  # pure Python takes too long
def test_a_wrong_kernel_shows_where_the_network_grew():
    plain = networks.finder()
    grown = networks.grown(plain, lambda w, extra: np.pad(w, ((0, 0), (0, extra), (0, 0), (0, 0)), constant_values=1))
    x, _ = networks.lit_pixels()
    assert not np.array_equal(grown.forward(x), plain.forward(x))


def test_the_back_end_of_keras_is_the_users_or_the_first_that_is_there(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert networks.keras_back_end() == "torch"
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setattr(networks, "find_spec", lambda name: name == "jax" or None)
    assert networks.keras_back_end() == "jax"
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    assert networks.keras_back_end() == "tensorflow"


# Drawings


@pytest.mark.parametrize(
    "draw",
    [
        lambda: drawings.scores_of_tasks(lesson14.outcomes(RECORDS)),
        lambda: drawings.scores_of_tasks(lesson14.outcomes(RECORDS)[:1]),
        lambda: drawings.border_reach([1, 2], (8, 12)),
        lambda: drawings.three_channels(5, 8),
        lambda: drawings.three_channels(1, 8),
        lambda: drawings.copies({"right": np.zeros((2, 4, 7)), "another": np.ones((2, 4, 7))}),
        lambda: drawings.continued([12, 11, 11], {"plain": [11, 10, 10], "with coordinates": [11, 3, 1]}),
    ],
)
def test_each_drawing_is_a_figure_that_can_be_shown(draw):
    figure = draw()
    assert isinstance(figure, Figure)
    figure.canvas.draw()


def test_the_share_that_sees_the_border_is_said():
    figure = drawings.border_reach([2], (8, 12))
    assert [ax.get_title() for ax in figure.axes[:2]] == ["2 layers: 67 % see it", "2 layers: 0 % see it"]
