"""`minicoord.dropin.keras` against minicoord, Keras's own convolution, and saved to files and read again.

The back end is JAX, and PyTorch where JAX is missing; ``KERAS_BACKEND`` chooses another one.
"""

from __future__ import annotations

import doctest
import os
from importlib.util import find_spec
from types import SimpleNamespace

import numpy as np
import pytest
from conventions import BY_HAND, OTHERS, SIZES, golden

import minicoord

if find_spec("jax") or find_spec("torch"):  # without a back end the import of Keras fails
    os.environ.setdefault("KERAS_BACKEND", "jax" if find_spec("jax") else "torch")
os.environ.setdefault("JAX_PLATFORMS", "cpu")
keras = pytest.importorskip("keras", reason="needs Keras 3: pip install minicoord[keras]")

from keras import ops  # noqa: E402  # pyright: ignore[reportMissingImports]

from minicoord.dropin import keras as dropin  # noqa: E402

AddCoords, CoordConv2D, PRESETS = dropin.AddCoords, dropin.CoordConv2D, dropin.PRESETS

# Arguments beside (filters, kernel_size) = (8, 3); the images have 6 channels.
CONVOLUTIONS = {
    "plain": {},
    "same": {"padding": "same"},
    "stride": {"strides": (2, 1), "padding": "same"},
    "dilation": {"dilation_rate": 2, "padding": "same"},
    "groups": {"groups": 2, "padding": "same"},
    "depthwise": {"groups": 6, "filters": 6},
    "no bias": {"use_bias": False},
    "relu": {"activation": "relu"},
    "pointwise": {"kernel_size": 1},
    "rectangle": {"kernel_size": (1, 5)},
    "channels first": {"data_format": "channels_first", "padding": "same", "groups": 2},
    "mixed": {"dtype": "mixed_bfloat16"},
}
convolutions = pytest.mark.parametrize("arguments", CONVOLUTIONS.values(), ids=CONVOLUTIONS)


def complete(arguments):
    return {"filters": 8, "kernel_size": 3, "bias_initializer": "random_normal", **arguments}


def images(arguments, size=(7, 5)):
    first = arguments.get("data_format") == "channels_first"
    return np.random.default_rng(0).normal(size=(2, 6, *size) if first else (2, *size, 6)).astype(np.float32)


def channels_first(coords):
    return np.moveaxis(ops.convert_to_numpy(coords), -1, 0)


def array(tensor):
    return ops.convert_to_numpy(ops.cast(tensor, "float32"))


# Coordinates


def test_the_examples_in_the_docstrings():
    results = doctest.testmod(dropin)
    assert results.failed == 0 < results.attempted


def test_coordinates_written_by_hand():
    assert np.allclose(channels_first(dropin.coordinates(2, 3, with_r=True)), BY_HAND, rtol=0, atol=1e-7)


@pytest.mark.parametrize("height, width", SIZES)
def test_coordinates_are_minicoords(height, width):
    found = channels_first(dropin.coordinates(height, width, with_r=True))
    assert found.dtype == np.float32
    assert np.allclose(found[:2], golden(height, width), rtol=0, atol=1e-7), "a back end may round on its own"
    if height > 1 and width > 1:
        assert found[0, 0, 0] == found[1, 0, 0] == -1 and found[0, -1, 0] == found[1, 0, -1] == 1
    assert np.allclose(found[2], golden(height, width, with_r=True)[2], rtol=0, atol=2e-7)


@pytest.mark.parametrize("height, width", [(4, 4), (2, 3), (14, 6), (5, 9)])
@pytest.mark.parametrize("name", OTHERS)
def test_presets_are_the_conventions_of_others(name, height, width):
    wanted = OTHERS[name](height, width)
    found = channels_first(dropin.coordinates(height, width, with_r=len(wanted) == 3, **PRESETS[name]))
    assert np.allclose(found, wanted, rtol=0, atol=1e-6)


def test_every_preset_is_compared():
    assert set(OTHERS) == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("height, width", [(1, 7), (5, 1), (1, 1)])
def test_presets_are_finite_where_an_axis_has_one_pixel(name, height, width):
    assert np.isfinite(channels_first(dropin.coordinates(height, width, with_r=True, **PRESETS[name]))).all()


