"""A GAN on two coloured objects: does CoordConv cover more of the canvas than convolution?

The paper reports entropies for the best of many runs, in which both GANs fall short of the data: the centres of the
convolutional one lie on rings, CoordConv covers more positions and fewer differences. The variants are two recipes:
that of the official code, under which a GAN often collapses, and a stable one.

By default images have 32 x 32 pixels and networks half the width, for a laptop; the preset ``paper`` has the paper's
own networks. The length of the random vector, and how long the published runs were, are not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minicoord.datasets.images.photos import Photos, left_out_in_words
from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.gan.evaluation import all_of_it, judged_samples, pictures_alone
from minicoord.experiments.gan.grids import GRIDS
from minicoord.experiments.gan.settings import ARMS, PRESETS, GanSettings
from minicoord.experiments.gan.trainer import GanTrainer
from minicoord.experiments.two_objects.judge import in_words, is_collapsed, yardsticks
from minicoord.experiments.two_objects.pictures import SHOWN

MODELS, RECIPE = ("conv", "coordconv"), "stable"
WATCHED = ("red_entropy", "blue_entropy", "difference_entropy", "coverage", "missed")
PAPER = {
    ("conv", "official"): {"red_entropy": "3.13", "blue_entropy": "2.69", "difference_entropy": "2.81"},
    ("coordconv", "official"): {"red_entropy": "3.30", "blue_entropy": "2.93", "difference_entropy": "2.62"},
}


class Gan(Experiment):
    """A convolutional generator against CoordConv; on request with coordinates in one of the two networks alone.

    Examples
    --------
    >>> from minicoord import experiments
    >>> plan = experiments.get("gan").plan("coordconv-g", "official", seed=3, steps=200)
    >>> plan.name, plan.settings.canvas
    ('coordconv-g-official-seed3-steps=200', 32)
    """

    name = "gan"
    title = "GAN on two coloured objects"
    paper_section = "section 6, figure 7"
    Settings = GanSettings
    presets = PRESETS
    grids = GRIDS
    models = MODELS
    more_models = tuple(model for model in ARMS if model not in MODELS)
    variants = (RECIPE,)
    more_variants = ("official",)
    variant_name = "recipe"
    kept_networks = ("generator",)
    paper = PAPER
    metrics = (
        Metric("red_entropy", "red entropy", digits=2, reproduced=True),
        Metric("blue_entropy", "blue entropy", digits=2, reproduced=True),
        Metric("difference_entropy", "difference entropy", digits=2, reproduced=True),
        Metric("coverage", "coverage", " %", factor=100, primary=True, reproduced=True),
        Metric("density", "density", digits=2),
        Metric("missed", "objects missed", " %", more_is_better=False, factor=100),
        Metric("duplicates", "near-duplicate pairs", more_is_better=False, digits=0),
        Metric("jump", "largest jump", " %", more_is_better=False, factor=100, digits=0),
        Metric("fade", "fade", " %", more_is_better=False, factor=100, digits=0),
    )

    def trainer(self, plan: Plan) -> GanTrainer:
        """Return the two networks with their images."""
        return GanTrainer(plan)

    def watch(self, trainer: GanTrainer) -> dict[str, float]:
        """Return entropies, coverage and misses of 1,000 samples; of photos nothing is measured."""
        if isinstance(trainer.data, Photos):
            return {}
        metrics, _ = judged_samples(trainer.generator, trainer.settings.z)
        return {name: metrics[name] for name in WATCHED}

    def measure(self, trainer: GanTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return what is measured of 1,000 samples and of 30 ways between two of them, and the arrays of the figures.

        Returns
        -------
        metrics : dict
            Those declared; see `minicoord.experiments.two_objects.judge.judge` and ``interpolation.py`` beside it.
        arrays : dict
            Those of `minicoord.experiments.gan.evaluation.all_of_it`; ``strip`` (reports, 8, H, W, 3) of uint8 and
            ``strip_steps`` (reports,), the images of the same vectors at each report.

        Of photos nothing is measured: all metrics are NaN, and the arrays are those of
        `minicoord.experiments.gan.evaluation.pictures_alone`, with the strip.
        """
        generator, z = trainer.generator, trainer.settings.z
        strip = {"strip": trainer.strip, "strip_steps": np.array(trainer.strip_steps)}
        if isinstance(trainer.data, Photos):
            arrays: dict[str, Any] = dict(pictures_alone(generator, z, trainer.data.draw(slice(SHOWN))))
            return dict.fromkeys((metric.name for metric in self.metrics), float("nan")), {**arrays, **strip}
        metrics, arrays = all_of_it(generator, z)
        return metrics, {**arrays, **strip}

    def facts(self, trainer: GanTrainer) -> dict[str, Any]:
        """Return the parameters of each network, and what is measured of the data, or how many photos there are."""
        sizes = {name: network.n_params for name, network in trainer.networks.items()}
        if isinstance(trainer.data, Photos):
            return {"network_parameters": sizes, "photos": len(trainer.data), "left_out": trainer.data.left_out}
        return {"network_parameters": sizes, "yardsticks": dict(yardsticks(trainer.settings.canvas))}

    def notes(self, results: Results) -> list[str]:
        """Return the notes below the table: what the numbers mean, what the data reach, and how many runs collapsed."""
        lines = [
            "entropy: of the middles of objects over 10 x 10 bins, in nats; the paper shows the best of many runs",
            "coverage, density: of pairs of middles, relative to the data; misses count as samples",
            "largest jump, fade: from image to image on the way between random vectors; an even slide has 12 and 0 %",
        ]
        of_data = {r["settings"]["canvas"]: r["yardsticks"] for r in results if r.get("yardsticks")}
        lines += [in_words(numbers, canvas) for canvas, numbers in of_data.items()]
        return lines + photos_in_words(results) + sizes_in_words(results) + self._collapses(results)

    def remarks(self, records: Results, folder: Path) -> list[str]:
        """Return how many runs of each network collapsed, a sentence for each network, recipe, preset and settings."""
        return self._collapses([record for record in records if record["experiment"] == self.name])

    def _collapses(self, results: Results) -> list[str]:
        groups: dict[str, list[bool]] = {}
        for run in results:
            if not of_photos(run):
                groups.setdefault(self._like(run), []).append(is_collapsed(run["metrics"]))
        return [
            f"{like}: {sum(collapsed)} of {len(collapsed)} collapsed: an entropy below 2, or half missed"
            for like, collapsed in groups.items()
        ]

    def _like(self, run: Mapping[str, Any]) -> str:
        """Return a run's network, recipe, preset and changed settings in words: what it shares with other seeds."""
        changes = ", ".join(f"{key}={value}" for key, value in self.differences(run).items())
        return f"{run['model']}, {run['variant']}, preset {run['preset']}" + (f" with {changes}" if changes else "")

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw figure 7 anew, how the samples changed, the ways between samples, also animated, and the curves."""
        from minicoord.experiments.gan.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return the figures that are drawn from records."""
        from minicoord.experiments.gan.record_figures import FIGURES

        return FIGURES


