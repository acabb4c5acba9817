"""How many times faster CoordConv learns: from epochs, seconds of an epoch, and multiply-adds."""

import json

import pytest

from minicoord.bench.multiply_adds import multiply_adds
from minicoord.experiments.classification.painters import deconv_painter
from minicoord.experiments.classification.speed_up import epochs_to, load_timings, speed_ups
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
)
from minicoord.experiments.rendering.renderers import coordconv_renderer

TIMINGS = [
    {"model": "coordconv", "settings": {}, "multiply_adds": 30, "seconds_per_epoch": 4.0},
    {"model": "conv", "settings": {"c": 2, "fs": 3}, "multiply_adds": 15, "seconds_per_epoch": 2.0},
    {"model": "conv", "settings": {"c": 1, "fs": 2}, "multiply_adds": 2, "seconds_per_epoch": 1.0},
]

SLOWER = {"seconds_per_epoch": 6.0}


def run(model, test, split="uniform", seed=0, preset="paper", **settings):
    """A record whose test accuracy after epoch k is test[k - 1]; None was not measured."""
    history = [{"epoch": k, "test_accuracy": value} for k, value in enumerate(test, start=1)]
    settings = {"lr": 0.005, "l2": 0.001, **settings}
    facts = {"experiment": "classification", "preset": preset, "model": model, "variant": split, "seed": seed}
    return {**facts, "settings": settings, "epochs": len(test), "history": history}


@pytest.mark.parametrize(
    "net, shape, millions",
    [
        (deconv_painter(1, 2, rng=0), (1, 2), 2.0),
        (deconv_painter(2, 3, rng=0), (1, 2), 17.7),
        (deconv_painter(3, 4, rng=0), (1, 2), 70.0),
        (coordconv_renderer(3, 2, 0), (1, 2), 98.0),
        (conv_fc_regressor(rng=0), (1, 64, 64, 1), 3.8),
        (fully_convolutional_regressor(rng=0), (1, 64, 64, 1), 3.8),
        (coordconv_regressor(rng=0), (1, 64, 64, 1), 3.6),
    ],
)
def test_the_multiply_adds_are_those_counted_by_hand(net, shape, millions):
    assert round(multiply_adds(net, shape) / 1e6, 1) == pytest.approx(millions, abs=0.06)
    assert multiply_adds(net, (3, *shape[1:])) == 3 * multiply_adds(net, shape)


def test_the_first_epoch_at_a_level_counts_and_gaps_do_not():
    record = run("conv", [0.1, None, 0.8, 0.7, 0.9])
    assert epochs_to(record, 0.8) == 3
    assert epochs_to(record, 0.95) is None


def test_the_speed_up_is_epochs_times_seconds_and_the_median_of_the_seeds():
    records = [
        run("coordconv", [0.5, 1.0, 1.0]),
        run("coordconv", [0.5, 0.9, 0.9, 1.0], seed=1),
        run("coordconv", [0.5, 0.9], seed=2),
        run("coordconv", [1.0], lr=0.01),
        run("coordconv", [1.0], raw_input=True),
        run("coordconv", [1.0], preset="quick"),
        run("coordconv", [1.0], split="quadrant"),
        run("conv", [0.2] * 29 + [0.8], c=2, fs=3, l2=0.0),
        run("conv", [0.2] * 60, c=1, fs=2),
        run("conv", [0.9], c=2, fs=2),
    ]
    first, second = speed_ups(records, TIMINGS)
    assert (first.settings, first.reached, first.times) == ({"c": 2, "fs": 3, "l2": 0.0}, True, 30 * 2.0 / (3 * 4.0))
    assert first.times_in_multiply_adds == 30 * 15 / (3 * 30)
    assert first.seeds == (2, 3)
    assert (second.settings, second.reached, second.times) == (
        {"c": 1, "fs": 2, "l2": 0.001},
        False,
        60 * 1.0 / (3 * 4.0),
    )
    assert "5 times as long" in first.sentence()
    assert "convolution (c=2, fs=3, l2=0.0) came to 80 % after 30 epochs" in first.sentence()
    assert "had not come to 80 % after 60 epochs" in second.sentence()
    assert "more than 5 times as long" in second.sentence()


def test_a_network_is_timed_as_itself_not_as_the_one_with_batch_norm():
    timings = [*TIMINGS, {"model": "conv-no-bn", "settings": {"c": 2, "fs": 3}, "multiply_adds": 15} | SLOWER]
    (only,) = speed_ups([run("coordconv", [1.0]), run("conv-no-bn", [0.1, 0.9], c=2, fs=3)], timings)
    assert only.times == 2 * SLOWER["seconds_per_epoch"] / 4.0
    assert "convolution without batch norm (c=2, fs=3, l2=0.001) came to 80 % after 2 epochs" in only.sentence()


def test_of_several_seeds_of_a_convolution_the_quickest_counts():
    seeds = [run("conv", [0.1] * k + [0.9] * (5 - k), seed=k, c=2, fs=3) for k in (3, 1, 2)]
    (only,) = speed_ups([run("coordconv", [1.0]), *seeds, run("conv", [0.1] * 5, seed=9, c=2, fs=3)], TIMINGS)
    assert only.conv_epochs == 2


def test_one_epoch_is_not_called_epochs():
    (only,) = speed_ups([run("coordconv", [1.0]), run("conv", [0.9], c=2, fs=3)], TIMINGS)
    assert "after 1 epoch or 4 s" in only.sentence()
    assert "after 1 epoch or 2 s" in only.sentence()


def test_without_a_solved_run_or_timings_there_is_no_speed_up():
    records = [run("coordconv", [0.5]), run("conv", [0.9], c=2, fs=3)]
    assert speed_ups(records, TIMINGS) == []
    assert speed_ups([run("coordconv", [1.0]), records[1]], []) == []


def test_timings_are_read_and_a_damaged_file_is_named(tmp_path):
    assert load_timings(tmp_path) == []
    path = tmp_path / "epoch-time.json"
    path.write_text(json.dumps({"machine": {}, "epochs": TIMINGS}))
    assert load_timings(tmp_path) == TIMINGS
    lacking = {key: value for key, value in TIMINGS[0].items() if key != "seconds_per_epoch"}
    for damaged in ("", "[]", "{", "null", "3", '{"epochs": 3}', '{"epochs": [1]}', json.dumps({"epochs": [lacking]})):
        path.write_text(damaged)
        with pytest.raises(ValueError, match=r"epoch-time\.json is not what 'minicoord bench --epochs --json' writes"):
            load_timings(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ValueError) as caught:
        load_timings(tmp_path)
    assert str(caught.value).startswith(str(path))