def test_r_is_the_distance_from_the_centre_in_the_units_of_the_range():
    i, j, r = channels_first(dropin.coordinates(5, 7, with_r=True, range=(0, 1)))
    assert np.allclose(r, np.hypot(i - 0.5, j - 0.5), atol=1e-6) and r[2, 3] == 0
    assert np.array_equal(i[:, 0], [0, 0.25, 0.5, 0.75, 1])


# AddCoords


@pytest.mark.parametrize("size", [(4, 5), (1, 6), (3, 1)])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_addcoords_keeps_the_image_and_its_dtype(size, data_format, dtype):
    layer = AddCoords(with_r=True, data_format=data_format, dtype=dtype)
    x = ops.cast(images({"data_format": data_format}, size), dtype)
    y = layer(x)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    assert tuple(y.shape) == layer.compute_output_shape(x.shape)
    y = np.moveaxis(array(y), -1, 1) if data_format == "channels_last" else array(y)
    x = np.moveaxis(array(x), -1, 1) if data_format == "channels_last" else array(x)
    coords = np.moveaxis(array(dropin.coordinates(*size, with_r=True, dtype=dtype)), -1, 0)
    assert np.array_equal(y[:, :6], x)
    assert np.array_equal(y[:, 6:], np.stack([coords, coords]))


def test_addcoords_refuses():
    with pytest.raises(TypeError, match=r"AddCoords: the input has dtype .*int32, wanted a floating-point dtype"):
        AddCoords(dtype="int32")(np.zeros((1, 4, 5, 3), np.int32))
    with pytest.raises(ValueError, match="data_format was 'NCHW', it must be"):
        AddCoords(data_format="NCHW")


@pytest.mark.parametrize("make", [AddCoords, lambda **c: CoordConv2D(8, 3, **c)])
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
def test_a_coordconv_is_a_convolution_after_addcoords(arguments, convention):
    arguments = complete(arguments)
    layer, twin, x = CoordConv2D(**arguments, **convention), keras.layers.Conv2D(**arguments), images(arguments)
    data_format, axis = ("channels_first", 1) if "data_format" in arguments else ("channels_last", -1)
    y = layer(x)
    # Each group of the concatenating twin sees its own channels, and then the coordinates.
    add = AddCoords(**convention, data_format=data_format, dtype=arguments.get("dtype"))
    split = ops.concatenate([add(part) for part in np.split(x, arguments.get("groups", 1), axis=axis)], axis=axis)
    twin(split)
    twin.set_weights(layer.get_weights())
    assert np.allclose(array(y), array(twin(split)), rtol=0, atol=0.05 if "dtype" in arguments else 2e-6)
    assert tuple(y.shape) == layer.compute_output_shape(x.shape)
    assert y.dtype == twin(split).dtype


@convolutions
def test_from_conv_computes_the_same_bits(arguments):
    arguments = complete(arguments)
    conv, x = keras.layers.Conv2D(**arguments, name="third"), images(arguments, (9, 16))
    wanted = array(conv(x))
    layer = CoordConv2D.from_conv(conv, with_r=True)
    assert np.array_equal(array(layer(x)), wanted)
    assert layer.kernel.shape[2] == conv.kernel.shape[2] + 3 and layer.name == "third"
    assert layer.activation is conv.activation


def test_from_conv_inside_a_network_and_training_goes_on_from_there():
    x, y = images({}), np.zeros((2, 7, 5, 1), np.float32)
    conv, last = keras.layers.Conv2D(4, 3, padding="same", activation="relu"), keras.layers.Conv2D(1, 1)
    before = array(keras.Sequential([conv, last])(x))
    layer = CoordConv2D.from_conv(conv)
    net = keras.Sequential([layer, last])
    assert np.array_equal(array(net(x)), before)
    net.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    net.fit(x, y, epochs=1, verbose=0)
    assert (np.abs(array(layer.kernel)[:, :, 6:]).max((0, 1, 3)) > 0).all(), "the coordinates learn"


