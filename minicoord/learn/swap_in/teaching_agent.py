"""What an agent learns from, composed from functions that a learner wrote in lesson 13."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from minicoord.learn.swap_in.calling import Calling, Function, described
from minicoord.nn.layers.base import Layer

_A2C = "minicoord.experiments.a2c"

AGENT_REPLACEMENTS: dict[str, frozenset[str]] = {
    f"{_A2C}.agent.n_step_returns": frozenset({"n_step_returns"}),
    f"{_A2C}.agent.clip_gradients": frozenset({"clip_norm"}),
    f"{_A2C}.losses.policy_loss": frozenset({"policy_gradient"}),
    f"{_A2C}.losses.policy_entropy": frozenset({"policy_entropy", "policy_entropy_dx"}),
}
"""Where the agent looks back and learns, and the exercises whose answers replace it."""


class TeachingAgent(Calling):
    """Returns, losses and clipping that call a learner's functions."""

    def n_step_returns(
        self, original: Function, rewards: NDArray, ended: NDArray, cut: NDArray, after: NDArray, gamma: float
    ) -> NDArray:
        """Return the return of every action, (T, N)."""
        return self._call("n_step_returns", (rewards, ended, cut, after, gamma), rewards.shape, rewards.dtype)

    def policy_loss(
        self, original: Function, logits: NDArray, actions: NDArray, advantages: NDArray
    ) -> tuple[float, NDArray]:
        """Return the loss of the policy, and its gradient with respect to the logits, (B, A)."""
        loss, _ = original(logits, actions, advantages)
        return loss, self._call("policy_gradient", (logits, actions, advantages), logits.shape, logits.dtype)

    def policy_entropy(self, original: Function, logits: NDArray) -> tuple[float, NDArray]:
        """Return the mean entropy of the policy, and its gradient with respect to the logits, (B, A)."""
        mean, dlogits = original(logits)
        if "policy_entropy" in self.functions:
            mean = float(self.functions["policy_entropy"](logits))
        if "policy_entropy_dx" in self.functions:
            dlogits = self._call("policy_entropy_dx", (logits,), logits.shape, logits.dtype)
        return mean, dlogits

    def clip_gradients(self, original: Function, model: Layer, most: float) -> float:
        """Clip all gradients of a model in place; return their norm before. Weights are one vector, biases another."""
        biases = [g for name, g in model.grads.items() if name.split(".")[-1] == "b"]
        weights = [g for name, g in model.grads.items() if name.split(".")[-1] != "b"]
        before = tuple(_joined(arrays) for arrays in (weights, biases))
        norm = original(model, most)
        found = self.functions["clip_norm"](*before, most)
        fits = isinstance(found, tuple) and [(getattr(a, "shape", None), getattr(a, "dtype", None)) for a in found] == [
            (array.shape, array.dtype) for array in before
        ]
        if not fits:
            wanted = f"arrays {before[0].shape} and {before[1].shape} {before[0].dtype}, as a tuple"
            raise ValueError(f"using: clip_norm returned {described(found)}, expected two {wanted}")
        for arrays, vector in zip((weights, biases), found, strict=True):
            ends = np.cumsum([g.size for g in arrays])[:-1]
            for g, part in zip(arrays, np.split(vector, ends), strict=True):
                g[...] = part.reshape(g.shape)
        return norm


def _joined(arrays: list[NDArray]) -> NDArray:
    """Return all numbers of some arrays as one vector."""
    return np.concatenate([g.reshape(-1) for g in arrays])
