"""Functions as a learner writes them, and a check that the library's kernels are restored."""

from typing import Any

import numpy as np
import pytest

from minicoord.learn.definition.course import get
from minicoord.learn.swap_in.teaching_path import REPLACEMENTS


def my_im2col(x, k, stride, pad):
    """As a learner writes it: loops, and a list of rows."""
    x = np.pad(x, ((0, 0), (pad, pad), (pad, pad), (0, 0)))
    n, h, w, _ = x.shape
    rows = []
    for image in range(n):
        for i in range((h - k) // stride + 1):
            for j in range((w - k) // stride + 1):
                window = x[image, i * stride : i * stride + k, j * stride : j * stride + k]
                rows.append(window.reshape(-1))
    return np.array(rows, x.dtype)


def my_add_coords(x):
    n, h, w, c = x.shape
    y = np.zeros((n, h, w, c + 2), x.dtype)
    for i in range(h):
        for j in range(w):
            for image in range(n):
                for channel in range(c):
                    y[image, i, j, channel] = x[image, i, j, channel]
                if h > 1:
                    y[image, i, j, c] = 2 * i / (h - 1) - 1
                if w > 1:
                    y[image, i, j, c + 1] = 2 * j / (w - 1) - 1
    return y


def wrong_add_coords(x):
    return my_add_coords(x)[..., ::-1]


def bound_names():
    """Return the function that the library would call at this moment for each replaceable kernel."""
    found = {}
    for place in REPLACEMENTS:
        module, name = place.rsplit(".", 1)
        found[place] = getattr(__import__(module, fromlist=[name]), name)
    return found


def solutions(*ids: str) -> dict[str, Any]:
    return {id: get(id).solution for id in ids}


@pytest.fixture(autouse=True)
def kernels_are_restored():
    """After each test, the library calls its own kernels again."""
    before = bound_names()
    yield
    assert bound_names() == before
