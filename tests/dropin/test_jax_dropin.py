"""`minicoord.dropin.jax` against minicoord, Flax's own convolution, and under JAX's transformations."""

from __future__ import annotations

import doctest
import os

import numpy as np
import pytest
from conventions import BY_HAND, OTHERS, SIZES, golden

import minicoord

os.environ.setdefault("JAX_PLATFORMS", "cpu")
jax = pytest.importorskip("jax", reason="needs JAX: pip install minicoord[jax]")
nnx = pytest.importorskip("flax.nnx", reason="needs Flax: pip install minicoord[jax]")

from jax import numpy as jnp  # noqa: E402  # pyright: ignore[reportMissingImports]

from minicoord.dropin import jax as dropin  # noqa: E402

AddCoords, CoordConv2D, PRESETS = dropin.AddCoords, dropin.CoordConv2D, dropin.PRESETS

# Arguments beside (in_features, out_features, kernel_size) = (6, 8, (3, 3)).
CONVOLUTIONS = {
    "plain": {},
    "valid": {"padding": "VALID"},
    "stride": {"strides": (2, 1), "padding": ((1, 0), (2, 1))},
    "dilation": {"kernel_dilation": 2},
    "transposed": {"input_dilation": 2, "padding": ((1, 1), (1, 2))},
    "groups": {"feature_group_count": 2},
    "depthwise": {"in_features": 8, "feature_group_count": 8},
    "no bias": {"use_bias": False},
    "reflect": {"padding": "REFLECT"},
    "circular": {"padding": "CIRCULAR"},
    "pointwise": {"kernel_size": (1, 1)},
    "rectangle": {"kernel_size": (1, 5)},
    "half": {"dtype": jnp.bfloat16},
}
convolutions = pytest.mark.parametrize("arguments", CONVOLUTIONS.values(), ids=CONVOLUTIONS)


def complete(arguments):
    return {"in_features": 6, "out_features": 8, "kernel_size": (3, 3), **arguments, "rngs": nnx.Rngs(0)}


def images(channels, size=(7, 5), batch=2):
    return jax.random.normal(jax.random.key(1), (batch, *size, channels))


# Coordinates


def test_the_examples_in_the_docstrings():
    results = doctest.testmod(dropin)
    assert results.failed == 0 < results.attempted


def test_coordinates_written_by_hand():
    assert np.allclose(np.moveaxis(dropin.coordinates(2, 3, with_r=True), -1, 0), BY_HAND, rtol=0, atol=1e-7)


@pytest.mark.parametrize("height, width", SIZES)
def test_coordinates_are_minicoords(height, width):
    found = np.moveaxis(dropin.coordinates(height, width, with_r=True), -1, 0)
    assert found.dtype == np.float32
    assert np.array_equal(found[:2], golden(height, width))
    assert np.allclose(found[2], golden(height, width, with_r=True)[2], rtol=0, atol=2e-7)
    with jax.enable_x64(True):
        double = np.moveaxis(dropin.coordinates(height, width, with_r=True, dtype=jnp.float64), -1, 0)
    assert np.allclose(double, golden(height, width, True, np.float64), rtol=0, atol=1e-15)


@pytest.mark.parametrize("height, width", [(4, 4), (2, 3), (14, 6), (5, 9)])
@pytest.mark.parametrize("name", OTHERS)
def test_presets_are_the_conventions_of_others(name, height, width):
    wanted = OTHERS[name](height, width)
    found = np.moveaxis(dropin.coordinates(height, width, with_r=len(wanted) == 3, **PRESETS[name]), -1, 0)
    assert np.allclose(found, wanted, rtol=0, atol=1e-6)


def test_every_preset_is_compared():
    assert set(OTHERS) == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("height, width", [(1, 7), (5, 1), (1, 1)])
def test_presets_are_finite_where_an_axis_has_one_pixel(name, height, width):
    assert np.isfinite(dropin.coordinates(height, width, with_r=True, **PRESETS[name])).all()


def test_r_is_the_distance_from_the_centre_in_the_units_of_the_range():
    i, j, r = np.moveaxis(dropin.coordinates(5, 7, with_r=True, range=(0, 1)), -1, 0)
    assert np.allclose(r, np.hypot(i - 0.5, j - 0.5), atol=1e-6) and r[2, 3] == 0
    assert np.array_equal(i[:, 0], [0, 0.25, 0.5, 0.75, 1])


# AddCoords


