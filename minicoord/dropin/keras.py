"""CoordConv for Keras 3, on any back end: this file needs Keras alone, and can be imported or copied into a project.

A copy needs a name of its own, such as ``coordconv.py``: a ``keras.py`` beside your script would hide Keras.

`AddCoords` concatenates coordinate channels to images; `CoordConv2D` takes the place of ``keras.layers.Conv2D``, with
the same arguments and attributes. Images are (N, H, W, C), or (N, C, H, W) with ``data_format="channels_first"``, of
any size. Coordinates are made in each call, so that the weights alone are saved.

Conventions: channel i is the row and j the column, the first pixel of an axis at the low end of ``range`` and the last
at the high end; a single pixel lies in the middle. r is the distance from the centre in the units of ``range``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras  # pyright: ignore[reportMissingImports]
from keras import ops  # pyright: ignore[reportMissingImports]

PRESETS: dict[str, dict[str, Any]] = {
    "official": {"order": "xy", "range": (-1.0, 1.0), "swapped_sizes": True},
    "monai": {"order": "ij", "range": (-0.5, 0.5), "swapped_sizes": False},
    "paddledetection": {"order": "xy", "range": (-1.0, -0.5), "swapped_sizes": False},
    "paddledetection-2020": {"order": "xy", "range": (-1.0, 1.0), "swapped_sizes": False},
}
"""The conventions of others, for weights that were trained with them: ``CoordConv2D(8, 1, **PRESETS["official"])``.

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
    dtype: str | None = None,
) -> Any:
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
    dtype : str, optional
        The dtype of the result, that of ``keras.config.floatx()`` if it is not given. Half precision is rounded from
        float32: bfloat16 tells some 500 columns apart, float16 some 4,000.

    Returns
    -------
    tensor of `dtype`, (height, width, 2), or (height, width, 3) with r

    Raises
    ------
    ValueError
        If `order` or `range` has a value that is not allowed.

    Examples
    --------
    >>> ops.convert_to_numpy(coordinates(2, 3))[:, :, 1].tolist()
    [[-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0]]
    """
    order, (low, high) = _checked_order(order), _checked_range(range)
    dtype = keras.backend.standardize_dtype(dtype or keras.config.floatx())
    working = "float64" if dtype == "float64" else "float32"
    # Whole numbers two apart, 0 in the middle: one division rounds once, so an axis mirrors itself to the last bit.
    rows = ops.arange(1 - height, height, 2, dtype=working)  # (H,)
    columns = ops.arange(1 - width, width, 2, dtype=working)  # (W,)
    last_row, last_column = ops.maximum(rows[-1:], 1), ops.maximum(columns[-1:], 1)  # a single pixel is 0 / 1
    if swapped_sizes:
        i, j = (rows - rows[:1]) / last_column - 1, (columns - columns[:1]) / last_row - 1
    else:
        i, j = rows / last_row, columns / last_column
    i, j = ops.broadcast_to(i[:, None], (height, width)), ops.broadcast_to(j, (height, width))
    middle, half = (low + high) / 2, (high - low) / 2
    channels = [middle + half * axis for axis in ((i, j) if order == "ij" else (j, i))]
    if with_r:
        channels.append(half * ops.sqrt(i * i + j * j))
    return ops.cast(ops.stack(channels, axis=-1), dtype)


@keras.saving.register_keras_serializable(package="minicoord")
class AddCoords(keras.layers.Layer):
    """Concatenate coordinate channels to images (N, H, W, C), of any size.

    Parameters
    ----------
    with_r, order, range, swapped_sizes
        See `coordinates`.
    data_format : {"channels_last", "channels_first"}, optional
        As for ``keras.layers.Conv2D``: ``keras.config.image_data_format()`` if it is not given.
    **layer
        What every layer of Keras takes, such as ``name`` and ``dtype``.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.
    TypeError
        If the input is not of a floating-point dtype, so that it could not hold coordinates.

    Examples
    --------
    >>> AddCoords(with_r=True)(ops.zeros((1, 5, 7, 3))).shape == (1, 5, 7, 6)
    True
    """

    def __init__(
        self,
        with_r: bool = False,
        order: str = "ij",
        range: Sequence[float] = (-1.0, 1.0),
        swapped_sizes: bool = False,
        data_format: str | None = None,
        **layer: Any,
    ) -> None:
        super().__init__(**layer)
        self.with_r, self.swapped_sizes = bool(with_r), bool(swapped_sizes)
        self.order, self.range = _checked_order(order), _checked_range(range)
        self.data_format = keras.config.image_data_format() if data_format is None else data_format
        if self.data_format not in ("channels_last", "channels_first"):
            raise ValueError(f"data_format was {data_format!r:.100}, it must be 'channels_last' or 'channels_first'")
        self.input_spec = keras.layers.InputSpec(ndim=4)

    def call(self, inputs: Any) -> Any:
        """Return `inputs` with two more channels, or three with r."""
        if not keras.backend.is_float_dtype(inputs.dtype):
            raise TypeError(f"AddCoords: the input has dtype {inputs.dtype}, wanted a floating-point dtype")
        coords = _coordinates_of(self, inputs)  # (1, H, W, d), or (1, d, H, W)
        coords = ops.broadcast_to(coords, (ops.shape(inputs)[0], *ops.shape(coords)[1:]))
        return ops.concatenate([inputs, coords], axis=-1 if self.data_format == "channels_last" else 1)

    def compute_output_shape(self, input_shape: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the shape of the output for an input of `input_shape`; sizes that are None stay None."""
        shape, axis = list(input_shape), -1 if self.data_format == "channels_last" else 1
        channels = shape[axis]
        shape[axis] = None if channels is None else channels + _extra(self)
        return tuple(shape)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), **_convention(self), "data_format": self.data_format}