def test_from_conv_merges_lora():
    conv, x = keras.layers.Conv2D(8, 3, lora_rank=2), images({})
    conv(x)
    conv.lora_kernel_b.assign(ops.ones(conv.lora_kernel_b.shape))
    layer = CoordConv2D.from_conv(conv)
    assert not layer.lora_enabled
    assert np.array_equal(array(layer(x)), array(conv(x)))


def test_from_conv_refuses():
    for other in (keras.layers.Dense(3), CoordConv2D(3, 3)):
        with pytest.raises(TypeError, match=f"got {type(other).__name__}, wanted a plain keras.layers.Conv2D"):
            CoordConv2D.from_conv(other)
    with pytest.raises(ValueError, match="early was not built yet, so it has no weights"):
        CoordConv2D.from_conv(keras.layers.Conv2D(3, 3, name="early"))


def test_from_conv_refuses_a_convolution_that_computes_something_else():
    class Doubled(keras.layers.Conv2D):
        def call(self, inputs):
            return 2 * super().call(inputs)

    conv = Doubled(3, 3)
    conv.build((None, 5, 7, 3))
    with pytest.raises(TypeError, match=r"got Doubled, wanted a plain keras\.layers\.Conv2D"):
        CoordConv2D.from_conv(conv)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="PyTorch's convolution takes no whole numbers")
def test_images_of_whole_numbers_meet_coordinates_that_are_not_rounded():
    x = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3)).astype("uint8")
    layer = CoordConv2D(4, 3)
    wanted = array(layer(x.astype("float32")))
    assert np.allclose(array(layer(x)), wanted, rtol=1e-5, atol=1e-3)


def test_build_refuses():
    with pytest.raises(ValueError, match="CoordConv2D: 5 channels cannot be divided into 2 groups"):
        CoordConv2D(8, 3, groups=2).build((None, 4, 4, 5))
    with pytest.raises(ValueError, match=r"the number of channels in .* must be known"):
        CoordConv2D(8, 3).build((None, 4, 4, None))


# Files


def network():
    return keras.Sequential(
        [
            keras.Input((None, None, 6)),
            AddCoords(with_r=True, range=(0, 1)),
            CoordConv2D(4, 3, strides=2, padding="same", with_r=True, order="xy", activation="relu"),
            CoordConv2D(2, 1, use_bias=False, **PRESETS["official"]),
        ]
    )


@pytest.mark.parametrize("layer", [AddCoords(with_r=True, range=(0, 1)), CoordConv2D(4, (3, 1), order="xy", groups=2)])
def test_a_layer_is_made_again_from_its_config(layer):
    again = type(layer).from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.with_r, again.order, again.range) == (layer.with_r, layer.order, layer.range)
    through_json = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert through_json.get_config() == layer.get_config() and through_json.range == layer.range


def test_a_network_for_any_size_is_saved_and_read(tmp_path):
    net = network()
    assert net.output_shape == (None, None, None, 2)
    net.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    for size in [(7, 5), (1, 8), (16, 16)]:
        assert np.array_equal(array(again(images({}, size))), array(net(images({}, size))))
    again.save_weights(tmp_path / "net.weights.h5")
    other = network()
    other.load_weights(tmp_path / "net.weights.h5")
    assert np.array_equal(array(other(images({}))), array(net(images({}))))


def test_predict_compiles_each_size():
    net = network()
    for size in [(7, 5), (1, 8)]:
        assert np.allclose(net.predict(images({}, size), verbose=0), array(net(images({}, size))), rtol=0, atol=1e-6)


# minicoord's weights

# Two ways to say one geometry: minicoord's, and that of Keras.
TWINS = {
    "same": ({"kernel_size": 3, "padding": "same"}, {"kernel_size": 3, "padding": "same"}),
    "stride": ({"kernel_size": 3, "stride": 2}, {"kernel_size": 3, "strides": 2, "padding": "same"}),
    "even kernel": ({"kernel_size": 4, "stride": (1, 2)}, {"kernel_size": 4, "strides": (1, 2), "padding": "same"}),
    "valid": ({"kernel_size": (2, 3), "padding": "valid"}, {"kernel_size": (2, 3)}),
    "relu": ({"kernel_size": 1, "activation": "relu"}, {"kernel_size": 1, "activation": "relu"}),
    "no bias": ({"kernel_size": 1, "bias": False}, {"kernel_size": 1, "use_bias": False}),
}


