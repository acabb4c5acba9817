"""CoordConv for JAX and Flax: this file needs these two and NumPy, and can be imported or copied into a project.

A copy needs a name of its own, such as ``coordconv.py``: a ``jax.py`` beside your script would hide JAX.

`add_coords` and `coord_conv` are pure functions, for ``jit``, ``vmap`` and ``grad``; `AddCoords` and `CoordConv2D` are
modules of ``flax.nnx``, and `CoordConv2D` takes the place of ``nnx.Conv``, with the same arguments and attributes.
Images are (..., H, W, C), of any size. Coordinates are made in each call, so that a module holds its weights alone.

Conventions: channel i is the row and j the column, the first pixel of an axis at the low end of ``range`` and the last
at the high end; a single pixel lies in the middle. r is the distance from the centre in the units of ``range``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp  # pyright: ignore[reportMissingImports]
import numpy as np
from flax import nnx  # pyright: ignore[reportMissingImports]
from jax import Array, lax  # pyright: ignore[reportMissingImports]

PRESETS: dict[str, dict[str, Any]] = {
    "official": {"order": "xy", "range": (-1.0, 1.0), "swapped_sizes": True},
    "monai": {"order": "ij", "range": (-0.5, 0.5), "swapped_sizes": False},
    "paddledetection": {"order": "xy", "range": (-1.0, -0.5), "swapped_sizes": False},
    "paddledetection-2020": {"order": "xy", "range": (-1.0, 1.0), "swapped_sizes": False},
}
"""The conventions of others, for weights that were trained with them: ``add_coords(x, **PRESETS["official"])``.

