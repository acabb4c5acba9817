"""The course: its lessons in order, and the exercises of each."""

from __future__ import annotations

from dataclasses import dataclass
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
    11: "The ring",
    12: "Moving, not fading",
    13: "An agent that knows where it is",
    14: "In your own network",
}
"""The number and title of each lesson."""


@dataclass(frozen=True)
class Part:
    """A part of a lesson, which has its own notebook and fits one sitting; most lessons have only one.

    Attributes
    ----------
    lesson : int
        The number of the lesson.
    title : str
    exercises : tuple of str
        The ids of its exercises, in order. Each is a module of ``minicoord.learn.exercises``.
    """

    lesson: int
    title: str
    exercises: tuple[str, ...]


PARTS: dict[str, Part] = {
    "00": Part(0, LESSONS[0], ("pixel_index",)),
    "01": Part(1, LESSONS[1], ("draw_square", "one_hot", "quadrant_split")),
    "02": Part(2, LESSONS[2], ("conv_out_size", "conv_loops", "im2col_index", "im2col", "conv_product")),
    "03": Part(3, f"{LESSONS[3]}: a convolution", ("numeric_gradient", "conv_db", "conv_dw", "col2im", "conv_dx")),
    "03b": Part(
        3,
        f"{LESSONS[3]}: pooling, softmax, Adam",
        ("max_pool", "max_pool_dx", "softmax_cross_entropy", "softmax_cross_entropy_dx", "adam_step"),
    ),
    "04": Part(4, LESSONS[4], ("conv_transpose", "count_parameters")),
    "05": Part(5, LESSONS[5], ("add_coords", "add_r", "coordconv_parameters", "coordconv_map", "exact_classifier")),
    "06": Part(6, LESSONS[6], ("mean_distance", "exact_regressor")),
    "07": Part(7, LESSONS[7], ("iou", "pointed_at")),
    "08": Part(8, LESSONS[8], ("relu_loop", "find_race", "tiled_product", "register_block")),
    "09": Part(9, LESSONS[9], ("residual_dx", "front_features", "paired_interval")),
    "10": Part(
        10,
        LESSONS[10],
        ("box_iou_pairs", "encode_boxes", "decode_boxes", "assign_anchors", "non_maximum_suppression"),
    ),
    "11": Part(11, LESSONS[11], ("fooling_dx", "entropy_of_places", "power_step")),
    "12": Part(12, LESSONS[12], ("reparametrise", "reparametrise_dx", "kl_gaussian", "kl_gaussian_dx", "walk_codes")),
    "13": Part(
        13, LESSONS[13], ("n_step_returns", "policy_gradient", "policy_entropy", "policy_entropy_dx", "clip_norm")
    ),
    "14": Part(14, LESSONS[14], ("add_coords_first", "what_is_wrong", "kernel_to_torch", "grown_kernel")),
}
"""The parts of the lessons in order, by the name with which the names of their notebooks begin."""

COURSE: dict[int, tuple[str, ...]] = {
    lesson: tuple(id for part in PARTS.values() if part.lesson == lesson for id in part.exercises) for lesson in LESSONS
}
"""The ids of the exercises of each lesson, all its parts together, in order."""


def part_of(id: str) -> str:
    """Return the name of the part that has an exercise.

    Examples
    --------
    >>> part_of("im2col"), part_of("max_pool")
    ('02', '03b')
    """
    return next(name for name, part in PARTS.items() if id in part.exercises)


def typed(part: str) -> str:
    """Return the name of a part as one types it after ``minicoord learn start``.

    Examples
    --------
    >>> typed("00"), typed("03b"), typed("10")
    ('0', '3b', '10')
    """
    return part.lstrip("0") or "0"


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
