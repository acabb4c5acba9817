"""Wrong answers as learners write them, each with what should be said of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minicoord.learn.checking.check import python_verdict
from minicoord.learn.definition.course import get

Answer = Callable[..., Any]

SEEDS = (0, 1, 2, 3)


class WrongAnswers:
    """A collection of wrong answers; called with an id and words of the cause, it returns a decorator that adds one."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, Answer, str | None]] = []

    def __call__(self, id: str, cause: str | None = None) -> Callable[[Answer], Answer]:
        def add(answer: Answer) -> Answer:
            self.answers.append((id, answer, cause))
            return answer

        return add

    def names(self) -> list[str]:
        return [f"{id}-{answer.__name__}" for id, answer, _ in self.answers]


def assert_refused(id: str, answer: Answer, cause: str | None) -> None:
    """Assert that an answer is refused for several seeds, with these words in its cause; if None, without a cause."""
    for seed in SEEDS:
        verdict = python_verdict(get(id), answer, list(get(id).cases(np.random.default_rng(seed))))
        assert not verdict.passed, f"seed {seed}: passed"
        if cause is None:
            assert verdict.cause is None, f"seed {seed}: {verdict}"
        else:
            assert verdict.cause is not None and cause in verdict.cause, f"seed {seed}: {verdict}"