def of_photos(run: Mapping[str, Any]) -> bool:
    """Return whether a run was trained on photos."""
    return run["settings"].get("photos") is not None


def photos_in_words(results: Results) -> list[str]:
    """Return how many photos runs were trained on, and which were left out, a sentence for each folder."""
    lines = {}
    for run in filter(of_photos, results):
        folder, left_out = run["settings"]["photos"], run.get("left_out")
        words = f"{run.get('photos', 0):,} photos of {folder}: nothing is measured of them, look at the pictures"
        lines[folder] = f"{words}; {left_out_in_words(left_out, folder)}" if left_out else words
    return list(lines.values())


def sizes_in_words(results: Results) -> list[str]:
    """Return the parameters of the CoordConv generator relative to the other, and what they cost, for each size."""
    sizes: dict[tuple[int, int, int], dict[bool, int]] = {}
    for run in results:
        if run.get("network_parameters"):
            key = tuple(run["settings"][name] for name in ("canvas", "width", "z"))
            sizes.setdefault(key, {})[ARMS[run["model"]].generator] = run["network_parameters"]["generator"]
    return [
        f"the CoordConv generator has {of_both[True]:,} parameters, {100 * of_both[True] / of_both[False]:.1f} % of "
        "the other's, and needs eleven times its multiply-adds or more"
        for of_both in sizes.values()
        if len(of_both) == 2
    ]
