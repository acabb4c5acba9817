"""An agent that learns from a learner's functions becomes what it becomes with the library's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from learners_functions import (
    kernels_are_restored,  # noqa: F401 (an autouse fixture)
    solutions,
)
from numpy.testing import assert_allclose

from minicoord.experiments.a2c.experiment import A2C
from minicoord.learn.swap_in.swap import using
from minicoord.learn.swap_in.teaching_agent import TeachingAgent
from minicoord.nn.layers.dense import Dense
from minicoord.train.clipping import clip_gradients

IDS = ("n_step_returns", "policy_gradient", "policy_entropy", "policy_entropy_dx", "clip_norm")
FEW: dict[str, Any] = {"env_steps": 400, "every": 200, "envs": 4, "clip": 0.01}


def results() -> tuple[list[dict[str, float]], dict[str, np.ndarray]]:
    a2c = A2C()
    agent = a2c.trainer(a2c.plan("coordconv-pool", "position", **FEW))
    return [agent.step() for _ in range(3)], {name: array.copy() for name, array in agent.net.params.items()}


@pytest.mark.compiled
def test_an_agent_learns_the_same_with_the_solutions_and_calls_all_of_them():
    numbers, weights = results()
    with using(**solutions(*IDS)) as calls:
        again, others = results()
    assert calls == dict.fromkeys(IDS, 3)
    for one, other in zip(numbers, again, strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)
    for name, array in weights.items():
        assert_allclose(others[name], array, atol=1e-5)


@pytest.mark.parametrize("id", IDS)
@pytest.mark.compiled
def test_each_function_can_take_part_alone(id: str):
    with using(**solutions(id)) as calls:
        results()
    assert set(calls) == {id} and calls[id] == 3


def test_clipping_reaches_weights_and_biases():
    layer = Dense(2, 3, rng=0)
    for k, gradient in enumerate(layer.grads.values(), start=1):
        gradient[...] = np.arange(gradient.size).reshape(gradient.shape) + k
    before = {name: gradient.copy() for name, gradient in layer.grads.items()}
    path = TeachingAgent(solutions("clip_norm"))
    norm = path.clip_gradients(clip_gradients, layer, 0.5)
    for name, gradient in layer.grads.items():
        assert_allclose(gradient, before[name] * (0.5 / norm), rtol=1e-5)


@pytest.mark.parametrize(
    "found", [None, (np.zeros(1, np.float32),), [np.zeros(6, np.float32), np.zeros(3, np.float32)]]
)
def test_what_is_not_a_pair_of_gradients_is_refused(found: Any):
    path = TeachingAgent({"clip_norm": lambda dw, db, most: found})
    with pytest.raises(
        ValueError, match=r"using: clip_norm returned .*, expected two arrays \(6,\) and \(3,\) float32"
    ):
        path.clip_gradients(clip_gradients, Dense(2, 3, rng=0), 0.5)
