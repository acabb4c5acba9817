"""What lesson 14 reads from records: for which tasks coordinates helped, in which layer of a network, and r."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.experiments.detection.comparison import changes
from minicoord.experiments.image_classification.paired import bootstrap_interval

Record = Mapping[str, Any]
Scores = dict[int, float]
"""A score from 0 to 1 for each seed."""

A_PLACE, COVERED, RELATIVE, SEEN = "a position", "a position, all covered", "relative to a position", "what is seen"


@dataclass(frozen=True)
class Task:
    """A task of which runs are recorded.

    Attributes
    ----------
    words : str
        What the network is asked.
    answer : str
        What the answer depends on.
    experiment, variant, metric : str
        Of which runs, and the score that is compared, from 0 to 1.
    without : tuple of str
        The networks without coordinates, of which the best one counts.
    settings : dict
        What a run must have among its settings.
    """

    words: str
    answer: str
    experiment: str
    variant: str
    metric: str
    without: tuple[str, ...] = ("conv",)
    settings: Mapping[str, Any] = field(default_factory=dict)


TASKS = (
    Task("name the pixel at (x, y)", A_PLACE, "classification", "quadrant", "test_accuracy", ("conv", "conv-no-bn")),
    Task("say where the lit pixel is", A_PLACE, "regression", "quadrant", "test_accuracy", ("conv-fc", "conv-full")),
    Task("draw the square at (x, y)", A_PLACE, "rendering", "quadrant", "test_iou"),
    Task(
        "find digits, scrambled anchors", A_PLACE, "detection", "valid", "test_iou", settings={"official_anchors": True}
    ),
    Task("name the pixel at (x, y)", COVERED, "classification", "uniform", "test_accuracy", ("conv", "conv-no-bn")),
    Task(
        "find digits, right anchors", RELATIVE, "detection", "valid", "test_iou", settings={"official_anchors": False}
    ),
    Task("name the garment, centred", SEEN, "image-classification", "centred", "test_accuracy"),
    Task("name the garment, anywhere", SEEN, "image-classification", "shifted", "test_accuracy"),
)
"""Those of the paper's tasks whose score runs from 0 to 1, from those that ask for a position to those that do not."""


@dataclass(frozen=True)
class Outcome:
    """What recorded runs say about a task: the scores without and with coordinates."""

    task: Task
    without: Scores
    coordconv: Scores

    @property
    def difference(self) -> float:
        """How much higher the mean score with coordinates is, in percentage points; of pairs, if there are any."""
        pairs = self.pairs()
        return float(pairs.mean()) if len(pairs) > 1 else 100 * (_mean(self.coordconv) - _mean(self.without))

    def pairs(self) -> NDArray[np.float64]:
        """Return the differences of the seeds that both have, in percentage points."""
        if self.without.keys() != self.coordconv.keys():
            return np.zeros(0)
        return np.array([100 * (self.coordconv[seed] - self.without[seed]) for seed in sorted(self.without)])

    def row(self) -> dict[str, str]:
        """Return a row of a table."""
        pairs = self.pairs()
        interval = ""
        if len(pairs) > 1:
            interval = "{:+.1f} to {:+.1f}".format(*bootstrap_interval(pairs))
        return {
            "the network is asked to": self.task.words,
            "the answer is": self.task.answer,
            "without": _in_words(self.without),
            "CoordConv": _in_words(self.coordconv),
            "difference, points": f"{self.difference:+.1f}",
            "95 % interval, paired": interval,
        }


def _mean(scores: Scores) -> float:
    return float(np.mean(list(scores.values())))


def _in_words(scores: Scores) -> str:
    return f"{100 * _mean(scores):.1f} % ({len(scores)} run{'s' if len(scores) > 1 else ''})"


def outcomes(records: Sequence[Record]) -> list[Outcome]:
    """Return what recorded runs say about each of `TASKS`; a task without runs of both networks is left out.

    Runs with the same settings belong together. Where both networks were run with the same ones and two seeds or more,
    those with the most seeds are compared in pairs. Elsewhere, the settings with the best mean stand for the networks
    without coordinates, and those with the most seeds for CoordConv.
    """
    found = [_outcome(task, records) for task in TASKS]
    return [outcome for outcome in found if outcome is not None]


