"""PyTorch, where it is installed, as a second oracle: written by others, with another layout and other algorithms.

Only the tests know the translation: images (N, H, W, C) to (N, C, H, W), convolution kernels (kh, kw, c_in, c_out) to
(c_out, c_in, kh, kw), and the kernels (kh, kw, c_out, c_in) of transposed convolutions to (c_in, c_out, kh, kw), which
is the same permutation of axes.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest

from minicoord import (
    SGD,
    Adam,
    BatchNorm2D,
    CoordConv2D,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)
from minicoord.datasets import not_so_clevr
from minicoord.experiments.classification.painters import coordconv_painter, deconv_painter
from minicoord.kernels.convolution import conv2d, conv2d_backward
from minicoord.kernels.dense import dense, dense_backward
from minicoord.kernels.geometry import window
from minicoord.kernels.global_pooling import global_avg_pool, global_max_pool
from minicoord.kernels.pooling import (
    avg_pool2d,
    avg_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
)
from minicoord.kernels.transposed import conv_transpose2d, conv_transpose2d_backward, transposed_window
from minicoord.kernels.updates import adam_update, sgd_update

torch = pytest.importorskip("torch", reason="PyTorch is the optional second oracle: pip install minicoord[bench]")
F = torch.nn.functional

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def leaf(array):
    """Return a copy of an array as a tensor that collects its gradient."""
    return torch.from_numpy(np.array(array)).requires_grad_()


def first(images):
    """Return images (N, H, W, C) with channels first."""
    return images.permute(0, 3, 1, 2)


def last(images):
    """Return images (N, C, H, W) with channels last."""
    return images.permute(0, 2, 3, 1)


def kernels(w):
    """Return (kh, kw, a, b) as (b, a, kh, kw), PyTorch's order for both kinds of convolution."""
    return w.permute(3, 2, 0, 1).contiguous()


def pad(images, win, value=0.0):
    """Pad images (N, C, H, W) by what a window wants on each side."""
    return F.pad(images, (win.left, win.right, win.top, win.bottom), value=value)


def torch_conv2d(x, w, b, stride, padding):
    win = window(x.shape[1], x.shape[2], tuple(w.shape[:2]), stride, padding)
    return last(F.conv2d(pad(first(x), win), kernels(w), b, (win.sy, win.sx)))


def torch_conv_transpose2d(x, w, b, stride, padding):
    """Take the whole transposed convolution, fill up with zeros at the end where the stride asks for it, then crop."""
    win, out_h, out_w = transposed_window(x.shape[1], x.shape[2], tuple(w.shape[:2]), stride, padding)
    whole = F.conv_transpose2d(first(x), kernels(w), None, (win.sy, win.sx))
    missing_h = max(win.top + out_h - whole.shape[2], 0)
    missing_w = max(win.left + out_w - whole.shape[3], 0)
    whole = F.pad(whole, (0, missing_w, 0, missing_h))
    return last(whole[:, :, win.top : win.top + out_h, win.left : win.left + out_w]) + b


