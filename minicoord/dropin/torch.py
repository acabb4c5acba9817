"""CoordConv for PyTorch: this file needs PyTorch alone, and can be imported or copied into a project.

A copy needs a name of its own, such as ``coordconv.py``: a ``torch.py`` beside your script would hide PyTorch.

`AddCoords` concatenates coordinate channels to images; `CoordConv2d` takes the place of ``nn.Conv2d``, with the same
arguments and attributes. Images are (N, C, H, W) or (C, H, W), of any size. Coordinates are made in each call, for the
size, dtype and device of the input, so there are no buffers and ``state_dict`` holds the weights alone.

Conventions: channel i is the row and j the column, the first pixel of an axis at the low end of ``range`` and the last
at the high end; a single pixel lies in the middle. r is the distance from the centre in the units of ``range``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch  # pyright: ignore[reportMissingImports]
from torch import Tensor, nn  # pyright: ignore[reportMissingImports]

PRESETS: dict[str, dict[str, Any]] = {
    "official": {"order": "xy", "range": (-1.0, 1.0), "swapped_sizes": True},
    "monai": {"order": "ij", "range": (-0.5, 0.5), "swapped_sizes": False},
    "paddledetection": {"order": "xy", "range": (-1.0, -0.5), "swapped_sizes": False},
    "paddledetection-2020": {"order": "xy", "range": (-1.0, 1.0), "swapped_sizes": False},
}
"""The conventions of others, for weights that were trained with them: ``CoordConv2d(3, 8, 1, **PRESETS["official"])``.

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
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
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
    dtype : torch.dtype, optional
        The dtype of the result, PyTorch's default if it is not given. Half precision is rounded from float32:
        bfloat16 tells some 500 columns apart, float16 some 4,000.
    device : torch.device or str, optional
        Where the result lies.

    Returns
    -------
    Tensor of `dtype`, (2, height, width), or (3, height, width) with r

    Raises
    ------
    ValueError
        If `order` or `range` has a value that is not allowed.

    Examples
    --------
    >>> coordinates(2, 3)
    tensor([[[-1., -1., -1.],
             [ 1.,  1.,  1.]],
    <BLANKLINE>
            [[-1.,  0.,  1.],
             [-1.,  0.,  1.]]])
    """
    return torch.stack(_channels(height, width, with_r, order, range, swapped_sizes, dtype, device))


def _channels(
    height: int,
    width: int,
    with_r: bool,
    order: str,
    range: Sequence[float],
    swapped_sizes: bool,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
) -> list[Tensor]:
    """Return the channels of `coordinates` one by one, (H, W) each."""
    order, (low, high) = _checked_order(order), _checked_range(range)
    dtype = torch.get_default_dtype() if dtype is None else dtype
    working = torch.float64 if dtype == torch.float64 else torch.float32
    # Whole numbers two apart, 0 in the middle: one division rounds once, so an axis mirrors itself to the last bit.
    rows = torch.arange(1 - height, height, 2, dtype=working, device=device)  # (H,)
    columns = torch.arange(1 - width, width, 2, dtype=working, device=device)  # (W,)
    last_row, last_column = rows[-1:].clamp(min=1), columns[-1:].clamp(min=1)  # a single pixel is 0 / 1
    if swapped_sizes:
        i, j = (rows - rows[:1]) / last_column - 1, (columns - columns[:1]) / last_row - 1
    else:
        i, j = rows / last_row, columns / last_column
    i, j = i[:, None].expand(height, width), j.expand(height, width)  # (H, W) each
    middle, half = (low + high) / 2, (high - low) / 2
    channels = [middle + half * axis for axis in ((i, j) if order == "ij" else (j, i))]
    if with_r:
        channels.append(half * torch.sqrt(i * i + j * j))
    return [channel.to(dtype) for channel in channels]


class AddCoords(nn.Module):
    """Concatenate coordinate channels to images: (N, C, H, W) or (C, H, W), of any size, dtype and device.

    Parameters
    ----------
    with_r, order, range, swapped_sizes
        See `coordinates`.

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed, or if the input has neither three nor four axes.
    TypeError
        If the input is not of a floating-point dtype, so that it could not hold coordinates.

    Examples
    --------
    >>> AddCoords(with_r=True)(torch.zeros(1, 3, 5, 7)).shape
    torch.Size([1, 6, 5, 7])
    """

    def __init__(
        self,
        with_r: bool = False,
        order: str = "ij",
        range: Sequence[float] = (-1.0, 1.0),
        swapped_sizes: bool = False,
    ) -> None:
        super().__init__()
        self.with_r, self.swapped_sizes = bool(with_r), bool(swapped_sizes)
        self.order, self.range = _checked_order(order), _checked_range(range)

    def forward(self, x: Tensor) -> Tensor:
        """Return `x` with two more channels, or three with r: (N, C + 2, H, W), or (C + 2, H, W)."""
        if x.dim() not in (3, 4):
            raise ValueError(f"AddCoords: the input has shape {tuple(x.shape)}, wanted (N, C, H, W) or (C, H, W)")
        if not x.is_floating_point():
            raise TypeError(f"AddCoords: the input has dtype {x.dtype}, wanted a floating-point dtype")
        coords = coordinates(
            x.shape[-2], x.shape[-1], self.with_r, self.order, self.range, self.swapped_sizes, x.dtype, x.device
        )
        return torch.cat([x, coords.expand(*x.shape[:-3], -1, -1, -1)], dim=-3)

    def extra_repr(self) -> str:
        """Return the arguments, for ``print``."""
        return _in_words(self)


class CoordConv2d(nn.Conv2d):
    """A convolution that sees where it is: ``nn.Conv2d`` over an image and its coordinates.

    The coordinates are not concatenated: the convolution of the coordinates is one map, which is added to the
    convolution of every image. The weights are those of a convolution after `AddCoords`. With groups, each group sees
    its own channels and the coordinates.

    Parameters
    ----------
    in_channels : int
        Channels of the image, without the coordinates.
    out_channels, kernel_size, stride, padding, dilation, groups, bias, padding_mode, device, dtype
        As for ``nn.Conv2d``.
    with_r, order, range, swapped_sizes
        See `coordinates`.

    Attributes
    ----------
    weight : Tensor, (out_channels, in_channels // groups + 2, kh, kw), or + 3 with r
        The channels of the image, then the coordinates in `order`, then r.
    bias : Tensor, (out_channels,), or None

    Raises
    ------
    ValueError
        If an argument has a value that is not allowed.

    Examples
    --------
    >>> layer = CoordConv2d(3, 8, kernel_size=3, padding=1)
    >>> layer(torch.zeros(1, 3, 5, 7)).shape, layer.weight.shape
    (torch.Size([1, 8, 5, 7]), torch.Size([8, 5, 3, 3]))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: str | int | tuple[int, int] = 0,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        with_r: bool = False,
        order: str = "ij",
        range: Sequence[float] = (-1.0, 1.0),
        swapped_sizes: bool = False,
    ) -> None:
        order, range = _checked_order(order), _checked_range(range)
        super().__init__(
            in_channels + groups * (3 if with_r else 2),
            out_channels,
            kernel_size,
            stride,
            padding,
            dilation,
            groups,
            bias,
            padding_mode,
            device,
            dtype,
        )
        self.in_channels = in_channels
        self.with_r, self.swapped_sizes = bool(with_r), bool(swapped_sizes)
        self.order, self.range = order, range

    @classmethod
    def from_conv(cls, conv: nn.Conv2d, **convention: Any) -> CoordConv2d:
        """Return a layer with the weights of a trained convolution, and zero weights on the coordinates.

        It computes the same numbers as `conv`, bit for bit, until it is trained further.

        Parameters
        ----------
        conv : nn.Conv2d
            The convolution; it is left as it is.
        **convention
            `with_r`, `order`, `range` and `swapped_sizes`, see `coordinates`.

        Raises
        ------
        TypeError
            If `conv` is not a plain ``nn.Conv2d`` with weights: also if it is one whose class computes something else.

        Examples
        --------
        >>> conv, x = nn.Conv2d(3, 8, 3), torch.rand(1, 3, 5, 7)
        >>> bool((CoordConv2d.from_conv(conv)(x) == conv(x)).all())
        True
        """
        methods = ("forward", "_conv_forward")  # a class of its own is fine, what it computes must be a convolution
        plain = isinstance(conv, nn.Conv2d) and not isinstance(conv, nn.LazyConv2d)
        if not plain or any(getattr(type(conv), name) is not getattr(nn.Conv2d, name) for name in methods):
            raise TypeError(f"CoordConv2d.from_conv: got {type(conv).__name__}, wanted a plain nn.Conv2d with weights")
        layer = cls(
            conv.in_channels,
            conv.out_channels,
            conv.kernel_size,
            conv.stride,
            conv.padding,
            conv.dilation,
            conv.groups,
            conv.bias is not None,
            conv.padding_mode,
            device="meta",  # no random numbers are drawn for weights that are replaced
            dtype=conv.weight.dtype,
            **convention,
        ).to_empty(device=conv.weight.device)
        with torch.no_grad():
            layer.weight.zero_()[:, : conv.weight.shape[1]] = conv.weight
            if conv.bias is not None:
                layer.bias.copy_(conv.bias)
        for name, parameter in layer.named_parameters():
            parameter.requires_grad_(getattr(conv, name).requires_grad)
        return layer.train(conv.training)

    def forward(self, x: Tensor) -> Tensor:
        """Return the CoordConv of images `x` (N, in_channels, H, W), or of one image (in_channels, H, W)."""
        own = self.in_channels // self.groups
        y = self._conv_forward(x, self.weight[:, :own], self.bias)
        channels = _channels(
            x.shape[-2], x.shape[-1], self.with_r, self.order, self.range, self.swapped_sizes, x.dtype, x.device
        )
        # Each group has its own copy. Joined along axis 1, not stacked and then viewed as one image: PyTorch 2.13's
        # compiler cannot keep such a view for the backward pass when the size of the image is left open.
        coords = torch.cat([channel[None, None] for channel in channels] * self.groups, dim=1)  # (1, groups * 2, H, W)
        constant = self._conv_forward(coords, self.weight[:, own:], None)  # (1, out_channels, out_h, out_w)
        return y + (constant if x.dim() == 4 else constant[0])

    def extra_repr(self) -> str:
        """Return the arguments, for ``print``."""
        return f"{super().extra_repr()}, {_in_words(self)}"


