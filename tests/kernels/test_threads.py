"""Threads: the same bits with any number of them, and two Python threads at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from minicoord import get_threads, set_threads

ROOT = Path(__file__).resolve().parents[2]


def run(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_NUM", "NUMBA_THREAD"))}
    env |= {"PYTHONPATH": str(ROOT), **environment}
    return subprocess.run([sys.executable, str(script)], cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)


def bits(**environment: str) -> dict[str, str]:
    done = run(ROOT / "tests" / "print_bits.py", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.compiled  # without the compiler there are no threads, and the networks take minutes
def test_the_bits_do_not_depend_on_threads_or_run_or_thread_pool():
    wanted = bits(NUMBA_NUM_THREADS="1")
    assert wanted.pop("threads") == 1
    assert len(set(wanted.values())) == len(wanted) > 30
    for threads in (2, 4):
        found = bits(NUMBA_NUM_THREADS=str(threads))
        assert found.pop("threads") == threads
        assert found == wanted
    found = bits(NUMBA_NUM_THREADS="2", NUMBA_THREADING_LAYER="workqueue")
    del found["threads"]
    assert found == wanted


@pytest.fixture
def threads():
    """The most threads that this process has, all of them in force before and after the test."""
    most = get_threads()
    yield most
    set_threads(most)


def test_set_threads_clamps_with_a_warning(threads):
    with pytest.warns(UserWarning, match=rf"{threads + 1} threads wanted, this process can use {threads}") as seen:
        assert set_threads(threads + 1) == threads
    assert seen[0].filename == __file__
    assert get_threads() == threads
    assert set_threads(1) == get_threads() == 1
    assert set_threads(threads) == get_threads() == threads


@pytest.mark.parametrize("bad", [0, -1, 1.0, 2.5, "2", None, True, [2]])
def test_set_threads_refuses_what_is_no_number_of_threads(threads, bad):
    with pytest.raises(ValueError, match=r"set_threads: the number of threads was .*, it must be a whole number"):
        set_threads(bad)
    assert get_threads() == threads


SET_THREADS = """
    import threading
    import numpy as np, numba
    from minicoord import get_threads, set_threads
    from minicoord.kernels.backend.runtime import helper, kernel, launch, prange

    @helper
    def present(here):
        total = 0
        for k in range(here.shape[0]):
            total += here[k]
        return total

    @kernel
    def meet(here, wanted):
        for task in prange(64):
            here[numba.get_thread_id()] = 1
            while present(here) < wanted:  # on a busy machine another thread may take long to come
                here[numba.get_thread_id()] = 1  # a call, after which `here` is read again
            total = 0.0
            for k in range(20_000):  # so that there is work for more threads than are wanted
                total += np.sin(k * 0.1)
            here[numba.get_thread_id()] = 1 if total < 1e9 else 0

    def used(wanted):
        here = np.zeros(64, np.int64)
        launch(meet, here, wanted)
        return here.sum()

    def in_other_thread(f):
        answers = []
        thread = threading.Thread(target=lambda: answers.append(f()))
        thread.start()
        thread.join()
        return answers[0]

    def seen(wanted):
        return {used(wanted) for _ in range(5)} | {in_other_thread(lambda: used(wanted)) for _ in range(5)}

    assert get_threads() == 3
    assert seen(2) <= {2, 3}
    in_other_thread(lambda: set_threads(1))
    assert get_threads() == in_other_thread(get_threads) == 1
    assert seen(1) == {1}
    set_threads(2)
    assert seen(2) == {2}
"""


@pytest.mark.compiled  # without the compiler there are no threads
@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_set_threads_is_honoured_by_the_kernels_in_every_python_thread(tmp_path, layer):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SET_THREADS), encoding="utf-8")
    done = run(script, NUMBA_NUM_THREADS="3", **({} if layer == "default" else {"NUMBA_THREADING_LAYER": layer}))
    assert done.returncode == 0, done.stderr


TWO_PYTHON_THREADS = """
    import threading
    import numpy as np
    from minicoord.kernels.activations import relu
    from minicoord.kernels.convolution import conv2d

    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((2, 33, 31, 4)).astype(np.float32) for _ in range(4)]
    w = rng.standard_normal((3, 3, 4, 8)).astype(np.float32)
    wanted = [(conv2d(x, w), np.maximum(x, 0)) for x in inputs]
    start, wrong = threading.Barrier(4), []

    def work(x, y, positive):
        start.wait()
        for _ in range(150):
            if not (np.array_equal(conv2d(x, w), y) and np.array_equal(relu(x), positive)):
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(x, *both)) for x, both in zip(inputs, wanted)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(len(wrong), "wrong")
"""


@pytest.mark.compiled  # without the compiler there is no thread pool that could abort
@pytest.mark.parametrize("layer", ["workqueue", "default"])
def test_python_threads_may_call_kernels_at_the_same_time(tmp_path, layer):
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(TWO_PYTHON_THREADS), encoding="utf-8")
    done = run(script, NUMBA_NUM_THREADS="2", **({} if layer == "default" else {"NUMBA_THREADING_LAYER": layer}))
    assert (done.returncode, done.stdout) == (0, "0 wrong\n"), done.stderr
