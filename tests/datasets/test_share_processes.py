"""Games in several processes: the same world as in one, and what happens when a process is gone."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.datasets.worlds.share import Move
from minicoord.datasets.worlds.share_process import ShareProcess
from minicoord.datasets.worlds.side_by_side import SideBySide
from minicoord.experiments.a2c import games


class TwoWordsError(Exception):
    """It can be sent to another process, and cannot be made again there."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


class Dice:
    """Every action takes one off what was thrown; at 0 the episode ends. It prints, reads, and shows who plays."""

    shape, actions, white = (5, 1, 1), ("wait", "raise", "raise what cannot be sent"), 255

    def __init__(self, rng: np.random.Generator, show_process: bool = False) -> None:
        if show_process:
            print("a game that talks", sys.stdin.read())
        self.rng, self.player = rng, os.getpid() if show_process else 0

    def reset(self) -> None:
        self.left = int(self.rng.integers(2, 9))

    def step(self, action: int) -> Move:
        if action == 1:
            raise ArithmeticError("seven is no number of a die")
        if action == 2:
            raise TwoWordsError("no", "number")
        self.left -= 1
        return Move(float(self.left), self.left == 0, False, ((10.0, self.left),) if self.left == 0 else ())

    def show(self, picture: Any) -> None:
        picture[:, 0, 0] = self.left, *self.player.to_bytes(4, "little")


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


def players(w: SideBySide) -> list[int]:
    """Return the process that plays each game."""
    levels = np.rint(255 * w.look()[:, 1:, 0, 0]).astype(np.uint8)
    return [int.from_bytes(of_game.tobytes(), "little") for of_game in levels]


def processes_of(w: SideBySide) -> list[subprocess.Popen]:
    return [share._process for share in w.shares]  # pyright: ignore[reportAttributeAccessIssue]


def test_each_share_has_a_process_of_its_own():
    w = world(3, show_process=True)
    first, second, third = (process.pid for process in processes_of(w))
    assert players(w) == [first] * 2 + [second] * 2 + [third] * 3 and len({os.getpid(), first, second, third}) == 4
    assert len(w.step(WAIT).rewards) == 7


def test_a_process_that_is_killed_is_one_sentence_and_restoring_starts_new_ones():
    w = world(2)
    before = processes_of(w)
    before[1].kill()
    with pytest.raises(ChildProcessError, match=r"a process that plays games was gone \(code -?\d+\), wanted it to"):
        w.step(WAIT)
    assert all(process.returncode is not None for process in before)
    with pytest.raises(ChildProcessError, match=r"of this world were ended after an error .*, wanted restore\(state"):
        w.step(WAIT)
    w.restore(w.state())
    assert w.step(WAIT).rewards.shape == (7,)


@pytest.mark.parametrize(
    "action, error, words", [(1, ArithmeticError, "seven"), (2, RuntimeError, "TwoWordsError: no")]
)
def test_what_a_game_raises_is_raised_here_and_ends_all_processes(action, error, words):
    w = world(2)
    with pytest.raises(error, match=words):
        w.step(WAIT + action)
    assert all(process.returncode is not None for process in processes_of(w))


def test_what_making_a_game_raises_is_raised_here():
    with pytest.raises(ValueError, match="there is no die, wanted one"):
        SideBySide(refuse, 2, [0], processes=2)


def test_an_interrupted_step_leaves_no_answer_that_is_taken_for_a_later_one(monkeypatch):
    w, twin = world(2), world(1)

    def interrupt(share: ShareProcess) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ShareProcess, "answer", interrupt)
        with pytest.raises(KeyboardInterrupt):
            w.step(WAIT)
    assert all(process.returncode is not None for process in processes_of(w))
    for one in (w, twin):
        one.restore({"restored": 0})
    np.testing.assert_array_equal(w.step(WAIT).rewards, twin.step(WAIT).rewards)


def test_a_wrong_action_moves_nothing_in_any_process():
    w, twin = world(2), world(1)
    with pytest.raises(ValueError, match="wanted 0 to 2"):
        w.step(WAIT + 3)
    np.testing.assert_array_equal(w.step(WAIT).rewards, twin.step(WAIT).rewards)


