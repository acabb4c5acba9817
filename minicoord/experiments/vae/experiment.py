"""A variational autoencoder on two coloured objects: on the way from one image to another, do objects move or fade?

The paper shows in its supplement that objects of a convolutional VAE fade out and in, and that those of one with
CoordConv move. It gives no number, and describes neither the networks nor their training; ``networks.py`` and
``settings.py`` say what we took instead. So this experiment tests the claim, and not the paper's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minicoord.experiments.frame.experiment import Experiment
from minicoord.experiments.frame.metrics import Metric, Results
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.two_objects.judge import in_words, yardsticks
from minicoord.experiments.vae.evaluation import (
    all_of_it,
    encode,
    held_out,
    judged_reconstructions,
    judged_samples,
    judged_ways,
)
from minicoord.experiments.vae.grids import GRIDS
from minicoord.experiments.vae.settings import ARMS, PRESETS, VaeSettings
from minicoord.experiments.vae.trainer import VaeTrainer

WATCHED_IMAGES = 500  # of those held out, after every row of the history
WATCHED = ("error", "lost", "coverage", "missed", "jump", "fade")


class Vae(Experiment):
    """An encoder and a decoder of convolutions, against the same with coordinates before every convolution.

    Examples
    --------
    >>> from minicoord import experiments
    >>> plan = experiments.get("vae").plan("coordconv", seed=3, steps=200)
    >>> plan.name, plan.settings.z
    ('coordconv-seed3-steps=200', 32)
    """

    name = "vae"
    title = "VAE on two coloured objects"
    paper_section = "section 6 and supplement"
    Settings = VaeSettings
    presets = PRESETS
    grids = GRIDS
    models = tuple(ARMS)
    metrics = (
        Metric("error", "reconstruction error", " %", more_is_better=False, factor=100),
        Metric("lost", "reconstructions that lack an object", " %", more_is_better=False, factor=100),
        Metric("kl", "KL divergence", " nats"),
        Metric("fade", "fade", " %", more_is_better=False, primary=True, factor=100, digits=0),
        Metric("jump", "largest jump", " %", more_is_better=False, factor=100, digits=0),
        Metric("missed", "samples that lack an object", " %", more_is_better=False, factor=100),
        Metric("coverage", "coverage", " %", factor=100),
        Metric("red_entropy", "red entropy", digits=2),
        Metric("blue_entropy", "blue entropy", digits=2),
        Metric("difference_entropy", "difference entropy", digits=2),
        Metric("gap", "information gap", " %", factor=100),
        Metric("positions_read", "positions read linearly", " %", factor=100, digits=0),
    )

    def trainer(self, plan: Plan) -> VaeTrainer:
        """Return the two networks with their images."""
        return VaeTrainer(plan)

    def watch(self, trainer: VaeTrainer) -> dict[str, float]:
        """Return the error on 500 new images, coverage and misses of 1,000 samples, and jump and fade of 30 ways."""
        data = held_out(trainer.settings.canvas, WATCHED_IMAGES)
        codes = encode(trainer.encoder, data)
        metrics = {
            **judged_reconstructions(trainer.decoder, data, codes),
            **judged_samples(trainer.decoder, trainer.settings.z)[0],
            **judged_ways(trainer.decoder, codes)[0],
        }
        return {name: metrics[name] for name in WATCHED}

    def measure(self, trainer: VaeTrainer) -> tuple[dict[str, float], dict[str, Any]]:
        """Return what is measured of 2,000 new images, of 1,000 samples and of 30 ways, and the arrays of the figures.

        Returns
        -------
        metrics : dict
            Those declared; ``offset`` in pixels and ``shapes_read``, and those of
            `minicoord.experiments.two_objects.judge.judge`.
        arrays : dict
            Those of `minicoord.experiments.vae.evaluation.all_of_it`.
        """
        return all_of_it(trainer.encoder, trainer.decoder, trainer.settings.canvas)

    def facts(self, trainer: VaeTrainer) -> dict[str, Any]:
        """Return the parameters of each network, and what is measured of the data."""
        sizes = {name: network.n_params for name, network in trainer.networks.items()}
        return {"network_parameters": sizes, "yardsticks": dict(yardsticks(trainer.settings.canvas))}

    def notes(self, results: Results) -> list[str]:
        """Return the notes below the table: what the numbers mean, what the loss was, and what the data reach."""
        lines = [
            "the paper shows pictures of a VAE and reports no number: networks, loss, training are ours",
            "reconstruction error: squared error on new images, as a share of that of the average image",
            "fade, largest jump: on the way between the codes of two new images; an even slide has 0 and 12 %",
            "samples: images of codes from the standard normal distribution; entropies over 10 x 10 bins, in nats",
            "information gap: by how much one latent knows more of a factor than the next; x + y for x lowers it",
        ]
        weights = sorted({run["settings"]["beta"] for run in results})
        of_weights = " or ".join(f"{weight:g}" for weight in weights)
        lines.append(f"the loss of an image is its squared error, summed, plus {of_weights} times the KL divergence")
        of_data: dict[int, Mapping[str, float]] = {
            run["settings"]["canvas"]: run["yardsticks"] for run in results if run.get("yardsticks")
        }
        return lines + [in_words(numbers, canvas) for canvas, numbers in of_data.items()]

    def figures(self, results: Results, folder: Path) -> list[Path]:
        """Draw samples, reconstructions, ways between images, also animated, a map of the codes, and curves."""
        from minicoord.experiments.vae.figures import draw

        return draw(results, folder)

    def record_figures(self) -> Mapping[str, Any]:
        """Return the figures that are drawn from records."""
        from minicoord.experiments.vae.record_figures import FIGURES

        return FIGURES
