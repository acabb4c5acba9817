"""Training does not grow in memory, step by step."""

import sys

import numpy as np
import pytest

from minicoord import Adam, BatchNorm2D, Conv2D, CoordConv2D, GlobalMaxPool, MaxPool2D, Sequential, mean_squared_error
from minicoord.train.accumulation import batch_gradients


def resident_kb() -> int:
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


@pytest.mark.compiled
@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc, which only Linux has")
def test_two_thousand_steps_do_not_grow():
    layers = [CoordConv2D(1, 8, 3, rng=0, activation="relu"), MaxPool2D(2), Conv2D(8, 8, 3, rng=1)]
    model = Sequential([*layers, BatchNorm2D(8, activation="relu"), Conv2D(8, 2, 1, rng=2), GlobalMaxPool()])
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((8, 32, 32, 1), np.float32), rng.standard_normal((8, 2), np.float32)
    optimizer = Adam(1e-3)

    def steps(count: int) -> int:
        for _ in range(count):
            batch_gradients(model, mean_squared_error, x, y, 8)
            optimizer.step(model)
        return resident_kb()

    settled = steps(300)
    assert steps(2000) - settled < 2000, "2 MB in 2,000 steps would be 10 MB in 10,000"
