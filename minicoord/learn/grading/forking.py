"""The program that starts answers quickly, on Linux: ``python -m minicoord.learn.grading.forking``.

To start Python and import NumPy takes most of a second, and Numba some more: longer than most answers run. This program
imports them once. Then, for each line of JSON that it reads, it forks. The fork becomes a guardian of its own
(``guardian.py``), and the process below that runs one answer as ``child.py`` does when it is started by itself. Nothing
of an answer runs in this program, so each begins with the same state.

For each answer four lines are printed: the process of the guardian, the two lines of the guardian, and "done". It runs
one answer at a time, starts no thread, and ends when its standard input is closed.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from minicoord.learn.grading import child, guardian
from minicoord.learn.grading.fork_server import DONE

Request = dict[str, Any]

FIRST_INHERITED = 3  # descriptors from this one on are closed in an answer: the pipes of its guardians
LAST_INHERITED = 4096


def main() -> None:
    """Fork for each request, until there are no more."""
    warm = False
    if sys.path[0] == os.getcwd():  # the folder of the first answer, which must not supply modules to this program
        del sys.path[0]
    gc.freeze()  # so that collecting garbage in a fork does not copy the memory that all forks share
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        if request["compiled"] and not warm:
            _warm_up()
            warm = True
        watched = os.fork()
        if watched == 0:
            _be_the_guardian(request)
        os.waitpid(watched, 0)
        print(DONE, flush=True)


def _be_the_guardian(request: Request) -> NoReturn:
    """Run one answer below this process, which watches it."""
    try:
        print(os.getpid(), flush=True)
        os.setsid()  # signals to the group of this process do not reach the program above
        guardian.watch(request["seconds"], lambda: _answer(request))
    finally:
        os._exit(0)


def _answer(request: Request) -> NoReturn:
    """Do what ``python -m minicoord.learn.grading.child FOLDER`` does in a process of its own."""
    code = 1
    try:
        os.closerange(FIRST_INHERITED, LAST_INHERITED)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["home"])
        sys.path.insert(0, request["home"])
        sys.argv = [str(child.__file__), request["folder"]]
        tempfile.tempdir = None  # it is looked up again, in the new environment
        child.main(Path(request["folder"]))
        code = 0
    finally:
        os._exit(code)


def _warm_up() -> None:
    """Import Numba and compile a loop, which makes it load what every compilation needs.

    With ``parallel=True`` a compilation would start threads, and a process with threads cannot be forked.
    """
    import numba

    import minicoord.learn.checking.check_compiled  # noqa: F401

    def loop(x: Any) -> Any:
        total = np.zeros_like(x)
        for k in range(len(x)):
            total[k] += max(2 * x[k], 0)
        return total

    compiled = numba.njit(boundscheck=True)(loop)
    for dtype in (np.float64, np.float32):
        compiled(np.ones((2, 2), dtype)[0])
    gc.freeze()


if __name__ == "__main__":
    main()
