"""The rows of the benchmark: networks of one layer or many, and the work to be timed on each.

The sizes are those of the paper's networks. A row is independent of the library: ``ours.py``, ``pytorch.py`` and
``plain_numpy.py`` each build its network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import partial

from minicoord.bench.multiply_adds import multiply_adds_by_layer
from minicoord.experiments.a2c.networks import ARMS, network
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.experiments.detection.networks import region_proposal_network, trunk
from minicoord.experiments.gan.networks import conv_generator, coordconv_generator, discriminator
from minicoord.experiments.image_classification.networks import residual_network
from minicoord.experiments.regression.regressors import (
    conv_fc_regressor,
    coordconv_regressor,
    fully_convolutional_regressor,
)
from minicoord.experiments.rendering.renderers import coordconv_renderer
from minicoord.nn.layers.activations import Softmax
from minicoord.nn.layers.base import Layer, Shape
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import AvgPool2D, GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential

CENTRES, IMAGES = (2,), (64, 64, 1)
ATARI, POSITION = (84, 84, 4), (19, 19, 2)
DENSE, POOL = ARMS["coordconv-dense"], ARMS["coordconv-pool"]


@dataclass(frozen=True)
class Row:
    """One row of the benchmark.

    Attributes
    ----------
    name : str
        Such as ``"conv1x1-64-64/64px/16/forward"`` or ``"step/coordconv-classifier/16"``.
    build : callable
        Returns the network, made of our layers.
    batch : int
        Samples.
    sample : tuple of int
        The shape of one sample, without the batch axis.
    what : {"forward", "backward", "step", "loss"}
        A forward pass that stores what the backward pass needs; the backward pass, including the gradient with respect
        to the input; a training step (forward, backward, Adam); a loss and its gradient.
    loss : {"softmax", "sigmoid", "squares"}
        The loss of a step; that of a network with several heads is the sum of the losses of its heads.
    """

    name: str
    build: Callable[[], Sequential]
    batch: int
    sample: Shape
    what: str
    loss: str = "squares"

    @property
    def flops(self) -> int:
        """Additions and multiplications in matrix products, two per weight and position; 0 if there are none.

        A backward pass has twice as many as the forward pass: the gradients with respect to the input and to the kernel
        need one product each. In a step the first layer with weights needs no gradient with respect to its input.
        """
        if self.what == "loss":
            return 0
        per_layer = [2 * n for n in multiply_adds_by_layer(self.build(), (self.batch, *self.sample)) if n]
        if self.what == "step":
            return 3 * sum(per_layer) - per_layer[0]
        return sum(per_layer) * (2 if self.what == "backward" else 1)


def _both(name: str, build: Callable[[], Layer], batch: int, sample: Shape) -> list[Row]:
    """Return the rows of one layer, forward and backward."""

    def network() -> Sequential:
        return Sequential([build()])

    return [Row(f"{name}/{batch}/{what}", network, batch, sample, what) for what in ("forward", "backward")]


def _convolution(
    kernel: int, c_in: int, c_out: int, size: int, batch: int, stride: int = 1, padding: str = "same", relu: bool = True
) -> list[Row]:
    activation = "relu" if relu else None
    name = f"conv{kernel}x{kernel}{f's{stride}' if stride > 1 else ''}-{c_in}-{c_out}/{size}px"
    build = partial(Conv2D, c_in, c_out, kernel, stride, padding, rng=0, activation=activation)
    return _both(name, build, batch, (size, size, c_in))


def _transposed(kernel: int, c_in: int, c_out: int, size: int, batch: int = 16) -> list[Row]:
    name = f"transposed{kernel}x{kernel}s2-{c_in}-{c_out}/{size}px"
    return _both(name, partial(ConvTranspose2D, c_in, c_out, kernel, 2, rng=0), batch, (size, size, c_in))


def _kernels() -> Iterator[list[Row]]:
    # The classifier (and the first half of the renderer), batch 16.
    for c_in, c_out in [(4, 32), (32, 32), (32, 64), (64, 64), (64, 1)]:
        yield _convolution(1, c_in, c_out, 64, 16, relu=c_out > 1)
    yield _both("coordconv1x1-2-32/64px", partial(CoordConv2D, 2, 32, 1, rng=0, activation="relu"), 16, (64, 64, 2))
    # The drawing tail of the renderer, batch 16.
    for c_in, c_out in [(1, 8), (8, 8), (8, 16), (16, 16), (16, 1)]:
        yield _convolution(3, c_in, c_out, 64, 16, relu=c_out > 1)
    # The three regressors, batch 256.
    yield _convolution(3, 1, 16, 64, 256)
    yield _convolution(3, 16, 16, 32, 256)
    yield _convolution(3, 16, 16, 8, 256)
    yield _convolution(5, 1, 16, 64, 256, stride=2)
    yield _convolution(3, 16, 16, 32, 256, stride=2)
    yield _both("coordconv1x1-1-8/64px", partial(CoordConv2D, 1, 8, 1, rng=0), 256, IMAGES)
    yield _convolution(3, 8, 8, 64, 256, relu=False)
    yield _convolution(3, 8, 2, 64, 256, relu=False)
    # The detector, batch 16.
    yield _convolution(5, 1, 32, 64, 16, padding="valid")
    yield _convolution(5, 32, 64, 30, 16, padding="valid")
    yield _convolution(3, 64, 32, 13, 16)
    # Generator and discriminator of the GAN, batch 16.
    for c_in, c_out, size in [(3, 64, 64), (64, 128, 32), (128, 256, 16), (256, 512, 8)]:
        yield _convolution(5, c_in, c_out, size, 16, stride=2, relu=False)
    yield _convolution(3, 64, 64, 64, 16)
    yield _convolution(1, 256, 256, 64, 16)
    for c_in, c_out, size in [(512, 256, 4), (256, 128, 8), (128, 64, 16), (64, 3, 32)]:
        yield _transposed(5, c_in, c_out, size)
    # The deconvolution network, c = 2, fs = 3, batch 16.
    for c_in, c_out, size in [(2, 128, 1), (128, 128, 2), (128, 128, 4), (128, 64, 8), (64, 64, 16), (64, 1, 32)]:
        yield _transposed(3, c_in, c_out, size)
    # Small work, dominated by the calls from Python rather than the arithmetic.
    yield _convolution(3, 3, 8, 8, 1)
    # Layers without a matrix product, and the dense layer.
    yield _both("maxpool2x2-16/64px", partial(MaxPool2D, 2), 256, (64, 64, 16))
    yield _both("maxpool2x2-32/60px", partial(MaxPool2D, 2), 16, (60, 60, 32))
    yield _both("avgpool2x2-16/64px", partial(AvgPool2D, 2), 256, (64, 64, 16))
    yield _both("globalmaxpool-2/64px", GlobalMaxPool, 256, (64, 64, 2))
    yield _both("globalavgpool-2/64px", GlobalAvgPool, 256, (64, 64, 2))
    yield _both("batchnorm-128/8px", partial(BatchNorm2D, 128), 16, (8, 8, 128))
    yield _both("batchnorm-64/32px", partial(BatchNorm2D, 64), 16, (32, 32, 64))
    yield _both("dense-1024-64", partial(Dense, 1024, 64, rng=0), 256, (1024,))
    yield _both("softmax/4096", Softmax, 16, IMAGES)
    yield [Row("softmax-cross-entropy/4096/16", lambda: Sequential([Softmax()]), 16, IMAGES, "loss", "softmax")]


def _steps() -> Iterator[Row]:
    # To add a network: yield a row with the function that builds it. What it may consist of is in README.md.
    for batch in (16, 32):
        yield Row(
            f"step/coordconv-classifier/{batch}", partial(coordconv_painter, 0), batch, CENTRES, "step", "softmax"
        )
        deconv = partial(deconv_painter, 2, 3, rng=0)
        yield Row(f"step/deconv-c2-fs3/{batch}", deconv, batch, CENTRES, "step", "softmax")
        yield Row(
            f"step/coordconv-renderer/{batch}", partial(coordconv_renderer, rng=0), batch, CENTRES, "step", "sigmoid"
        )
        yield Row(f"step/conv-renderer/{batch}", deconv, batch, CENTRES, "step", "sigmoid")
        yield Row(f"step/detection-trunk/{batch}", partial(trunk, rng=0), batch, IMAGES, "step")
    # The whole detector with both heads; the choice of boxes, which is the same work for every library, is left out.
    yield Row("step/detector/16", partial(region_proposal_network, rng=0), 16, IMAGES, "step")
    # The agent's update on 16 episodes of 5 actions, with both heads and the loss of the detector. Acting, returns, and
    # A2C's own losses and clipping are left out. For Atari it is the Nature network, for PositionWorld the small one.
    on_atari, on_ours = (partial(network, *of, rng=0) for of in ((ATARI, 6, DENSE), (POSITION, 4, POOL)))
    yield Row("step/a2c-atari/80", on_atari, 80, ATARI, "step")
    yield Row("step/a2c-position/80", on_ours, 80, POSITION, "step")
    yield Row("step/resnet8/64", partial(residual_network, "conv", 0), 64, (28, 28, 1), "step", "softmax")
    yield Row("step/conv-fc-regressor/256", partial(conv_fc_regressor, rng=0), 256, IMAGES, "step")
    yield Row("step/conv-regressor/256", partial(fully_convolutional_regressor, rng=0), 256, IMAGES, "step")
    yield Row("step/coordconv-regressor/256", partial(coordconv_regressor, rng=0), 256, IMAGES, "step")
    yield Row("step/conv-generator/16", partial(conv_generator, rng=0), 16, (256,), "step")
    yield Row("step/coordconv-generator/16", partial(coordconv_generator, rng=0), 16, (256,), "step")
    yield Row("step/discriminator/16", partial(discriminator, rng=0), 16, (64, 64, 3), "step", "sigmoid")


def all_rows() -> list[Row]:
    """Return every row: single layers in the order of the networks that use them, then whole training steps."""
    return [row for rows in _kernels() for row in rows] + list(_steps())


def matching(pattern: str | None) -> list[Row]:
    """Return the rows whose name matches `pattern`: a glob such as ``"step/*"``, or a part of the name.

    Parameters
    ----------
    pattern : str or None
        None matches every row.

    Examples
    --------
    >>> [row.name for row in matching("step/coordconv-classifier")]
    ['step/coordconv-classifier/16', 'step/coordconv-classifier/32']
    """
    rows = all_rows()
    if pattern is None:
        return rows
    if any(sign in pattern for sign in "*?["):
        return [row for row in rows if fnmatch(row.name, pattern)]
    return [row for row in rows if pattern in row.name]
