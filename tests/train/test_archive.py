import collections
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord import Adam, Dense, Sequential
from minicoord.train.archive import CheckpointError, flatten, read_archive, write_archive
from minicoord.train.checkpoint import read_checkpoint
from minicoord.train.loop import train
from minicoord.train.trainer import Trainer
from minicoord.train.weights import load_weights


class Keeper:
    """A trainer with a given state; it keeps what it is restored to."""

    def __init__(self, state, restored=None):
        self.kept, self.restored, self.steps = state, restored, 0

    def step(self):
        self.steps += 1
        return {}

    def state(self):
        return self.kept

    def restore(self, state):
        self.restored = state


def same(a, b):
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b)


A = np.arange(3)


@pytest.mark.parametrize("state", [
    {"file": A, "allow_pickle": A + 1, "meta": A + 2, "self": A + 3, "args": A + 4, "kwds": A + 5},
    {"a": A, "a.npy": A + 1, "a.b": A + 2, "b": {"npy": A, ".npy": A + 1, "npy.npy": A + 2}},
    {"a": A, "A": A + 1, "é☃": A + 2, "with space": A + 3, "..": A + 4},
    {"state": {"state": A, "x": 1}, "params": {}, "nested": {"empty": {}}, "none": None},
    {"nan": float("nan"), "inf": -float("inf"), "zero": -0.0, "yes": True, "big": 2**200, "text": "\ud800/\0"},
    {"list": [1, 2.5, None, "x", [True, []]], "rng": {"k": 1}},
    {"0d": np.array(3), "empty": np.zeros((0, 3)), "strings": np.array(["a", "bb"]), "half": np.ones(2, np.float16)},
    {"F": np.asfortranarray(np.ones((2, 3))), "big": np.arange(3, dtype=">f4"), "complex": np.ones(2, complex)},
    {"days": np.array(["2020-01-01"], "M8[D]"), "fields": np.zeros(2, [("x", "f4"), ("y", "i2")])},
])  # fmt: skip
def test_a_state_comes_back_exactly(tmp_path, state):
    train(Keeper(state), 1, checkpoint=tmp_path / "c", progress=False)
    keeper = Keeper({})
    train(keeper, 1, checkpoint=tmp_path / "c", resume=True, progress=False)
    assert same(keeper.restored, state)


@pytest.mark.parametrize("state, error, match", [
    ({"a/b": A}, ValueError, "key 'a/b' in the state, wanted 1 to 255 printable characters and no slashes"),
    ({"part": {"a/b": 3}}, ValueError, "key 'a/b' in the state 'part'"),
    ({"a\\b": A}, ValueError, "no slashes"),
    ({"a\0b": A}, ValueError, "wanted 1 to 255 printable characters"),
    ({"\ud800": 1}, ValueError, "wanted 1 to 255 printable characters"),
    ({"": A}, ValueError, "key '' in the state, "),
    ({"k" * 256: A}, ValueError, "wanted 1 to 255 printable characters"),
    ({"part": {1: A}}, TypeError, "key 1 in the state 'part', wanted a str"),
    ({1.5: A}, TypeError, "key 1.5 in the state, wanted a str"),
    ({"a": {"b": np.array([None, "x"], object)}}, TypeError, "'a/b', an array of Python objects"),
    ({"a": np.zeros(1, [("x", object)])}, TypeError, "'a', an array of Python objects"),
    ({"a": np.ma.masked_equal([1, 2], 2)}, TypeError, "'a' of type MaskedArray, wanted a plain ndarray"),
    ({"a": np.zeros(1, "i4,f4").view(np.recarray)}, TypeError, "wanted a plain ndarray"),
    ({"a": {"b": (1, 2)}}, TypeError, "'a/b' with a tuple, wanted None, bool, int, float, str, a list of those"),
    ({"a": [1, (2,)]}, TypeError, "'a' with a tuple"),
    ({"a": [A]}, TypeError, "'a' with a ndarray"),
    ({"a": [{"b": 1}]}, TypeError, "'a' with a dict"),
    ({"a": np.float32(0.1)}, TypeError, "'a' with a NumPy float32"),
    ({"a": np.float64(0.1)}, TypeError, "'a' with a NumPy float64"),
    ({"a": np.bool_(True)}, TypeError, "'a' with a NumPy bool"),
    ({"a": b"x"}, TypeError, "'a' with a bytes"),
    ({"a": {1, 2}}, TypeError, "'a' with a set"),
    ({"a": 1j}, TypeError, "'a' with a complex"),
    ({"a": Path("x")}, TypeError, "'a' with a "),
    ({"a": collections.Counter("ab")}, TypeError, "the state 'a' of type Counter, wanted a dict"),
    ([1], TypeError, "the state of type list, wanted a dict"),
])  # fmt: skip
def test_what_a_file_cannot_bring_back_is_refused_before_the_first_step(tmp_path, state, error, match):
    keeper = Keeper(state)
    with pytest.raises(error, match=f"a checkpoint cannot hold .*{re.escape(match)}") as caught:
        train(keeper, 1, checkpoint=tmp_path / "c", progress=False)
    assert "\n" not in str(caught.value)
    assert keeper.steps == 0
    assert not list(tmp_path.iterdir())


