"""The course: its lessons in order, and the exercises of each."""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache
from importlib import import_module

from minicoord.learn.definition.exercise import Exercise
from minicoord.system.arguments import shown

LESSONS: dict[int, str] = {
    0: "Start here",
    1: "Not-so-Clevr",
    2: "Convolution from scratch",
    3: "Backprop by hand",
    4: "The failure: coordinate classification",
    5: "CoordConv",
    6: "Pixels to coordinates: regression",
    7: "Rendering",
    8: "Fast",
    9: "No harm",
    10: "Finding digits",
    12: "Moving, not fading",
}
"""The number and title of each lesson."""

COURSE: dict[int, tuple[str, ...]] = {
    0: ("pixel_index",),
    1: ("draw_square", "one_hot", "quadrant_split"),
    2: ("conv_out_size", "conv_loops", "im2col_index", "im2col", "conv_product"),
    3: (
        "numeric_gradient",
        "conv_db",
        "conv_dw",
        "col2im",
        "conv_dx",
        "max_pool",
        "max_pool_dx",
        "softmax_cross_entropy",
        "softmax_cross_entropy_dx",
        "adam_step",
    ),
    4: ("conv_transpose", "count_parameters"),
    5: ("add_coords", "add_r", "coordconv_parameters", "coordconv_map", "exact_classifier"),
    6: ("mean_distance", "exact_regressor"),
    7: ("iou", "pointed_at"),
    8: ("relu_loop", "find_race", "tiled_product", "register_block"),
    9: ("residual_dx", "front_features", "paired_interval"),
    10: ("box_iou_pairs", "encode_boxes", "decode_boxes", "assign_anchors", "non_maximum_suppression"),
    12: ("reparametrise", "reparametrise_dx", "kl_gaussian", "kl_gaussian_dx", "walk_codes"),
}
"""The ids of the exercises of each lesson, in order. Each is a module of ``minicoord.learn.exercises``."""


def exercise_ids() -> list[str]:
    """Return the ids of all exercises in the order of the course."""
    return [id for ids in COURSE.values() for id in ids]


def unknown(id: str) -> str:
    """Return a sentence which says that there is no such exercise, and suggests the nearest id.

    Examples
    --------
    >>> unknown("im2cal")
    "there is no exercise 'im2cal'; did you mean 'im2col'?"
    """
    near = get_close_matches(id, exercise_ids(), n=1)
    advice = f"did you mean {near[0]!r}?" if near else "`minicoord learn list` shows them all"
    return f"there is no exercise {shown(id)}; {advice}"


def get(id: str) -> Exercise:
    """Return the exercise called `id`.

    Raises
    ------
    TypeError
        If `id` is not a str.
    ValueError
        If there is none; the message suggests the nearest id.

    Examples
    --------
    >>> get("im2col").title
    'One row for each window position'
    """
    if not isinstance(id, str):
        raise TypeError(f"got an exercise called {shown(id)}, expected its name in quotes, such as 'im2col'")
    if id not in exercise_ids():
        raise ValueError(unknown(id))
    return _loaded(id)


@cache
def _loaded(id: str) -> Exercise:
    return import_module(f"minicoord.learn.exercises.{id}").exercise
