"""The paper's figures, drawn with matplotlib from plain arrays: one figure per file.

Every function returns a `matplotlib.figure.Figure` and leaves the global state of pyplot alone, so it works in a
notebook, in a script and on a machine without a screen; `save_figure` writes it. Other rooms import this one only when
they draw, because matplotlib alone takes longer to import than the rest.

Begin with ``style.py``, which says what all figures share; ``over_time.py`` and ``over_steps.py`` are shared by figures
of many runs, ``close_up.py`` by those of a few pixels, ``box_panels.py`` by those of boxes, ``montage.py`` by those of
generators, and ``paper_values.py`` has the numbers that are drawn as reference lines.
"""

from __future__ import annotations

from minicoord.plots.accuracy_against_time import accuracy_against_time
from minicoord.plots.animation import save_animation
from minicoord.plots.architectures import architectures
from minicoord.plots.classification_figure import classification_figure
from minicoord.plots.confusion_figure import confusion_counts, confusion_figure
from minicoord.plots.coord_block import coord_block
from minicoord.plots.coordinate_weights import coordinate_weights
from minicoord.plots.detection_curves import detection_curves
from minicoord.plots.drawn_squares import drawn_squares
from minicoord.plots.error_maps import error_maps
from minicoord.plots.film import save_film
from minicoord.plots.front_weights_figure import front_weights_figure
from minicoord.plots.game_curves import game_curves
from minicoord.plots.gan_curves import gan_curves
from minicoord.plots.improvement_intervals import improvement_intervals
from minicoord.plots.interpolation_strips import interpolation_frames, interpolation_strips
from minicoord.plots.kept_boxes import kept_boxes
from minicoord.plots.latent_map import latent_map
from minicoord.plots.learning_curves import learning_curves
from minicoord.plots.missed_digits import missed_digits
from minicoord.plots.neighbour_zoom import neighbour_zoom
from minicoord.plots.not_so_clevr_figure import not_so_clevr_figure
from minicoord.plots.overlap_figure import overlap_figure
from minicoord.plots.paired_differences import paired_differences
from minicoord.plots.pixel_zoom import pixel_zoom
from minicoord.plots.place_accuracy import Guesses, place_accuracy
from minicoord.plots.point_clouds import point_clouds
from minicoord.plots.quadrant_figure import quadrant_figure
from minicoord.plots.reconstruction_rows import reconstruction_rows
from minicoord.plots.regression_clouds import regression_clouds
from minicoord.plots.relative_changes import relative_changes
from minicoord.plots.sample_grids import sample_grids
from minicoord.plots.sampled_boxes import sampled_boxes
from minicoord.plots.seed_figures import seed_curves, seed_ends
from minicoord.plots.settings_figure import settings_figure
from minicoord.plots.softmax_maps import softmax_maps
from minicoord.plots.speed_story import speed_story
from minicoord.plots.style import save_figure
from minicoord.plots.toy_tasks import toy_tasks
from minicoord.plots.training_strip import training_strip
from minicoord.plots.two_objects_figure import two_objects_figure
from minicoord.plots.vae_curves import vae_curves
from minicoord.plots.visit_maps import visit_maps

__all__ = [
    "Guesses",
    "accuracy_against_time",
    "architectures",
    "classification_figure",
    "confusion_counts",
    "confusion_figure",
    "coord_block",
    "coordinate_weights",
    "detection_curves",
    "drawn_squares",
    "error_maps",
    "front_weights_figure",
    "game_curves",
    "gan_curves",
    "improvement_intervals",
    "interpolation_frames",
    "interpolation_strips",
    "kept_boxes",
    "latent_map",
    "learning_curves",
    "missed_digits",
    "neighbour_zoom",
    "not_so_clevr_figure",
    "overlap_figure",
    "paired_differences",
    "pixel_zoom",
    "place_accuracy",
    "point_clouds",
    "quadrant_figure",
    "reconstruction_rows",
    "regression_clouds",
    "relative_changes",
    "sample_grids",
    "sampled_boxes",
    "save_animation",
    "save_figure",
    "save_film",
    "seed_curves",
    "seed_ends",
    "settings_figure",
    "softmax_maps",
    "speed_story",
    "toy_tasks",
    "training_strip",
    "two_objects_figure",
    "vae_curves",
    "visit_maps",
]
