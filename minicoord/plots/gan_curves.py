"""The losses of a GAN over the steps of its training, and what its samples were worth."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from minicoord.plots.over_steps import Panel, curves_over_steps
from minicoord.plots.over_time import Result
from minicoord.plots.style import styled
from minicoord.system.argument_types import check_types

PANELS = (
    Panel("d_loss", "loss of the discriminator"),
    Panel("g_loss", "loss of the generator"),
    Panel("d_fake", "samples found out (%)", 100),
    Panel("coverage", "coverage (%)", 100),
    Panel("red_entropy", "entropy of red centres"),
    Panel("missed", "samples without two objects (%)", 100),
)


@styled
@check_types
def gan_curves(results: Sequence[Result], variant: str) -> Figure:
    """Draw losses, coverage, an entropy and misses over the steps.

    Parameters
    ----------
    results : list of dict
        Runs with ``model``, and a ``history`` of rows with ``step`` and, where measured, ``d_loss``, ``g_loss``,
        ``d_fake``, ``coverage``, ``red_entropy`` and ``missed``.
    variant : str
        What the title says of the runs, such as the recipe.

    Returns
    -------
    matplotlib.figure.Figure
        A thin line for each run, and where a network has several, a thick one through the medians.

    Raises
    ------
    ValueError
        If `results` is empty, or a run lacks what is drawn.
    """
    return curves_over_steps("gan_curves", results, PANELS, f"two networks against each other, {variant} recipe")
