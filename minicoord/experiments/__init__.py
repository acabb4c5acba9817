"""The experiments of the paper, one module each, found by name.

A module is imported when it is first asked for. What every one of them offers is written down in `Experiment`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

EXPERIMENTS: dict[str, str] = {
    "classification": "minicoord.experiments.classification.experiment",
    "regression": "minicoord.experiments.regression.experiment",
    "rendering": "minicoord.experiments.rendering.experiment",
}
"""The name of each experiment and its module."""


class Experiment(Protocol):
    """What the module of an experiment offers to the command line and to the lessons."""

    TITLE: str
    """The name of the experiment in the paper."""
    PAPER_SECTION: str
    """Where the paper describes it."""
    MODELS: tuple[str, ...]
    """The networks that are compared, such as ``("conv", "coordconv")``."""
    MORE_MODELS: tuple[str, ...]
    """Further networks, which run only if asked for by name."""
    SPLITS: tuple[str, ...]
    """The ways to split the data into train and test, such as ``("uniform", "quadrant")``."""
    MORE_SPLITS: tuple[str, ...]
    """Further ways, which run only if asked for by name."""
    OWN_SETTINGS: Mapping[str, Sequence[str]]
    """For each network the names of its settings beside those of training."""
    PRESETS: Mapping[str, Mapping[str, Any]]
    """For each preset (``"quick"``, ``"paper"``) and each model: a dataclass of settings."""

    def run(
        self,
        model: str,
        split: str,
        *,
        preset: str,
        seed: int,
        out: Path,
        resume: bool = False,
        raw_input: bool = False,
        progress: bool = True,
        folder_name: str | None = None,
        command: str | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """Train and evaluate one model on one split, write its files below `out`, return what ``result.json`` holds."""
        ...

    def summary_table(self, results: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
        """Return the rows of the table of paper against measured; the keys are the columns, in order."""
        ...

    def notes(self, results: Sequence[dict[str, Any]]) -> list[str]:
        """Return what a reader of the table must know, one sentence each."""
        ...

    def figures(self, results: Sequence[dict[str, Any]], out: Path) -> list[Path]:
        """Draw the figures of these results below `out` and return their paths."""
        ...

    def describe(self) -> list[dict[str, Any]]:
        """Return for each network its ``model`` name, number of ``parameters`` and ``layers`` in words."""
        ...


def get(name: str) -> Experiment:
    """Return the module of the experiment called `name`.

    Raises
    ------
    ValueError
        If there is no such experiment; the message offers the nearest name.

    Examples
    --------
    >>> from minicoord import experiments
    >>> experiments.get("clasification")
    Traceback (most recent call last):
        ...
    ValueError: there is no experiment 'clasification'; did you mean 'classification'?
    """
    if name not in EXPERIMENTS:
        raise ValueError(f"there is no experiment {name!r}; {suggestion(name, EXPERIMENTS)}")
    return cast(Experiment, import_module(EXPERIMENTS[name]))


def suggestion(came: str, choices: Sequence[str] | Mapping[str, Any]) -> str:
    """Return the end of an error message: the nearest of the choices, or all of them if none is near.

    Examples
    --------
    >>> from minicoord.experiments import suggestion
    >>> suggestion("cov", ["conv", "coordconv"])
    "did you mean 'conv'?"
    >>> suggestion("transformer", ["conv", "coordconv"])
    'choose from conv, coordconv'
    """
    near = get_close_matches(came, list(choices), n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    return f"choose from {', '.join(choices)}"
