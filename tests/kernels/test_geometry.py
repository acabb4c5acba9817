"""Padding by TensorFlow's rule against hand values, and the sizes of outputs."""

import pytest

from minicoord.kernels.geometry import same_padding, window
from minicoord.kernels.transposed import transposed_window


@pytest.mark.parametrize(
    "size, kernel, stride, wanted",
    [
        (64, 3, 2, (0, 1)),
        (64, 5, 2, (1, 2)),
        (64, 2, 1, (0, 1)),
        (64, 4, 1, (1, 2)),
        (7, 3, 2, (1, 1)),
        (5, 1, 3, (0, 0)),
    ],
)
def test_same_padding_puts_the_odd_pixel_after(size, kernel, stride, wanted):
    assert same_padding(size, kernel, stride) == wanted


@pytest.mark.parametrize("kernel, crop", [(3, (0, 1)), (4, (1, 1)), (5, (1, 2)), (2, (0, 0))])
def test_transposed_same_crops_as_tensorflow(kernel, crop):
    win, height, width = transposed_window(8, 8, kernel, 2, "same")
    assert (height, width, win.top, win.bottom) == (16, 16, *crop)


def test_the_window_of_a_transposed_convolution_has_a_place_for_every_pixel():
    for size in range(1, 9):
        for kernel in range(1, 6):
            for stride in range(1, 5):
                for padding in ("same", "valid"):
                    win, _, _ = transposed_window(size, size, kernel, stride, padding)
                    assert (win.out_h, win.out_w) == (size, size)


def test_explicit_padding_counts_per_side():
    win = window(5, 6, (3, 2), (2, 3), ((1, 0), (2, 1)))
    assert (win.out_h, win.out_w, win.top, win.left) == (2, 3, 1, 2)