``"official"`` divides rows by the number of columns and columns by the number of rows, as the paper's released code
does, so on rectangles it leaves [-1, 1]; for a network of your own take the defaults.
"""


def coordinates(
    height: int,
    width: int,
    with_r: bool = False,
    order: str = "ij",
    range: Sequence[float] = (-1.0, 1.0),
    swapped_sizes: bool = False,
    dtype: Any = jnp.float32,
) -> Array:
    """Return the coordinate channels of an image.

    Parameters
    ----------
    height, width : int
        Size of the image in pixels.
    with_r : bool
        Whether to add r, the distance from the centre, as the third channel.
    order : {"ij", "xy"}
        Rows first, or columns first.
    range : (float, float)
        The coordinate of the first and of the last pixel of each axis.
    swapped_sizes : bool
        Whether each axis is divided by the size of the other one, as in the paper's released code (see `PRESETS`).
    dtype : dtype
        The dtype of the result. Half precision is rounded from float32: bfloat16 tells some 500 columns apart, float16
        some 4,000.

    Returns
    -------
    Array of `dtype`, (height, width, 2), or (height, width, 3) with r

    Raises
    ------
    ValueError
        If `order` or `range` has a value that is not allowed.

    Examples
    --------
    >>> coordinates(2, 3)[:, :, 1]
    Array([[-1.,  0.,  1.],
           [-1.,  0.,  1.]], dtype=float32)
    """
    order, (low, high) = _checked_order(order), _checked_range(range)
    working = jnp.promote_types(dtype, jnp.float32)
    # Sizes are known when a function is traced, so the axes are NumPy's: XLA's division may be off in the last bit.
    rows, columns = np.arange(1 - height, height, 2.0), np.arange(1 - width, width, 2.0)  # (H,), (W,): 0 in the middle
    last_row, last_column = max(height - 1, 1), max(width - 1, 1)  # a single pixel is 0 / 1
    if swapped_sizes:
        i, j = (rows + height - 1) / last_column - 1, (columns + width - 1) / last_row - 1
    else:
        i, j = rows / last_row, columns / last_column
    i, j = jnp.asarray(i, working), jnp.asarray(j, working)
    i, j = jnp.broadcast_to(i[:, None], (height, width)), jnp.broadcast_to(j, (height, width))
    middle, half = (low + high) / 2, (high - low) / 2
    channels = [middle + half * axis for axis in ((i, j) if order == "ij" else (j, i))]
    if with_r:
        channels.append(half * jnp.sqrt(i * i + j * j))
    return jnp.stack(channels, axis=-1).astype(dtype)


def add_coords(
    x: Array,
    with_r: bool = False,
    order: str = "ij",
    range: Sequence[float] = (-1.0, 1.0),
    swapped_sizes: bool = False,
    groups: int = 1,
) -> Array:
    """Return images with coordinate channels concatenated after their own.

    Parameters
    ----------
    x : Array of a floating-point dtype, (..., H, W, C)
        Images, with any number of batch axes or none.
    with_r, order, range, swapped_sizes
        See `coordinates`.
    groups : int
        With more than one, the channels of each group are followed by a copy of the coordinates of their own, for a
        convolution with that many groups.

    Returns
    -------
    Array of the same dtype, (..., H, W, C + 2 groups), or + 3 groups with r

    Raises
    ------
    TypeError
        If `x` is not of a floating-point dtype, so that it could not hold coordinates.
    ValueError
        If `x` has fewer than three axes, its channels cannot be divided into `groups`, or `order` or `range` has a
        value that is not allowed.

    Examples
    --------
    >>> add_coords(jnp.full((1, 1, 2, 1), 7.0))
    Array([[[[ 7.,  0., -1.],
             [ 7.,  0.,  1.]]]], dtype=float32)
    """
    if x.ndim < 3:
        raise ValueError(f"add_coords: x has shape {x.shape}, wanted (..., H, W, C)")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise TypeError(f"add_coords: x has dtype {x.dtype}, wanted a floating-point dtype")
    *batch, height, width, channels = x.shape
    if channels % groups:
        raise ValueError(f"add_coords: {channels} channels cannot be divided into {groups} groups")
    coords = coordinates(height, width, with_r, order, range, swapped_sizes, x.dtype)[:, :, None]  # (H, W, 1, d)
    coords = jnp.broadcast_to(coords, (*batch, height, width, groups, coords.shape[-1]))
    own = x.reshape(*batch, height, width, groups, channels // groups)
    joined = jnp.concatenate([own, coords], axis=-1)  # (..., H, W, groups, C // groups + d)
    return joined.reshape(*batch, height, width, groups * joined.shape[-1])


def coord_conv(
    x: Array,
    kernel: Array,
    window_strides: Sequence[int] = (1, 1),
    padding: str | Sequence[tuple[int, int]] = "SAME",
    with_r: bool = False,
    order: str = "ij",
    range: Sequence[float] = (-1.0, 1.0),
    swapped_sizes: bool = False,
    feature_group_count: int = 1,
    **conv: Any,
) -> Array:
    """Return the convolution of images and their coordinates: ``lax.conv_general_dilated`` after `add_coords`.

    The convolution of the coordinates is computed once, and added to that of every image.

    Parameters
    ----------
    x : Array, (..., H, W, C)
        Images, with any number of batch axes or none.
    kernel : Array of the same dtype, (kh, kw, C // feature_group_count + 2, c_out), or + 3 with r
        Its input channels are those of the image, then the coordinates in `order`, then r.
    window_strides, padding, feature_group_count, **conv
        As for ``lax.conv_general_dilated``, ``rhs_dilation`` and ``precision`` among them.
    with_r, order, range, swapped_sizes
        See `coordinates`.

    Returns
    -------
    Array, (..., out_h, out_w, c_out)

    Raises
    ------
    TypeError, ValueError
        As in `add_coords`, and as ``lax.conv_general_dilated`` does.

    Examples
    --------
    >>> coord_conv(jnp.ones((5, 7, 3)), jnp.ones((3, 3, 5, 8))).shape
    (5, 7, 8)
    """
    grouped = add_coords(x, with_r, order, range, swapped_sizes, feature_group_count)
    y = _ConvolveApart(lax.conv_general_dilated, 3 if with_r else 2)(
        grouped.reshape(-1, *grouped.shape[-3:]),
        kernel,
        window_strides,
        padding,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
        feature_group_count=feature_group_count,
        **conv,
    )
    return y.reshape(*x.shape[:-3], *y.shape[1:])


class AddCoords(nnx.Module):
    """`add_coords` as a module, for ``nnx.Sequential``.

    Parameters
    ----------
    with_r, order, range, swapped_sizes
        See `coordinates`.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.

    Examples
    --------
    >>> AddCoords(with_r=True)(jnp.zeros((1, 5, 7, 3))).shape
    (1, 5, 7, 6)
    """

    def __init__(
        self,
        with_r: bool = False,
        order: str = "ij",
        range: Sequence[float] = (-1.0, 1.0),
        swapped_sizes: bool = False,
    ) -> None:
        self.with_r, self.swapped_sizes = bool(with_r), bool(swapped_sizes)
        self.order, self.range = _checked_order(order), _checked_range(range)

    def __call__(self, inputs: Array) -> Array:
        """Return images (..., H, W, C) with two more channels, or three with r."""
        return add_coords(inputs, **_convention(self))


class CoordConv2D(nnx.Conv):
    """A convolution that sees where it is: ``nnx.Conv`` over an image and its coordinates.

    The weights are those of a convolution after `AddCoords`. With groups, each group sees its own channels and the
    coordinates.

    Parameters
    ----------
    in_features : int
        Channels of the image, without the coordinates.
    out_features, strides, padding, feature_group_count, ...
        As for ``nnx.Conv``.
    kernel_size : int or (int, int)
        Rows and columns; one number serves for both.
    with_r, order, range, swapped_sizes
        See `coordinates`.

    Attributes
    ----------
    kernel : nnx.Param, (kh, kw, in_features // feature_group_count + 2, out_features), or + 3 with r
        The channels of the image, then the coordinates in `order`, then r.
    bias : nnx.Param, (out_features,), or None

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.

    Examples
    --------
    >>> layer = CoordConv2D(3, 8, kernel_size=(3, 3), rngs=nnx.Rngs(0))
    >>> layer(jnp.zeros((1, 5, 7, 3))).shape, layer.kernel.shape
    ((1, 5, 7, 8), (3, 3, 5, 8))
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] | None = 1,
        *,
        feature_group_count: int = 1,
        conv_general_dilated: Callable[..., Array] = lax.conv_general_dilated,
        with_r: bool = False,
        order: str = "ij",
        range: Sequence[float] = (-1.0, 1.0),
        swapped_sizes: bool = False,
        **conv: Any,
    ) -> None:
        order, range = _checked_order(order), _checked_range(range)
        kernel_size = (kernel_size, kernel_size) if isinstance(kernel_size, int) else tuple(kernel_size)
        if len(kernel_size) != 2:
            raise ValueError(f"CoordConv2D: kernel_size was {kernel_size!r:.100}, it must be rows and columns")
        if in_features % feature_group_count:
            raise ValueError(f"CoordConv2D: {in_features} features cannot be divided into {feature_group_count} groups")
        extra = 3 if with_r else 2
        super().__init__(
            in_features + feature_group_count * extra,
            out_features,
            kernel_size,
            strides,
            feature_group_count=feature_group_count,
            conv_general_dilated=_ConvolveApart(conv_general_dilated, extra),
            **conv,
        )
        self.in_features = in_features
        self.with_r, self.swapped_sizes = bool(with_r), bool(swapped_sizes)
        self.order, self.range = order, range

    @classmethod
    def from_conv(cls, conv: nnx.Conv, **convention: Any) -> CoordConv2D:
        """Return a module with the weights of a trained convolution, and zero weights on the coordinates.

        It computes the same numbers as `conv`, bit for bit, until it is trained further.

        Parameters
        ----------
        conv : nnx.Conv
            The convolution, over two axes; it is left as it is.
        **convention
            `with_r`, `order`, `range` and `swapped_sizes`, see `coordinates`.

        Raises
        ------
        TypeError
            If `conv` is not a plain ``nnx.Conv``: also if it is one whose class computes something else.
        ValueError
            If its kernel has not two axes.

        Examples
        --------
        >>> conv, x = nnx.Conv(3, 8, (3, 3), rngs=nnx.Rngs(0)), jnp.ones((1, 5, 7, 3))
        >>> bool((CoordConv2D.from_conv(conv)(x) == conv(x)).all())
        True
        """
        if not isinstance(conv, nnx.Conv) or type(conv).__call__ is not nnx.Conv.__call__:
            raise TypeError(f"CoordConv2D.from_conv: got {type(conv).__name__}, wanted a plain nnx.Conv")
        if len(conv.kernel_size) != 2:
            raise ValueError(f"CoordConv2D.from_conv: kernel_size is {conv.kernel_size}, it must be rows and columns")
        kernel = conv.kernel[...]
        coords = jnp.zeros((*kernel.shape[:2], 3 if convention.get("with_r") else 2, conv.out_features), kernel.dtype)
        mask = conv.mask
        if mask is not None:
            mask = jnp.concatenate([mask, jnp.ones_like(coords, mask.dtype)], axis=2)
        layer = cls(
            conv.in_features,
            conv.out_features,
            conv.kernel_size,
            rngs=nnx.Rngs(0),
            mask=mask,
            **{name: getattr(conv, name) for name in _OTHER_ARGUMENTS},
            **convention,
        )
        layer.kernel = conv.kernel.replace(jnp.concatenate([kernel, coords], axis=2))
        if conv.bias is not None:
            layer.bias = conv.bias.replace(jnp.array(conv.bias[...]))
        return layer

    def __call__(self, inputs: Array, **sharding: Any) -> Array:
        """Return the CoordConv of images (..., H, W, in_features)."""
        return super().__call__(add_coords(inputs, **_convention(self), groups=self.feature_group_count), **sharding)


