"""The three residual networks: parameters, shared initial weights, what the control ignores, and all gradients."""

import numpy as np
import pytest

from minicoord import gradcheck
from minicoord.experiments.image_classification.networks import (
    FRONT,
    MODELS,
    front_weights,
    residual_network,
)

IMAGES = np.random.default_rng(0).uniform(size=(3, 9, 7, 1)).astype(np.float32)


def behind_the_stem(net, model):
    """The parameters whose shapes all networks share, by their place behind the first convolution."""
    first = 0 if model == "conv" else 1
    names = {key: key.split(".", 1) for key in net.params}
    return {f"{int(n) - first}.{rest}": net.params[k] for k, (n, rest) in names.items() if int(n) > first}


@pytest.mark.parametrize("model, parameters", [("conv", 77_562), ("coordconv", 78_610), ("control", 78_610)])
def test_parameters_and_shapes(model, parameters):
    net = residual_network(model, 0)
    assert net.n_params == parameters
    assert net.output_shape((5, 28, 28, 1)) == (5, 10)
    sides = [shape[1] for shape in net.output_shapes((1, 28, 28, 1)) if len(shape) == 4]
    assert list(dict.fromkeys(sides)) == [28, 14, 7]


def test_one_seed_gives_all_networks_the_same_weights_as_far_as_shapes_agree():
    nets = {model: residual_network(model, 7) for model in MODELS}
    plain = behind_the_stem(nets["conv"], "conv")
    assert len(plain) == 24  # 2 + 6 + 7 + 7 of batch norm and blocks, 2 of the dense layer
    for model in ("coordconv", "control"):
        shared = behind_the_stem(nets[model], model)
        assert shared.keys() == plain.keys()
        assert all(np.array_equal(shared[key], plain[key]) for key in plain)
    with_front, control = nets["coordconv"].params, nets["control"].params
    assert with_front.keys() == control.keys()
    assert all(np.array_equal(with_front[key], control[key]) for key in control)


def test_another_seed_gives_other_weights_everywhere():
    one, other = (residual_network("coordconv", seed).params for seed in (0, 1))
    drawn = [key for key in one if key.endswith(".w")]
    assert len(drawn) == 11
    assert not any(np.array_equal(one[key], other[key]) for key in drawn)


@pytest.mark.compiled
def test_the_control_does_not_see_its_coordinate_weights_and_coordconv_does():
    for model, sees in (("coordconv", True), ("control", False)):
        net = residual_network(model, 0)
        before = net.forward(IMAGES, training=True).copy()
        net.backward(np.ones_like(before) * np.arange(10, dtype=np.float32), need_dx=False)
        gradient = net.grads["0.w"][0, 0]  # (4, 8)
        assert gradient[0].any() and bool(gradient[1:].any()) == sees
        net.params["0.w"][0, 0, 1:] += 1
        assert np.array_equal(net.forward(IMAGES, training=True), before) != sees


@pytest.mark.compiled
def test_the_control_is_coordconv_with_zero_weights_on_the_coordinates():
    control, coordconv = residual_network("control", 3), residual_network("coordconv", 3)
    coordconv.params["0.w"][0, 0, 1:] = 0
    np.testing.assert_allclose(control.forward(IMAGES), coordconv.forward(IMAGES), rtol=1e-5, atol=1e-6)


def test_front_weights_have_a_row_for_the_image_and_each_coordinate():
    assert front_weights(residual_network("conv", 0)).shape == (0, FRONT)
    net = residual_network("coordconv", 0)
    found = front_weights(net)
    assert found.shape == (4, FRONT)
    assert np.array_equal(found, net.params["0.w"][0, 0])
    found[:] = 0
    assert net.params["0.w"].any(), "a copy"


@pytest.mark.compiled
@pytest.mark.parametrize("model", MODELS)
def test_the_gradients_of_the_whole_network_are_right(model):
    x = np.random.default_rng(1).standard_normal((3, 9, 7, 1))
    report = gradcheck(residual_network(model, 2), x, eps=1e-6, sample=12)
    assert report.ok, str(report)
    assert report.kinks == 0
