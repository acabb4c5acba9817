"""A process that is forked while another thread runs kernels can run kernels itself, or says why not."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.compiled,  # without the compiler there is no pool of threads
    pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork"),
]

# The first kernel starts the pool, in the main thread or in another; while a thread runs kernels, the process is forked
# eight times. The child, which has 30 seconds, runs a kernel too; prints what came of each.
FORK = """
    import os, sys, threading, time
    import numpy as np
    from minicoord.kernels.activations import tanh

    def in_main_thread(do):
        do()

    def in_another_thread(do):
        thread = threading.Thread(target=do)
        thread.start()
        thread.join()

    x = np.linspace(-1, 1, 300_000)
    wanted, stop, wrong = np.tanh(x), threading.Event(), []

    def right():
        return bool(np.allclose(tanh(x), wanted))

    def run_until_stopped():
        while not stop.is_set():
            if not right():
                wrong.append("in the parent")
            time.sleep(0.0005)

    def child():
        try:
            code = 0 if right() and right() else 1
        except RuntimeError as error:
            print(error, flush=True)
            code = 2
        os._exit(code)

    def fork():
        for _ in range(8):
            pid = os.fork() or child()
            for _ in range(3000):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    break
                time.sleep(0.01)
            else:
                os.kill(pid, 9)
                os.waitpid(pid, 0)
                wrong.append("a child hangs")
                break
            if status:
                wrong.append(f"a child ended with {os.waitstatus_to_exitcode(status)}")

    starts, forks = (globals()[name] for name in sys.argv[1:])
    starts(right)
    thread = threading.Thread(target=run_until_stopped)
    thread.start()
    time.sleep(0.1)
    forks(fork)
    stop.set()
    thread.join()
    print(wrong, right())
"""


def run(starts: str, forks: str, layer: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_NUM", "NUMBA_THREAD"))}
    env |= {"PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "2"}
    env |= {} if layer == "default" else {"NUMBA_THREADING_LAYER": layer}
    command = [sys.executable, "-c", textwrap.dedent(FORK), starts, forks]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)


@pytest.mark.parametrize("layer", ["default", "workqueue"])
@pytest.mark.parametrize("starts", ["in_main_thread", "in_another_thread"])
@pytest.mark.parametrize("forks", ["in_main_thread", "in_another_thread"])
def test_a_child_runs_kernels(starts, forks, layer):
    done = run(starts, forks, layer)
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]  # Numba may print a warning of its own before
    refused = f"{['a child ended with 2'] * 8} True"
    if layer == "default" and uses_tbb() and starts != forks:  # TBB may hang in such a child
        assert last == refused
        assert done.stdout.count("forked by another thread than the one in which the first kernel ran") == 8
    elif layer == "default" and uses_tbb() and starts == "in_another_thread":
        assert last in ("[] True", refused)  # the system may give the second thread the number that the first one had
    else:
        assert last == "[] True"


def uses_tbb() -> bool:
    from minicoord.kernels.backend.runtime import LAYER

    return LAYER == "tbb"


def has_gnu_openmp() -> bool:
    if sys.platform != "linux":
        return False
    try:
        return importlib.util.find_spec("numba.np.ufunc.omppool") is not None
    except ImportError:
        return False


@pytest.mark.skipif(not has_gnu_openmp(), reason="only GNU's OpenMP cannot go on after a fork")
def test_a_child_that_cannot_run_kernels_says_so():
    done = run("in_main_thread", "in_main_thread", "omp")
    *sentences, last = done.stdout.splitlines()
    assert (done.returncode, len(sentences)) == (0, 8), done.stderr
    sentence = (
        "kernels cannot run in this process, which was forked after kernels ran with NUMBA_THREADING_LAYER=omp; "
        "unset it, or start processes with the method 'spawn'"
    )
    assert set(sentences) == {sentence}
    assert last == f"{['a child ended with 2'] * 8} True"
