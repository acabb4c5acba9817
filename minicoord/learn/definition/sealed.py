"""Exercises whose solution is with the teacher: their file holds it in a form that nobody reads by accident.

The checks need the solution, so it cannot be left out. It is packed, and no function shows it. Whoever wants to unpack
it can: this protects against looking, and not against effort.
"""

from __future__ import annotations

import base64
import sys
import zlib

from minicoord.learn.definition.exercise import Exercise

ASK = "the solution of {id} is with your teacher: ask them"


def sealed_module(source: str, exercise: Exercise) -> str:
    """Return the text of a module that defines the same exercise as this source, without showing its solution."""
    packed = base64.b85encode(zlib.compress(source.encode("utf-8"), 9)).decode("ascii")
    return (
        f'"""Exercise {exercise.id}; {ASK.format(id=exercise.id)}."""\n\n'
        "from minicoord.learn.definition.sealed import unpack\n\n"
        f"exercise = unpack(__name__, {exercise.stub_text()!r}, {packed!r})\n"
    )


def unpack(module: str, stub: str, packed: str) -> Exercise:
    """Define the exercise of a sealed module, and return it.

    Parameters
    ----------
    module : str
        The name of the module, whose names it becomes.
    stub : str
        What learners are handed out.
    packed : str
        The source of the module, as `sealed_module` packs it.
    """
    source = zlib.decompress(base64.b85decode(packed)).decode("utf-8")
    names = sys.modules[module].__dict__
    exec(compile(source, f"<{module}>", "exec", dont_inherit=True), names)
    exercise: Exercise = names["exercise"]
    exercise.sealed_stub = stub
    return exercise
