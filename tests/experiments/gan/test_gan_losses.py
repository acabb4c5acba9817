"""The losses of the GAN: their values, and their gradients against central differences in float64."""

from __future__ import annotations

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error

from minicoord.experiments.gan.losses import LOSSES, high, taken_for_fake, taken_for_real

LOGITS = np.array([[-3.0], [-1.3], [-0.2], [0.4], [1.7], [30.0]])  # none at a kink of the hinge


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("part", ["real", "fake", "generator"])
def test_a_gradient_is_the_slope_of_its_loss(name, part):
    loss = getattr(LOSSES[name], part)
    value, dlogits = loss(LOGITS)
    assert isinstance(value, float) and dlogits.shape == LOGITS.shape
    assert relative_error(dlogits, numeric_gradient(lambda z: loss(z)[0], LOGITS.copy())) < 1e-6
    single, dsingle = loss(LOGITS.astype(np.float32))
    assert single == pytest.approx(value, rel=1e-6) and dsingle.dtype == np.float32


def test_values_are_those_of_the_formulas():
    sigmoid = 1 / (1 + np.exp(-LOGITS))
    assert taken_for_real(LOGITS)[0] == pytest.approx(-np.log(sigmoid).mean())
    assert taken_for_fake(LOGITS[:-1])[0] == pytest.approx(-np.log(1 - sigmoid[:-1]).mean())
    hinge = LOSSES["hinge"]
    assert hinge.real(LOGITS)[0] == pytest.approx(np.maximum(0, 1 - LOGITS).mean())
    assert hinge.fake(LOGITS)[0] == pytest.approx(np.maximum(0, 1 + LOGITS).mean())
    assert high(LOGITS)[0] == pytest.approx(-LOGITS.mean())


def test_only_the_non_saturating_loss_teaches_a_generator_that_is_found_out():
    """Where the discriminator is sure, minus its own loss has hardly a slope; the generator's loss has all of it."""
    sure = np.full((1, 1), -20.0)
    assert abs(taken_for_fake(sure)[1].item()) < 1e-8
    assert LOSSES["non-saturating"].generator(sure)[1].item() == pytest.approx(-1)


def test_the_hinge_asks_no_more_of_what_is_good_enough():
    hinge, far = LOSSES["hinge"], np.full((3, 1), 5.0)
    assert hinge.real(far)[0] == hinge.fake(-far)[0] == 0
    assert not hinge.real(far)[1].any() and not hinge.fake(-far)[1].any()
