"""Memory for results: never handed out while anything refers to it, aligned, and given back."""

from __future__ import annotations

import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, rule

from minicoord.kernels.activations import relu
from minicoord.kernels.backend import memory
from minicoord.kernels.backend.memory import ALIGNMENT, SMALL, aligned, empty, empty_like, idle_bytes, workspace

ROOT = Path(__file__).resolve().parents[2]
DTYPES = st.sampled_from([np.float32, np.float64, np.int64, np.uint8])


@pytest.fixture(autouse=True)
def nothing_idle():
    memory._idle.clear()
    yield
    memory._idle.clear()


# Each turns an array of any shape and dtype into another way to refer to its memory.
WAYS = {
    "the array": lambda x: x,
    "flat": lambda x: x.reshape(-1),
    "other shape": lambda x: x.reshape(2, -1),
    "transposed": lambda x: x.reshape(4, -1).T,
    "last element": lambda x: x.reshape(-1)[-1:],
    "every third": lambda x: x.reshape(-1)[1::3],
    "backwards": lambda x: x.reshape(-1)[::-1],
    "bytes": lambda x: x.reshape(-1)[:8].view(np.uint8),
    "view of a view of a view": lambda x: x.reshape(2, -1)[1:].T[:5].T,
    "new axis": lambda x: x[np.newaxis],
    "broadcast": lambda x: np.broadcast_to(x, (3, *x.shape)),
    "strides": lambda x: np.lib.stride_tricks.as_strided(x.reshape(-1), (4,), (x.itemsize,)),
    "memoryview": lambda x: np.asarray(memoryview(x)),
    "buffer": lambda x: np.frombuffer(x.reshape(-1)[:16].data, np.uint8),
    "base": lambda x: np.asarray(x[..., :1].base),
    "subclass": lambda x: x.reshape(2, -1).view(np.recarray),
}


