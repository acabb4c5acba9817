"""Games in several processes: the same world as in one, and what happens when a process is gone."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from functools import partial
from typing import Any

import numpy as np
import pytest

from minicoord.datasets.worlds.share import Move
from minicoord.datasets.worlds.share_process import ShareProcess
from minicoord.datasets.worlds.side_by_side import SideBySide


class Dice:
    """Every action takes one off what was thrown; at 0 the episode ends. It prints, and says on request who plays."""

    shape, actions, white = (2, 1, 1), ("wait", "raise"), 9

    def __init__(self, rng: np.random.Generator, show_process: bool = False) -> None:
        print("a game that talks")
        self.rng, self.show_process = rng, show_process

    def reset(self) -> None:
        self.left = int(self.rng.integers(2, 9))

    def step(self, action: int) -> Move:
        if action == 1:
            raise ArithmeticError("seven is no number of a die")
        self.left -= 1
        return Move(float(self.left), self.left == 0, False, ((10.0, self.left),) if self.left == 0 else ())

    def show(self, picture: Any) -> None:
        picture[:, 0, 0] = self.left, os.getpid() % 251 if self.show_process else 0


def refuse(rng: np.random.Generator) -> Dice:
    raise ValueError("there is no die, wanted one")


def world(processes: int, count: int = 7, **options: Any) -> SideBySide:
    return SideBySide(partial(Dice, **options), count, [3], processes=processes)


WAIT = np.zeros(7, int)


@pytest.mark.parametrize("processes", [2, 3])
def test_what_happens_does_not_depend_on_the_number_of_processes(processes):
    one, other = world(1), world(processes)
    over = 0
    for k in range(60):
        np.testing.assert_array_equal(one.look(), other.look())
        if k == 40:
            one.restore({"restored": 0})
            other.restore({"restored": 0})
        a, b = one.step(WAIT), other.step(WAIT)
        assert all(np.array_equal(x, y) and x.dtype == y.dtype for x, y in zip(a[:5], b[:5], strict=True))
        assert a.games == b.games
        over += int(a.over.sum())
    assert over > 20


def test_each_share_has_a_process_of_its_own():
    seen = np.rint(9 * world(3, show_process=True).look()[:, 1, 0, 0]).astype(int)
    assert len(set(seen[:2])) == len(set(seen[2:4])) == len(set(seen[4:])) == 1 and len(set(seen)) == 3
    assert os.getpid() % 251 not in seen
    assert set(np.rint(9 * world(1, show_process=True).look()[:, 1, 0, 0])) == {os.getpid() % 251}


def test_a_process_that_is_killed_is_one_sentence_and_restoring_starts_new_ones():
    w = world(2)
    shares: Any = w.shares
    shares[1]._process.kill()
    with pytest.raises(ChildProcessError, match=r"a process that played games has ended with code -?\d+, wanted it"):
        w.step(WAIT)
    assert all(share._process.returncode is not None for share in shares)
    with pytest.raises(ChildProcessError, match="has ended"):
        w.step(WAIT)
    w.restore(w.state())
    assert w.step(WAIT).rewards.shape == (7,)


def test_what_a_game_raises_is_raised_here_and_ends_all_processes():
    w = world(2)
    shares: Any = w.shares
    with pytest.raises(ArithmeticError, match="seven is no number of a die"):
        w.step(np.ones(7, int))
    assert all(share._process.returncode == 0 for share in shares)
    with pytest.raises(ValueError, match="there is no die, wanted one"):
        SideBySide(refuse, 2, [0], processes=2)


def test_a_wrong_action_moves_nothing_in_any_process():
    w, twin = world(2), world(1)
    with pytest.raises(ValueError, match="wanted 0 to 1"):
        w.step(WAIT + 2)
    np.testing.assert_array_equal(w.step(WAIT).rewards, twin.step(WAIT).rewards)


def test_the_processes_end_with_the_world_and_ctrl_c_is_for_the_program_alone():
    w = world(2)
    found: Any = [share._process for share in w.shares]  # pyright: ignore[reportAttributeAccessIssue]
    if sys.platform != "win32":
        for process in found:
            process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    assert w.step(WAIT).rewards.shape == (7,) and all(process.poll() is None for process in found)
    del w
    gc.collect()
    assert [process.returncode for process in found] == [0, 0]


def test_a_program_that_is_killed_leaves_no_process_behind():
    program = """
import os, time
from test_share_processes import world
w = world(2)
print("ready", *[share._process.pid for share in w.shares], flush=True)
time.sleep(600)
"""
    paths = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    started = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True
    )
    with started:
        assert started.stdout is not None
        pids = [int(pid) for pid in started.stdout.readline().split()[1:]]
        started.kill()
    assert len(pids) == 2
    end = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    """Whether a process is there, and more than the entry of one that is over."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("processes, words", [(0, "at least 1"), (8, "processes was 8, wanted at most 7, one a game")])
def test_wrong_numbers_of_processes_are_one_sentence(processes, words):
    with pytest.raises(ValueError, match=words):
        world(processes)


def test_a_game_that_cannot_be_pickled_is_one_sentence():
    with pytest.raises(ValueError, match=r"what makes a game cannot be pickled .*, wanted a function of a module"):
        ShareProcess(lambda rng: Dice(rng), [np.random.default_rng(0)])


def test_atari_is_the_same_in_two_processes_as_in_one():
    pytest.importorskip("ale_py", reason='ale_py is not installed; pip install "minicoord[rl]"')
    from minicoord.datasets.worlds.atari import make_game

    one, other = (SideBySide(partial(make_game, "breakout", False), 3, [5], processes=n) for n in (1, 2))
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.integers(0, len(one.actions), 3)
        a, b = one.step(actions), other.step(actions)
        assert all(np.array_equal(x, y) for x, y in zip(a[:5], b[:5], strict=True)) and a.games == b.games
