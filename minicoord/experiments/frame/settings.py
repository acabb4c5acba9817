"""The settings of an experiment: a dataclass whose fields carry a help text and the networks that they belong to.

The options of the command line, the keys of a sweep's grid, the names of runs and their records all come from these
fields.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from minicoord.system.arguments import shown
from minicoord.system.suggestion import suggestion

S = TypeVar("S", bound="Settings")


def setting(
    help: str,
    default: Any = MISSING,
    *,
    choices: Collection[str] | Collection[int] | None = None,
    models: Collection[str] | None = None,
) -> Any:
    """Return a field for a dataclass of settings, as `dataclasses.field` does.

    Parameters
    ----------
    help : str
        The help text of the command line: a phrase that stands alone, with the unit.
    default : object, optional
        The value where a preset gives none. Without a default, every preset must give one.
    choices : collection of str or int, optional
        The values that are allowed; by default all of the type.
    models : collection of str, optional
        The networks that have this setting; by default all.
    """
    metadata = {"help": help, "choices": choices, "models": models}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The base class of an experiment's settings.

    A field is an int (at least 1), a float (finite, at least 0), a bool or a str, or one of these or None.

    Examples
    --------
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Mine(Settings):
    ...     steps: int = setting("length of the run in steps", 100)
    ...     slope: float = setting("slope of the leaky ReLU below 0", 0.2, models=["critic"])
    >>> names_of(Mine, "generator"), names_of(Mine, "critic")
    (['steps'], ['steps', 'slope'])
    """

    def check(self) -> None:
        """Raise ValueError if settings contradict each other; a subclass says which do."""


def fields_of(kind: type[Settings], model: str | None = None) -> list[Field]:
    """Return the fields of the settings that a network has; without `model`, all of them."""
    found = [f for f in fields(kind) if "help" in f.metadata]
    return [f for f in found if model is None or f.metadata["models"] is None or model in f.metadata["models"]]


def names_of(kind: type[Settings], model: str | None = None) -> list[str]:
    """Return the names of the settings that a network has; without `model`, all of them."""
    return [f.name for f in fields_of(kind, model)]


def values_of(settings: Settings, model: str) -> dict[str, Any]:
    """Return the values of the settings that a network has, by name."""
    return {name: getattr(settings, name) for name in names_of(type(settings), model)}


def changed(settings: S, where: str, model: str, changes: Mapping[str, Any]) -> S:
    """Return a copy of `settings` with some values replaced, after checking each value and all of them together.

    Parameters
    ----------
    settings : Settings
        Those of a preset.
    where : str
        What the error messages begin with: ``"classification, coordconv"``.
    model : str
        The network.
    changes : mapping
        The new values, by name.

    Raises
    ------
    ValueError
        If there is no such setting, the network does not have it, or a value is out of range or contradicts
        another.
    """
    kind = type(settings)
    for name, value in changes.items():
        check_change(kind, where, model, name, value)
    result = replace(settings, **{name: as_kept(kind, name, value) for name, value in changes.items()})
    try:
        result.check()
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None
    return result


def check_change(kind: type[Settings], where: str, model: str, name: str, value: Any) -> None:
    """Raise ValueError if the network `model` has no setting `name`, or `value` is out of range."""
    if name not in names_of(kind):
        raise ValueError(f"{where}: there is no setting {shown(name)}; {suggestion(name, names_of(kind))}")
    if name not in names_of(kind, model):
        has = ", ".join(names_of(kind, model))
        raise ValueError(f"{where}: {shown(name)} is not a setting of this network, wanted one of {has}")
    wanted = _wanted(kind, name, value)
    if wanted is not None:
        raise ValueError(f"{where}: {name} was {shown(value)}, wanted {wanted}")


def as_kept(kind: type[Settings], name: str, value: Any) -> Any:
    """Return an int as a float where the setting is a float, so that 0 and 0.0 give one run with one name."""
    is_int = isinstance(value, int) and not isinstance(value, bool)
    return float(value) if is_int and type_of(kind, name) is float else value


def type_of(kind: type[Settings], name: str) -> type:
    """Return the type of a setting: int, float, bool or str, also where None is allowed."""
    hint = _hints(kind)[name]
    return next((t for t in get_args(hint) if t is not type(None)), hint)


@cache
def _hints(kind: type[Settings]) -> dict[str, Any]:
    """Return the types of all fields. Annotations are strings, slow to evaluate, and a sweep asks for them often."""
    return get_type_hints(kind)


def _wanted(kind: type[Settings], name: str, value: Any) -> str | None:
    """Return in words which values are allowed; None if `value` is one of them."""
    if value is None and type(None) in get_args(_hints(kind)[name]):
        return None
    choices = next(f for f in fields_of(kind) if f.name == name).metadata["choices"]
    if choices is not None:
        return None if value in choices else f"one of {', '.join(map(str, choices))}"
    of_type = type_of(kind, name)
    if of_type is bool:
        return None if isinstance(value, bool) else "true or false"
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if of_type is float:
        return None if 0 <= number < math.inf else "a finite number of at least 0"
    if of_type is int:
        return None if isinstance(number, int) and number >= 1 else "a whole number of at least 1"
    return None if isinstance(value, str) else "text"
