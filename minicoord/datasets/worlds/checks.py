"""Checks that a world keeps the protocol: what an agent is given goes straight into its weights."""

from __future__ import annotations

from typing import Any

import numpy as np

from minicoord.datasets.worlds.share import Facts
from minicoord.datasets.worlds.world import Step, World
from minicoord.system.arguments import check_shape_given, check_whole, is_sequence, is_whole, shown

_PARTS = (*World.__annotations__, "reset", "step", "look", "state", "restore")


def check_world(world: Any) -> None:
    """Check what a world says of itself.

    Raises
    ------
    TypeError
        If it lacks an attribute or a method of `World`, or one is of the wrong type.
    ValueError
        If it has no episode, or no action, or its place channel is none of the channels.
    """
    missing = [name for name in _PARTS if not hasattr(world, name)]
    if missing:
        raise TypeError(f"the world was {shown(world)}, wanted one with {', '.join(missing)} (see World)")
    check_whole("count of the world", world.count, 1)
    _check_pictures_of("the world", world.shape)
    _check_actions("the world", world.actions)
    place = world.place_channel
    if place is not None and not (is_whole(place) and 0 <= place < world.shape[2]):
        raise ValueError(f"place_channel of the world was {shown(place)}, wanted None or 0 to {world.shape[2] - 1}")


def check_pictures(what: str, pictures: Any, world: World) -> None:
    """Raise ValueError unless the pictures are an array (N, H, W, C) of float32 with values from 0 to 1."""
    wanted = (world.count, *world.shape)
    if not isinstance(pictures, np.ndarray) or pictures.shape != wanted or pictures.dtype != np.float32:
        raise ValueError(f"{what} of the world was {shown(pictures)}, wanted an array of shape {wanted} and float32")
    least, most = pictures.min(), pictures.max()  # both are NaN if one number is
    if not (least >= 0 and most <= 1):
        raise ValueError(f"{what} of the world has values from {least:g} to {most:g}, wanted 0 to 1")


def check_step(step: Any, world: World) -> None:
    """Check what a world returns for an action.

    Raises
    ------
    TypeError
        If it is not a `Step`.
    ValueError
        If a picture or a reward is of another shape or type, a value is not from 0 to 1, a reward is not finite, or an
        episode has both ended and been cut off.
    """
    if not isinstance(step, Step):
        raise TypeError(f"step of the world returned {shown(step)}, wanted a Step")
    check_pictures("pictures", step.pictures, world)
    if step.arrived is not step.pictures:
        check_pictures("arrived", step.arrived, world)
    for name, kinds, words in (("rewards", "fiu", "numbers"), ("ended", "b", "bool"), ("cut", "b", "bool")):
        array = getattr(step, name)
        if not isinstance(array, np.ndarray) or array.shape != (world.count,) or array.dtype.kind not in kinds:
            wanted = f"an array of shape ({world.count},) of {words}"
            raise ValueError(f"{name} of the world was {shown(array)}, wanted {wanted}")
    finite = np.isfinite(step.rewards)
    if not finite.all():
        raise ValueError(f"a reward of the world was {step.rewards[~finite][0]:g}, wanted a finite number")
    if (step.ended & step.cut).any():
        raise ValueError("an episode of the world has ended and was cut off, wanted one of the two")


def check_state(state: Any) -> None:
    """Raise ValueError, as all that `restore` refuses does, unless the state of a world is a dict."""
    if not isinstance(state, dict):
        raise ValueError(f"it is damaged: the state of the world was {shown(state)}, wanted a dict")


def checked_facts(facts: Facts) -> Facts:
    """Return what games say of themselves, the shape and the actions as tuples.

    Raises
    ------
    TypeError
        If one of the attributes is of the wrong type.
    ValueError
        If a size of the pictures is 0, there is no action, or `white` is not from 1 to 255.
    """
    _check_pictures_of("the game", facts.shape)
    _check_actions("the game", facts.actions)
    if not is_whole(facts.white) or not 1 <= facts.white <= 255:
        raise ValueError(f"white of the game was {shown(facts.white)}, wanted a whole number from 1 to 255")
    height, width, channels = map(int, facts.shape)
    return Facts((height, width, channels), tuple(facts.actions), int(facts.white))


def _check_pictures_of(whose: str, shape: Any) -> None:
    wanted = "height, width and channels"
    sizes = check_shape_given(f"shape of {whose}", shape, wanted)
    if len(sizes) != 3 or 0 in sizes:
        raise ValueError(f"shape of {whose} was {shown(shape)}, wanted {wanted}, each at least 1")


def _check_actions(whose: str, actions: Any) -> None:
    if not is_sequence(actions) or not all(isinstance(name, str) for name in actions):
        raise TypeError(f"actions of {whose} was {shown(actions)}, wanted a tuple of their names")
    if not actions:
        raise ValueError(f"actions of {whose} was {shown(actions)}, wanted the name of at least one")