@pytest.mark.parametrize("shape", [(2, 4, 5, 3), (4, 5, 3), (2, 3, 4, 5, 1), (0, 4, 5, 3), (1, 1, 6, 1)])
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float16, jnp.bfloat16])
def test_add_coords_keeps_the_image_its_dtype_and_its_axes(shape, dtype):
    x = jnp.ones(shape, dtype)
    y = dropin.add_coords(x, with_r=True)
    assert y.dtype == dtype and y.shape == (*shape[:-1], shape[-1] + 3)
    assert jnp.array_equal(y[..., : shape[-1]], x)
    coords = dropin.coordinates(*shape[-3:-1], with_r=True, dtype=dtype)
    assert jnp.array_equal(y[..., shape[-1] :], jnp.broadcast_to(coords, (*shape[:-1], 3)))
    assert jnp.array_equal(AddCoords(with_r=True)(x), y)


@pytest.mark.parametrize(
    "x, groups, error, words",
    [
        (np.zeros((4, 5)), 1, ValueError, r"shape \(4, 5\), wanted \(\.\.\., H, W, C\)"),
        (np.zeros((1, 4, 5, 3), np.int32), 1, TypeError, "dtype int32, wanted a floating-point dtype"),
        (np.zeros((1, 4, 5, 3)), 2, ValueError, "3 channels cannot be divided into 2 groups"),
    ],
)
def test_add_coords_refuses(x, groups, error, words):
    with pytest.raises(error, match=words):
        dropin.add_coords(jnp.asarray(x), groups=groups)


@pytest.mark.parametrize("make", [AddCoords, lambda **c: CoordConv2D(3, 8, 3, rngs=nnx.Rngs(0), **c)])
@pytest.mark.parametrize(
    "convention, words",
    [
        ({"order": "ji"}, "order was 'ji', it must be 'ij'"),
        ({"range": (1, -1)}, r"range was \(1, -1\), it must be two finite"),
        ({"range": (0, 1, 2)}, "it must be two finite"),
    ],
)
def test_conventions_that_do_not_exist(make, convention, words):
    with pytest.raises(ValueError, match=words):
        make(**convention)


# CoordConv2D


CONVENTION = {"with_r": True, "order": "xy", "range": (0, 1)}
CASES = {f"{name}, r": (arguments, CONVENTION) for name, arguments in CONVOLUTIONS.items()}
CASES |= {"defaults": ({}, {}), "official": ({}, PRESETS["official"])}


@pytest.mark.parametrize("arguments, convention", CASES.values(), ids=CASES)
def test_a_coordconv_is_a_convolution_after_add_coords(arguments, convention):
    arguments = complete(arguments)
    layer, x = CoordConv2D(**arguments, **convention), images(arguments["in_features"])
    groups, d = arguments.get("feature_group_count", 1), 3 if convention.get("with_r") else 2
    # Each group of the concatenating twin sees its own channels, and then the coordinates.
    twin = nnx.Conv(**{**arguments, "in_features": arguments["in_features"] + groups * d})
    twin.kernel, twin.bias = layer.kernel, layer.bias
    split = [dropin.add_coords(part, **convention) for part in jnp.split(x, groups, axis=-1)]
    y, tolerance = layer(x), 0.05 if "dtype" in arguments else 2e-6
    assert jnp.allclose(y, twin(jnp.concatenate(split, axis=-1)), rtol=0, atol=tolerance)
    assert y.dtype == arguments.get("dtype", jnp.float32)


@pytest.mark.parametrize("groups", [1, 2])
def test_no_batch_and_an_empty_one(groups):
    layer, x = CoordConv2D(2, 4, 3, feature_group_count=groups, rngs=nnx.Rngs(0)), images(2)
    assert jnp.allclose(layer(x[0]), layer(x)[0], rtol=0, atol=2e-6)
    assert layer(x[:0]).shape == (0, 7, 5, 4)


@convolutions
def test_from_conv_computes_the_same_bits(arguments):
    arguments = complete(arguments)
    conv, x = nnx.Conv(**arguments), images(arguments["in_features"], (9, 16))
    layer = CoordConv2D.from_conv(conv, with_r=True)
    assert jnp.array_equal(layer(x), conv(x))
    assert layer.kernel.shape[2] == conv.kernel.shape[2] + 3 and layer.in_features == conv.in_features


@pytest.mark.parametrize("arguments", [CONVOLUTIONS["plain"], CONVOLUTIONS["groups"]])
def test_from_conv_computes_the_same_bits_compiled(arguments):
    conv, x = nnx.Conv(**complete(arguments)), images(6, (33, 64))
    compiled = nnx.jit(lambda module, x: module(x))
    assert jnp.array_equal(compiled(CoordConv2D.from_conv(conv), x), compiled(conv, x))


def test_from_conv_keeps_a_mask():
    mask = jnp.zeros((3, 3, 6, 8)).at[1].set(1)
    conv, x = nnx.Conv(6, 8, (3, 3), mask=mask, rngs=nnx.Rngs(0)), images(6)
    layer = CoordConv2D.from_conv(conv)
    assert jnp.array_equal(layer(x), conv(x)) and layer.mask is not None and layer.mask.shape == (3, 3, 8, 8)


