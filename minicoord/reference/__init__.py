"""The oracle: every public function of ``minicoord.kernels`` once more, as slow and obvious loops.

Each file has the name of a file of ``kernels/``, and its functions the names of the functions there: read a function
here first, then its fast twin. Both take the same arguments and return the same results, to rounding, and the tests
compare them. Nothing here is compiled, tiled or parallel, little is checked, and no code of ``kernels/`` is used: an
oracle is there to be read and believed. It computes in the dtype of its arguments.

Begin with ``convolution.py``, whose loops over windows are those of ``geometry.py``; then ``coordinates.py`` and
``coordconv.py``, the paper's idea. ``minicoord.reference.conv2d`` and all the others can be imported from here.

Images are ``(N, H, W, C)``: image n, row i from the top, column j from the left, channel c.
"""

from minicoord.reference.activations import (
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    tanh,
    tanh_backward,
)
from minicoord.reference.area import area_resize
from minicoord.reference.boxes import box_iou, nms
from minicoord.reference.coloured_shapes import draw_shapes
from minicoord.reference.convolution import conv2d, conv2d_backward
from minicoord.reference.coordconv import coordconv2d, coordconv2d_backward
from minicoord.reference.coordinates import add_coords, add_coords_backward, coordinate_channels, tile, tile_backward
from minicoord.reference.dense import dense, dense_backward
from minicoord.reference.dots import draw_dots, move_dots
from minicoord.reference.global_pooling import (
    global_avg_pool,
    global_avg_pool_backward,
    global_max_pool,
    global_max_pool_backward,
)
from minicoord.reference.im2col import col2im, im2col
from minicoord.reference.losses import mean_squared_error, sigmoid_cross_entropy
from minicoord.reference.naive import naive_conv2d, naive_conv2d_backward
from minicoord.reference.normalisation import batch_norm, batch_norm_backward, batch_norm_inference
from minicoord.reference.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward
from minicoord.reference.resize import draw_resized
from minicoord.reference.rmsprop import rmsprop_update
from minicoord.reference.softmax import softmax, softmax_backward, softmax_cross_entropy
from minicoord.reference.tiled_coordconv import tiled_coordconv, tiled_coordconv_backward
from minicoord.reference.transposed import conv_transpose2d, conv_transpose2d_backward
from minicoord.reference.updates import adam_update, sgd_update
from minicoord.reference.upsample import upsample_nearest, upsample_nearest_backward

__all__ = [
    "adam_update",
    "add_coords",
    "add_coords_backward",
    "area_resize",
    "avg_pool2d",
    "avg_pool2d_backward",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_inference",
    "box_iou",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "coordconv2d",
    "coordconv2d_backward",
    "coordinate_channels",
    "dense",
    "dense_backward",
    "draw_dots",
    "draw_resized",
    "draw_shapes",
    "global_avg_pool",
    "global_avg_pool_backward",
    "global_max_pool",
    "global_max_pool_backward",
    "im2col",
    "leaky_relu",
    "leaky_relu_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "mean_squared_error",
    "move_dots",
    "naive_conv2d",
    "naive_conv2d_backward",
    "nms",
    "relu",
    "relu_backward",
    "rmsprop_update",
    "sgd_update",
    "sigmoid",
    "sigmoid_backward",
    "sigmoid_cross_entropy",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "tanh",
    "tanh_backward",
    "tile",
    "tile_backward",
    "tiled_coordconv",
    "tiled_coordconv_backward",
    "upsample_nearest",
    "upsample_nearest_backward",
]
