"""What latents know of factors: codes that are made so that the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from minicoord.datasets.two_objects import two_objects
from minicoord.experiments.vae.disentanglement import factors, information_gap, read_linearly, shares_known

DATA = two_objects(2000, 32, seed=5)
VALUES = factors(DATA)
RNG = np.random.default_rng(0)


def noise(columns: int) -> np.ndarray:
    return RNG.standard_normal((len(VALUES), columns))


def test_factors_are_the_places_of_blue_and_red_and_their_shapes():
    np.testing.assert_array_equal(VALUES[:, :2], DATA.centres[:, 0])
    np.testing.assert_array_equal(VALUES[:, 2:4], DATA.centres[:, 1])
    np.testing.assert_array_equal(VALUES[:, 4:], DATA.circles)


def test_a_latent_for_each_factor_knows_it_and_the_gap_is_wide():
    codes = np.concatenate([VALUES + 0.05 * noise(6), noise(3)], axis=1)
    known = shares_known(codes, VALUES)
    assert known.shape == (6, 9)
    assert (known[:4].max(axis=1) > 0.88).all() and (known[4:].max(axis=1) > 0.9).all()
    assert known.argmax(axis=1).tolist() == list(range(6))
    assert known[:, 6:].max() < 0.05, "noise knows nothing, up to what the histogram makes of 2,000 codes"
    assert information_gap(known) > 0.8


def test_two_latents_that_know_the_same_leave_no_gap():
    codes = np.concatenate([VALUES + 0.05 * noise(6), -VALUES + 0.05 * noise(6)], axis=1)
    assert information_gap(shares_known(codes, VALUES)) < 0.03


def test_turned_axes_lower_the_gap_and_not_what_can_be_read():
    straight = VALUES + 0.05 * noise(6)
    turned = straight.copy()
    turned[:, 0], turned[:, 1] = straight[:, 0] + straight[:, 1], straight[:, 0] - straight[:, 1]
    gaps = [information_gap(shares_known(codes, VALUES)) for codes in (straight, turned)]
    assert gaps[1] < gaps[0] - 0.2
    assert read_linearly(turned, VALUES).min() > 0.97


def test_what_is_bent_is_known_and_not_read_linearly():
    codes = np.concatenate([(VALUES[:, :1] - 15.5) ** 3, noise(2)], axis=1)
    assert shares_known(codes, VALUES)[0, 0] > 0.85
    codes = np.concatenate([np.abs(VALUES[:, :1] - 15.5), noise(2)], axis=1)
    assert abs(read_linearly(codes, VALUES)[0]) < 0.05


def test_a_factor_of_one_value_is_known_to_nobody():
    assert shares_known(noise(2), np.full((len(VALUES), 1), 3)).tolist() == [[0, 0]]


def test_reading_is_judged_on_codes_that_the_map_was_not_fitted_to():
    few = RNG.standard_normal((60, 25))
    assert read_linearly(few, RNG.standard_normal((60, 1)))[0] < 0.2, "25 numbers fit 30 of noise nearly"


@pytest.mark.parametrize("known, gap", [([[1, 0]], 1), ([[0.5, 0.5, 0.5]], 0), ([[0.2, 0.7], [0.1, 0.2]], 0.3)])
def test_the_gap_by_hand(known, gap):
    assert information_gap(np.array(known, float)) == pytest.approx(gap)