def test_from_conv_inside_a_network_and_training_goes_on_from_there():
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.first, self.last = nnx.Conv(1, 4, (3, 3), rngs=rngs), nnx.Conv(4, 1, (1, 1), rngs=rngs)

        def __call__(self, x):
            return self.last(nnx.relu(self.first(x)))

    net, x = Net(nnx.Rngs(0)), images(1, (6, 9), batch=3)
    before = net(x)
    net.first = CoordConv2D.from_conv(net.first)
    assert jnp.array_equal(net(x), before)
    gradients = nnx.grad(lambda net: jnp.mean(net(x) ** 2))(net)
    assert (jnp.abs(gradients["first"]["kernel"][...][:, :, 1:]).max((0, 1, 3)) > 0).all(), "the coordinates learn"


def test_from_conv_refuses():
    rngs = nnx.Rngs(0)
    for other in (nnx.Linear(3, 4, rngs=rngs), CoordConv2D(3, 4, 3, rngs=rngs)):
        with pytest.raises(TypeError, match=f"got {type(other).__name__}, wanted a plain nnx.Conv"):
            CoordConv2D.from_conv(other)
    with pytest.raises(ValueError, match=r"kernel_size is \(3,\), it must be rows and columns"):
        CoordConv2D.from_conv(nnx.Conv(3, 4, 3, rngs=rngs))


def test_from_conv_refuses_a_convolution_that_computes_something_else():
    class Doubled(nnx.Conv):
        def __call__(self, inputs):
            return 2 * super().__call__(inputs)

    with pytest.raises(TypeError, match=r"got Doubled, wanted a plain nnx\.Conv"):
        CoordConv2D.from_conv(Doubled(3, 4, (3, 3), rngs=nnx.Rngs(0)))


def test_a_kernel_over_three_axes_is_refused():
    with pytest.raises(ValueError, match=r"kernel_size was \(3, 3, 3\), it must be rows and columns"):
        CoordConv2D(3, 4, (3, 3, 3), rngs=nnx.Rngs(0))
    with pytest.raises(ValueError, match="CoordConv2D: 3 features cannot be divided into 2 groups"):
        CoordConv2D(3, 4, 3, feature_group_count=2, rngs=nnx.Rngs(0))


def test_attributes_and_state_are_those_of_a_convolution():
    layer = CoordConv2D(6, 8, (3, 5), strides=2, feature_group_count=2, rngs=nnx.Rngs(0))
    conv = nnx.Conv(6, 8, (3, 5), strides=2, feature_group_count=2, rngs=nnx.Rngs(0))
    for name in ("in_features", "out_features", "kernel_size", "strides", "padding", "feature_group_count", "use_bias"):
        assert getattr(layer, name) == getattr(conv, name)
    state = nnx.state(layer)
    assert set(state) == set(nnx.state(conv)) == {"kernel", "bias"}
    assert CoordConv2D(3, 8, 5, rngs=nnx.Rngs(0)).kernel_size == (5, 5)


def test_a_module_is_split_and_merged():
    layer, x = CoordConv2D(3, 8, 3, with_r=True, range=(0, 1), rngs=nnx.Rngs(0)), images(3)
    definition, state = nnx.split(layer)
    assert jnp.array_equal(nnx.merge(definition, state)(x), layer(x))
    again = CoordConv2D(3, 8, 3, with_r=True, range=(0, 1), rngs=nnx.Rngs(1))
    assert nnx.split(again)[0] == definition, "equal definitions share one compilation"


# JAX's transformations

FUNCTIONS = {
    "add_coords": lambda x: dropin.add_coords(x, with_r=True),
    "coord_conv": lambda x: dropin.coord_conv(x, jnp.linspace(-1, 1, 180).reshape(3, 3, 5, 4), with_r=True),
    "groups": lambda x: dropin.coord_conv(
        x, jnp.linspace(-1, 1, 108).reshape(3, 3, 3, 4), (2, 2), "VALID", order="xy", feature_group_count=2
    ),
    "official": lambda x: dropin.add_coords(x, **PRESETS["official"]),
    "module": CoordConv2D(2, 4, 3, with_r=True, rngs=nnx.Rngs(0)),
}
functions = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


@functions
def test_jit_and_vmap(function):
    x = images(2, (9, 6), batch=5)
    wanted = function(x)
    assert jnp.allclose(jax.jit(function)(x), wanted, rtol=0, atol=1e-5)
    assert jnp.allclose(jax.vmap(function)(x), wanted, rtol=0, atol=1e-5)
    nested = jax.jit(jax.vmap(jax.vmap(function)))(x[None])[0]
    assert jnp.allclose(nested, wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["add_coords", "groups"])
