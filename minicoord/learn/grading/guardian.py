"""The program that watches one answer on macOS: ``python guardian.py SECONDS COMMAND...``; on Linux `forking` calls it.

Between it and the answer stands a process whose only purpose is to be the answer's parent. If the answer ends or stops
its parent, this program is still there, and ends the answer. It is the leader of a session of its own, as is the
answer, so neither signals to the group of the answer nor Ctrl-C in the terminal reach it. On Linux, descendants of the
answer whose parents have ended become its children wherever they hide, and are ended as well.

It prints the number of the answer's process group, and at the end a line of JSON. When its standard input is closed,
because grading was stopped or killed, it ends the answer at once. It imports nothing of minicoord, to start quickly.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.2
SECONDS_TO_END = 10.0


def main(seconds: float, command: Sequence[str]) -> None:
    """Run a command for at most so many seconds, and print how it ended."""
    watch(seconds, lambda: os.execvp(command[0], list(command)))


def watch(seconds: float, answer: Callable[[], object]) -> None:
    """Run an answer for at most so many seconds in a process of its own, and print how it ended."""
    _adopt_orphans()
    start = time.monotonic()
    read, write = os.pipe()
    parent = os.fork()
    if parent == 0:
        os.close(read)
        _be_the_parent(write, answer)
    os.close(write)
    group, status, timed_out = _wait(read, parent, start + seconds)
    elapsed = time.monotonic() - start
    _end_all(group, parent)
    code = None if status is None else os.waitstatus_to_exitcode(status)
    print(json.dumps({"seconds": elapsed, "timed_out": timed_out, "code": code}), flush=True)


def _be_the_parent(write: int, run: Callable[[], object]) -> NoReturn:
    """Start the answer, and write its process group and, when it has ended, its status."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):
        os.dup2(nothing, descriptor)
    answer = os.fork()
    if answer == 0:
        os.setsid()
        try:
            run()
        finally:
            os._exit(127)
    os.write(write, b"%d " % answer)
    _, status = os.waitpid(answer, 0)
    os.write(write, b"%d " % status)
    os._exit(0)


def _wait(read: int, parent: int, deadline: float) -> tuple[int | None, int | None, bool]:
    """Wait for the answer; return its process group, its status if it is known, and whether its time ran out."""
    words = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            return _group(words), None, True
        ready, _, _ = select.select([read, sys.stdin], [], [], min(left, POLL_SECONDS))
        if sys.stdin in ready and words:  # without them, it is not known yet whom to end
            return _group(words), None, True
        if read in ready:
            more = os.read(read, 100)
            if more and b" " in more and not words:
                print(more.split()[0].decode(), flush=True)
            words += more
            if not more or words.count(b" ") == 2:
                numbers = words.split()
                return _group(words), int(numbers[1]) if len(numbers) == 2 else None, False
        with contextlib.suppress(ChildProcessError):  # it was killed, and the pipe will end
            _, changed = os.waitpid(parent, os.WNOHANG | os.WUNTRACED)
            if os.WIFSTOPPED(changed):
                return _group(words), None, False


def _group(words: bytes) -> int | None:
    return int(words.split()[0]) if b" " in words else None


def _end_all(group: int | None, parent: int) -> None:
    """End the answer's process group and, where the system tells them, all descendants."""
    for kill, number in ((os.killpg, group), (os.kill, parent)):
        if number is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left in the group
                kill(number, signal.SIGKILL)
    deadline = time.monotonic() + SECONDS_TO_END
    while time.monotonic() < deadline:
        descendants = _descendants()
        # Stopped first, so that those that start others as fast as they are ended start no more.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in descendants:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(process, number)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:  # none is left
            return
        time.sleep(0.01)


def _descendants() -> list[int]:
    """Return the descendants of this process, from /proc; an empty list where there is none."""
    children: dict[int, list[int]] = {}
    with contextlib.suppress(OSError):
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    found = [os.getpid()]
    for process in found:  # grows on the way
        found += children.get(process, [])
    return found[1:]


def _adopt_orphans() -> None:
    """Make this process, on Linux, the parent of descendants whose own parent ends."""
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
