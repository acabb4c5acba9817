"""A VAE that runs with a learner's functions of codes gives what it gives with the library's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from learners_functions import (
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    solutions,
)
from numpy.testing import assert_allclose

from minicoord.experiments.two_objects.pictures import judged_paths
from minicoord.experiments.vae.experiment import Vae
from minicoord.learn.swap_in.swap import using
from minicoord.learn.swap_in.teaching_path import TeachingPath

IDS = ("reparametrise", "reparametrise_dx", "kl_gaussian", "kl_gaussian_dx", "walk_codes")
TINY: dict[str, Any] = {"steps": 2, "every": 1, "batch": 4, "images": 8, "width": 2, "z": 3}
ENDS = np.random.default_rng(0).standard_normal((3, 2, 3)).astype(np.float32)


def results() -> tuple[Any, ...]:
    vae = Vae()
    trainer = vae.trainer(vae.plan("coordconv", **TINY))
    numbers = [trainer.step() for _ in range(2)]
    seen = []

    def generate(codes: np.ndarray) -> np.ndarray:
        seen.append(codes)
        return np.ones((len(codes), 32, 32, 3), np.float32)

    judged_paths(generate, ENDS)
    return numbers, trainer.encoder.params, trainer.decoder.params, seen


def test_training_gives_the_same_with_the_solutions_and_calls_all_of_them():
    numbers, encoder, decoder, seen = results()
    with using(**solutions(*IDS)) as calls:
        again, other_encoder, other_decoder, walked = results()
    assert all(calls[id] > 0 for id in IDS), calls
    assert calls["reparametrise"] == calls["kl_gaussian_dx"] == 2
    for one, other in zip(numbers, again, strict=True):
        assert one == pytest.approx(other, rel=1e-5)
    for before, after in ((encoder, other_encoder), (decoder, other_decoder)):
        for key in before:
            assert_allclose(after[key], before[key], atol=1e-4)
    assert_allclose(np.concatenate(walked), np.concatenate(seen), atol=1e-5)


@pytest.mark.parametrize("id", IDS)
def test_each_function_can_take_part_alone(id: str):
    with using(**solutions(id)) as calls:
        results()
    assert set(calls) == {id} and calls[id] > 0


@pytest.mark.parametrize(
    "result", [[np.zeros((4, 3)), np.zeros((4, 3))], (np.zeros((4, 3)),), (np.zeros((4, 3)), np.zeros(3)), None]
)
def test_what_is_not_a_pair_of_gradients_is_refused(result: Any):
    path = TeachingPath({"reparametrise_dx": lambda *_: result})
    some = np.zeros((4, 3))
    with pytest.raises(ValueError, match=r"using: reparametrise_dx returned .*, expected two arrays \(4, 3\) float64"):
        path.reparametrise_backward(lambda: None, some, some, some)