def test_gradients(name):
    from jax.test_util import check_grads  # pyright: ignore[reportMissingImports]

    check_grads(FUNCTIONS[name], (images(2, (5, 4)),), order=1, modes=["fwd", "rev"], atol=1e-2, rtol=1e-2)


def test_the_pure_function_is_the_module():
    layer, x = CoordConv2D(3, 8, (3, 5), strides=2, use_bias=False, with_r=True, rngs=nnx.Rngs(0)), images(3)
    assert jnp.array_equal(dropin.coord_conv(x, layer.kernel[...], (2, 2), with_r=True), layer(x))


# minicoord's weights

# Two ways to say one geometry: minicoord's, and Flax's.
TWINS = {
    "same": ({"kernel_size": 3, "padding": "same"}, {"kernel_size": (3, 3)}),
    "stride": ({"kernel_size": 3, "stride": 2}, {"kernel_size": (3, 3), "strides": 2}),
    "even kernel": ({"kernel_size": 4, "stride": (1, 2)}, {"kernel_size": (4, 4), "strides": (1, 2)}),
    "valid": ({"kernel_size": (2, 3), "padding": "valid"}, {"kernel_size": (2, 3), "padding": "VALID"}),
    "pixels": (
        {"kernel_size": 3, "padding": ((0, 2), (1, 0))},
        {"kernel_size": (3, 3), "padding": ((0, 2), (1, 0))},
    ),
    "no bias": ({"kernel_size": 3, "bias": False}, {"kernel_size": (3, 3), "use_bias": False}),
}


WEIGHTS = {name: (*twins, {"with_r": True, "order": "xy"}) for name, twins in TWINS.items()}
for name, convention in {"Conv2D": None, "defaults": {}, "r": {"with_r": True}, "xy": {"order": "xy"}}.items():
    WEIGHTS[name] = (*TWINS["same"], convention)


@pytest.mark.parametrize("ours, theirs, convention", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_go_there_and_back_with_equal_outputs(ours, theirs, convention):
    rng = np.random.default_rng(0)
    if convention is None:
        layer, conv = minicoord.Conv2D(3, 4, rng=rng, **ours), nnx.Conv(3, 4, rngs=nnx.Rngs(0), **theirs)
    else:
        layer = minicoord.CoordConv2D(3, 4, rng=rng, with_r=convention.get("with_r", False), **ours)
        conv = CoordConv2D(3, 4, rngs=nnx.Rngs(0), **theirs, **convention)
    for array in layer.params.values():
        array[...] = rng.normal(size=array.shape)
    before = {name: array.copy() for name, array in layer.params.items()}
    dropin.copy_from_minicoord(conv, layer)
    x = rng.normal(size=(2, 7, 5, 3)).astype(np.float32)
    assert np.allclose(conv(jnp.asarray(x)), layer.forward(x), rtol=0, atol=1e-5)
    for array in layer.params.values():
        array[...] = 0
    dropin.copy_to_minicoord(conv, layer)
    assert all(np.array_equal(layer.params[name], before[name]) for name in before)


def test_the_pure_function_takes_minicoords_weights_as_they_are():
    layer, x = minicoord.CoordConv2D(3, 4, 3, with_r=True, rng=0), np.ones((2, 7, 5, 3), np.float32)
    y = dropin.coord_conv(jnp.asarray(x), jnp.asarray(layer.params["w"]), with_r=True) + layer.params["b"]
    assert np.allclose(y, layer.forward(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"in_features": 4, "feature_group_count": 2}, ValueError, "has 2 groups, minicoord's has 1"),
        ({"range": (0, 1)}, ValueError, r"'range': \(0.0, 1.0\).*, minicoord's have the range"),
        ({"swapped_sizes": True}, ValueError, "'swapped_sizes': True.*, minicoord's"),
        ({"with_r": True}, ValueError, r"\(3, 3, 5, 4\).*wanted .*\(3, 3, 6, 4\)"),
        ({"use_bias": False}, ValueError, "minicoord's parameters have the shapes"),
        ({"param_dtype": jnp.bfloat16}, TypeError, "are float32, those of Flax bfloat16"),
    ],
)
@pytest.mark.parametrize("copier", [dropin.copy_from_minicoord, dropin.copy_to_minicoord])
def test_weights_that_do_not_fit_change_nothing(arguments, error, words, copier):
    layer = minicoord.CoordConv2D(3, 4, 3, rng=0)
    conv = CoordConv2D(**{"in_features": 3, "out_features": 4, "kernel_size": 3, **arguments}, rngs=nnx.Rngs(0))
    ours, theirs = {name: array.copy() for name, array in layer.params.items()}, jnp.array(conv.kernel[...])
    with pytest.raises(error, match=words):
        copier(conv, layer)
    assert all(np.array_equal(layer.params[name], ours[name]) for name in ours)
    assert jnp.array_equal(conv.kernel[...], theirs)