@keras.saving.register_keras_serializable(package="minicoord")
class CoordConv2D(keras.layers.Conv2D):
    """A convolution that sees where it is: ``keras.layers.Conv2D`` over an image and its coordinates.

    The coordinates are not concatenated: the convolution of the coordinates is one map, which is added to the
    convolution of every image. The weights are those of a convolution after `AddCoords`. With groups, each group sees
    its own channels and the coordinates.

    Parameters
    ----------
    filters, kernel_size, strides, padding, data_format, dilation_rate, groups, activation, use_bias, ...
        As for ``keras.layers.Conv2D``.
    with_r, order, range, swapped_sizes
        See `coordinates`.

    Attributes
    ----------
    kernel : tensor, (kh, kw, channels // groups + 2, filters), or + 3 with r
        The channels of the image, then the coordinates in `order`, then r.
    bias : tensor, (filters,), or None

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.

    Examples
    --------
    >>> layer = CoordConv2D(8, kernel_size=3, padding="same")
    >>> layer(ops.zeros((1, 5, 7, 3))).shape == (1, 5, 7, 8), layer.kernel.shape == (3, 3, 5, 8)
    (True, True)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = (1, 1),
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = (1, 1),
        groups: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        with_r: bool = False,
        order: str = "ij",
        range: Sequence[float] = (-1.0, 1.0),
        swapped_sizes: bool = False,
        **layer: Any,
    ) -> None:
        super().__init__(
            filters,
            kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            groups=groups,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            activity_regularizer=activity_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            **layer,
        )
        self.with_r, self.swapped_sizes = bool(with_r), bool(swapped_sizes)
        self.order, self.range = _checked_order(order), _checked_range(range)

    @classmethod
    def from_conv(cls, conv: Any, **convention: Any) -> CoordConv2D:
        """Return a layer with the weights of a trained convolution, and zero weights on the coordinates.

        It computes the same numbers as `conv`, bit for bit, until it is trained further. It has the name of `conv`
        too, because it is meant to take its place in a model.

        Parameters
        ----------
        conv : keras.layers.Conv2D
            The convolution; it is left as it is. Weights of LoRA are merged into the kernel.
        **convention
            `with_r`, `order`, `range` and `swapped_sizes`, see `coordinates`.

        Raises
        ------
        TypeError
            If `conv` is not a plain ``keras.layers.Conv2D``: also if it is one whose class computes something else.
        ValueError
            If `conv` was not built, so that it has no weights.

        Examples
        --------
        >>> conv, x = keras.layers.Conv2D(8, 3), keras.random.uniform((1, 5, 7, 3))
        >>> y = conv(x)
        >>> bool(ops.all(CoordConv2D.from_conv(conv)(x) == y))
        True
        """
        plain, methods = isinstance(conv, keras.layers.Conv2D), ("call", "convolution_op")
        if not plain or any(getattr(type(conv), name) is not getattr(keras.layers.Conv2D, name) for name in methods):
            raise TypeError(f"CoordConv2D.from_conv: got {type(conv).__name__}, wanted a plain keras.layers.Conv2D")
        if not conv.built:
            raise ValueError(f"CoordConv2D.from_conv: {conv.name} was not built yet, so it has no weights")
        config = {name: value for name, value in conv.get_config().items() if not name.startswith("lora_")}
        layer = cls.from_config({**config, **convention})
        channels = conv.kernel.shape[2] * conv.groups
        last = conv.data_format == "channels_last"
        layer.build((None, None, None, channels) if last else (None, channels, None, None))
        coords = ops.zeros((*conv.kernel_size, _extra(layer), conv.filters), dtype=layer.kernel.dtype)
        layer.kernel.assign(ops.concatenate([ops.cast(conv.kernel, layer.kernel.dtype), coords], axis=2))
        if conv.use_bias:
            layer.bias.assign(conv.bias)
        return layer

    def build(self, input_shape: Sequence[int | None]) -> None:
        """Make the weights for images of `input_shape`, whose coordinates are not counted in its channels."""
        axis = -1 if self.data_format == "channels_last" else 1
        shape, channels = list(input_shape), input_shape[axis]
        if channels is None:
            raise ValueError(f"CoordConv2D: the number of channels in {tuple(input_shape)} must be known")
        if channels % self.groups:
            raise ValueError(f"CoordConv2D: {channels} channels cannot be divided into {self.groups} groups")
        shape[axis] = channels + self.groups * _extra(self)
        super().build(tuple(shape))
        self.input_spec = keras.layers.InputSpec(min_ndim=4, axes={axis: channels})

    def call(self, inputs: Any) -> Any:
        """Return the CoordConv of images (N, H, W, C)."""
        kernel, last = self.kernel, self.data_format == "channels_last"
        own = kernel.shape[2] - _extra(self)
        outputs = self.convolution_op(inputs, kernel[:, :, :own])
        if self.use_bias:
            outputs = outputs + ops.reshape(self.bias, (1, 1, 1, -1) if last else (1, -1, 1, 1))
        coords = ops.concatenate([_coordinates_of(self, inputs)] * self.groups, axis=-1 if last else 1)
        outputs = outputs + self.convolution_op(coords, kernel[:, :, own:])  # the same map for every image
        return outputs if self.activation is None else self.activation(outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), **_convention(self)}


def copy_from_minicoord(conv: Any, layer: Any) -> None:
    """Copy the weights of minicoord's ``Conv2D`` or ``CoordConv2D`` into a convolution of Keras.

    Both keep the kernel as (kh, kw, c_in, c_out), the input channels being those of the image, then i, j, and r if
    there is one. A `CoordConv2D` with ``order="xy"`` gets the two exchanged. Strides, padding and activation are yours
    to match; ``"same"`` is the same rule in both.

    Parameters
    ----------
    conv : keras.layers.Conv2D or CoordConv2D
        What gets the weights. It must have been built.
    layer : minicoord.Conv2D or minicoord.CoordConv2D
        What has them, in ``layer.params``.

    Raises
    ------
    TypeError
        If the dtypes differ.
    ValueError
        If the shapes differ, one of the two has a bias and the other has none, or `conv` was not built, or has groups
        or coordinates of another convention than minicoord's.
    """
    order = _channel_order(conv, layer, "copy_from_minicoord")
    conv.kernel.assign(layer.params["w"][:, :, order])
    if conv.use_bias:
        conv.bias.assign(layer.params["b"].copy())  # JAX would use the memory of the array itself


def copy_to_minicoord(conv: Any, layer: Any) -> None:
    """Copy the weights of a convolution of Keras into minicoord's ``Conv2D`` or ``CoordConv2D``.

    The arguments, the layout and the errors are those of `copy_from_minicoord`.
    """
    order = _channel_order(conv, layer, "copy_to_minicoord")
    layer.params["w"][...] = ops.convert_to_numpy(conv.kernel)[:, :, order]
    if conv.use_bias:
        layer.params["b"][...] = ops.convert_to_numpy(conv.bias)


def _channel_order(conv: Any, layer: Any, who: str) -> list[int]:
    """Return where the input channels of one layout stand in the other, after checking that the two layers match."""
    if not conv.built:
        raise ValueError(f"{who}: {conv.name} was not built yet, so it has no weights")
    if conv.groups != 1:
        raise ValueError(f"{who}: the convolution has {conv.groups} groups, minicoord's has 1")
    order = list(range(conv.kernel.shape[2]))
    if isinstance(conv, CoordConv2D):
        if conv.range != (-1.0, 1.0) or conv.swapped_sizes:
            raise ValueError(f"{who}: the coordinates have {_convention(conv)}, minicoord's have the range (-1, 1)")
        if conv.order == "xy":
            first = len(order) - _extra(conv)
            order[first : first + 2] = first + 1, first
    parameters = {"w": conv.kernel, "b": conv.bias} if conv.use_bias else {"w": conv.kernel}
    wanted = {name: tuple(parameter.shape) for name, parameter in parameters.items()}
    found = {name: array.shape for name, array in layer.params.items()}
    if found != wanted:
        raise ValueError(f"{who}: minicoord's parameters have the shapes {found}, wanted {wanted}")
    dtypes = {str(array.dtype) for array in layer.params.values()}
    if dtypes != {keras.backend.standardize_dtype(conv.kernel.dtype)}:
        raise TypeError(f"{who}: minicoord's parameters are {', '.join(dtypes)}, those of Keras {conv.kernel.dtype}")
    return order


def _coordinates_of(layer: Any, inputs: Any) -> Any:
    """Return the coordinates for the images of a layer as one image: (1, H, W, d), or (1, d, H, W)."""
    last = layer.data_format == "channels_last"
    height, width = ops.shape(inputs)[1:3] if last else ops.shape(inputs)[2:4]
    dtype = inputs.dtype if keras.backend.is_float_dtype(inputs.dtype) else layer.compute_dtype
    coords = coordinates(height, width, **_convention(layer), dtype=dtype)
    return (coords if last else ops.transpose(coords, (2, 0, 1)))[None]


def _convention(layer: Any) -> dict[str, Any]:
    return {name: getattr(layer, name) for name in ("with_r", "order", "range", "swapped_sizes")}


def _extra(layer: Any) -> int:
    return 3 if layer.with_r else 2


def _checked_order(order: str) -> str:
    if order not in ("ij", "xy"):
        raise ValueError(f"order was {order!r:.100}, it must be 'ij' (rows first) or 'xy' (columns first)")
    return order


def _checked_range(range: Sequence[float]) -> tuple[float, float]:
    low, high = (float(end) for end in range) if len(range) == 2 else (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"range was {range!r:.100}, it must be two finite numbers, the lower one first")
    return low, high