def copy_from_minicoord(conv: nn.Conv2d, layer: Any) -> None:
    """Copy the weights of minicoord's ``Conv2D`` or ``CoordConv2D`` into a convolution of PyTorch.

    minicoord keeps ``w`` as (kh, kw, c_in, c_out), the input channels being those of the image, then i, j, and r if
    there is one. A `CoordConv2d` with ``order="xy"`` gets the two exchanged. As with ``load_state_dict``, stride,
    padding and activation are yours to match: minicoord's ``"same"`` is PyTorch's for stride 1, and has no counterpart
    in ``nn.Conv2d`` for larger strides.

    Parameters
    ----------
    conv : nn.Conv2d or CoordConv2d
        What gets the weights.
    layer : minicoord.Conv2D or minicoord.CoordConv2D
        What has them, in ``layer.params``.

    Raises
    ------
    TypeError
        If the dtypes differ.
    ValueError
        If the shapes differ, one of the two has a bias and the other has none, or `conv` has groups or coordinates
        of another convention than minicoord's.
    """
    order = _channel_order(conv, layer, "copy_from_minicoord")
    with torch.no_grad():
        w = torch.from_numpy(layer.params["w"].copy())  # (kh, kw, c_in, c_out)
        conv.weight.copy_(w.permute(3, 2, 0, 1)[:, order])
        if conv.bias is not None:
            conv.bias.copy_(torch.from_numpy(layer.params["b"].copy()))


