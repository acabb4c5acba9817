"""Read a batch of CIFAR-10's Python form without unpickling it.

A pickle is a program for a small stack machine, and Python's own machine may call any function that the program names.
This one knows only what a dictionary of strings, whole numbers, lists and one NumPy array of bytes needs. It imports
nothing and calls nothing: the three names that stand for an array are recognised, and every other instruction or name
ends the reading.
"""

from __future__ import annotations

import pickletools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import shown

_PUSH = {  # instructions that push their argument
    *("INT", "LONG", "LONG1", "BININT", "BININT1", "BININT2", "STRING", "BINSTRING", "SHORT_BINSTRING"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINBYTES", "SHORT_BINBYTES"),
}
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_IGNORED = {"PROTO", "FRAME"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NAMES = {  # the functions that the pickle of an array names, by what they stand for
    "numpy.core.multiarray _reconstruct": "array",
    "numpy._core.multiarray _reconstruct": "array",
    "numpy ndarray": "type of array",
    "numpy dtype": "dtype",
    "_codecs encode": "bytes",
}
_BYTES = ("u1", "|u1", b"u1", b"|u1")
_MARK = object()


class _Name(NamedTuple):
    stands_for: str


class _Made:
    """What a call would have made: an array or a dtype, before and after its state was set."""

    def __init__(self, kind: str, arguments: Any) -> None:
        self.kind, self.arguments, self.value = kind, arguments, None


def read_pickled_batch(content: bytes, what: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the pixels and labels of a file such as ``cifar-10-batches-py/data_batch_1``.

    Parameters
    ----------
    content : bytes
        The file.
    what : str
        How errors name it.

    Returns
    -------
    pixels : ndarray (N, M) of uint8
    labels : ndarray (N,) of uint8

    Raises
    ------
    ValueError
        If it is something other than such a batch, or is damaged.
    """
    try:
        found = _run(content)
        batch = {_text(key): value for key, value in found.items()}
        return batch["data"].value, np.array(batch["labels"], np.uint8)
    except Exception as error:  # a damaged program can fail in any way
        raise ValueError(f"{what} is not a batch of CIFAR-10's Python form ({error}); fetch it again") from None


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _run(content: bytes) -> Any:
    """Return what the program leaves on the stack."""
    stack: list[Any] = []
    memory: dict[int, Any] = {}
    argument: Any
    for instruction, argument, _ in pickletools.genops(content):
        name = instruction.name
        if name in _PUSH:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name == "MARK":
            stack.append(_MARK)
        elif name in ("EMPTY_DICT", "EMPTY_LIST"):
            stack.append({} if name == "EMPTY_DICT" else [])
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            stack.append(_known(argument if name == "GLOBAL" else " ".join(_pop(stack, 2))))
        elif name in ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"):
            memory[len(memory) if argument is None else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memory[argument])
        elif name in _TUPLES:
            stack.append(tuple(_pop(stack, _TUPLES[name])))
        elif name in _ON_MARK:
            _ON_MARK[name](stack, _pop_to_mark(stack))
        elif name in _ON_TWO:
            _ON_TWO[name](stack, *_pop(stack, 2))
        elif name == "STOP":
            return stack.pop()
        elif name not in _IGNORED:
            raise ValueError(f"the instruction {name} has no place in it")
    raise ValueError("it has no end")


def _known(name: str) -> _Name:
    if name not in _NAMES:
        raise ValueError(f"the name {shown(name)} has no place in it")
    return _Name(_NAMES[name])


def _pop(stack: list[Any], count: int) -> list[Any]:
    taken = stack[-count:]
    del stack[-count:]
    return taken


def _pop_to_mark(stack: list[Any]) -> list[Any]:
    at = max(index for index, value in enumerate(stack) if value is _MARK)
    taken = stack[at + 1 :]
    del stack[at:]
    return taken


def _call(stack: list[Any], function: _Name, arguments: tuple[Any, ...]) -> None:
    if function.stands_for == "bytes":
        text, coding = arguments
        if coding not in ("latin1", "latin-1"):
            raise ValueError(f"its bytes are written as {shown(coding)}, wanted latin1")
        stack.append(text.encode("latin-1"))
    elif function.stands_for in ("array", "dtype"):
        stack.append(_Made(function.stands_for, arguments))
    else:
        raise ValueError(f"it calls {function.stands_for}")


def _set_state(stack: list[Any], made: _Made, state: tuple[Any, ...]) -> None:
    """Fill an array; a dtype needs nothing but its name, which must be that of bytes."""
    if made.kind == "array":
        _, shape, dtype, column_major, pixels = state
        if dtype.arguments[0] not in _BYTES:
            raise ValueError(f"its array has the dtype {shown(dtype.arguments[0])}, wanted unsigned bytes")
        content = pixels.encode("latin-1") if isinstance(pixels, str) else pixels
        made.value = np.frombuffer(content, np.uint8).reshape(shape, order="F" if column_major else "C")
    stack.append(made)


def _set_item(stack: list[Any], key: Any, value: Any) -> None:
    stack[-1][key] = value


_ON_MARK = {
    "TUPLE": lambda stack, values: stack.append(tuple(values)),
    "LIST": lambda stack, values: stack.append(values),
    "APPENDS": lambda stack, values: stack[-1].extend(values),
    "DICT": lambda stack, values: stack.append(dict(zip(values[::2], values[1::2], strict=True))),
    "SETITEMS": lambda stack, values: stack[-1].update(zip(values[::2], values[1::2], strict=True)),
}
_ON_TWO = {
    "REDUCE": _call,
    "BUILD": _set_state,
    "SETITEM": _set_item,
    "APPEND": lambda stack, items, value: (items.append(value), stack.append(items)),
}
