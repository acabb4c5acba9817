"""`minicoord.dropin.torch` against minicoord, PyTorch's own convolution, and under PyTorch's transformations."""

from __future__ import annotations

import copy
import doctest
import pickle
import shutil
import warnings

import numpy as np
import pytest
from conventions import BY_HAND, OTHERS, SIZES, golden

import minicoord

torch = pytest.importorskip("torch", reason="needs PyTorch: pip install minicoord[torch]")

from torch import nn  # noqa: E402  # pyright: ignore[reportMissingImports]

from minicoord.dropin import torch as dropin  # noqa: E402

AddCoords, CoordConv2d, PRESETS = dropin.AddCoords, dropin.CoordConv2d, dropin.PRESETS

# Arguments after (in_channels, out_channels, kernel_size) = (6, 8, 3).
CONVOLUTIONS = {
    "plain": {},
    "same": {"padding": "same"},
    "stride": {"stride": (2, 1), "padding": (1, 2)},
    "dilation": {"dilation": 2, "padding": 2},
    "groups": {"groups": 2, "padding": 1},
    "depthwise": {"in_channels": 8, "groups": 8, "padding": 1},
    "no bias": {"bias": False},
    "reflect": {"padding": 1, "padding_mode": "reflect"},
    "circular": {"padding": (2, 1), "padding_mode": "circular"},
    "pointwise": {"kernel_size": 1},
    "rectangle": {"kernel_size": (1, 5), "padding": (0, 2)},
    "float64": {"dtype": torch.float64},
    "half": {"dtype": torch.bfloat16},
}
convolutions = pytest.mark.parametrize("arguments", CONVOLUTIONS.values(), ids=CONVOLUTIONS)


def complete(arguments):
    return {"in_channels": 6, "out_channels": 8, "kernel_size": 3, **arguments}


def images(arguments, size=(7, 5), batch=2):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(batch, arguments["in_channels"], *size, generator=generator).to(arguments.get("dtype"))


# Coordinates


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(dropin).failed == 0 < doctest.testmod(dropin).attempted


def test_coordinates_written_by_hand():
    assert np.allclose(dropin.coordinates(2, 3, with_r=True), BY_HAND, rtol=0, atol=1e-7)


@pytest.mark.parametrize("height, width", SIZES)
def test_coordinates_are_minicoords(height, width):
    found = dropin.coordinates(height, width, with_r=True)
    assert found.dtype == torch.float32
    assert np.array_equal(found[:2], golden(height, width))
    assert np.allclose(found[2], golden(height, width, with_r=True)[2], rtol=0, atol=2e-7)
    double = dropin.coordinates(height, width, with_r=True, dtype=torch.float64)
    assert np.allclose(double, golden(height, width, True, np.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize("height, width", [(4, 4), (2, 3), (14, 6), (5, 9)])
@pytest.mark.parametrize("name", OTHERS)
def test_presets_are_the_conventions_of_others(name, height, width):
    wanted = OTHERS[name](height, width)
    found = dropin.coordinates(height, width, with_r=len(wanted) == 3, **PRESETS[name])
    assert np.allclose(found, wanted, rtol=0, atol=1e-6)


def test_every_preset_is_compared():
    assert set(OTHERS) == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("height, width", [(1, 7), (5, 1), (1, 1)])
def test_presets_are_finite_where_an_axis_has_one_pixel(name, height, width):
    assert torch.isfinite(dropin.coordinates(height, width, with_r=True, **PRESETS[name])).all()


def test_r_is_the_distance_from_the_centre_in_the_units_of_the_range():
    i, j, r = dropin.coordinates(5, 7, with_r=True, range=(0, 1))
    assert torch.allclose(r, torch.hypot(i - 0.5, j - 0.5)) and r[2, 3] == 0
    assert torch.equal(i[:, 0], torch.tensor([0, 0.25, 0.5, 0.75, 1]))


@pytest.mark.parametrize("dtype, apart, too_many", [(torch.bfloat16, 512, 640), (torch.float16, 4096, 5120)])
def test_how_many_columns_half_precision_tells_apart(dtype, apart, too_many):
    def different(width):
        return len(torch.unique(dropin.coordinates(1, width, dtype=dtype)[1].float()))

    assert different(apart) == apart
    assert different(too_many) < too_many


# AddCoords


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 5), (0, 3, 4, 5), (1, 1, 1, 6)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16, torch.bfloat16])
def test_addcoords_keeps_the_image_its_dtype_and_its_axes(shape, dtype):
    x = torch.rand(shape).to(dtype)
    y = AddCoords(with_r=True)(x)
    assert y.dtype == dtype and y.shape == (*shape[:-3], shape[-3] + 3, *shape[-2:])
    assert torch.equal(y[..., : shape[-3], :, :], x)
    coords = y[..., shape[-3] :, :, :]
    assert torch.equal(coords, dropin.coordinates(*shape[-2:], with_r=True, dtype=dtype).expand_as(coords))


