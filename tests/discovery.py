"""Finds what the tests have to cover: every kernel in ``minicoord/kernels/`` and every layer in ``minicoord/nn/``.

Nothing is listed by hand but what is left out, and why. Each function that ends in ``_faults`` returns one sentence for
each thing that was forgotten, and what to do about it; a test asserts that there are none.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import minicoord.kernels
import minicoord.nn
import minicoord.reference
from minicoord.nn.layers.base import Layer

INFRASTRUCTURE = {
    "backend": "compiles, starts and guards kernels",
    "division": "how work is divided among threads and caches, which tests/kernels/test_division.py tests",
    "geometry": "sizes and padding, in plain Python; every windowed kernel uses it and is compared",
}
"""Modules of ``kernels/`` (or folders, with all that is in them) that compute nothing, and what they do instead."""

PARTS = {
    "adjoint": "dx of convolution, and transposed convolution",
    "bands": "the rows of an image that lie under the kernel",
    "convolve": "the loop of convolution",
    "micro_kernel": "the loop in which matrices are multiplied",
    "neighbours": "pixels of few channels, side by side",
    "panels": "the right factor of a product, rearranged",
    "parts": "the convolutions that an output consists of",
    "pointwise": "chains of 1x1 convolutions, which tests/kernels/test_pointwise.py compares",
    "sums": "the gradient of a bias",
    "weight_gradient": "the gradient of a kernel",
}
"""Modules that are a part of the convolutions. A part has no oracle of its own: `part_faults` finds one that no
comparison of a whole convolution goes through."""

WORK = ("need_dx", "parallel")
"""Arguments that say how much work a kernel does, and not what comes out. An oracle leaves them out."""

READY_MADE = {"win": {"stride", "padding"}}
"""Arguments that a kernel wants ready-made, and from what its oracle makes them itself."""

SIZES = {"int", "float", "bool", "str", "tuple", "list", "None", "np", "dtype", "Pair", "Padding", "Window"}
"""A function all of whose annotations are made of these types works out sizes, and computes nothing from arrays."""

Function = Callable[..., Any]


def modules_below(package: ModuleType) -> dict[str, ModuleType]:
    """Return all modules of a package, by name within it, such as ``"dense"`` or ``"backend.runtime"``."""
    prefix = f"{package.__name__}."
    names = [module.name for module in pkgutil.walk_packages(package.__path__, prefix)]
    return {name.removeprefix(prefix): importlib.import_module(name) for name in names}


# Kernels


def operations() -> dict[str, dict[str, Function]]:
    """Return the functions that must have an oracle, by module and name."""
    found = {
        module: functions
        for module, functions in _kernels().items()
        if not any(_lies_in(module, other) for other in (*INFRASTRUCTURE, *PARTS))
    }
    assert len(found) > 10, "the kernels are not where they were: look at minicoord/kernels/ and this file"
    return found


def parts() -> dict[str, dict[str, Function]]:
    """Return the functions of `PARTS`, by module and name."""
    return {module: f for module, f in _kernels().items() if any(_lies_in(module, part) for part in PARTS)}


def oracle(module: str, name: str) -> Function:
    """Return the oracle of a kernel."""
    return getattr(importlib.import_module(f"minicoord.reference.{module}"), name)


def _kernels() -> dict[str, dict[str, Function]]:
    """Return the functions of each module of ``kernels/`` that compute something."""
    found = {}
    for name, module in modules_below(minicoord.kernels).items():
        functions = {key: _plain(value) for key, value in vars(module).items()}
        own = {key: f for key, f in functions.items() if inspect.isfunction(f) and f.__module__ == module.__name__}
        computing = {key: getattr(module, key) for key, f in own.items() if _computes(key, f)}
        if computing:
            found[name] = computing
    return found


def _plain(value: Any) -> Any:
    """Return the Python function behind a compiled one."""
    return getattr(value, "py_func", value)


def _computes(name: str, function: Function) -> bool:
    """Whether a function is public, and does more than check arguments, answer yes or no, or work out sizes."""
    if name.startswith(("_", "check_", "is_")):
        return False
    annotations = [a.__name__ if type(a) is type else str(a) for a in function.__annotations__.values()]
    return not annotations or not SIZES.issuperset(word for a in annotations for word in re.findall(r"\w+", a))


def _lies_in(module: str, other: str) -> bool:
    return module == other or module.startswith(f"{other}.")


def kernel_faults(examples: dict[str, Any]) -> list[str]:
    """Return a sentence for every kernel without an oracle, without one of the same arguments, or never compared.

    Parameters
    ----------
    examples : dict
        The names of the kernels that the tests compare with their oracles, as in ``kernel_examples.EXAMPLES``.
    """
    return [*_without_oracle(), *_not_compared(examples), *_left_over(examples)]


def _without_oracle() -> Iterator[str]:
    oracles = modules_below(minicoord.reference)
    for module, functions in operations().items():
        for name, function in functions.items():
            slow = getattr(oracles.get(module), name, None)
            there = f"minicoord/reference/{module.replace('.', '/')}.py"
            if slow is None:
                yield f"{_file(module)}: {name} has no oracle; write a function of the same name in {there}"
                continue
            if getattr(minicoord.reference, name, None) is not slow:
                yield f"{there}: {name} is missing from minicoord/reference/__init__.py; import it there"
            yield from (f"{there}: {name} {fault}" for fault in _other_arguments(function, slow))


def _other_arguments(function: Function, slow: Function) -> Iterator[str]:
    """Yield how the arguments of an oracle differ from those of its kernel."""
    fast_arguments = inspect.signature(function).parameters
    arguments = inspect.signature(slow).parameters
    wanted = [key for key in fast_arguments if key not in WORK and key not in READY_MADE]
    made_here = {key for ready, keys in READY_MADE.items() if ready in fast_arguments for key in keys}
    found = [key for key in arguments if key in wanted or key not in made_here]
    if found != wanted:
        yield f"takes {', '.join(found)}, but its kernel {', '.join(wanted)}"
    for key in set(found) & set(wanted):
        default = fast_arguments[key].default
        if default is not inspect.Parameter.empty and arguments[key].default != default:
            yield f"has {arguments[key].default!r} as the default of {key}, but its kernel {default!r}"


def _not_compared(examples: dict[str, Any]) -> Iterator[str]:
    for module, functions in operations().items():
        for name in functions:
            if name not in examples:
                yield (
                    f"{_file(module)}: no test compares {name} with its oracle; "
                    "add arguments for it to EXAMPLES in tests/kernel_examples.py"
                )


def _left_over(examples: dict[str, Any]) -> Iterator[str]:
    """Yield what is listed, here or in the examples, and is not there any more."""
    modules = modules_below(minicoord.kernels)
    for listed in (*INFRASTRUCTURE, *PARTS):
        if listed not in modules:
            yield f"tests/discovery.py lists the kernel file {listed}, which does not exist; take it off the list"
    names = {name for functions in operations().values() for name in functions}
    for name in examples:
        if name not in names:
            yield f"tests/kernel_examples.py has examples of {name}, which is not a kernel in minicoord/kernels/"


def part_faults(called: set[Any]) -> list[str]:
    """Return a sentence for every function of `PARTS` whose code is not among what the comparisons have `called`.

    What compiled code calls is not seen from Python, so compiled functions count only where nothing is compiled.
    """
    return [
        f"{_file(module)}: no comparison of a whole convolution calls {name}; add one to tests/kernel_examples.py"
        for module, functions in parts().items()
        for name, function in functions.items()
        if inspect.isfunction(function) and function.__code__ not in called
    ]


def _file(module: str) -> str:
    return f"minicoord/kernels/{module.replace('.', '/')}.py"


# Layers


def layer_classes() -> dict[str, type[Layer]]:
    """Return every layer class that can be used as it is: public, in ``nn/``, with a forward and a backward pass."""
    found = {}
    for module in modules_below(minicoord.nn).values():
        for name, value in vars(module).items():
            if not inspect.isclass(value) or not issubclass(value, Layer) or value.__module__ != module.__name__:
                continue
            is_base = value.forward is Layer.forward or value.backward is Layer.backward
            if not is_base and not name.startswith("_"):
                found[name] = value
    assert len(found) > 15, "the layers are not where they were: look at minicoord/nn/ and this file"
    return found


def layer_faults(examples: dict[str, list[tuple[Callable[[], Layer], Any]]]) -> list[str]:
    """Return a sentence for every layer class without an example or a public name, and for every example out of place.

    Parameters
    ----------
    examples : dict
        For each class how to make layers of it, and of what input shape, as in ``layer_examples.EXAMPLES``.
    """
    classes, faults = layer_classes(), []
    for name, cls in classes.items():
        layer = f"{cls.__module__.replace('.', '/')}.py: the layer {name}"
        if not examples.get(name):
            faults.append(
                f"{layer} has no example; add one or more to EXAMPLES in tests/layer_examples.py, "
                "and every test of layers runs over them"
            )
        if name not in minicoord.__all__:
            faults.append(f"{layer} cannot be imported from minicoord; add it to minicoord/__init__.py")
    for name, listed in examples.items():
        if name not in classes:
            faults.append(f"tests/layer_examples.py has examples of {name}, which is not a layer in minicoord/nn/")
        elif any(type(make()) is not classes[name] for make, _ in listed):
            faults.append(f"tests/layer_examples.py: an example of {name} makes a layer of another class")
    return faults
