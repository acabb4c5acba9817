"""A GAN that runs with a learner's functions gives what it gives with the library's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from learners_functions import (
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    solutions,
)
from numpy.testing import assert_allclose

from minicoord.experiments.gan.experiment import Gan
from minicoord.experiments.two_objects.finder import find_centres
from minicoord.experiments.two_objects.judge import data_images, judge
from minicoord.learn.swap_in.swap import using
from minicoord.learn.swap_in.teaching_path import TeachingPath

IDS = ("fooling_dx", "entropy_of_places", "power_step")
TINY: dict[str, Any] = {"steps": 2, "every": 1, "batch": 4, "images": 8, "width": 2, "z": 3}


def results() -> tuple[Any, ...]:
    gan, trainers = Gan(), []
    for recipe in ("official", "stable"):
        trainer = gan.trainer(gan.plan("conv", recipe, **TINY))
        trainers.append(([trainer.step() for _ in range(2)], trainer.networks))
    return trainers, judge(find_centres(data_images(32, 100)), 32)


def test_training_gives_the_same_with_the_solutions_and_calls_all_of_them():
    trainers, judged = results()
    with using(**solutions(*IDS)) as calls:
        again, other_judged = results()
    assert calls["fooling_dx"] == 2 * (1 + 2)  # the official recipe: real images, and two steps of the generator
    assert calls["entropy_of_places"] == 3
    layers = 4  # of the discriminator
    assert calls["power_step"] == layers * (15 + 2 * 3)  # first steps, then three passes in each of two steps
    assert other_judged == pytest.approx(judged)
    for (numbers, networks), (other_numbers, others) in zip(trainers, again, strict=True):
        for one, other in zip(numbers, other_numbers, strict=True):
            assert other == pytest.approx(one, rel=1e-4)
        # Weights may differ: the gradient of a bias before batch norm is rounding alone, and Adam follows its sign.
        for name, network in networks.items():
            largest = max(abs(gradient).max() for gradient in network.grads.values())
            for key, gradient in network.grads.items():
                assert_allclose(others[name].grads[key], gradient, atol=1e-3 * largest, err_msg=f"{name} {key}")


@pytest.mark.parametrize("id", IDS)
def test_each_function_can_take_part_alone(id: str):
    with using(**solutions(id)) as calls:
        results()
    assert set(calls) == {id} and calls[id] > 0


@pytest.mark.parametrize(
    "result",
    [
        [np.zeros(4), 1.0, np.zeros(3)],
        (np.zeros(4), 1.0),
        (np.zeros(3), 1.0, np.zeros(3)),
        (np.zeros(4), np.ones(1), np.zeros(3)),
        (np.zeros(4), 1.0, np.zeros(3, np.float32)),
        None,
    ],
)
def test_what_is_no_step_of_power_iteration_is_refused(result: Any):
    path = TeachingPath({"power_step": lambda *_: result})
    with pytest.raises(ValueError, match=r"using: power_step returned .*, expected a tuple of an array \(4,\) float64"):
        path.power_step(lambda: None, np.zeros((4, 3)), np.zeros(3))


def test_only_images_that_should_be_taken_for_real_get_the_learners_gradient():
    path = TeachingPath({"fooling_dx": lambda logits: np.full_like(logits, 7)})
    logits = np.zeros((2, 1))
    for label, expected in ((1, 7), (0, 0.25)):
        _, dlogits = path.sigmoid_cross_entropy(lambda z, y: (0.0, np.full_like(z, 0.25)), logits, logits + label)
        assert (dlogits == expected).all()