_OTHER_ARGUMENTS = (
    "strides",
    "padding",
    "input_dilation",
    "kernel_dilation",
    "feature_group_count",
    "use_bias",
    "dtype",
    "param_dtype",
    "precision",
    "conv_general_dilated",
    "promote_dtype",
    "preferred_element_type",
)


@dataclass(frozen=True)
class _ConvolveApart:
    """A convolution of images that end in coordinates, as the sum of two: that of the images, and that of one image's
    coordinates, which is the same for all. With zero weights on the coordinates the first is the whole, bit for bit.
    """

    convolve: Callable[..., Array]
    extra: int

    def __call__(self, x: Array, kernel: Array, *args: Any, feature_group_count: int = 1, **kwargs: Any) -> Array:
        own = kernel.shape[2] - self.extra
        grouped = x.reshape(*x.shape[:3], feature_group_count, own + self.extra)  # (N, H, W, groups, own + extra)
        images = grouped[..., :own].reshape(*x.shape[:3], feature_group_count * own)
        coords = grouped[:1, ..., own:]  # of the first image; of none, if there is none
        coords = coords.reshape(*coords.shape[:3], feature_group_count * self.extra)
        kwargs["feature_group_count"] = feature_group_count
        y = self.convolve(images, kernel[:, :, :own], *args, **kwargs)
        return y + self.convolve(coords, kernel[:, :, own:], *args, **kwargs)