def copy_to_minicoord(conv: nn.Conv2d, layer: Any) -> None:
    """Copy the weights of a convolution of PyTorch into minicoord's ``Conv2D`` or ``CoordConv2D``.

    The arguments, the layout and the errors are those of `copy_from_minicoord`.
    """
    order = _channel_order(conv, layer, "copy_to_minicoord")
    layer.params["w"][...] = conv.weight.detach()[:, order].permute(2, 3, 1, 0).cpu().numpy()
    if conv.bias is not None:
        layer.params["b"][...] = conv.bias.detach().cpu().numpy()


def _channel_order(conv: nn.Conv2d, layer: Any, who: str) -> list[int]:
    """Return where the input channels of one layout stand in the other, after checking that the two layers match."""
    if conv.groups != 1:
        raise ValueError(f"{who}: the convolution has {conv.groups} groups, minicoord's has 1")
    order = list(range(conv.weight.shape[1]))
    if isinstance(conv, CoordConv2d):
        if conv.range != (-1.0, 1.0) or conv.swapped_sizes:
            raise ValueError(f"{who}: the coordinates have {_in_words(conv)}, minicoord's have the range (-1, 1)")
        if conv.order == "xy":
            first = conv.in_channels
            order[first : first + 2] = first + 1, first
    c_out, c_in, kh, kw = conv.weight.shape
    wanted = {"w": (kh, kw, c_in, c_out)} if conv.bias is None else {"w": (kh, kw, c_in, c_out), "b": (c_out,)}
    found = {name: array.shape for name, array in layer.params.items()}
    if found != wanted:
        raise ValueError(f"{who}: minicoord's parameters have the shapes {found}, wanted {wanted}")
    dtypes = {str(array.dtype) for array in layer.params.values()}
    if dtypes != {str(conv.weight.dtype).removeprefix("torch.")}:
        raise TypeError(f"{who}: minicoord's parameters are {', '.join(dtypes)}, PyTorch's {conv.weight.dtype}")
    return order


def _checked_order(order: str) -> str:
    if order not in ("ij", "xy"):
        raise ValueError(f"order was {order!r:.100}, it must be 'ij' (rows first) or 'xy' (columns first)")
    return order


def _checked_range(range: Sequence[float]) -> tuple[float, float]:
    low, high = (float(end) for end in range) if len(range) == 2 else (math.nan, math.nan)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"range was {range!r:.100}, it must be two finite numbers, the lower one first")
    return low, high


def _in_words(layer: Any) -> str:
    return f"with_r={layer.with_r}, order={layer.order!r}, range={layer.range}, swapped_sizes={layer.swapped_sizes}"