def test_addcoords_works_on_the_device_of_the_input():
    assert AddCoords()(torch.empty(2, 3, 4, 5, device="meta")).device.type == "meta"
    layer = CoordConv2d(3, 8, 3, device="meta")
    assert layer(torch.empty(2, 3, 4, 5, device="meta")).device.type == "meta"


@pytest.mark.parametrize(
    "x, error, words",
    [
        (torch.zeros(4, 5), ValueError, r"shape \(4, 5\), wanted \(N, C, H, W\)"),
        (torch.zeros(1, 3, 4, 5, dtype=torch.int64), TypeError, "dtype torch.int64, wanted a floating-point dtype"),
    ],
)
def test_addcoords_refuses(x, error, words):
    with pytest.raises(error, match=words):
        AddCoords()(x)


@pytest.mark.parametrize("make", [AddCoords, lambda **c: CoordConv2d(3, 8, 3, **c)])
@pytest.mark.parametrize(
    "convention, words",
    [
        ({"order": "ji"}, "order was 'ji', it must be 'ij'"),
        ({"range": (1, -1)}, r"range was \(1, -1\), it must be two finite"),
        ({"range": (0, 1, 2)}, "it must be two finite"),
        ({"range": (0, float("inf"))}, "it must be two finite"),
    ],
)
def test_conventions_that_do_not_exist(make, convention, words):
    with pytest.raises(ValueError, match=words):
        make(**convention)


# CoordConv2d


@convolutions
@pytest.mark.parametrize("convention", [{}, {"with_r": True, "order": "xy", "range": (0, 1)}, PRESETS["official"]])
def test_a_coordconv_is_a_convolution_after_addcoords(arguments, convention):
    arguments = complete(arguments)
    layer, x = CoordConv2d(**arguments, **convention), images(arguments)
    groups, d = arguments.get("groups", 1), 3 if convention.get("with_r") else 2
    # Each group of the concatenating twin sees its own channels, and then the coordinates.
    twin = nn.Conv2d(**{**arguments, "in_channels": arguments["in_channels"] + groups * d})
    twin.load_state_dict(layer.state_dict())
    split = [AddCoords(**convention)(part) for part in x.chunk(groups, dim=1)]
    tolerance = {torch.float64: 1e-12, torch.bfloat16: 0.05}.get(x.dtype, 2e-6)
    assert torch.allclose(layer(x), twin(torch.cat(split, dim=1)), rtol=0, atol=tolerance)
    assert layer(x).dtype == x.dtype
    assert torch.allclose(layer(x[0]), layer(x)[0], rtol=0, atol=tolerance), "an image without a batch"


@convolutions
@pytest.mark.parametrize("size", [(7, 5), (3, 16), (33, 64)])
def test_from_conv_computes_the_same_bits(arguments, size):
    arguments = complete(arguments)
    if size == (3, 16) and arguments["kernel_size"] == 3 and arguments.get("padding", 0) == 0:
        size = (4, 16)
    conv, x = nn.Conv2d(**arguments).eval(), images(arguments, size)
    layer = CoordConv2d.from_conv(conv, with_r=True)
    assert torch.equal(layer(x), conv(x))
    assert torch.equal(layer(x[0]), conv(x[0]))
    assert not layer.training and layer.weight.dtype == conv.weight.dtype
    assert layer.weight.shape[1] == conv.weight.shape[1] + 3


def test_from_conv_inside_a_network_and_training_goes_on_from_there():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))
    x = torch.rand(3, 1, 6, 9)
    before = net(x)
    net[0] = CoordConv2d.from_conv(net[0])
    assert torch.equal(net(x), before)
    net(x).square().mean().backward()
    gradient = net[0].weight.grad
    assert gradient is not None and (gradient[:, 1:].abs().amax((0, 2, 3)) > 0).all(), "the coordinates learn"


def test_from_conv_keeps_what_is_frozen_and_draws_no_random_numbers():
    conv = nn.Conv2d(3, 8, 3).requires_grad_(False)
    state = torch.get_rng_state()
    layer = CoordConv2d.from_conv(conv, order="xy")
    assert torch.equal(torch.get_rng_state(), state)
    assert not layer.weight.requires_grad and layer.bias is not None and not layer.bias.requires_grad
    assert layer.order == "xy" and layer.weight.data_ptr() != conv.weight.data_ptr()


@pytest.mark.parametrize("other", [nn.Linear(3, 4), nn.ConvTranspose2d(3, 4, 3), CoordConv2d(3, 4, 3)])
def test_from_conv_refuses(other):
    with pytest.raises(TypeError, match=f"got {type(other).__name__}, wanted a plain nn.Conv2d"):
        CoordConv2d.from_conv(other)


