"""A child process with limits: on time, its descendants, memory, and what it prints."""

import os
import sys
import threading
import time

import pytest

from minicoord.learn.grading.limits import run_limited

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="process groups and signals are those of POSIX")


def run(code, tmp_path, seconds=20.0):
    return run_limited([sys.executable, "-c", code], tmp_path, {**os.environ, "PYTHONPATH": os.getcwd()}, seconds)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().split(")")[1].split()[0] != "Z"


def test_the_ending_of_a_process_is_described(tmp_path):
    assert run("raise SystemExit(3)", tmp_path).describe() == "exit code 3"
    crashed = run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", tmp_path)
    assert crashed.describe() == "a segmentation fault" and not crashed.timed_out


def test_an_endless_loop_is_ended(tmp_path):
    start = time.monotonic()
    ending = run("while True: pass", tmp_path, seconds=0.5)
    assert ending.timed_out and ending.seconds >= 0.5 and time.monotonic() - start < 10


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="looks for the grandchild in /proc")
@pytest.mark.parametrize("end", ["", "while True: pass"], ids=["after a good end", "after its time"])
def test_a_grandchild_ends_with_it(end, tmp_path):
    code = (
        "import subprocess, sys, pathlib\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"pathlib.Path('pid').write_text(str(child.pid))\n{end}"
    )
    run(code, tmp_path, seconds=2.0)
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)


def test_it_ends_when_the_event_is_set(tmp_path):
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    ending = run_limited([sys.executable, "-c", "while True: pass"], tmp_path, os.environ, 60.0, stop)
    assert ending.timed_out and ending.seconds < 10


def test_endless_printing_leaves_nothing_behind(tmp_path):
    ending = run("while True: print('x' * 1000)", tmp_path, seconds=0.5)
    assert ending.timed_out and not list(tmp_path.iterdir())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux holds to a limit of memory")
def test_more_memory_than_allowed_is_refused(tmp_path):
    code = (
        "from minicoord.learn.grading.limits import limit_this_process\n"
        "limit_this_process(300 * 2**20, 60)\n"
        "try:\n    bytearray(600 * 2**20)\nexcept MemoryError:\n    raise SystemExit(7)\n"
    )
    assert run(code, tmp_path).code == 7


def test_a_limit_never_rises(tmp_path):
    code = (
        "import resource\nfrom minicoord.learn.grading.limits import limit_this_process\n"
        "limit_this_process(300 * 2**20, 60)\nlimit_this_process(900 * 2**20, 90)\n"
        "assert resource.getrlimit(resource.RLIMIT_DATA) == (300 * 2**20,) * 2\n"
        "assert max(resource.getrlimit(resource.RLIMIT_CPU)) == 61\n"
    )
    assert run(code, tmp_path).code == 0


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells how many processes there are")
def test_the_number_of_processes_is_limited(tmp_path):
    code = (
        "import resource\nfrom minicoord.learn.grading.limits import MAX_NEW_PROCESSES, limit_this_process\n"
        "limit_this_process(300 * 2**20, 60)\n"
        "assert MAX_NEW_PROCESSES < resource.getrlimit(resource.RLIMIT_NPROC)[1] < 100_000\n"
    )
    assert run(code, tmp_path).code == 0


def test_cpu_time_is_limited(tmp_path):
    code = (
        "from minicoord.learn.grading.limits import limit_this_process\n"
        "limit_this_process(300 * 2**20, 1)\nwhile True: pass\n"
    )
    ending = run(code, tmp_path)
    assert not ending.timed_out and ending.describe() == "the CPU time limit"
