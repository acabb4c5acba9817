"""The figures of the VAE that are drawn from records: images from a typical run of each network, curves from all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any

from minicoord import experiments
from minicoord.experiments.records.figures import Drawn, MissingRecordsError, RecordFigure, counts, runs_of
from minicoord.experiments.records.reading import KeptRuns, Record, run_name
from minicoord.experiments.vae.settings import ARMS


def shown_runs(records: Sequence[Record]) -> list[Record]:
    """Return the runs of the VAE that figures show: those with the settings of the preset "record", or else all."""
    vae = experiments.get("vae")
    runs = [record for record in records if record["experiment"] == vae.name]
    return [record for record in runs if record["preset"] == "record" and not vae.differences(record)] or runs


def typical(runs: Sequence[Record], has: Callable[[Record], Any]) -> dict[str, tuple[Record, str]]:
    """Return for each network the run whose fade is nearest to the median of all, and say in words which it is.

    The best run of each network would show the luckier of two bests.

    Parameters
    ----------
    runs : list of dict
        Runs of the VAE.
    has : callable
        What is needed of a run, such as its arrays. A run for which it returns None is not chosen, but its fade counts.

    Returns
    -------
    dict
        For each network with such a run, the run and the words.
    """
    found: dict[str, tuple[Record, str]] = {}
    for model in ARMS:
        fades = {id(r): fading(r) for r in runs if r["model"] == model}
        middle = median(fades.values()) if fades else 0.0
        usable = [r for r in runs if r["model"] == model and has(r) is not None]
        if usable:
            run = min(usable, key=lambda r: abs(fades[id(r)] - middle))
            found[model] = run, f"{run_name(run)} (fade {100 * fades[id(run)]:.0f} %, median {100 * middle:.0f} %)"
    return found


def fading(run: Record) -> float:
    """Return the fade of a run; 1 if none of its images changed, so that none moved either."""
    value = run["metrics"].get("fade")
    return 1.0 if value is None else float(value)


def _images(name: str) -> Callable[[KeptRuns], Drawn]:
    """Return a function that draws a figure of a typical run of each network."""

    def draw(kept: KeptRuns) -> Drawn:
        from minicoord.experiments.vae.figures import OF_MAPS

        chosen = typical(shown_runs(runs_of(kept, "vae", tuple(ARMS))), kept.maps)
        if not chosen:
            raise MissingRecordsError("no arrays are kept of runs of vae")
        arrays = {model: kept.maps(run) or {} for model, (run, _) in chosen.items()}
        return Drawn(OF_MAPS[name](arrays), "; ".join(words for _, words in chosen.values()))

    return draw


def _curves(kept: KeptRuns) -> Drawn:
    from minicoord.plots import vae_curves

    runs = shown_runs(runs_of(kept, "vae", tuple(ARMS)))
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