def test_the_processes_end_with_the_world():
    w = world(2)
    found = processes_of(w)
    assert all(process.poll() is None for process in found)
    del w
    gc.collect()
    assert all(process.returncode is not None for process in found)


def run(program: str, folder: Path, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a program, with warnings as errors and the modules of this folder, where a `random.py` is that ends it."""
    (folder / "program.py").write_text(program, encoding="utf-8")
    (folder / "current").mkdir()
    (folder / "current" / "random.py").write_text("raise SystemExit(7)", encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *filter(None, sys.path)])}
    command = [sys.executable, "-W", "error", str(folder / "program.py")]
    return subprocess.run(
        command, cwd=folder / "current", env=environment, stdout=subprocess.PIPE, text=True, check=False, **options
    )


PROGRAM = """
import os
from test_share_processes import WAIT, world
w = world(2)
files = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
for _ in range(2):
    w.restore(w.state())
    w.step(WAIT)
assert not files or len(os.listdir("/proc/self/fd")) == files
print("played")
"""


def test_a_program_leaves_no_file_open_and_a_module_of_the_current_folder_is_not_taken_for_pythons(tmp_path):
    done = run(PROGRAM, tmp_path, stderr=subprocess.PIPE)
    assert (done.stdout, done.returncode) == ("played\n", 0) and "Warning" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="only a shell of Unix can close a stream")
def test_a_program_without_an_error_stream_plays_too(tmp_path):
    assert run(PROGRAM, tmp_path, preexec_fn=lambda: os.close(2)).stdout == "played\n"


def test_a_game_of_the_program_itself_is_one_sentence(tmp_path):
    program = """
import test_share_processes
from minicoord.datasets.worlds.side_by_side import SideBySide
class Own(test_share_processes.Dice): pass
try:
    SideBySide(Own, 2, [0], processes=2)
except ValueError as error:
    print(error)
"""
    done = run(program, tmp_path, stderr=subprocess.PIPE)
    assert done.stdout.startswith("what makes a game cannot be loaded (") and done.stderr == ""
    assert done.stdout.endswith("), wanted a function of a module\n")


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="whether a process runs is read from /proc")
def test_a_program_that_is_killed_leaves_no_process_behind():
    program = """
import os, time
from test_share_processes import world
w = world(2)
print(*[share._process.pid for share in w.shares], flush=True)
time.sleep(600)
"""
    paths = os.pathsep.join([os.path.dirname(__file__), *sys.path])
    started = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True
    )
    with started:
        assert started.stdout is not None
        pids = [int(pid) for pid in started.stdout.readline().split()]
        started.kill()
    assert len(pids) == 2
    end = time.monotonic() + 20
    while any(map(_runs, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(_runs, pids))


def _runs(pid: int) -> bool:
    """Whether a process is there, and not only the entry of one that is over."""
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


@pytest.mark.parametrize(
    "threads, count, shares", [(1, 16, 1), (2, 6, 1), (2, 8, 2), (4, 8, 2), (4, 16, 4), (8, 16, 4)]
)
def test_a_share_of_atari_has_four_games_or_more(monkeypatch, threads, count, shares):
    made = []
    monkeypatch.setattr(games, "get_threads", lambda: threads)
    monkeypatch.setattr(games, "SideBySide", lambda make, count, seed, processes: made.append((count, processes)))
    games.make_world("atari-pong", count, [0])
    assert made == [(count, shares)]


def test_atari_is_the_same_in_two_processes_as_in_one():
    pytest.importorskip("ale_py", reason='ale_py is not installed; pip install "minicoord[rl]"')
    from minicoord.datasets.worlds.atari import make_game

    one, other = (SideBySide(partial(make_game, "breakout", False), 3, [5], processes=n) for n in (1, 2))
    rng = np.random.default_rng(0)
    for _ in range(60):
        actions = rng.integers(0, len(one.actions), 3)
        a, b = one.step(actions), other.step(actions)
        assert all(np.array_equal(x, y) for x, y in zip(a[:5], b[:5], strict=True)) and a.games == b.games
