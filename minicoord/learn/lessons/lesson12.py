"""What lesson 12 computes beside its text: images that blend and slide, trained networks, and words about runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord import experiments, load_weights
from minicoord.datasets.two_objects import TwoObjects, two_objects
from minicoord.experiments.records.half_weights import trainer_of
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.two_objects.pictures import as_bytes
from minicoord.experiments.vae.evaluation import Codes, decode, encode
from minicoord.experiments.vae.losses import kl_of_each
from minicoord.experiments.vae.networks import decoder, encoder
from minicoord.experiments.vae.record_figures import shown_runs, typical
from minicoord.experiments.vae.settings import ARMS
from minicoord.nn.model import Sequential
from minicoord.plots.style import model_name

Record = Mapping[str, Any]

SHOWN = ("error", "fade", "jump", "missed", "coverage")
"""The metrics that the lesson's tables show, in this order."""


class Trained(NamedTuple):
    """The two networks of a finished run."""

    encoder: Sequential
    decoder: Sequential

    def codes(self, data: TwoObjects) -> Codes:
        """Return the codes of images."""
        return encode(self.encoder, data)

    def pictures(self, codes: NDArray[np.floating]) -> NDArray[np.uint8]:
        """Return the images of codes (N, z), as a figure shows them: (N, H, W, 3)."""
        return as_bytes(decode(self.decoder, codes.astype(np.float32)))


def trained(record: Record) -> Trained:
    """Return the networks of a finished run, from the weights in its folder."""
    settings: Any = experiments.get("vae").settings_of(record)
    sizes = {"z": settings.z, "rng": 0, "canvas": settings.canvas, "width": settings.width}
    networks = []
    for name, build in (("encoder", encoder), ("decoder", decoder)):
        net = build(ARMS[record["model"]], **sizes)
        load_weights(Path(record["folder"]) / f"weights-{name}.npz", net)
        networks.append(net)
    return Trained(*networks)


def trained_longer(kept: KeptRuns) -> dict[str, Trained]:
    """Return the networks of a recorded run of each kind whose weights are kept; none if one of them is missing."""
    chosen = typical(shown_runs(kept.records), kept.weights)
    if len(chosen) < len(ARMS):
        return {}
    found = {}
    for model, (record, _) in chosen.items():
        networks: Any = trainer_of(record, kept.weights(record)).networks
        found[model] = Trained(networks["encoder"], networks["decoder"])
    return found


class Explored(NamedTuple):
    """A decoder, the mean codes of some images, and the numbers of a code by what they say of images, most first."""

    found: Trained
    codes: NDArray[np.floating]
    latents: NDArray[np.integer]

    def pictures(self, image: int, number: int, value: float) -> NDArray[np.uint8]:
        """Return the reconstruction of an image, and that with one number of its code changed: (2, H, W, 3).

        Parameters
        ----------
        image : int
            Counted from 0.
        number : int
            Which number of the code: 1 for the one that says most.
        value : float
            Its new value.
        """
        both = np.repeat(self.codes[[image]], 2, axis=0)
        both[1, self.latents[number - 1]] = value
        return self.found.pictures(both)


def explored(networks: Mapping[str, Trained], data: TwoObjects) -> dict[str, Explored]:
    """Return for each network what its sliders need, with the codes of these images."""
    ready = {}
    for model, found in networks.items():
        codes = found.codes(data)
        says = kl_of_each(codes.mean, codes.log_variance).mean(axis=0)  # (z,), in nats
        ready[model] = Explored(found, codes.mean, says.argsort()[::-1])
    return ready


def images_between(canvas: int = 32, images: int = 9) -> tuple[TwoObjects, NDArray[np.float32], NDArray[np.float32]]:
    """Return two arrangements of the same shapes, and two ways from the first image to the second.

    Returns
    -------
    ends : TwoObjects
        Both arrangements.
    blend, slide : ndarray (images, H, W, 3) of float32
        Of the first way, each image is a weighted mean of the ends; of the second, each object moves.
    """
    ends = TwoObjects(canvas, np.array([[[8, 9], [22, 22]], [[23, 15], [7, 26]]]), np.array([[True, False]] * 2))
    first, last = ends.draw()
    t = np.linspace(0, 1, images, dtype=np.float32)[:, None, None]  # (images, 1, 1)
    blend = (1 - t[..., None]) * first + t[..., None] * last
    places = ((1 - t) * ends.centres[0] + t * ends.centres[1]).round().astype(np.int64)  # (images, 2, 2)
    return ends, blend, TwoObjects(canvas, places, np.repeat(ends.circles[:1], images, axis=0)).draw()


def new_images(count: int = 500, canvas: int = 32) -> TwoObjects:
    """Return arrangements that no network of the lesson is trained on."""
    return two_objects(count, canvas, seed=1_000_012)


def rows(records: Mapping[str, Record]) -> list[dict[str, str]]:
    """Return a row of the table of results for each run."""
    metrics = {metric.name: metric for metric in experiments.get("vae").metrics}
    return [
        {"": model_name(name), **{metrics[key].title: metrics[key].band([record]) for key in SHOWN}}
        for name, record in records.items()
    ]


def difference_in_words(records: Mapping[str, Record]) -> str:
    """Return in a sentence which of two runs of one seed fades less on the way between images."""
    plain, with_coordinates = (records[model]["metrics"]["fade"] for model in ("conv", "coordconv"))
    if not np.isfinite([plain, with_coordinates]).all():
        return "one of them draws nothing that changes: too short a training"
    said = f"of the change from image to image, {100 * plain:.0f} % fades without coordinates, "
    said += f"{100 * with_coordinates:.0f} % with them: "
    if abs(plain - with_coordinates) < 0.05:
        return said + "no difference to speak of"
    return said + ("CoordConv moves more" if with_coordinates < plain else "CoordConv moves less")


def recorded(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the recorded runs of both networks with the settings of their preset, those of "record" if there are any.

    Only if both networks have some.
    """
    vae = experiments.get("vae")
    runs = [r for r in records if r["experiment"] == "vae" and not vae.differences(r)]
    runs = [r for r in runs if r["preset"] == "record"] or runs
    found = {model: [r for r in runs if r["model"] == model] for model in vae.models}
    return found if all(found.values()) else {}


def recorded_rows(runs: Mapping[str, Sequence[Record]]) -> list[dict[str, str]]:
    """Return a row of the table of recorded runs for each network: medians, and the least and the greatest value."""
    metrics = {metric.name: metric for metric in experiments.get("vae").metrics}
    return [
        {
            "": model_name(model),
            "seeds": str(len(of_model)),
            **{metrics[key].title: metrics[key].band(of_model) for key in SHOWN},
        }
        for model, of_model in runs.items()
    ]


def recorded_in_words(runs: Mapping[str, Sequence[Record]]) -> str:
    """Return what recorded runs say of moving and fading, or that there are none."""
    if not runs:
        return (
            "No run of vae is recorded in this copy, so the one seed above is all that it shows.\n"
            "To make more: minicoord sweep vae --grid record"
        )
    of = {model: {r["seed"]: r["metrics"].get("fade") for r in of_model} for model, of_model in runs.items()}
    both = [
        (of["conv"][seed], of["coordconv"][seed])
        for seed in sorted(of["conv"].keys() & of["coordconv"].keys())
        if of["conv"][seed] is not None and of["coordconv"][seed] is not None
    ]
    less = sum(after < before for before, after in both)
    steps = next(iter(runs["conv"]))["steps"]
    return f"after {steps:,} steps, CoordConv fades less than convolution for {less} of {len(both)} seeds"