def copy_from_minicoord(conv: nnx.Conv, layer: Any) -> None:
    """Copy the weights of minicoord's ``Conv2D`` or ``CoordConv2D`` into a convolution of Flax.

    Both keep the kernel as (kh, kw, c_in, c_out), the input channels being those of the image, then i, j, and r if
    there is one; so for the pure functions ``layer.params["w"]`` is the kernel as it is. A `CoordConv2D` with
    ``order="xy"`` gets the two exchanged. Strides, padding and activation are yours to match; ``"same"`` is the same
    rule as ``"SAME"``.

    Parameters
    ----------
    conv : nnx.Conv or CoordConv2D
        What gets the weights.
    layer : minicoord.Conv2D or minicoord.CoordConv2D
        What has them, in ``layer.params``.

    Raises
    ------
    TypeError
        If the dtypes differ.
    ValueError
        If the shapes differ, one of the two has a bias and the other has none, or `conv` has groups or coordinates of
        another convention than minicoord's.
    """
    order = _channel_order(conv, layer, "copy_from_minicoord")
    conv.kernel[...] = jnp.array(layer.params["w"][:, :, order])
    if conv.bias is not None:
        conv.bias[...] = jnp.array(layer.params["b"])


def copy_to_minicoord(conv: nnx.Conv, layer: Any) -> None:
    """Copy the weights of a convolution of Flax into minicoord's ``Conv2D`` or ``CoordConv2D``.

    The arguments, the layout and the errors are those of `copy_from_minicoord`.
    """
    order = _channel_order(conv, layer, "copy_to_minicoord")
    layer.params["w"][...] = conv.kernel[...][:, :, jnp.array(order)]
    if conv.bias is not None:
        layer.params["b"][...] = conv.bias[...]


def _channel_order(conv: nnx.Conv, layer: Any, who: str) -> list[int]:
    """Return where the input channels of one layout stand in the other, after checking that the two layers match."""
    if conv.feature_group_count != 1:
        raise ValueError(f"{who}: the convolution has {conv.feature_group_count} groups, minicoord's has 1")
    order = list(range(conv.kernel.shape[2]))
    if isinstance(conv, CoordConv2D):
        if conv.range != (-1.0, 1.0) or conv.swapped_sizes:
            raise ValueError(f"{who}: the coordinates have {_convention(conv)}, minicoord's have the range (-1, 1)")
        if conv.order == "xy":
            first = conv.in_features
            order[first : first + 2] = first + 1, first
    parameters = {"w": conv.kernel} if conv.bias is None else {"w": conv.kernel, "b": conv.bias}
    wanted = {name: parameter.shape for name, parameter in parameters.items()}
    found = {name: array.shape for name, array in layer.params.items()}
    if found != wanted:
        raise ValueError(f"{who}: minicoord's parameters have the shapes {found}, wanted {wanted}")
    dtypes = {str(array.dtype) for array in layer.params.values()}
    if dtypes != {str(conv.kernel.dtype)}:
        raise TypeError(f"{who}: minicoord's parameters are {', '.join(dtypes)}, those of Flax {conv.kernel.dtype}")
    return order


def _convention(layer: Any) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in ("with_r", "order", "range", "swapped_sizes")}


def _checked_order(order: str) -> str:
    if order not in ("ij", "xy"):
        raise ValueError(f"order was {order!r:.100}, it must be 'ij' (rows first) or 'xy' (columns first)")
    return order


def _checked_range(range: Sequence[float]) -> tuple[float, float]:
    low, high = (float(end) for end in range) if len(range) == 2 else (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"range was {range!r:.100}, it must be two finite numbers, the lower one first")
    return low, high
