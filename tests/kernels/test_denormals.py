"""Denormal numbers count as zero within kernels, on every thread, and nowhere else."""

import platform

import numpy as np
import pytest

from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.backend.threading_layer import get_threads, set_threads
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.dense import dense
from minicoord.kernels.updates import adam_update

SMALL = np.float32(1e-25)  # its square, 1e-50, is nothing; with 1e-15 it makes the denormal 1e-40
pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="only x86 processors have the switch"),
]


@kernel
def _products(x, y, out):
    for task in prange(len(out)):
        out[task] = x * y


def test_the_numbers_are_denormal_where_nothing_is_switched():
    out = np.zeros(64, np.float32)
    launch(_products, SMALL, np.float32(1e-15), out)
    assert (out > 0).all() and (out < np.finfo(np.float32).tiny).all()


@pytest.mark.parametrize("kernel_size, images", [(1, 1), (1, 8), (3, 1), (3, 8)])  # in one call, and in tasks
@pytest.mark.parametrize("threads", [1, 2])
def test_products_that_would_be_denormal_are_zero(kernel_size, images, threads):
    x = np.full((images, 24, 24, 8), SMALL)
    w = np.full((kernel_size, kernel_size, 8, 8), 1e-15, np.float32)
    most = get_threads()
    try:
        set_threads(min(threads, most))
        y = conv2d(x, w)
        dx, dw, _ = conv2d_backward(x, w, dy=np.full(x.shape, SMALL))
    finally:
        set_threads(most)
    assert not y.any()
    assert dx is not None
    assert not dx.any() and not dw.any()


def test_weights_and_their_means_do_not_become_denormal():
    w, m, v = np.full((3, 20_000), 1e-38, np.float32)
    g = np.full_like(w, 1e-21)  # its square is denormal
    v[:] = 0
    adam_update(w, g, m, v, lr=0.1, t=1, beta1=0.9, beta2=0.99, eps=1e-8)
    for array in (w, m, v):
        assert not ((array != 0) & (np.abs(array) < np.finfo(np.float32).tiny)).any()


def test_a_dense_layer_takes_them_for_zero_too():
    y = dense(np.full((40, 4), SMALL), np.full((4, 3), 1e-15, np.float32))
    assert not y.any()


def test_python_has_its_denormals_before_and_after():
    x = np.full((1, 8, 8, 2), SMALL)
    conv2d(x, np.ones((1, 1, 2, 2), np.float32))
    conv2d(np.repeat(x, 64, axis=0), np.ones((3, 3, 2, 2), np.float32))
    assert np.float32(1e-40) * np.float32(0.5) > 0
    assert np.finfo(np.float32).smallest_subnormal > 0
