"""What lesson 11 computes beside its text: sizes of networks, a discriminator alone, places on a ring, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments
from minicoord.bench.multiply_adds import multiply_adds
from minicoord.experiments.gan.evaluation import generate, random_vectors
from minicoord.experiments.gan.networks import conv_generator, coordconv_generator
from minicoord.experiments.records.arrays import read_weights
from minicoord.experiments.records.figures import best_maps
from minicoord.experiments.records.half_weights import trainer_of
from minicoord.experiments.records.reading import KeptRuns, best
from minicoord.experiments.two_objects.duplicates import distinct
from minicoord.experiments.two_objects.interpolation import path
from minicoord.experiments.two_objects.judge import SAMPLES, is_collapsed
from minicoord.experiments.two_objects.pictures import as_bytes
from minicoord.nn.model import Sequential
from minicoord.plots.style import model_name
from minicoord.system.counting import counted

Record = Mapping[str, Any]
Groups = Mapping[tuple[str, int, str], Sequence[Record]]
"""Runs by recipe, number of steps and network."""

SIZES = {"64 x 64, the paper's": (64, 64, 256), "32 x 32, ours": (32, 32, 64)}
"""Canvas, width and length of the random vector."""

SHOWN = ("red_entropy", "blue_entropy", "difference_entropy", "coverage", "missed")
"""The metrics that the lesson's tables show, in this order."""

RECIPES = ("stable", "official")
MODELS = ("conv", "coordconv")
WAYS, PLACES = 10, 33  # ways between random vectors, and images of each


def sizes() -> list[dict[str, Any]]:
    """Return a row of a table for both generators at both sizes: parameters, and multiply-adds of an image."""
    rows = []
    for name, (canvas, width, z) in SIZES.items():
        nets = {
            "conv": conv_generator(z, 0, canvas, width),
            "coordconv": coordconv_generator(z, 0, canvas, width),
        }
        work = {model: multiply_adds(net, (1, z)) for model, net in nets.items()}
        rows += [
            {
                "images": name,
                "generator": model_name(model),
                "parameters": net.n_params,
                "of those of convolution": f"{100 * net.n_params / nets['conv'].n_params:.0f} %",
                "million multiply-adds": round(work[model] / 1e6),
                "times those of convolution": f"{work[model] / work['conv']:.1f}",
            }
            for model, net in nets.items()
        ]
    return rows


def logits_of_fakes(steps: int = 30, seed: int = 0, fakes: int = 32) -> NDArray[np.float32]:
    """Return what a discriminator says of the images of a generator that never learns, while it is trained itself.

    Parameters
    ----------
    steps : int
        Steps of the discriminator, with the official recipe.
    seed : int
    fakes : int
        Images that it is asked about after each step.

    Returns
    -------
    ndarray (steps + 1, fakes)
        Logits, before the first step and after each.
    """
    gan = experiments.get("gan")
    trainer: Any = gan.trainer(gan.plan("conv", "official", seed=seed, images=2000))
    settings, rng = trainer.settings, np.random.default_rng(seed)
    asked = trainer.generator.forward(random_vectors(rng, fakes, settings.z), training=True)
    found = [trainer.discriminator.forward(asked, training=True)[:, 0]]
    for step in range(steps):
        images = trainer.data.draw(trainer.passes.indices(step))
        made = trainer.generator.forward(random_vectors(rng, settings.batch, settings.z), training=True)
        trainer.train_discriminator(images, made)
        found.append(trainer.discriminator.forward(asked, training=True)[:, 0])
    return np.array(found)


