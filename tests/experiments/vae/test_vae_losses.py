"""The losses of the VAE and its random step: values by hand, and gradients against central differences in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error

from minicoord.experiments.vae.losses import (
    kl_divergence,
    kl_of_each,
    reparametrise,
    reparametrise_backward,
    squared_error,
)

RNG = np.random.default_rng(0)
MEAN, LOG_VARIANCE, NOISE = (RNG.standard_normal((3, 5)) for _ in range(3))


# KL divergence


@pytest.mark.parametrize(
    "mean, variance, nats",
    [
        (0.0, 1.0, 0.0),
        (3.0, 1.0, 4.5),  # mean^2 / 2
        (-3.0, 1.0, 4.5),
        (0.0, math.e, (math.e - 2) / 2),  # (e - 1 - 1) / 2
        (0.0, math.exp(-4), (math.exp(-4) + 3) / 2),
        (2.0, math.exp(2), (4 + math.exp(2) - 3) / 2),
    ],
)
def test_the_divergence_of_one_number_by_hand(mean, variance, nats):
    kl, _, _ = kl_divergence(np.array([[mean]]), np.array([[math.log(variance)]]))
    assert kl == pytest.approx(nats, abs=1e-12)


def test_the_divergence_is_the_integral_that_defines_it():
    """The mean of log q - log p under q, on a fine grid."""
    mean, deviation = 0.7, 0.4
    x = np.linspace(mean - 12 * deviation, mean + 12 * deviation, 200_001)
    log_q = -(((x - mean) / deviation) ** 2) / 2 - math.log(deviation * math.sqrt(2 * math.pi))
    log_p = -(x**2) / 2 - math.log(math.sqrt(2 * math.pi))
    integral = float(np.trapezoid(np.exp(log_q) * (log_q - log_p), x))
    kl, _, _ = kl_divergence(np.array([[mean]]), np.array([[2 * math.log(deviation)]]))
    assert kl == pytest.approx(integral, rel=1e-9)


def test_it_is_summed_over_the_numbers_of_a_code_and_averaged_over_images():
    of_each = kl_of_each(MEAN, LOG_VARIANCE)
    assert of_each.shape == (3, 5) and (of_each >= 0).all()
    assert kl_divergence(MEAN, LOG_VARIANCE)[0] == pytest.approx(of_each.sum() / 3)
    twice = np.concatenate([MEAN, MEAN]), np.concatenate([LOG_VARIANCE, LOG_VARIANCE])
    assert kl_divergence(*twice)[0] == pytest.approx(kl_divergence(MEAN, LOG_VARIANCE)[0])


def test_its_gradients_are_its_slopes():
    _, dmean, dlog_variance = kl_divergence(MEAN, LOG_VARIANCE)
    by_mean = numeric_gradient(lambda m: kl_divergence(m, LOG_VARIANCE)[0], MEAN.copy())
    by_variance = numeric_gradient(lambda v: kl_divergence(MEAN, v)[0], LOG_VARIANCE.copy())
    assert relative_error(dmean, by_mean) < 1e-6
    assert relative_error(dlog_variance, by_variance) < 1e-6


# The random step


def test_codes_have_the_mean_and_the_variance_that_were_asked_for():
    noise = np.random.default_rng(1).standard_normal((200_000, 2))
    codes = reparametrise(np.array([[3.0, -1.0]]), np.log(np.array([[4.0, 0.25]])), noise)
    np.testing.assert_allclose(codes.mean(axis=0), [3, -1], atol=0.02)
    np.testing.assert_allclose(codes.var(axis=0), [4, 0.25], rtol=0.02)
    np.testing.assert_array_equal(reparametrise(MEAN, LOG_VARIANCE, 0 * NOISE), MEAN)


def test_the_gradients_of_a_code_are_its_slopes():
    weights = np.random.default_rng(2).standard_normal(MEAN.shape)  # of any loss that is a sum over the codes
    dmean, dlog_variance = reparametrise_backward(weights, LOG_VARIANCE, NOISE)
    by_mean = numeric_gradient(lambda m: float((weights * reparametrise(m, LOG_VARIANCE, NOISE)).sum()), MEAN.copy())
    by_variance = numeric_gradient(
        lambda v: float((weights * reparametrise(MEAN, v, NOISE)).sum()), LOG_VARIANCE.copy()
    )
    assert relative_error(dmean, by_mean) < 1e-6
    assert relative_error(dlog_variance, by_variance) < 1e-6


# The squared error


def test_the_error_is_summed_over_an_image_and_averaged_over_images():
    images, wanted = RNG.standard_normal((2, 2, 4, 3, 3))
    error, dimages = squared_error(images, wanted)
    assert error == pytest.approx(((images - wanted) ** 2).sum() / 2)
    assert relative_error(dimages, numeric_gradient(lambda x: squared_error(x, wanted)[0], images.copy())) < 1e-6
    black, white = np.full((1, 4, 4, 3), -1.0), np.full((1, 4, 4, 3), 1.0)
    assert squared_error(black, white)[0] == pytest.approx(4 * 48)


def test_float32_stays_float32():
    mean, log_variance, noise = (array.astype(np.float32) for array in (MEAN, LOG_VARIANCE, NOISE))
    codes = reparametrise(mean, log_variance, noise)
    images = np.zeros((2, 4, 4, 3), np.float32)
    found = [codes, *reparametrise_backward(codes, log_variance, noise), *kl_divergence(mean, log_variance)[1:]]
    assert {array.dtype for array in (*found, squared_error(images, images + 1)[1])} == {np.dtype(np.float32)}
    assert kl_divergence(mean, log_variance)[0] == pytest.approx(kl_divergence(MEAN, LOG_VARIANCE)[0], rel=1e-5)