def test_a_part_with_a_slash_in_its_name_is_refused_before_the_first_step(tmp_path):
    parts: dict[str, Any] = {"a/b": Sequential([Dense(1, 1, rng=0)])}
    trainer = Trainer(1, **parts)
    with pytest.raises(ValueError, match="the key 'a/b'"):
        train(trainer, 1, checkpoint=tmp_path / "c", progress=False)


def test_a_file_with_arrays_under_their_bare_names_is_still_read(tmp_path):
    train(Keeper({"n": A, "part": {"x": A + 1}}), 1, checkpoint=tmp_path / "c", progress=False)
    arrays, facts = read_archive(tmp_path / "c")
    assert set(arrays) == {"/n", "part/x"}
    write_archive(tmp_path / "c", "checkpoint", {name.removeprefix("/"): a for name, a in arrays.items()}, facts)
    assert same(read_checkpoint(tmp_path / "c").state, {"n": A, "part": {"x": A + 1}})


def test_the_names_of_parts_are_paths():
    model, optimizer = Sequential([Dense(1, 1, rng=0)]), Adam(0.1)
    arrays, rest = flatten(Trainer(1, net=model, optimizer=optimizer, loose=Keeper({"x": A})).state())
    assert set(arrays) == {"net/params/0.w", "net/params/0.b", "loose/x"}
    assert rest["optimizer"] == {"name": "Adam", "lr": 0.1, "t": 0}


def test_a_name_that_is_both_array_and_dict_is_damage(tmp_path):
    train(Keeper({"a": {"b": A}}), 0, checkpoint=tmp_path / "c", progress=False)
    arrays, facts = read_archive(tmp_path / "c")
    facts["state"]["a"] = 3
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    with pytest.raises(CheckpointError, match=r"c is damaged: .*'a' of 'a/b' is not a dict"):
        read_checkpoint(tmp_path / "c")


@pytest.mark.parametrize("kind", [None, 3, ["weights"]])
def test_an_archive_must_say_what_it_holds(tmp_path, kind):
    write_archive(tmp_path / "c", kind, {"params/0.w": A}, {})
    for read in (read_checkpoint, lambda path: load_weights(path, Sequential([Dense(1, 1, rng=0)]))):
        with pytest.raises(CheckpointError, match="is damaged: it does not say what it holds"):
            read(tmp_path / "c")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
@pytest.mark.timeout(60)
def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="a pipe"):
            read_archive(tmp_path / name)
        keeper = Keeper({})
        with pytest.raises(OSError, match="a pipe"):
            train(keeper, 1, checkpoint=tmp_path / name, resume=True, progress=False)
        assert keeper.steps == 0
