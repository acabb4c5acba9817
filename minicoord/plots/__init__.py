"""The paper's figures, drawn with matplotlib from plain arrays: one figure per file.

Every function returns a `matplotlib.figure.Figure` and touches no global state of pyplot, so it works in a notebook,
in a script and on a machine without a screen; `save_figure` writes it. Nothing else in minicoord imports
this package at start-up, because matplotlib alone takes longer to import than the rest.
"""

from __future__ import annotations

from minicoord.plots.accuracy_against_time import accuracy_against_time
from minicoord.plots.drawn_squares import drawn_squares
from minicoord.plots.error_maps import error_maps
from minicoord.plots.not_so_clevr_figure import not_so_clevr_figure
from minicoord.plots.overlap_figure import overlap_figure
from minicoord.plots.pixel_zoom import pixel_zoom
from minicoord.plots.point_clouds import point_clouds
from minicoord.plots.softmax_maps import softmax_maps
from minicoord.plots.speed_story import speed_story
from minicoord.plots.style import save_figure

__all__ = [
    "accuracy_against_time",
    "drawn_squares",
    "error_maps",
    "not_so_clevr_figure",
    "overlap_figure",
    "pixel_zoom",
    "point_clouds",
    "save_figure",
    "softmax_maps",
    "speed_story",
]