def test_from_conv_refuses_a_convolution_that_computes_something_else():
    class Standardised(nn.Conv2d):
        def forward(self, x):
            return self._conv_forward(x, self.weight - self.weight.mean(), self.bias)

    class Renamed(nn.Conv2d):
        pass

    with pytest.raises(TypeError, match=r"got Standardised, wanted a plain nn\.Conv2d"):
        CoordConv2d.from_conv(Standardised(3, 4, 3))
    normed, x = nn.utils.parametrizations.weight_norm(Renamed(3, 4, 3)), torch.rand(1, 3, 5, 7)
    assert torch.equal(CoordConv2d.from_conv(normed)(x), normed(x)), "only the weights are computed otherwise"


def test_attributes_and_state_are_those_of_a_convolution():
    layer = CoordConv2d(6, 8, (3, 5), stride=2, groups=2)
    conv = nn.Conv2d(6, 8, (3, 5), stride=2, groups=2)
    for name in ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups"):
        assert getattr(layer, name) == getattr(conv, name)
    assert set(layer.state_dict()) == set(conv.state_dict()) == {"weight", "bias"}
    assert not list(layer.buffers()) and not list(AddCoords().state_dict())
    words = "CoordConv2d(6, 8, kernel_size=(3, 5), stride=(2, 2), groups=2, with_r=False, order='ij', range=(-1.0, 1.0)"
    assert repr(layer).startswith(words)


def test_copies_and_pickles_compute_the_same():
    layer, x = CoordConv2d(3, 8, 3, with_r=True, range=(0, 1)), torch.rand(2, 3, 6, 5)
    assert torch.equal(copy.deepcopy(layer)(x), layer(x))
    assert torch.equal(pickle.loads(pickle.dumps(layer))(x), layer(x))


def test_gradients_are_right():
    layer = CoordConv2d(2, 2, 2, padding=1, groups=2, with_r=True, dtype=torch.float64)
    x = torch.randn(1, 2, 3, 2, dtype=torch.float64, requires_grad=True)

    def function(x, weight, bias):
        return torch.func.functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(function, (x, layer.weight, layer.bias))


# PyTorch's transformations

NETWORKS = {
    "AddCoords": lambda: nn.Sequential(AddCoords(with_r=True), nn.Conv2d(5, 4, 3, padding=1)),
    "CoordConv2d": lambda: CoordConv2d(2, 4, 3, padding=1, with_r=True),
    "groups": lambda: CoordConv2d(2, 4, 3, stride=2, groups=2, order="xy", range=(0, 1)),
    "official": lambda: CoordConv2d(2, 4, 1, **PRESETS["official"]),
}
networks = pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)


@networks
def test_autocast(make):
    net, x = make(), torch.rand(2, 2, 9, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = net(x)
    assert y.dtype == torch.bfloat16
    assert torch.allclose(y.float(), net(x), rtol=0, atol=0.05)


@networks
@pytest.mark.parametrize("size", [(9, 6), (4, 4)])
def test_vmap(make, size):
    net, x = make(), torch.rand(5, 2, *size)
    assert torch.allclose(torch.func.vmap(net)(x), net(x), rtol=0, atol=1e-6)


@networks
def test_compile_in_one_graph_for_any_size(make):
    torch._dynamo.reset()
    net = make()
    compiled = torch.compile(net, fullgraph=True, dynamic=True, backend="aot_eager")
    for shape in [(2, 2, 9, 6), (3, 2, 5, 8), (1, 2, 16, 16), (2, 2, 4, 7)]:
        x = torch.rand(shape)
        assert torch.allclose(compiled(x), net(x), rtol=0, atol=1e-6)


@pytest.mark.timeout(900)
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="torch.compile needs a C++ compiler")
def test_compile_by_the_default_back_end_with_sizes_left_open():
    torch._dynamo.reset()
    net, x = CoordConv2d(2, 4, 3, padding=1, with_r=True), torch.rand(3, 2, 5, 8)
    compiled = torch.compile(net, fullgraph=True, dynamic=True)  # with weights to be trained
    assert torch.allclose(compiled(x), net(x), rtol=0, atol=1e-6)


def dynamic_sizes():
    return ({0: torch.export.Dim("n"), 2: torch.export.Dim("h", min=5), 3: torch.export.Dim("w", min=5)},)


@networks
def test_export_with_sizes_left_open(make):
    net = make().eval()
    program = torch.export.export(net, (torch.rand(2, 2, 9, 6),), dynamic_shapes=dynamic_sizes())
    for shape in [(2, 2, 9, 6), (3, 2, 5, 8), (4, 2, 16, 16)]:
        x = torch.rand(shape)
        assert torch.allclose(program.module()(x), net(x), rtol=0, atol=1e-6)
    assert set(program.state_dict) == set(net.state_dict())