WEIGHTS = {name: (*twins, {"with_r": True, "order": "xy"}) for name, twins in TWINS.items()}
for name, convention in {"Conv2D": None, "defaults": {}, "r": {"with_r": True}, "xy": {"order": "xy"}}.items():
    WEIGHTS[name] = (*TWINS["same"], convention)


@pytest.mark.parametrize("ours, theirs, convention", WEIGHTS.values(), ids=WEIGHTS)
def test_weights_go_there_and_back_with_equal_outputs(ours, theirs, convention):
    rng = np.random.default_rng(0)
    if convention is None:
        layer, conv = minicoord.Conv2D(3, 4, rng=rng, **ours), keras.layers.Conv2D(4, **theirs)
    else:
        layer = minicoord.CoordConv2D(3, 4, rng=rng, with_r=convention.get("with_r", False), **ours)
        conv = CoordConv2D(4, **theirs, **convention)
    for parameter in layer.params.values():
        parameter[...] = rng.normal(size=parameter.shape)
    before = {name: parameter.copy() for name, parameter in layer.params.items()}
    conv.build((None, None, None, 3))
    dropin.copy_from_minicoord(conv, layer)
    x = rng.normal(size=(2, 7, 5, 3)).astype(np.float32)
    assert np.allclose(array(conv(x)), layer.forward(x), rtol=0, atol=1e-5)
    for parameter in layer.params.values():
        parameter[...] = 0
    dropin.copy_to_minicoord(conv, layer)
    assert all(np.array_equal(layer.params[name], before[name]) for name in before)


def aligned(values):
    """A copy whose memory begins at a multiple of 64 bytes, where JAX takes arrays as they are, without a copy."""
    memory = np.empty(values.nbytes + 64, np.uint8)
    first = -memory.ctypes.data % 64
    copy = memory[first : first + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


def test_weights_that_were_copied_do_not_follow_minicoords():
    layer, conv = minicoord.Conv2D(3, 16, 1, rng=0), keras.layers.Conv2D(16, 1)
    conv.build((None, None, None, 3))
    layer.params["b"][...] = 1
    params = {name: aligned(values) for name, values in layer.params.items()}
    dropin.copy_from_minicoord(conv, SimpleNamespace(params=params))
    for parameter in params.values():
        parameter[...] = 7
    assert np.array_equal(array(conv.kernel), layer.params["w"])
    assert np.array_equal(array(conv.bias), layer.params["b"])


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"groups": 3, "filters": 3}, ValueError, "has 3 groups, minicoord's has 1"),
        ({"range": (0, 1)}, ValueError, r"'range': \(0.0, 1.0\).*, minicoord's have the range"),
        ({"swapped_sizes": True}, ValueError, "'swapped_sizes': True.*, minicoord's"),
        ({"with_r": True}, ValueError, r"\(3, 3, 5, 4\).*wanted .*\(3, 3, 6, 4\)"),
        ({"use_bias": False}, ValueError, "minicoord's parameters have the shapes"),
        ({"dtype": "bfloat16"}, TypeError, "are float32, those of Keras .*bfloat16"),
        (None, ValueError, "was not built yet"),
    ],
)
@pytest.mark.parametrize("copier", [dropin.copy_from_minicoord, dropin.copy_to_minicoord])
def test_weights_that_do_not_fit_change_nothing(arguments, error, words, copier):
    layer = minicoord.CoordConv2D(3, 4, 3, rng=0)
    conv = CoordConv2D(**{"filters": 4, "kernel_size": 3, **(arguments or {})})
    if arguments is not None:
        conv.build((None, None, None, 3))
    ours = {name: parameter.copy() for name, parameter in layer.params.items()}
    theirs = [np.array(weight) for weight in conv.get_weights()]
    with pytest.raises(error, match=words):
        copier(conv, layer)
    assert all(np.array_equal(layer.params[name], ours[name]) for name in ours)
    assert all(np.array_equal(*pair) for pair in zip(conv.get_weights(), theirs, strict=True))
