"""All arguments of a function compared with its annotations: one door for functions that take nested data.

A figure takes mappings of mappings of arrays, and training takes functions, models and paths. Each of them would need a
page of checks, or would fail deep inside with an error about something that the caller never wrote.
"""

from __future__ import annotations

import collections.abc as abc
import functools
import inspect
import os
import types
import typing
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

from minicoord.system.arguments import check_flag, is_number, is_sequence, is_whole, shown
from minicoord.system.places import check_path

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Check = Callable[[str, Any], object]
"""Raises, naming what it was called with, if a value is not of the type."""


def check_types(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function check the types of its arguments first, also within mappings, sequences and tuples.

    What an annotation says is all that is checked: values, shapes and keys are the function's own business. A call with
    too few or too many arguments raises Python's own error, as ever.

    Raises
    ------
    TypeError, ValueError
        If an argument, or something within one, is not of the type of its annotation.

    Examples
    --------
    >>> @check_types
    ... def total(prices: typing.Mapping[str, float]) -> float:
    ...     return sum(prices.values())
    >>> total({"tea": 2.5, "bread": "3"})
    Traceback (most recent call last):
    TypeError: total: prices['bread'] was '3', wanted a number
    """
    name = function.__name__

    @functools.wraps(function)
    def checked(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        signature, checks = _of(function)
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:  # Python's own words for a missing argument, from the call itself
            return function(*args, **kwargs)
        for key, value in given.items():
            for place, one in _spread(signature, key, value):
                checks[key](f"{name}: {place}", one)
        return function(*args, **kwargs)

    return checked


@functools.cache
def _of(function: Callable[..., Any]) -> tuple[inspect.Signature, dict[str, Check]]:
    signature, plain = inspect.signature(function), inspect.unwrap(function)
    checks = {}
    for key, parameter in signature.parameters.items():
        check = check_of(_resolved(parameter.annotation, plain.__globals__))
        checks[key] = _or_none(check) if parameter.default is None else check
    return signature, checks


def _resolved(annotation: Any, names: dict[str, Any]) -> Any:
    """Return an annotation that is written as text; Any for one that is imported for type checkers only."""
    try:
        return eval(annotation, names) if isinstance(annotation, str) else annotation
    except NameError:
        return Any


def _spread(signature: inspect.Signature, key: str, value: Any) -> Iterable[tuple[str, Any]]:
    """Return each argument with its name: ``*args`` and ``**kwargs`` are many."""
    kind = signature.parameters[key].kind
    if kind is inspect.Parameter.VAR_POSITIONAL:
        return [(f"{key}[{k}]", one) for k, one in enumerate(value)]
    return value.items() if kind is inspect.Parameter.VAR_KEYWORD else [(key, value)]


def _or_none(check: Check) -> Check:
    return lambda what, value: None if value is None else check(what, value)


@functools.cache
def check_of(hint: Any) -> Check:
    """Return the check of an annotation; what it does not know, it lets pass."""
    import numpy as np  # after the help texts of commands, which do not wait for it

    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _union(hint, inner)
    if origin is np.ndarray or hint is np.ndarray:
        return _array
    if origin is abc.Callable or hint in (abc.Callable, typing.Callable):
        return lambda what, value: _refuse_unless(callable(value), what, value, "a function")
    if origin is tuple:
        return _tuple(inner)
    if isinstance(origin, type) and issubclass(origin, abc.Mapping):
        return _mapping(*(check_of(part) for part in inner))
    if isinstance(origin, type) and issubclass(origin, abc.Iterable):
        return _sequence(check_of(inner[0]), origin)
    return _SIMPLE.get(hint) or _instance(hint)


def _refuse_unless(right: bool, what: str, value: Any, wanted: str) -> None:
    if not right:
        raise TypeError(f"{what} was {shown(value)}, wanted {wanted}")


def _array(what: str, value: Any) -> None:
    import numpy as np

    right = isinstance(value, np.ndarray) and not isinstance(value, np.ma.MaskedArray) and value.dtype.kind in "biuf"
    _refuse_unless(right, what, value, "a NumPy array of numbers, without a mask")


def _whole(what: str, value: Any) -> None:
    if not is_whole(value):
        raise ValueError(f"{what} was {shown(value)}, wanted a whole number")


_SIMPLE: dict[Any, Check] = {
    bool: check_flag,
    int: _whole,
    float: lambda what, value: _refuse_unless(is_number(value), what, value, "a number"),
    str: lambda what, value: _refuse_unless(isinstance(value, str), what, value, "a str"),
    type(None): lambda what, value: _refuse_unless(value is None, what, value, "None"),
    os.PathLike: check_path,
}


def _instance(hint: Any) -> Check:
    if hint is Any or not isinstance(hint, type) or hint is object or getattr(hint, "_is_protocol", False):
        return lambda what, value: None
    name = hint.__name__
    wanted = f"{'an' if name[0] in 'AEIO' else 'a'} {name}"

    def check(what: str, value: Any) -> None:
        if not isinstance(value, hint):
            raise TypeError(f"{what} is of type {type(value).__name__}, wanted {wanted}")

    return check


def _union(hint: Any, members: tuple[Any, ...]) -> Check:
    if str in members and any(typing.get_origin(m) is os.PathLike or m is os.PathLike for m in members):
        return _or_none(check_path) if type(None) in members else check_path
    some = [member for member in members if member is not type(None)]
    checks = [check_of(member) for member in some]
    words = [*dict.fromkeys(_in_words(member) for member in some)]
    if len(checks) < len(members):
        words.append("None")

    def check(what: str, value: Any) -> object:
        if value is None and len(checks) < len(members):
            return None
        for one in checks:
            try:
                return one(what, value)
            except (TypeError, ValueError):
                continue
        if len(checks) == 1:
            return checks[0](what, value)
        raise TypeError(f"{what} was {shown(value)}, wanted {', '.join(words[:-1])} or {words[-1]}")

    return check


def _in_words(hint: Any) -> str:
    origin = typing.get_origin(hint) or hint
    known = {int: "a whole number", float: "a number", bool: "True or False", abc.Callable: "a function"}
    name = getattr(origin, "__name__", "something else")
    return known.get(origin) or f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def _tuple(members: tuple[Any, ...]) -> Check:
    if len(members) == 2 and members[1] is ...:
        return _sequence(check_of(members[0]), tuple)
    checks = [check_of(member) for member in members]

    def check(what: str, value: Any) -> None:
        right = is_sequence(value) and len(value) == len(checks)
        _refuse_unless(right, what, value, f"a tuple of {len(checks)}")
        for k, (one, element) in enumerate(zip(checks, value, strict=True)):
            one(f"{what}[{k}]", element)

    return check


def _mapping(key: Check, element: Check) -> Check:
    def check(what: str, value: Any) -> None:
        _refuse_unless(isinstance(value, abc.Mapping), what, value, "a dict")
        for name, one in value.items():
            key(f"a key of {what}", name)
            element(f"{what}[{shown(name)}]", one)

    return check


def _sequence(element: Check, origin: type) -> Check:
    def check(what: str, value: Any) -> None:
        if origin in (abc.Iterable, abc.Iterator, abc.Collection) and isinstance(value, origin):
            return  # to look into it could use it up
        _refuse_unless(is_sequence(value), what, value, "a list or tuple")
        for k, one in enumerate(value):
            element(f"{what}[{k}]", one)

    return check