def assert_close(ours, theirs, factor=1.0, scale=None):
    """Compare an array with a tensor, to rounding at `scale`, by default the largest magnitude in the tensor."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    if scale is None:
        scale = np.abs(theirs).max(initial=0.0)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=factor * TOLERANCE[theirs.dtype.type] * scale)


def draw(dtype, *shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


WINDOWS = [
    ((3, 3), 1, "same"),
    ((3, 3), 2, "same"),
    ((5, 5), 2, "same"),
    ((4, 2), (1, 3), "same"),
    ((9, 8), 1, "same"),
    ((1, 1), 1, "same"),
    ((1, 1), (2, 3), "same"),
    ((3, 2), (2, 1), "valid"),
    ((2, 2), (3, 4), "valid"),
    ((3, 3), 2, 1),
    ((2, 3), (1, 2), ((0, 2), (1, 0))),
    ((1, 1), 1, ((1, 0), (0, 2))),
]
windows = pytest.mark.parametrize("size, stride, padding", WINDOWS)


@dtypes
@windows
@pytest.mark.parametrize("relu", [False, True])
def test_conv2d(size, stride, padding, relu, dtype):
    x, w, b = draw(dtype, (2, 7, 6, 3), (*size, 3, 4), (4,))
    tensors = leaf(x), leaf(w), leaf(b)
    theirs = torch_conv2d(*tensors, stride, padding)
    theirs = torch.relu(theirs) if relu else theirs
    y = conv2d(x, w, b, stride, padding, relu)
    assert_close(y, theirs)
    (dy,) = draw(dtype, y.shape, seed=1)
    theirs.backward(torch.from_numpy(dy))
    for ours, tensor in zip(conv2d_backward(x, w, dy, stride, padding, y if relu else None), tensors, strict=True):
        assert_close(ours, tensor.grad)


TRANSPOSED = [
    *(((k, k), s, padding) for k in (2, 3, 4, 5) for s in (1, 2, 3) for padding in ("same", "valid")),
    ((2, 5), (3, 2), "same"),
    ((5, 1), (1, 4), "valid"),
    ((1, 1), 2, "same"),
    ((4, 3), (2, 1), ((1, 0), (2, 1))),
]


@dtypes
@pytest.mark.parametrize("size, stride, padding", TRANSPOSED)
def test_conv_transpose2d(size, stride, padding, dtype):
    x, w, b = draw(dtype, (2, 4, 5, 3), (*size, 2, 3), (2,))
    tensors = leaf(x), leaf(w), leaf(b)
    theirs = torch_conv_transpose2d(*tensors, stride, padding)
    y = conv_transpose2d(x, w, b, stride, padding)
    assert_close(y, theirs)
    (dy,) = draw(dtype, y.shape, seed=1)
    theirs.backward(torch.from_numpy(dy))
    for ours, tensor in zip(conv_transpose2d_backward(x, w, dy, stride, padding), tensors, strict=True):
        assert_close(ours, tensor.grad)


@dtypes
@pytest.mark.parametrize(
    "size, stride, padding", [(2, None, "valid"), ((3, 2), (2, 1), "same"), (3, 1, 1), ((2, 3), (3, 4), "same")]
)
def test_max_and_average_pooling(size, stride, padding, dtype):
    (x,) = draw(dtype, (2, 7, 6, 3))
    win = window(7, 6, size, size if stride is None else stride, padding)
    kernel, step = (win.kh, win.kw), (win.sy, win.sx)
    biggest, mean = leaf(x), leaf(x)
    tops = last(F.max_pool2d(pad(first(biggest), win, -np.inf), kernel, step))
    # A mean over the pixels inside the image: the mean of the padded image over that of the padded ones.
    inside = pad(first(torch.ones_like(mean)), win)
    means = last(F.avg_pool2d(pad(first(mean), win), kernel, step) / F.avg_pool2d(inside, kernel, step))
    y, argmax = max_pool2d(x, size, stride, padding)
    assert_close(y, tops)
    assert_close(avg_pool2d(x, size, stride, padding), means)
    (dy,) = draw(dtype, y.shape, seed=1)
    tops.backward(torch.from_numpy(dy))
    means.backward(torch.from_numpy(dy))
    assert_close(max_pool2d_backward(dy, argmax, x.shape), biggest.grad)
    assert_close(avg_pool2d_backward(dy, x.shape, size, stride, padding), mean.grad)


def test_global_pooling_and_the_rule_for_ties():
    x = np.random.default_rng(0).integers(0, 3, (2, 5, 4, 3)).astype(np.float64)  # many equal maxima
    tensor = torch.from_numpy(x).flatten(1, 2)
    y, argmax = global_max_pool(x)
    assert_close(y, tensor.amax(1))
    np.testing.assert_array_equal(argmax, (x.reshape(2, 20, 3) == y[:, None]).argmax(1))
    assert_close(global_avg_pool(x), tensor.mean(1))


@dtypes
@pytest.mark.parametrize("training", [False, True])
def test_batch_norm(training, dtype):
    x, gamma, beta, mean, dy = draw(dtype, (4, 5, 3, 6), (6,), (6,), (6,), (4, 5, 3, 6))
    x = 3 * x + 2
    layer = BatchNorm2D(6, momentum=0.75, eps=1e-3, dtype=dtype)
    layer.params["gamma"][:], layer.params["beta"][:], layer.state["running_mean"][:] = gamma, beta, mean
    tensors = leaf(x), leaf(gamma), leaf(beta)
    running_mean, running_var = torch.from_numpy(mean.copy()), torch.ones(6, dtype=tensors[0].dtype)
    # PyTorch's momentum is the share of the new; it moves the running variance by the unbiased one.
    theirs = last(
        F.batch_norm(first(tensors[0]), running_mean, running_var, tensors[1], tensors[2], training, 0.25, 1e-3)
    )
    assert_close(layer.forward(x, training), theirs)
    theirs.backward(torch.from_numpy(dy))
    for ours, tensor in zip((layer.backward(dy), *layer.grads.values()), tensors, strict=True):
        assert_close(ours, tensor.grad, factor=4)
    assert_close(layer.state["running_mean"], running_mean)
    n = x[..., 0].size
    unbiased = 1 + (layer.state["running_var"] - 1 + 0.25) * n / (n - 1) - 0.25 if training else np.ones(6)
    assert_close(unbiased.astype(dtype), running_var)


@dtypes
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_softmax_cross_entropy_over_all_pixels(scale, dtype):
    logits, labels = scale * draw(dtype, (3, 8, 6, 1))[0], np.array([0, 47, 13])
    tensor = leaf(logits)
    theirs = F.cross_entropy(tensor.flatten(1), torch.from_numpy(labels))
    theirs.backward()
    loss, dlogits = softmax_cross_entropy(logits, labels)
    assert loss == pytest.approx(theirs.item(), rel=TOLERANCE[dtype])
    assert_close(dlogits, tensor.grad)


@dtypes
@pytest.mark.parametrize("scale", [1.0, 1e4])
def test_sigmoid_cross_entropy(scale, dtype):
    logits = scale * draw(dtype, (3, 8, 6, 1))[0]
    targets = np.random.default_rng(1).random(logits.shape).astype(dtype)
    tensor = leaf(logits)
    theirs = F.binary_cross_entropy_with_logits(tensor, torch.from_numpy(targets))
    theirs.backward()
    loss, dlogits = sigmoid_cross_entropy(logits, targets)
    assert loss == pytest.approx(theirs.item(), rel=TOLERANCE[dtype])
    assert_close(dlogits, tensor.grad)


@dtypes
def test_mean_squared_error_and_dense(dtype):
    x, w, b, target = draw(dtype, (5, 7), (7, 3), (3,), (5, 3))
    tensors = leaf(x), leaf(w), leaf(b)
    output = F.linear(tensors[0], tensors[1].T, tensors[2])
    theirs = F.mse_loss(output, torch.from_numpy(target))
    theirs.backward()
    y = dense(x, w, b)
    assert_close(y, output)
    loss, dy = mean_squared_error(y, target)
    assert loss == pytest.approx(theirs.item(), rel=TOLERANCE[dtype])
    for ours, tensor in zip(dense_backward(x, w, dy), tensors, strict=True):
        assert_close(ours, tensor.grad)


def descend(step, optimizer_of, lr_of):
    """Take ten steps with the same gradients, of very different sizes, in both libraries; return both parameters."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((4, 5))
    tensor = leaf(w)
    optimizer = optimizer_of([tensor])
    for t in range(1, 11):
        g = rng.standard_normal(w.shape) * 10.0 ** rng.integers(-6, 3, w.shape)
        for group in optimizer.param_groups:
            group.update(lr_of(t))
        tensor.grad = torch.from_numpy(g)
        optimizer.step()
        step(w, g, t)
    return w, tensor


