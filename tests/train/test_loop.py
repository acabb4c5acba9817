import os
from typing import Any

import numpy as np
import pytest

from minicoord.train.archive import CheckpointError
from minicoord.train.checkpoint import read_checkpoint
from minicoord.train.loop import train


class Counter:
    def __init__(self, numbers=lambda count: {"count": count}):
        self.count, self.numbers = 0, numbers

    def step(self):
        self.count += 1
        return self.numbers(self.count)

    def state(self):
        return {"count": self.count}

    def restore(self, state):
        self.count = state["count"]


@pytest.mark.parametrize("numbers, options, match", [
    ({"step": 7}, {}, "step returned 'step', a name that training itself uses; choose another"),
    ({"round": 7}, {"unit": "round"}, "step returned 'round', a name"),
    ({"train_seconds": 7.0}, {}, "step returned 'train_seconds', a name"),
    ({"loss": 1.0}, {"columns": lambda: {"step": 7}}, "columns returned 'step', a name"),
    ({"loss": 1.0}, {"columns": lambda: {"train_seconds": 7.0}}, "columns returned 'train_seconds', a name"),
    ({"loss": 1.0}, {"columns": lambda: {"loss": -1.0}}, "columns returned 'loss', a name"),
    ({"loss": 1.0}, {"evaluate": lambda count: {"loss": -1.0}}, "evaluate returned 'loss', a name"),
    ({"loss": 1.0, "samples": 0}, {}, "step returned 0 samples, wanted a number above 0"),
    ({"loss": 1.0, "samples": -1}, {}, "step returned -1 samples, wanted a number above 0"),
    ({"loss": 1.0, "samples": float("nan")}, {}, "step returned nan samples, wanted a number above 0"),
])  # fmt: skip
def test_names_of_the_loop_and_weights_of_nothing_are_refused(numbers, options, match):
    with pytest.raises(ValueError, match=match) as caught:
        train(Counter(lambda count: numbers), 3, every=2, progress=False, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source, options", [
    ("step", {}), ("columns", {"columns": lambda: None}), ("evaluate", {"evaluate": lambda count: None}),
])  # fmt: skip
def test_no_numbers_at_all_are_refused(source, options):
    counter = Counter((lambda count: None) if source == "step" else (lambda count: {}))
    with pytest.raises(TypeError, match=f"{source} returned a NoneType, wanted a dict of"):
        train(counter, 1, progress=False, **options)


@pytest.mark.parametrize("value", ["0.5", None, [0.5], 1j, np.ones(2)])
@pytest.mark.parametrize("source, name", [("step", "loss"), ("step", "samples"), ("columns", "lr")])
def test_what_is_no_number_is_refused(tmp_path, source, name, value):
    numbers = {name: value}
    counter = Counter((lambda count: numbers) if source == "step" else (lambda count: {}))
    options: dict[str, Any] = {"columns": lambda: numbers} if source == "columns" else {}
    wanted = f"^{source} returned '{name}' of type {type(value).__name__}, wanted a number$"
    with pytest.raises(TypeError, match=wanted):
        train(counter, 3, checkpoint=tmp_path / "c", progress=False, **options)
    assert read_checkpoint(tmp_path / "c").history["rows"] == []


@pytest.mark.parametrize("value", [2, True, np.float32(2), np.int64(2), np.array(2.0)])
def test_numbers_of_numpy_are_numbers(value):
    assert train(Counter(lambda count: {"loss": value}), 2, progress=False)["loss"] == [float(value)] * 2


def test_one_step_is_not_called_several(tmp_path):
    train(Counter(), 1, checkpoint=tmp_path / "c", progress=False)
    with pytest.raises(CheckpointError, match="has 1 step already, but steps was 0"):
        train(Counter(), 0, checkpoint=tmp_path / "c", resume=True, progress=False)


