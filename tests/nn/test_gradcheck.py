import numpy as np
import pytest

from minicoord import (
    BatchNorm2D,
    Conv2D,
    Dense,
    Flatten,
    GlobalAvgPool,
    MaxPool2D,
    ReLU,
    Sequential,
    Tanh,
    gradcheck,
    mean_squared_error,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.nn.gradcheck import GradcheckWarning
from minicoord.nn.layers.base import Layer

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 4, 5, 2))


class Cubic(Layer):
    """``y = w * x^3``, with a factor on each gradient that is 1 if it is right, and one more wrong entry."""

    def __init__(self, dx_factor=1.0, dw_factor=1.0, wrong_entry=None):
        super().__init__()
        self.factors, self.wrong_entry = (dx_factor, dw_factor), wrong_entry
        self.add_param("w", np.array([1.5, -0.5], np.float32))

    def forward(self, x, training=False):
        x = self.check_input(x)
        return self.remember(self.params["w"] * x**3, x)

    def backward(self, dy):
        dy, x = self.recall(dy)
        dx = dy * self.params["w"] * 3 * x**2 * self.factors[0]
        if self.wrong_entry is not None:
            dx[self.wrong_entry] += 1
        axes = tuple(range(x.ndim - 1))
        self.set_grads(w=(dy * x**3).sum(axis=axes) * self.factors[1])
        return dx


def test_a_right_layer_is_right_and_stays_untouched():
    layer = Cubic()
    report = gradcheck(layer, X.astype(np.float32))
    assert report.ok
    assert report.error < 1e-9
    assert [(array.name, array.shape, array.checked) for array in report.arrays] == [
        ("dx", X.shape, 80),
        ("dw", (2,), 2),
    ]
    assert layer.params["w"].tolist() == [1.5, -0.5]
    assert layer.dtype == np.float32
    assert not layer.grads["w"].any()


@pytest.mark.parametrize("factors, verdicts", [
    ((2.0, 1.0), {"dx": "wrong", "dw": "right"}),
    ((1.0, -1.0), {"dx": "right", "dw": "wrong"}),
    ((1.0, 0.0), {"dx": "right", "dw": "wrong"}),
    ((1 + 1e-5, 1.0), {"dx": "suspicious", "dw": "right"}),
    ((1.0, 1 + 1e-6), {"dx": "right", "dw": "suspicious"}),
    ((1 + 3e-4, 1.0), {"dx": "wrong", "dw": "right"}),
    ((float("nan"), 1.0), {"dx": "wrong", "dw": "right"}),
])  # fmt: skip
def test_a_planted_error_is_found_and_weighed(factors, verdicts):
    report = gradcheck(Cubic(*factors), X)
    assert {array.name: array.verdict for array in report.arrays} == verdicts
    assert not report.ok


def test_one_wrong_entry_of_many_is_found_and_named():
    report = gradcheck(Cubic(wrong_entry=(1, 2, 3, 0)), X)
    assert report["dx"].worst == (1, 2, 3, 0)
    assert report["dx"].gradient == pytest.approx(report["dx"].quotient + 1)
    assert "dx[1, 2, 3, 0] is" in str(report)


def test_the_error_is_the_difference_over_the_larger_magnitude():
    report = gradcheck(Cubic(dx_factor=2.0), X)
    assert report["dx"].error == pytest.approx(0.5)
    assert gradcheck(Cubic(dw_factor=0.0), X)["dw"].error == pytest.approx(1.0)


@pytest.mark.parametrize("seed", range(4))
def test_models_of_the_library_are_right(seed):
    # x comes from the generator that gradcheck would have if it took its seed as it is.
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 4, 5, 2))
    layers = [Conv2D(2, 3, 3, rng=rng), BatchNorm2D(3), Tanh(), MaxPool2D(2), Flatten(), Dense(12, 2, rng=rng)]
    assert gradcheck(BatchNorm2D(2), x, seed=seed).ok
    report = gradcheck(Sequential(layers), x, seed=seed)
    assert report.ok, str(report)
    assert report["0.db"].error < 1e-7, "zero but for rounding: the mean that is subtracted takes the bias away"


@pytest.mark.parametrize("seed", range(4))
def test_numbers_that_are_smaller_in_the_output_than_inside_do_not_count_as_errors(seed):
    rng = np.random.default_rng(0)
    layers = [Conv2D(3, 4, 3, rng=seed), BatchNorm2D(4), ReLU(), GlobalAvgPool(), Dense(4, 2, rng=seed)]
    report = gradcheck(Sequential(layers), rng.standard_normal((2, 5, 6, 3)).astype(np.float32))
    assert (report.ok, report.kinks) == (True, 0), str(report)


@pytest.mark.compiled
def test_the_papers_classifier_is_right_with_a_step_that_meets_no_kink():
    x = np.random.default_rng(0).uniform(-1, 1, (2, 2))
    report = gradcheck(coordconv_painter(rng=0), x, eps=1e-7, sample=4)
    assert (report.ok, report.kinks) == (True, 0), str(report)


@pytest.mark.parametrize("training", [True, False])
def test_running_statistics_do_not_drift(training):
    layer = BatchNorm2D(2)
    layer.state["running_mean"][...] = 0.3
    report = gradcheck(layer, X, training=training)
    assert report.ok, str(report)
    np.testing.assert_array_equal(layer.state["running_mean"], np.float32(0.3))