def test_ten_steps_of_adam():
    """TensorFlow, and minicoord, add eps to sqrt(v), PyTorch to sqrt(v / (1 - beta2^t)): the same at another eps."""
    lr, beta1, beta2, eps = 0.01, 0.9, 0.99, 1e-4
    m, v = np.zeros((4, 5)), np.zeros((4, 5))
    ours, theirs = descend(
        lambda w, g, t: adam_update(w, g, m, v, lr, beta1, beta2, eps, t),
        lambda tensors: torch.optim.Adam(tensors, lr=lr, betas=(beta1, beta2)),
        lambda t: {"eps": eps / np.sqrt(1 - beta2**t)},
    )
    assert_close(ours, theirs)


def test_ten_steps_of_sgd_with_momentum():
    velocity = np.zeros((4, 5))
    ours, theirs = descend(
        lambda w, g, t: sgd_update(w, g, velocity, 0.01 / t, 0.8),
        lambda tensors: torch.optim.SGD(tensors, lr=0.01, momentum=0.8),
        lambda t: {"lr": 0.01 / t},
    )
    assert_close(ours, theirs)


@pytest.mark.parametrize("optimizer", [Adam(0.01, beta2=0.99, l2=0.1), SGD(0.01, momentum=0.8, l2=0.1)])
def test_l2_is_on_kernels_only_and_without_one_half(optimizer):
    """PyTorch's weight decay adds ``decay * w`` to the gradient: L2 of strength l2 is a decay of 2 * l2."""
    layer = CoordConv2D(2, 3, (2, 3), rng=0, dtype=np.float64)
    layer.params["b"][:] = 1.0
    w, b = leaf(layer.params["w"]), leaf(layer.params["b"])
    groups = [{"params": [w], "weight_decay": 0.2}, {"params": [b]}]
    theirs = torch.optim.SGD(groups, lr=0.01, momentum=0.8)
    if isinstance(optimizer, Adam):
        theirs = torch.optim.Adam(groups, lr=0.01, betas=(0.9, 0.99), eps=1e-16)
        optimizer = Adam(0.01, beta2=0.99, eps=1e-16, l2=0.1)
    for t in range(3):
        for key, tensor in (("w", w), ("b", b)):
            (g,) = draw(np.float64, tensor.shape, seed=t)
            layer.grads[key][:] = g
            tensor.grad = torch.from_numpy(g)
        optimizer.step(layer)
        theirs.step()
    assert_close(layer.params["w"], w)
    assert_close(layer.params["b"], b)


