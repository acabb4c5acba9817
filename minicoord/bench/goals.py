"""The goals for speed and memory, and what a run of the benchmark says about each.

A goal names rows of the benchmark, the column of their results that counts, and the number wanted. What `summary` gives
for a goal is measured in one run; a goal for which nothing was measured is left out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from minicoord.bench.report import geometric_mean

KERNELS = ("*/forward", "*/backward", "softmax-cross-entropy/*")
STEPS = ("step/*",)


@dataclass(frozen=True)
class Goal:
    """What is wanted of some rows.

    Attributes
    ----------
    about : str
        In words.
    rows : tuple of str
        Names of rows, or globs.
    column : str
        A key of their results; see `minicoord.bench.contest.measure`.
    wanted : float
    at_most : bool
        Whether `wanted` is an upper bound instead of a lower one.
    mean : bool
        Whether the geometric mean of the rows counts instead of each row.
    """

    about: str
    rows: tuple[str, ...]
    column: str
    wanted: float
    at_most: bool = False
    mean: bool = False

    def is_met(self, value: float) -> bool:
        """Return whether a number is good enough."""
        return value <= self.wanted if self.at_most else value >= self.wanted


def _step(about: str, wanted: float, *names: str) -> Goal:
    return Goal(f"PyTorch / ours, step: {about}", tuple(f"step/{name}" for name in names), "ratio", wanted)


def _two(about: str, wanted: float, *names: str) -> Goal:
    rows = tuple(f"{name}/64px/16/{what}" for name in names for what in ("forward", "backward"))
    return Goal(about, rows, "before_ratio", wanted)


GOALS = (
    _step("CoordConv classifier, 16 and 32 images", 4, "coordconv-classifier/*"),
    _step("CoordConv renderer, 16 and 32 images", 2.5, "coordconv-renderer/*"),
    _step("deconvolution c = 2, fs = 3, 16 and 32 images", 1.7, "deconv-c2-fs3/*"),
    _step("conv + FC regressor", 1.8, "conv-fc-regressor/256"),
    _step("fully convolutional regressor", 1.6, "conv-regressor/256"),
    _step("CoordConv regressor", 2.5, "coordconv-regressor/256"),
    _step("detector's trunk", 1.2, "detection-trunk/16"),
    _step("whole detector", 1.2, "detector/16"),
    _step("A2C's network, Atari and PositionWorld", 1.5, "a2c-*/80"),
    _step("ResNet-8", 1.2, "resnet8/64"),
    _step("GAN, generator and discriminator", 1.2, "conv-generator/16", "discriminator/16"),
    _step("GAN, CoordConv generator", 1.6, "coordconv-generator/16"),
    Goal("PyTorch / ours, kernels: geometric mean", KERNELS, "ratio", 1.5, mean=True),
    Goal("PyTorch / ours, kernels: each", KERNELS, "ratio", 0.9),
    Goal("share of the peak: 1x1, 64 to 64, forward", ("conv1x1-64-64/64px/16/forward",), "share", 0.8),
    Goal("share of the peak: 3x3, 64 to 64, forward", ("conv3x3-64-64/64px/16/forward",), "share", 0.8),
    Goal("share of the peak: step, CoordConv classifier", ("step/coordconv-classifier/16",), "share", 0.65),
    Goal("before / now: step, CoordConv classifier", ("step/coordconv-classifier/*",), "before_ratio", 1.3),
    _two("before / now: 3x3, 8 to 16 and 16 to 16", 1.8, "conv3x3-8-16", "conv3x3-16-16"),
    Goal("memory of a step / PyTorch's", STEPS, "peak_ratio", 0.6, at_most=True),
    Goal("one thread / all threads: steps", STEPS, "thread_ratio", 1.7),
    Goal("NumPy / ours: image of 8 x 8 x 3, forward", ("conv3x3-3-8/8px/1/forward",), "numpy_ratio", 2.7),
    Goal("NumPy / ours: image of 8 x 8 x 3, backward", ("conv3x3-3-8/8px/1/backward",), "numpy_ratio", 2),
    Goal("beside a busy core / alone: step, CoordConv classifier", ("busy",), "busy_ratio", 1.9, at_most=True),
    Goal("more threads than cores / as many", ("more threads",), "crowd_ratio", 1.05, at_most=True),
    Goal("seconds to compile what training the classifier needs", ("start",), "compile_seconds", 25, at_most=True),
    Goal("seconds to import minicoord", ("start",), "import_seconds", 0.4, at_most=True),
)


def measurements(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return everything in a report of the command that a goal may name: the rows, and a row for each other part."""
    found: list[Mapping[str, Any]] = list(report.get("rows", []))
    found += [{"name": "busy", "busy_ratio": r["ratio"]} for r in report.get("busy", []) if r["who"] == "minicoord"]
    cores = os.cpu_count() or 1
    fit = [r["ms"] for r in report.get("more_threads", []) if r["threads"] <= cores]
    crowd = [r["ms"] for r in report.get("more_threads", []) if r["threads"] > cores]
    if fit and crowd:
        found.append({"name": "more threads", "crowd_ratio": max(crowd) / min(fit)})
    if "start" in report:
        found.append({"name": "start", **report["start"]})
    return found


def summary(report: Mapping[str, Any], goals: Sequence[Goal] = GOALS) -> Iterator[dict[str, Any]]:
    """Yield what a report says about each goal that it has measurements for.

    Parameters
    ----------
    report : dict
        As ``minicoord bench --json`` prints it.
    goals : sequence of Goal

    Yields
    ------
    dict
        ``goal``, ``wanted`` and ``at_most``; ``measured``, the geometric mean or the worst of the rows; ``worst``, the
        name of that row, None for a mean; ``rows``, how many there are, and ``missed``, how many of them are not good
        enough; ``met``.
    """
    everything = measurements(report)
    for goal in goals:
        values = {
            row["name"]: row[goal.column]
            for row in everything
            if row.get(goal.column) is not None and any(fnmatch(row["name"], pattern) for pattern in goal.rows)
        }
        if not values:
            continue
        worst = (max if goal.at_most else min)(values, key=lambda name: values[name])
        measured = geometric_mean(list(values.values())) if goal.mean else values[worst]
        yield {
            "goal": goal.about,
            "wanted": goal.wanted,
            "at_most": goal.at_most,
            "measured": measured,
            "worst": None if goal.mean else worst,
            "rows": len(values),
            "missed": sum(not goal.is_met(value) for value in values.values()),
            "met": goal.is_met(measured),
        }
