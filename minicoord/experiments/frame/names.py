"""Names that an experiment may not declare, because the frame or the command line would take them for something else.

A variant's word, a setting and an option of every run share one command line; model, variant and setting share the
arguments of `Experiment.plan`, the keys of a grid and the name of a run's folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from minicoord.experiments.frame.declaration import Declaration
from minicoord.experiments.frame.settings import fields_of

OF_EVERY_RUN = frozenset(
    [
        "model",
        "preset",
        "seed",
        "seeds",
        "first_seed",
        "threads",
        "out",
        "resume",
        "overwrite",
        "json",
        "as_json",
        "help",
    ]
)
"""The options of ``minicoord run`` for every experiment."""

OF_PYTHON = frozenset(["self", "variant", "experiment", "progress", "command"])
"""The arguments of `Experiment.run` and keys of a grid that are no options of the command line."""

TYPES = (int, float, bool, str)


def check_names(experiment: Declaration) -> None:
    """Raise ValueError if a name or a type that an experiment declares cannot be used, or stands for two things."""
    problem = next(_problems(experiment), None)
    if problem:
        raise ValueError(problem)


def _problems(experiment: Declaration) -> Iterator[str]:
    word = experiment.variant_name
    settings = [field.name for field in fields_of(experiment.Settings)]
    for name in settings:
        if name in OF_EVERY_RUN:
            yield f"a setting is called {name!r}, which is an option of every run"
        if name in OF_PYTHON:
            yield f"a setting is called {name!r}, which has a meaning for every run"
        if name == word and any(experiment.variants):
            yield f"a setting is called {name!r}, as are the variants"
    if word in (OF_EVERY_RUN | OF_PYTHON) - {"variant"}:
        yield f"the variants are called {word!r}, which has a meaning for every run"
    hints = get_type_hints(experiment.Settings)
    for name in settings:
        if not _is_possible(hints[name]):
            shown = hints[name].__name__ if isinstance(hints[name], type) else hints[name]
            yield f"the setting {name!r} is a {shown}, wanted int, float, bool or str, or one of these or None"
        if bool in (hints[name], *get_args(hints[name])) and f"no_{name}" in settings:
            yield f"the settings {name!r} and 'no_{name}' share the option --no-{name.replace('_', '-')}"
    named = {
        "model": (*experiment.models, *experiment.more_models),
        word: (*experiment.variants, *experiment.more_variants),
    }
    for kind, names in named.items():
        for name in names:
            if "/" in name or "\\" in name or name in (".", "..") or "\0" in name:
                yield f"the {kind} {name!r} cannot be part of the name of a folder"
            if name == "both":
                yield f"a {kind} is called 'both', which stands for several"


def _is_possible(hint: Any) -> bool:
    """Return whether a setting may have this type: one of `TYPES`, or one of them or None."""
    if get_origin(hint) in (Union, UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return len(kinds) == 1 and kinds[0] in TYPES
    return hint in TYPES