def torch_coordinates(x, with_r):
    """Concatenate i, j and perhaps r to images (N, H, W, C), made by PyTorch alone."""
    n, height, width, _ = x.shape

    def axis(length):
        return torch.linspace(-1, 1, length, dtype=x.dtype) if length > 1 else torch.zeros(1, dtype=x.dtype)

    i, j = torch.meshgrid(axis(height), axis(width), indexing="ij")
    coords = torch.stack([i, j, torch.sqrt(i**2 + j**2)] if with_r else [i, j], -1)
    return torch.cat([x, coords.expand(n, -1, -1, -1)], -1)


@dtypes
@pytest.mark.parametrize("with_r", [False, True])
@pytest.mark.parametrize("shape", [(2, 7, 6, 3), (3, 1, 5, 2), (2, 4, 1, 1)])
@pytest.mark.parametrize("size, stride, padding", [(1, 1, "same"), ((3, 2), (2, 1), "same"), (2, 1, ((1, 0), (1, 2)))])
def test_coordconv2d_is_a_convolution_of_image_and_coordinates(size, stride, padding, shape, with_r, dtype):
    layer = CoordConv2D(shape[3], 4, size, stride, padding, rng=0, dtype=dtype, activation="relu", with_r=with_r)
    x, layer.params["b"][:] = draw(dtype, shape, (4,))
    tensors = leaf(x), leaf(layer.params["w"]), leaf(layer.params["b"])
    theirs = torch.relu(torch_conv2d(torch_coordinates(tensors[0], with_r), *tensors[1:], stride, padding))
    y = layer.forward(x)
    assert_close(y, theirs)
    (dy,) = draw(dtype, y.shape, seed=1)
    theirs.backward(torch.from_numpy(dy))
    for ours, tensor in zip((layer.backward(dy), layer.grads["w"], layer.grads["b"]), tensors, strict=True):
        assert_close(ours, tensor.grad)