@networks
def test_onnx_with_sizes_left_open(make, tmp_path):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason=f"ONNX export needs {package}: pip install onnx onnxscript onnxruntime")
    import onnxruntime  # pyright: ignore[reportMissingImports]

    net, path = make().eval(), tmp_path / "net.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about PyTorch's own use of its functions
        torch.onnx.export(net, (torch.rand(2, 2, 9, 6),), path, dynamo=True, dynamic_shapes=dynamic_sizes())
    session = onnxruntime.InferenceSession(path)
    for shape in [(2, 2, 9, 6), (3, 2, 5, 8), (4, 2, 16, 16)]:
        x = torch.rand(shape)
        (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        assert np.allclose(found, net(x).detach(), rtol=0, atol=1e-5)


# minicoord's weights

# Two ways to say one geometry: minicoord's, and PyTorch's.
TWINS = {
    "same": ({"kernel_size": 3, "padding": "same"}, {"kernel_size": 3, "padding": "same"}),
    "even kernel": ({"kernel_size": 4, "padding": "same"}, {"kernel_size": 4, "padding": "same"}),
    "pointwise": ({"kernel_size": 1}, {"kernel_size": 1}),
    "valid": ({"kernel_size": (2, 3), "padding": "valid"}, {"kernel_size": (2, 3)}),
    "stride": ({"kernel_size": 3, "stride": 2, "padding": 1}, {"kernel_size": 3, "stride": 2, "padding": 1}),
    "no bias": ({"kernel_size": 3, "bias": False}, {"kernel_size": 3, "padding": "same", "bias": False}),
}


@pytest.mark.parametrize("ours, theirs", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("convention", [None, {}, {"with_r": True}, {"order": "xy"}, {"order": "xy", "with_r": True}])
def test_weights_go_there_and_back_with_equal_outputs(ours, theirs, dtype, convention):
    rng = np.random.default_rng(0)
    if convention is None:
        layer = minicoord.Conv2D(3, 4, rng=rng, dtype=dtype, **ours)
        conv = nn.Conv2d(3, 4, dtype=getattr(torch, np.dtype(dtype).name), **theirs)
    else:
        layer = minicoord.CoordConv2D(3, 4, rng=rng, dtype=dtype, with_r=convention.get("with_r", False), **ours)
        conv = CoordConv2d(3, 4, dtype=getattr(torch, np.dtype(dtype).name), **theirs, **convention)
    for array in layer.params.values():
        array[...] = rng.normal(size=array.shape)
    before = {name: array.copy() for name, array in layer.params.items()}
    dropin.copy_from_minicoord(conv, layer)
    x = rng.normal(size=(2, 7, 5, 3)).astype(dtype)
    y = conv(torch.from_numpy(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1).detach().numpy()
    assert np.allclose(y, layer.forward(x), rtol=0, atol={np.float32: 1e-5, np.float64: 1e-12}[dtype])
    for array in layer.params.values():
        array[...] = 0
    dropin.copy_to_minicoord(conv, layer)
    assert all(np.array_equal(layer.params[name], before[name]) for name in before)


@pytest.mark.parametrize(
    "conv, error, words",
    [
        (lambda: CoordConv2d(4, 4, 3, groups=2), ValueError, "has 2 groups, minicoord's has 1"),
        (lambda: CoordConv2d(3, 4, 3, range=(0, 1)), ValueError, r"range=\(0.0, 1.0\).*, minicoord's have the range"),
        (lambda: CoordConv2d(3, 4, 3, **PRESETS["official"]), ValueError, "swapped_sizes=True, minicoord's"),
        (lambda: CoordConv2d(3, 4, 3, with_r=True), ValueError, r"\(3, 3, 5, 4\).*wanted .*\(3, 3, 6, 4\)"),
        (lambda: CoordConv2d(3, 4, 3, bias=False), ValueError, "minicoord's parameters have the shapes"),
        (lambda: CoordConv2d(3, 4, 3, dtype=torch.float64), TypeError, "are float32, PyTorch's torch.float64"),
    ],
)
@pytest.mark.parametrize("copier", [dropin.copy_from_minicoord, dropin.copy_to_minicoord])
def test_weights_that_do_not_fit_change_nothing(conv, error, words, copier):
    layer, conv = minicoord.CoordConv2D(3, 4, 3, rng=0), conv()
    ours = {name: array.copy() for name, array in layer.params.items()}
    theirs = copy.deepcopy(conv.state_dict())
    with pytest.raises(error, match=words):
        copier(conv, layer)
    assert all(np.array_equal(layer.params[name], ours[name]) for name in ours)
    assert all(torch.equal(conv.state_dict()[name], theirs[name]) for name in theirs)