class Lending(RuleBasedStateMachine):
    """Every array is filled with a number of its own; whoever still refers to it must find that number."""

    held = Bundle("held")

    @initialize()
    def start(self):
        memory._idle.clear()
        self.last = 0

    @rule(target=held, size=st.integers(0, 3), dtype=DTYPES)
    def allocate(self, size, dtype):
        x = empty((4, (SMALL + 64 * size) // 4 // np.dtype(dtype).itemsize), dtype)
        assert x.ctypes.data % ALIGNMENT == 0
        self.last = self.last % 250 + 1
        x.view(np.uint8)[:] = self.last
        return x, self.last

    @rule(target=held, one=held, way=st.sampled_from(sorted(WAYS)))
    def refer(self, one, way):
        x, number = one
        return (WAYS[way](x) if x.ndim and x.size >= 64 and x.flags.c_contiguous else x[:]), number

    @rule(one=consumes(held))
    def forget(self, one):
        self.look(one)

    @rule(one=held)
    def look(self, one):
        x, number = one
        assert set(np.ascontiguousarray(x).reshape(-1).view(np.uint8).tolist()) == {number}


TestLending = Lending.TestCase
TestLending.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.parametrize("way", sorted(WAYS))
def test_memory_is_not_handed_out_while_something_refers_to_it_and_is_afterwards(way):
    x = empty((4, SMALL), np.float32)
    x[:] = 7
    place = x.ctypes.data
    reference = WAYS[way](x)
    del x
    other = empty((4, SMALL), np.float32)
    other[:] = 9
    assert other.ctypes.data != place
    if reference.dtype == np.float32:
        assert (np.asarray(reference) == 7).all()
    del reference
    assert empty((4, SMALL), np.float32).ctypes.data == place


def test_memory_serves_any_shape_and_dtype_of_the_same_size():
    x = empty((256, 256), np.float64)
    place = x.ctypes.data
    del x
    y = empty((2, 256, 128), np.int64)
    assert (y.ctypes.data, y.shape, y.dtype) == (place, (2, 256, 128), np.int64)
    assert empty((256, 256, 2), np.float32).ctypes.data != place
    assert y.flags.c_contiguous and y.flags.writeable and y.flags.aligned


def test_empty_like_has_shape_and_dtype():
    x = np.zeros((300, 100, 2), np.float32).transpose(1, 0, 2)
    y = empty_like(x)
    assert (y.shape, y.dtype, y.flags.c_contiguous) == (x.shape, x.dtype, True)


@pytest.mark.parametrize("shape", [(), (0,), (0, 10**9), (1,), (SMALL // 4 - 1,)])
def test_small_arrays_are_ordinary(shape):
    x = empty(shape, np.float32)
    assert x.base is None
    assert (x.shape, x.dtype) == (shape, np.float32)
    del x
    assert idle_bytes() == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_large_arrays_are_aligned(dtype):
    held = [empty((SMALL + k,), dtype) for k in range(20)]
    assert {x.ctypes.data % ALIGNMENT for x in held} == {0}
    for x in held:
        x[:] = 1  # to the last element: writing beyond the block would be found by the allocator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scratch_memory_begins_at_a_cache_line_whatever_its_size(dtype):
    for size in (0, 1, 7, 100, SMALL // 8, SMALL + 3):
        held = [aligned(size, dtype) for _ in range(5)]
        for x in held:
            assert (x.shape, x.dtype, x.flags.c_contiguous) == ((size,), dtype, True)
            assert size == 0 or x.ctypes.data % ALIGNMENT == 0
            x[:] = 1  # to the last element: writing beyond the block would be found by the allocator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_thread_has_cache_lines_of_its_own(dtype):
    """Two threads that write to one cache line wait for each other."""
    for size in (1, 16, 17, 5000):
        space = workspace(size, dtype)
        assert space.shape[0] == numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        assert size <= space.shape[1] < size + ALIGNMENT // space.itemsize
        assert {row.ctypes.data % ALIGNMENT for row in space} == {0}


def test_results_that_are_kept_are_not_overwritten():
    rng = np.random.default_rng(0)
    inputs = [rng.standard_normal((2, 64, 64, 4)).astype(np.float32) for _ in range(8)]
    kept = [relu(x)[:, ::2] for x in inputs]
    for x, y in zip(inputs, kept, strict=True):
        assert np.array_equal(y, np.maximum(x, 0)[:, ::2])


def test_idle_memory_over_the_limit_goes_back_to_the_system(monkeypatch):
    size = 4 * SMALL
    monkeypatch.setattr(memory, "KEPT", 6 * size)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        arrays = [empty((size,), np.uint8) for _ in range(10)]
        busy = arrays[:2]
        del arrays
        assert idle_bytes() == 8 * size
        again = [empty((size,), np.uint8) for _ in range(3)]
        assert idle_bytes() == 5 * size  # memory that is at hand is taken first, however much there is
        del again
        other = empty((2 * size,), np.uint8)
        assert idle_bytes() == 0
        used = tracemalloc.get_traced_memory()[0] - before
        assert busy[0].nbytes + busy[1].nbytes + other.nbytes <= used < 4.5 * size
    finally:
        tracemalloc.stop()


def test_idle_memory_below_the_limit_is_kept():
    arrays = [empty((k * SMALL,), np.uint8) for k in (1, 2, 3)]
    del arrays
    x = empty((4 * SMALL,), np.uint8)
    assert idle_bytes() == 6 * SMALL
    del x


def test_threads_never_share_memory():
    rounds, failures = 300, []

    def work(number):
        rng = np.random.default_rng(number)
        held = []
        for k in range(rounds):
            x = empty((SMALL + 8 * int(rng.integers(3)),), np.uint8)
            x[:] = 50 * number + k % 50
            held.append((x[:: 1 + k % 7], 50 * number + k % 50))
            del x
            if len(held) > 5:
                view, wanted = held.pop(int(rng.integers(len(held))))
                if not (view == wanted).all():
                    failures.append((number, k))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_arrays_that_change_hands_between_threads_keep_their_numbers():
    """One thread makes, others drop: the last reference often goes in another thread than the one that allocates."""
    made: list = []
    failures, done = [], threading.Event()

    def drop():
        while made or not done.is_set():
            try:
                x, wanted = made.pop()
            except IndexError:
                continue
            if not (x == wanted).all():
                failures.append(wanted)

    threads = [threading.Thread(target=drop) for _ in range(3)]
    for thread in threads:
        thread.start()
    for k in range(1000):
        x = empty((SMALL,), np.uint8)
        x[:] = k % 256
        made.append((x, k % 256))
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []


FINALISER = """
import gc
import numpy as np
from minicoord.kernels.backend.memory import empty, idle_bytes

class Garbage:  # a cycle, so that the collector finds it: whenever an object is made, in the middle of anything
    def __init__(self):
        self.me = self
    def __del__(self):
        x = empty((300, 300), np.float32)
        x[:] = -1

gc.set_threshold(3)
held = []
for k in range(3000):
    Garbage()
    x = empty((300 - k % 7, 300), np.float32)
    x[:] = k
    held.append((x, k))
    if len(held) > 20:
        assert all((x == k).all() for x, k in held[::5])
        held.clear()
print("done")
"""


def test_a_finaliser_may_allocate_while_memory_is_allocated():
    command = [sys.executable, "-c", FINALISER]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


def test_memory_that_returns_at_exit_is_no_error():
    code = (
        "import sys, numpy as np\n"
        "from minicoord.kernels.backend.memory import empty\n"
        "sys.last_one = x = empty((300, 300), np.float32)\n"
        "class Late:\n"
        "    def __del__(self): self.x = None\n"
        "late = Late(); late.x = x; late.me = late\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