def torch_coordconv_painter(x, params):
    """The paper's CoordConv classifier, in PyTorch: tile, concatenate, five 1x1 convolutions with ReLU between."""
    y = torch_coordinates(x[:, None, None, :].expand(-1, 64, 64, -1), False)
    for k in range(1, 6):
        y = torch_conv2d(y, params[f"{k}.w"], params[f"{k}.b"], 1, "same")
        y = torch.relu(y) if k < 5 else y
    return y


def torch_deconv_painter(x, params):
    """The paper's deconvolution network with batch normalisation, in PyTorch."""
    y = x[:, None, None, :]
    for k in range(1, 12, 2):
        y = torch_conv_transpose2d(y, params[f"{k}.w"], params[f"{k}.b"], 2, "same")
        if k < 11:
            gamma, beta = params[f"{k + 1}.gamma"], params[f"{k + 1}.beta"]
            y = last(torch.relu(F.batch_norm(first(y), None, None, gamma, beta, True, 0.1, 1e-5)))
    return y


@pytest.mark.parametrize(
    "make, theirs",
    [(coordconv_painter, torch_coordconv_painter), (lambda rng: deconv_painter(1, 3, rng=rng), torch_deconv_painter)],
    ids=["coordconv", "deconv"],
)
@dtypes
def test_a_whole_training_step(make, theirs, dtype):
    """Forward, loss, every gradient, and every parameter after a step of Adam with L2."""
    data, chosen = not_so_clevr(), np.array([0, 55, 1234, 3135])
    model, x, labels = make(rng=0).astype(dtype), data.inputs(chosen, dtype=dtype), data.labels[chosen]
    rng = np.random.default_rng(1)
    for array in model.params.values():  # biases that are not zero, gammas that are not one
        array += 0.1 * rng.standard_normal(array.shape)
    tensors = {key: leaf(array) for key, array in copy.deepcopy(dict(model.params)).items()}
    logits = theirs(torch.from_numpy(x), tensors)
    wanted = F.cross_entropy(logits.flatten(1), torch.from_numpy(labels))
    wanted.backward()
    y = model.forward(x, training=True)
    assert_close(y, logits, factor=10)
    loss, dy = softmax_cross_entropy(y, labels)
    assert loss == pytest.approx(wanted.item(), rel=10 * TOLERANCE[dtype])
    model.backward(dy, need_dx=False)
    assert model.grads.keys() == tensors.keys()
    # One scale for all gradients: that of a bias before batch normalisation is zero, and all rounding.
    scale = max(tensor.grad.abs().max().item() for tensor in tensors.values())
    for key, gradient in model.grads.items():
        assert_close(gradient, tensors[key].grad, factor=10, scale=scale)
    if dtype == np.float32:
        return  # Adam's first step is lr * sign(g): where a gradient is all rounding, so is the step
    kernel_names = set(model.l2_params)
    groups = [
        {"params": [t for key, t in tensors.items() if key in kernel_names], "weight_decay": 2 * 0.001},
        {"params": [t for key, t in tensors.items() if key not in kernel_names]},
    ]
    eps = 1e-3
    torch.optim.Adam(groups, lr=0.01, betas=(0.9, 0.99), eps=eps / np.sqrt(1 - 0.99)).step()
    Adam(0.01, beta2=0.99, eps=eps, l2=0.001).step(model)
    for key, array in model.params.items():
        assert_close(array, tensors[key], factor=10, scale=1.0)