def places_on_a_ring(radius: float, spread: float, count: int = SAMPLES, canvas: int = 32) -> NDArray[np.float64]:
    """Return random places (count, 2) on a ring around the middle of a canvas, in pixels; those outside are NaN."""
    rng = np.random.default_rng(0)
    angle, distance = rng.uniform(0, 2 * np.pi, count), radius + spread * rng.normal(size=count)
    places = canvas / 2 + distance[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    places[((places < 0) | (places > canvas)).any(axis=1)] = np.nan
    return places


def signs(record: Record) -> list[dict[str, str]]:
    """Return a row of a table for each report of a run: what the discriminator tells right, and what is measured."""
    return [
        {
            "step": f"{row['step']:,}",
            "real images recognised": f"{100 * row['d_real']:.0f} %",
            "fakes found out": f"{100 * row['d_fake']:.0f} %",
            "samples lacking an object": f"{100 * row['missed']:.0f} %",
            "red entropy": f"{row['red_entropy']:.2f}",
            "blue entropy": f"{row['blue_entropy']:.2f}",
            "difference entropy": f"{row['difference_entropy']:.2f}",
        }
        for row in record["history"]
    ]


def birthdays(record: Record) -> str:
    """Return in a sentence how many arrangements a run draws from, by its pairs of near-duplicates."""
    metrics, of_data = record["metrics"], record["yardsticks"]
    pairs, complete = int(metrics["duplicates"]), round((1 - metrics["missed"]) * SAMPLES)
    said = f"{counted(pairs, 'pair')} of near-duplicates among {complete:,} samples with both objects"
    if pairs:
        said += f", as if there were {max(distinct(pairs, complete), 1):,.0f} different ones"
    return f"{said}; the data have {int(of_data['duplicates'])} among {SAMPLES:,}"


def in_words(record: Record) -> str:
    """Return in a sentence whether a run collapsed, and by what that is judged."""
    metrics = record["metrics"]
    state = "collapsed" if is_collapsed(metrics) else "not collapsed"
    return (
        f"red entropy {_number(metrics['red_entropy'])}, blue {_number(metrics['blue_entropy'])}, "
        f"difference {_number(metrics['difference_entropy'])}, "
        f"{100 * metrics['missed']:.0f} % of samples lack an object: {state}"
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def recorded(records: Sequence[Record]) -> dict[tuple[str, int, str], list[Record]]:
    """Return the recorded runs on two objects at 32 x 32 by recipe, number of steps and network.

    Those whose settings differ from their preset's, such as the runs with which its length was chosen, are left out.
    """
    gan = experiments.get("gan")
    found: dict[tuple[str, int, str], list[Record]] = {}
    for recipe in RECIPES:
        for record in records:
            if record["experiment"] != "gan" or record["variant"] != recipe or record["settings"]["canvas"] != 32:
                continue
            if not gan.differences(record):
                found.setdefault((recipe, record["settings"]["steps"], record["model"]), []).append(record)
    models = list(gan.presets["record"])
    order = sorted(found, key=lambda key: (RECIPES.index(key[0]), -key[1], models.index(key[2])))
    return {key: found[key] for key in order}


def recorded_rows(groups: Groups) -> list[dict[str, str]]:
    """Return a row of the table of recorded runs for each group: medians, with the least and the greatest value."""
    metrics = {metric.name: metric for metric in experiments.get("gan").metrics}
    return [
        {
            "recipe": recipe,
            "steps": f"{steps:,}",
            "network": model_name(model),
            "seeds": str(len(runs)),
            **{metrics[key].title: metrics[key].band(runs) for key in SHOWN},
            "collapsed": f"{sum(is_collapsed(run['metrics']) for run in runs)} of {len(runs)}",
        }
        for (recipe, steps, model), runs in groups.items()
    ]


def recorded_in_words(groups: Groups) -> str:
    """Return for how many seeds CoordConv covers more than convolution in recorded runs, or that there are none."""
    lines = []
    for recipe, steps in dict.fromkeys((recipe, steps) for recipe, steps, _ in groups):
        of = {
            model: {run["seed"]: run["metrics"]["coverage"] for run in groups.get((recipe, steps, model), [])}
            for model in MODELS
        }
        both = sorted(of["conv"].keys() & of["coordconv"].keys())
        more = sum((of["coordconv"][seed] or 0) > (of["conv"][seed] or 0) for seed in both)
        if both:
            seeds = "seed" if len(both) == 1 else "seeds"
            lines.append(f"{recipe} recipe, {steps:,} steps: CoordConv covers more for {more} of {len(both)} {seeds}")
    if not lines:
        return (
            "No runs of gan with both generators are recorded in this copy, so what was trained above is all.\n"
            "To make more: minicoord sweep gan --grid record"
        )
    return "\n".join(lines)


def best_pictures(kept: KeptRuns, groups: Groups) -> dict[str, dict[str, dict[str, NDArray]]]:
    """Return by recipe the arrays of the best of its longest recorded runs of each network; of whom any are kept."""
    found = {}
    for recipe in dict.fromkeys(recipe for recipe, _, _ in groups):
        longest = max(steps for of, steps, _ in groups if of == recipe)
        runs = [run for (of, steps, _), some in groups.items() if (of, steps) == (recipe, longest) for run in some]
        found[recipe] = best_maps(kept, runs, recipe)[0]
    return {recipe: arrays for recipe, arrays in found.items() if arrays}


def generator_of(record: Record) -> Any:
    """Return the generator of a finished run, from the weights in its folder."""
    return trainer_of(record, read_weights(Path(record["folder"]))).networks["generator"]


def recorded_generators(kept: KeptRuns) -> tuple[dict[str, Sequential], list[str]]:
    """Return the generators of both networks whose weights are kept, and which runs they are from.

    They are of the first recipe with which both are kept after the same number of steps, the largest there is; of
    several runs, the best. Empty if there is none.
    """
    lengths = {run["settings"]["steps"] for run in kept.records if run["experiment"] == "gan"}
    for recipe, steps in product(RECIPES, sorted(lengths, reverse=True)):
        runs = {
            model: [
                run
                for run in kept.records
                if (run["experiment"], run["model"], run["variant"]) == ("gan", model, recipe)
                and run["settings"].get("photos") is None
                and run["settings"]["steps"] == steps
                and kept.weights(run) is not None
            ]
            for model in MODELS
        }
        if all(runs.values()):
            chosen = {model: best(some) for model, some in runs.items()}
            words = [
                f"{model_name(model)}: {recipe} recipe, {steps:,} steps, seed {run['seed']}"
                for model, run in chosen.items()
            ]
            nets: dict[str, Any] = {
                model: trainer_of(run, kept.weights(run)).networks["generator"] for model, run in chosen.items()
            }
            return nets, words
    return {}, []


def vector(way: int, place: int, z: int, seed: int = 0) -> NDArray[np.float32]:
    """Return the vector (z,) at a place from 0 to 32 on the way from one random vector to another."""
    start, end = random_vectors(np.random.default_rng([seed, way]), 2, z)
    return path(start, end, PLACES)[place].astype(np.float32)


def pictures(generators: Mapping[str, Sequential], way: int, place: int) -> dict[str, NDArray[np.uint8]]:
    """Return what each generator draws at a place of a way: images (H, W, 3)."""
    found = {}
    for model, net in generators.items():
        z = net.layers[0].config()["c_in"]
        found[model] = as_bytes(generate(net, vector(way, place, z)[np.newaxis]))[0]
    return found
