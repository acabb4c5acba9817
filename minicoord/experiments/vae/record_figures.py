"""The figures of the VAE that are drawn from records: images from the best run of each network, curves from all."""

from __future__ import annotations

from collections.abc import Callable

from minicoord.experiments.records.figures import (
    Drawn,
    MissingRecordsError,
    RecordFigure,
    best_maps,
    counts,
    runs_of,
)
from minicoord.experiments.records.reading import KeptRuns
from minicoord.experiments.vae.settings import ARMS


def _images(name: str) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws a figure of the best run of each network, that which fades least."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.experiments.vae.figures import OF_MAPS

        arrays, words = best_maps(kept, runs_of(kept, "vae", tuple(ARMS)), "")
        if not arrays:
            raise MissingRecordsError("no arrays are kept of runs of vae")
        return Drawn(OF_MAPS[name](arrays), "; ".join(words))

    return draw


def _curves(kept: KeptRuns) -> Drawn:
    from minicoord.plots import vae_curves

    runs = runs_of(kept, "vae", tuple(ARMS))
    return Drawn(vae_curves(runs), counts(runs))


FIGURES: dict[str, RecordFigure] = {
    **{
        f"vae-{name}": RecordFigure(f"VAE: {words}", _images(name))
        for name, words in (
            ("samples", "images of random codes, where they put the objects, and their average"),
            ("reconstructions", "new images and their reconstructions"),
            ("interpolation", "ways between the codes of images"),
            ("latent-space", "a map of the latent space"),
        )
    },
    "vae-curves": RecordFigure("VAE: both parts of the loss, and what is measured, over the steps", _curves),
}