def test_a_partial_last_row_is_kept_and_completed_by_the_next():
    rows = train(Counter(), 5, every=2, progress=False).rows
    assert [(row["step"], row["count"]) for row in rows] == [(2, 1.5), (4, 3.5), (5, 5.0)]


def test_more_steps_keep_a_partial_last_row(tmp_path):
    options = {"every": 2, "checkpoint": tmp_path / "c", "progress": False}
    train(Counter(), 5, **options)
    rows = train(Counter(), 8, resume=True, **options).rows
    assert [(row["step"], row["count"]) for row in rows] == [(2, 1.5), (4, 3.5), (5, 5.0), (6, 6.0), (8, 7.5)]


@pytest.mark.parametrize("change, match", [
    ({"every": 5}, "belongs to a run with other settings: every was 2, now 5"),
    ({"unit": "epoch"}, "belongs to a run with other settings: unit was 'step', now 'epoch'"),
])  # fmt: skip
def test_rows_mean_the_same_after_resuming(tmp_path, change, match):
    options = {"every": 2, "checkpoint": tmp_path / "c", "progress": False}
    train(Counter(), 4, **options)
    counter = Counter()
    with pytest.raises(CheckpointError, match=match):
        train(counter, 12, resume=True, **{**options, **change})
    assert counter.count == 0


def test_a_checkpoint_that_does_not_say_how_rows_were_counted_is_resumed(tmp_path):
    options = {"every": 2, "unit": "round", "checkpoint": tmp_path / "c", "progress": False}
    straight = train(Counter(), 4, **options)
    saved = read_checkpoint(tmp_path / "c")
    saved.every, saved.unit = 0, ""
    saved.save(tmp_path / "c")
    assert train(Counter(), 6, resume=True, **options)["count"] == [*straight["count"], 5.5]


@pytest.mark.parametrize("unit, match", [
    ("round", "has 4 rounds already, but rounds was 3"),
    ("step", "has 7 steps already, but steps was 5"),
])  # fmt: skip
def test_fewer_steps_than_there_are_say_how_many_rows_they_make(tmp_path, unit, match):
    options = {"every": 2, "unit": unit, "checkpoint": tmp_path / "c", "progress": False}
    train(Counter(), 7, **options)
    with pytest.raises(CheckpointError, match=match):
        train(Counter(), 5, resume=True, **options)


@pytest.mark.parametrize("before", [True, False])
def test_ctrl_c_while_a_checkpoint_is_written_leaves_memory_and_file_alike(tmp_path, monkeypatch, before):
    replace, calls = os.replace, []

    def interrupted(source, target):
        calls.append(source)
        third = len(calls) == 3
        if third and before:
            raise KeyboardInterrupt
        replace(source, target)
        if third:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    counter = Counter()
    history = train(counter, 10, checkpoint=tmp_path / "c", progress=False)
    saved = read_checkpoint(tmp_path / "c")
    assert (history.interrupted, len(history), counter.count) == (True, 2, 2)
    assert (saved.epoch, saved.state, saved.history["rows"]) == (2, {"count": 2}, history.rows)


NAN = float("nan")


@pytest.mark.parametrize("settings", [{"a": NAN}, {"a": {"b": [1, NAN, {"c": NAN}]}}, {"a": float("inf")}])
def test_settings_with_nan_can_be_resumed(tmp_path, settings):
    options = {"checkpoint": tmp_path / "c", "progress": False, "settings": settings}
    train(Counter(), 1, **options)
    assert len(train(Counter(), 2, resume=True, **options)) == 2


@pytest.mark.parametrize("now", [{"a": 1.0}, {"a": [NAN, 2]}, {"a": {"b": 1}}])
def test_nan_is_equal_to_nan_only(tmp_path, now):
    train(Counter(), 1, checkpoint=tmp_path / "c", progress=False, settings={"a": [NAN, 1]})
    with pytest.raises(CheckpointError, match=r"a was \[nan, 1\], now"):
        train(Counter(), 2, checkpoint=tmp_path / "c", progress=False, resume=True, settings=now)
