"""The two parts of the loss of a VAE over the steps of its training, and what its images were worth."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from minicoord.plots.over_steps import Panel, curves_over_steps
from minicoord.plots.over_time import Result
from minicoord.plots.style import styled
from minicoord.system.argument_types import check_types

PANELS = (
    Panel("squared_error", "squared error of an image"),
    Panel("kl", "KL divergence (nats)"),
    Panel("error", "error on new images (%)", 100),
    Panel("fade", "fade between images (%)", 100),
    Panel("coverage", "coverage of samples (%)", 100),
    Panel("missed", "samples without two objects (%)", 100),
)


@styled
@check_types
def vae_curves(results: Sequence[Result]) -> Figure:
    """Draw both parts of the loss, the error on new images, the fade of ways, and coverage and misses of samples.

    Parameters
    ----------
    results : list of dict
        Runs with ``model``, and a ``history`` of rows with ``step`` and, where measured, ``squared_error``, ``kl``,
        ``error``, ``fade``, ``coverage`` and ``missed``.

    Returns
    -------
    matplotlib.figure.Figure
        A thin line for each run, and where a network has several, a thick one through the medians.

    Raises
    ------
    ValueError
        If `results` is empty, or a run lacks what is drawn.
    """
    return curves_over_steps("vae_curves", results, PANELS, "reconstruction and KL divergence over the steps")
