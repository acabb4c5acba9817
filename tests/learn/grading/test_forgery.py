"""An answer cannot forge its verdict, change what was submitted, or outlive its process."""

import os
import sys
import time

import pytest
from graded_rows import POSIX, grade_one, solution

FORGERIES = {
    "patches what compares": (
        "import numpy as np\n"
        "import minicoord.learn.checking.check_result as r, minicoord.learn.checking.comparison as c\n"
        "np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n"
        "c.first_difference = c.wrong_shape = r.first_difference = r.wrong_shape = lambda *a, **k: None\n"
        "r.compare = lambda exercise, *a, **k: r.passed(exercise, 1)\n"
        "def add_coords(x):\n    return x\n"
    ),
    "equals everything": (
        "class Yes:\n    shape = dtype = None\n    def __eq__(self, other): return True\n"
        "    def __array__(self, *a, **k): return None\n"
        "def add_coords(x):\n    return Yes()\n"
    ),
    "prints that it passed and ends well": (
        "import os\ndef add_coords(x):\n    print('passed, all 7 cases are right.', flush=True)\n    os._exit(0)\n"
    ),
    "writes reports of its own": (
        "import json, os, pathlib, sys\nimport numpy as np\n"
        "folder = pathlib.Path(sys.argv[1]) / 'reports'\n"
        "def add_coords(x):\n"
        "    for k in range(20):\n"
        "        result = {'kind': 'other', 'type': 'ndarray'}\n"
        "        report = {'passed': True, 'outcome': 'passed', 'result': result, 'after': []}\n"
        "        (folder / f'python-{k}.json').write_text(json.dumps(report))\n"
        "    (folder / 'verdict.json').write_text(json.dumps({'outcome': 'passed'}))\n"
        "    os._exit(0)\n"
    ),
    "pickles": (
        "import numpy as np, pathlib, sys, json, os\n"
        "class Bomb:\n    def __reduce__(self): return (os._exit, (0,))\n"
        "folder = pathlib.Path(sys.argv[1]) / 'reports'\n"
        "def add_coords(x):\n"
        "    np.save(folder / 'r.npy', np.array([Bomb()], dtype=object), allow_pickle=True)\n"
        "    value = {'kind': 'array', 'file': 'r.npy'}\n"
        "    (folder / 'python-0.json').write_text(json.dumps({'result': value, 'after': value}))\n"
        "    os._exit(0)\n"
    ),
    "swaps the solution": (
        "from minicoord.learn.definition.course import get\nget('add_coords')._solution = lambda x: x\n"
        "def add_coords(x):\n    return x\n"
    ),
    "gives a huge result": (
        "import numpy as np\ndef add_coords(x):\n    return np.broadcast_to(x[0, 0, 0, 0], (10**6, 10**6, 1, 1))\n"
    ),
}


@pytest.mark.parametrize("source", FORGERIES.values(), ids=FORGERIES)
def test_no_verdict_can_be_forged(source, tmp_path):
    row = grade_one(tmp_path, source)
    assert not row.passed and row.outcome not in ("passed", "not attempted") and row.sentence


def test_solutions_are_not_loaded_in_the_process_of_a_submission(tmp_path):
    source = (
        "import sys\ndef add_coords(x):\n"
        "    raise ValueError(sorted(name for name in sys.modules if name.startswith('minicoord.learn.exercises.')))\n"
    )
    assert "ValueError: []" in grade_one(tmp_path, source).sentence


def test_the_environment_of_the_teacher_is_hidden(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_OF_THE_TEACHER", "secret")
    source = "import os\ndef add_coords(x):\n    raise ValueError(os.environ.get('TOKEN_OF_THE_TEACHER'))\n"
    assert "ValueError: None" in grade_one(tmp_path, source).sentence


def test_a_submission_cannot_change_itself(tmp_path):
    source = "def add_coords(x):\n    open(__file__, 'w').write('')\n    raise ValueError(__file__)\n"
    row = grade_one(tmp_path, source)
    assert row.outcome == "raised" and str(tmp_path) not in row.sentence
    assert (tmp_path / "learner.py").read_text() == source


@POSIX
def test_a_fork_reports_once(tmp_path):
    source = solution("add_coords").replace("    n, h, w, _ =", "    import os\n    os.fork()\n    n, h, w, _ =")
    assert grade_one(tmp_path, source).passed


@pytest.mark.parametrize(
    "left",
    [
        "import threading, time\nthreading.Thread(target=lambda: time.sleep(600)).start()\n",
        "import atexit, time\natexit.register(lambda: time.sleep(600))\n",
    ],
    ids=["a thread", "something to do at the end"],
)
def test_leftover_threads_and_exit_handlers_are_not_waited_for(left, tmp_path):
    row = grade_one(tmp_path, left + solution("add_coords"), seconds=60.0)
    assert row.passed and row.seconds < 30


@POSIX
def test_a_grandchild_ends_with_the_answer(tmp_path):
    pid_file = tmp_path / "pid"
    source = (
        f"import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid_file)!r}, 'w').write(str(child.pid))\n"
    )
    assert grade_one(tmp_path, source + solution("add_coords")).passed
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(int(pid_file.read_text()), 0)
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:  # a zombie, if no process has reaped it
        with open(f"/proc/{pid_file.read_text()}/stat") as file:
            assert file.read().split(")")[1].split()[0] == "Z"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux holds to a limit of memory")
def test_exceeding_the_memory_limit_is_an_error_of_that_answer(tmp_path):
    source = "def add_coords(x):\n    return bytearray(3 * 2**30)\n"
    row = grade_one(tmp_path, source, memory_mb=1024)
    assert row.outcome == "raised" and "not enough memory" in row.sentence