def _outcome(task: Task, records: Sequence[Record]) -> Outcome | None:
    groups: dict[tuple[str, str], Scores] = {}
    for record in records:
        score, settings = record["metrics"].get(task.metric), record["settings"]
        if (record["experiment"], record["variant"]) != (task.experiment, task.variant) or score is None:
            continue
        if settings.get("raw_input") or any(settings.get(name) != value for name, value in task.settings.items()):
            continue
        if record["model"] in (*task.without, "coordconv"):
            key = record["model"], json.dumps([record["preset"], settings], sort_keys=True)
            groups.setdefault(key, {})[record["seed"]] = float(score)
    plain = {key: scores for key, scores in groups.items() if key[0] != "coordconv"}
    withs = {key: scores for key, scores in groups.items() if key[0] == "coordconv"}
    if not plain or not withs:
        return None
    common = [
        sorted(scores.keys() & withs["coordconv", settings].keys())
        for (_, settings), scores in plain.items()
        if ("coordconv", settings) in withs
    ]
    if any(len(seeds) > 1 for seeds in common):
        model, settings = max(
            (key for key in plain if ("coordconv", key[1]) in withs),
            key=lambda key: len(plain[key].keys() & withs["coordconv", key[1]].keys()),
        )
        a, b = plain[model, settings], withs["coordconv", settings]
        seeds = sorted(a.keys() & b.keys())
        return Outcome(task, {s: a[s] for s in seeds}, {s: b[s] for s in seeds})
    return Outcome(task, max(plain.values(), key=_mean), max(withs.values(), key=len))


def in_words(found: Sequence[Outcome]) -> str:
    """Return, for each kind of answer, between which differences the recorded tasks lie."""
    if not found:
        return "No runs of both networks are recorded in this copy."
    lines = []
    for answer in dict.fromkeys(outcome.task.answer for outcome in found):
        differences = [outcome.difference for outcome in found if outcome.task.answer == answer]
        low, high = min(differences), max(differences)
        band = f"{low:+.1f}" if len(differences) == 1 else f"{low:+.1f} to {high:+.1f}"
        lines.append(f"the answer is {answer}: {band} points with coordinates")
    return "\n".join(lines)


def places(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return by how much coordinates in each layer of the detector change its test IOU, with right anchors."""
    detection = experiments.get("detection")
    words = {
        "coordconv-image": "at the image",
        "coordconv-features": "after the trunk",
        "coordconv-boxes": "before the last layer of the boxes",
        "coordconv": "at all three",
    }
    found: dict[str, dict[str, str]] = {}
    for change in changes([r for r in records if r["experiment"] == "detection"], detection.differences):
        if change.model in words and change.variant == "valid" and not change.settings and len(change.before) > 1:
            found[change.model] = {
                "coordinates": words[change.model],
                "test IOU": f"{np.mean(change.after):.3f}",
                "change": f"{100 * change.change:+.1f} %",
                "95 % interval": f"{100 * change.low:+.1f} to {100 * change.high:+.1f} %",
                "seeds": str(len(change.before)),
            }
    return [found[model] for model in words if model in found]


def with_and_without_r(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return a row for each recorded pair of networks that differ in r alone, with the seeds that both have."""
    found: dict[tuple[str, str, str, str], dict[int, Record]] = {}
    for record in records:
        key = record["experiment"], record["variant"], record["preset"], record["model"]
        found.setdefault(key, {})[record["seed"]] = record
    rows = []
    for (name, variant, preset, model), runs in found.items():
        other = found.get((name, variant, preset, model.replace("-r", "", 1)), {})
        seeds = sorted(runs.keys() & other.keys())
        if "-r-" in model and seeds:
            metric = next(metric for metric in experiments.get(name).metrics if metric.primary)
            rows.append(
                {
                    "task": f"{name}, {variant}",
                    "measured": metric.title,
                    "i and j": metric.band([other[seed] for seed in seeds]),
                    "i, j and r": metric.band([runs[seed] for seed in seeds]),
                    "seeds": str(len(seeds)),
                }
            )
    return rows