def test_state_is_put_back_before_each_evaluation():
    class Drifting(Cubic):
        def __init__(self):
            super().__init__()
            self.state["offset"] = np.zeros((), np.float32)

        def forward(self, x, training=False):
            self.state["offset"] += 1
            return self.remember(super().forward(x) + self.state["offset"], x)

    assert gradcheck(Drifting(), X).ok


@pytest.mark.parametrize("loss, prediction, target", [
    (softmax_cross_entropy, 5 * X[..., :1], np.array([3, 17])),
    (softmax_cross_entropy, 1e4 * X[..., :1], np.array([3, 17])),
    (sigmoid_cross_entropy, 5 * X, RNG.random(X.shape)),
    (sigmoid_cross_entropy, 1e3 * X, np.round(RNG.random(X.shape))),
    (mean_squared_error, X, RNG.random(X.shape).astype(np.float32)),
])  # fmt: skip
def test_losses_are_right(loss, prediction, target):
    report = gradcheck(loss, prediction, target)
    assert report.ok, str(report)
    assert report.subject == loss.__name__
    assert report.arrays[0].name == "dprediction"


def test_a_wrong_loss_is_wrong():
    def forgot_the_mean(prediction, target):
        value, gradient = mean_squared_error(prediction, target)
        return value, gradient * prediction.size

    assert gradcheck(forgot_the_mean, X, np.zeros_like(X)).arrays[0].verdict == "wrong"


def test_kinks_are_counted_named_and_left_out():
    x = X.copy()
    x[0, 0, :3, 0] = 0
    with pytest.warns(GradcheckWarning, match="gradcheck of ReLU: entries at a kink were left out: 3 of 80 in dx"):
        report = gradcheck(ReLU(), x)
    assert report.kinks == report["dx"].kinks == 3
    assert report.ok


@pytest.mark.parametrize("offset", [0.0, 1e-6, 1e-5 / 3, 5e-6, 8e-6, -2e-6, -9e-6])
def test_a_kink_within_the_step_is_noticed(offset):
    with pytest.warns(GradcheckWarning, match="1 of 3"):
        report = gradcheck(ReLU(), np.array([1.0, offset, -1.0]))
    assert report.ok


def test_a_curve_is_no_kink():
    for scale in (1.0, 30.0):
        assert gradcheck(Tanh(), scale * X).kinks == 0


def test_ties_of_a_maximum_are_kinks():
    with pytest.warns(GradcheckWarning):
        report = gradcheck(MaxPool2D(2), np.zeros((1, 2, 2, 1)))
    assert report["dx"].verdict == "not checked"
    assert not report.ok


def test_a_wrong_gradient_cannot_hide_beside_a_kink():
    class WrongReLU(ReLU):
        def backward(self, dy):
            return 1.1 * super().backward(dy)

    x = X.copy()
    x[0] = 0
    with pytest.warns(GradcheckWarning):
        assert gradcheck(WrongReLU(), x)["dx"].verdict == "wrong"


def test_large_arrays_are_sampled_and_the_report_says_so():
    x = RNG.standard_normal((1, 40, 30, 2))
    report = gradcheck(Cubic(), x)
    assert report["dx"].checked == 2000
    assert "2000 of 2400" in str(report)
    assert "drawn with seed 0" in str(report)
    assert gradcheck(Cubic(), x, sample=2400)["dx"].checked == 2400
    few = [gradcheck(Cubic(dx_factor=2.0), x, sample=5, seed=seed)["dx"] for seed in (1, 1, 2)]
    assert few[0] == few[1] != few[2]
    assert few[0].checked == 5


def test_the_report_is_a_table():
    lines = str(gradcheck(Cubic(dw_factor=2.0), X)).splitlines()
    assert lines[0] == "gradcheck of Cubic"
    assert lines[1].split() == ["array", "shape", "checked", "kinks", "relative", "error", "verdict"]
    assert lines[2].split()[-1] == "right"
    assert lines[3].split()[-2:] == ["5.0e-01", "wrong"]
    assert lines[4].startswith("dw[")
    with pytest.raises(KeyError, match="there are dx, dw"):
        gradcheck(Cubic(), X)["db"]


def test_a_gradient_that_is_missing_or_has_another_shape_is_named():
    class Forgetful(Cubic):
        def backward(self, dy):
            dx = super().backward(dy)
            del self.grads["w"]
            return dx

    class Flat(Cubic):
        def backward(self, dy):
            return super().backward(dy).reshape(-1)

    with pytest.raises(ValueError, match="left no gradient of 'w'"):
        gradcheck(Forgetful(), X)
    with pytest.raises(ValueError, match=r"dx has shape \(80,\), wanted \(2, 4, 5, 2\)"):
        gradcheck(Flat(), X)


@pytest.mark.parametrize("arguments, options, error, match", [
    ((ReLU(),), {}, ValueError, "0 inputs, wanted one"),
    ((ReLU(), X, X), {}, ValueError, "2 inputs, wanted one"),
    ((mean_squared_error, X), {}, ValueError, "1 inputs, wanted two"),
    ((ReLU(), [1.0]), {}, TypeError, "x is list, wanted a NumPy array of floats"),
    ((ReLU(), np.arange(3)), {}, TypeError, "x is int64"),
    (("relu", X), {}, TypeError, "wanted a Layer or a loss"),
    ((ReLU(), X), {"eps": 0}, ValueError, "eps was 0"),
    ((ReLU(), X), {"sample": 0}, ValueError, "sample was 0"),
])  # fmt: skip
def test_wrong_arguments_are_refused(arguments, options, error, match):
    with pytest.raises(error, match=match):
        gradcheck(*arguments, **options)
