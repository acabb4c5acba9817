"""Compare the gradients of a layer or a loss with difference quotients, entry by entry.

For a layer the scalar is ``f = sum(y * p)`` with random numbers `p`, so that ``dy = p``; where a layer has heads, the
sum runs over all of them. For a loss f is the loss. In float64 one entry ``v`` of an array is moved by a small ``h``,
and the central difference

    n = (f(v + h) - f(v - h)) / (2 h)

is what the gradient should be. Where f has a bend, a second pass with h / 2 tells a curve from a kink: on a curve, the
difference of the one-sided quotients ``(f(v + h) - 2 f(v) + f(v - h)) / h`` halves with h, and the central difference
stays; at a kink one of the two fails. On a curve both passes together are better still: ``(4 n(h/2) - n(h)) / 3``.
"""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.nn.composites.outputs import arrays_of, map_arrays
from minicoord.nn.layers.base import Layer
from minicoord.system.arguments import check_number, check_whole, shown
from minicoord.system.arrays import check_no_mask

RIGHT = 1e-7
SUSPICIOUS = 1e-4
MOST_ENTRIES = 2000
"""Entries per array that are checked if the caller does not say how many."""

_ROUNDING = float(np.finfo(np.float64).eps)


class GradcheckWarning(UserWarning):
    """Some entries lie at a kink, where a difference quotient says nothing about the gradient."""


@dataclass(frozen=True)
class ArrayCheck:
    """What was found for one array.

    Attributes
    ----------
    name : str
        ``"dx"``, or ``"dw"`` for the parameter ``w``, or ``"dprediction"``.
    shape : tuple of int
        The shape of the array.
    checked : int
        How many entries were compared, or found to lie at a kink: all, or a sample.
    kinks : int
        How many entries lie at a kink; they do not count in `error`.
    error : float
        The largest difference between gradient and quotient, over the largest magnitude of either among the entries
        checked; 0 if they agree. Where that is 1e-7 or more, what the rounding of the quotient explains is subtracted:
        a gradient that should be zero, such as that of a bias before batch normalisation, is all rounding.
    worst : tuple of int
        The index of the largest difference.
    gradient, quotient : float
        The gradient and the difference quotient there.
    """

    name: str
    shape: tuple[int, ...]
    checked: int
    kinks: int
    error: float
    worst: tuple[int, ...]
    gradient: float
    quotient: float

    @property
    def verdict(self) -> str:
        """``"right"``, ``"suspicious"``, ``"wrong"``, or ``"not checked"`` if every entry lies at a kink."""
        if self.kinks == self.checked > 0:
            return "not checked"
        if self.error < RIGHT:
            return "right"
        return "suspicious" if self.error <= SUSPICIOUS else "wrong"


@dataclass(frozen=True)
class GradcheckReport:
    """The result of `gradcheck`: one `ArrayCheck` per array. ``str(report)`` is a table."""

    subject: str
    arrays: tuple[ArrayCheck, ...]
    seed: int

    @property
    def ok(self) -> bool:
        """True if every array is right."""
        return all(array.verdict == "right" for array in self.arrays)

    @property
    def error(self) -> float:
        """The largest relative error of all arrays."""
        return max(array.error for array in self.arrays)

    @property
    def kinks(self) -> int:
        """How many entries lie at a kink."""
        return sum(array.kinks for array in self.arrays)

    def __getitem__(self, name: str) -> ArrayCheck:
        """Return the result for the array `name`, such as ``"dx"`` or ``"dw"``."""
        for array in self.arrays:
            if array.name == name:
                return array
        names = ", ".join(array.name for array in self.arrays)
        raise KeyError(f"no array {shown(name)} was checked; there are {names}")

    def __str__(self) -> str:
        header = ("array", "shape", "checked", "kinks", "relative error", "verdict")
        rows = [header, *(self._row(array) for array in self.arrays)]
        widths = [max(len(row[c]) for row in rows) for c in range(len(header))]
        lines = [f"gradcheck of {self.subject}"]
        lines += [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        for array in self.arrays:
            if array.verdict in ("suspicious", "wrong"):
                where = f"{array.name}[{', '.join(map(str, array.worst))}]"
                lines.append(f"{where} is {array.gradient:.9g}, the difference quotient {array.quotient:.9g}")
        if any(array.checked < math.prod(array.shape) for array in self.arrays):
            lines.append(f"The entries of a sample were drawn with seed {self.seed}.")
        return "\n".join(lines)

    def _row(self, array: ArrayCheck) -> tuple[str, ...]:
        size = math.prod(array.shape)
        checked = f"all {size}" if array.checked == size else f"{array.checked} of {size}"
        return array.name, str(array.shape), checked, str(array.kinks), f"{array.error:.1e}", array.verdict


def gradcheck(
    layer_or_loss: Layer | Callable[..., tuple[float, NDArray]],
    *inputs: Any,
    eps: float = 1e-5,
    sample: int | None = None,
    seed: int = 0,
    training: bool = True,
) -> GradcheckReport:
    """Check the gradients of a layer, a model or a loss against central differences in float64.

    Parameters
    ----------
    layer_or_loss : Layer or callable
        A layer or model, of which a copy in float64 is checked; or ``loss(prediction, target) -> (value,
        dprediction)``.
    *inputs : ndarray
        For a layer: `x`. For a loss: the prediction and the target. Arrays of floats are converted to float64.
    eps : float
        The step h, times the magnitude of the entry where that is above 1. A smaller one, such as 1e-7, steps over
        fewer kinks, which a network of a million ReLUs has everywhere, but leaves more rounding.
    sample : int, optional
        The most entries to check per array, drawn at random from larger ones. By default 2,000.
    seed : int
        Seed of the projection `p` and of the sample.
    training : bool
        Passed on to the layer's forward pass. The layer's state, such as running statistics, is reset before each one.

    Returns
    -------
    GradcheckReport
        A relative error per array, with a verdict: right below 1e-7; suspicious up to 1e-4, because float64 can do
        better unless a kink is near; wrong above that.

    Raises
    ------
    TypeError, ValueError
        If the inputs are wrong in number, type or shape, or a gradient has the wrong shape or is missing.

    Warns
    -----
    GradcheckWarning
        If entries lie at a kink (where the one-sided quotients disagree, as for ReLU at 0); they are left out.

    Examples
    --------
    >>> def squares(prediction, target):
    ...     difference = prediction - target
    ...     return float(np.sum(difference**2)), 2 * difference
    >>> gradcheck(squares, np.arange(3.0), np.ones(3)).ok
    True
    """
    check_number("gradcheck: eps", eps, 0.0, above=True)
    check_whole("gradcheck: sample", MOST_ENTRIES if sample is None else sample, 1)
    check_whole("gradcheck: seed", seed, 0)
    # Not default_rng(seed) itself: the caller may have drawn x from that, and a p equal to x hides errors.
    rng = np.random.default_rng([int(seed), 1])
    if isinstance(layer_or_loss, Layer):
        subject, cases = layer_or_loss.name, _layer_cases(layer_or_loss, inputs, rng, training)
    else:
        subject, cases = getattr(layer_or_loss, "__name__", "the loss"), _loss_cases(layer_or_loss, inputs)
    checks = tuple(_check_array(case, eps, sample or MOST_ENTRIES, rng) for case in cases)
    report = GradcheckReport(subject, checks, seed)
    if report.kinks:
        named = ", ".join(f"{array.kinks} of {array.checked} in {array.name}" for array in checks if array.kinks)
        warnings.warn(
            f"gradcheck of {subject}: entries at a kink were left out: {named}; a smaller eps meets fewer kinks",
            GradcheckWarning,
            stacklevel=2,
        )
    return report


@dataclass(frozen=True)
class _Case:
    """One array to check: ``change()`` returns f now minus f at the start, whatever the entries of `values` are now."""

    name: str
    values: NDArray
    gradient: NDArray
    change: Callable[[], float]
    rounding: float  # of f, as an absolute number


def _layer_cases(layer: Layer, inputs: tuple[Any, ...], rng: np.random.Generator, training: bool) -> Iterator[_Case]:
    if len(inputs) != 1:
        raise ValueError(f"gradcheck: {layer.name} was given {len(inputs)} inputs, wanted one: x")
    layer = copy.deepcopy(layer).astype(np.float64)
    x = _float64(inputs[0], "x")
    state = {key: array.copy() for key, array in layer.state.items()}

    def forward() -> NDArray:
        for key, array in state.items():
            np.copyto(layer.state[key], array)
        return layer.forward(x, training)

    y = map_arrays(np.copy, forward())  # an array, or a dict of arrays where the layer has heads
    p = map_arrays(lambda array: rng.standard_normal(array.shape), y)
    ys, ps = list(arrays_of(y)), list(arrays_of(p))

    def change() -> float:
        return sum(float(np.sum((now - y) * p)) for now, y, p in zip(arrays_of(forward()), ys, ps, strict=True))

    dx = np.array(layer.backward(map_arrays(np.copy, p)))
    grads = {key: np.array(array) for key, array in layer.grads.items()}
    arrays = {"dx": (x, dx)}
    for key, values in layer.params.items():
        if key not in grads:
            raise ValueError(f"gradcheck: the backward pass of {layer.name} left no gradient of {shown(key)}")
        arrays[_gradient_name(key)] = values, grads[key]
    rounding = _rounding_of_layer([y * p for y, p in zip(ys, ps, strict=True)], arrays)
    for name, (values, gradient) in arrays.items():
        yield _Case(name, values, gradient, change, rounding)


def _rounding_of_layer(outputs: list[NDArray], arrays: dict[str, tuple[NDArray, NDArray]]) -> float:
    """Return the rounding of f to expect: that of each output, and what a last bit of each input and parameter does.

    The outputs are subtracted before they are summed: those that did not change leave no rounding behind. Inside a
    model numbers may be larger than in its output; the second part stands for them. All have random signs.
    """
    terms = [*outputs, *(values * gradient for values, gradient in arrays.values() if values.shape == gradient.shape)]
    return _ROUNDING * math.sqrt(sum(float(np.sum(np.square(term[np.isfinite(term)]))) for term in terms))


def _gradient_name(key: str) -> str:
    """Return ``dw`` for ``w`` and ``0.dw`` for ``0.w``."""
    path, dot, name = key.rpartition(".")
    return f"{path}{dot}d{name}"


def _loss_cases(loss: Callable[..., tuple[float, NDArray]], inputs: tuple[Any, ...]) -> Iterator[_Case]:
    if not callable(loss):
        raise TypeError(f"gradcheck: was given a {type(loss).__name__}, wanted a Layer or a loss function")
    if len(inputs) != 2:
        raise ValueError(f"gradcheck: a loss was given {len(inputs)} inputs, wanted two: prediction and target")
    prediction, target = _float64(inputs[0], "prediction"), inputs[1]
    check_no_mask("gradcheck: target", target)
    if isinstance(target, np.ndarray) and target.dtype.kind == "f":
        target = _float64(target, "target")
    value, gradient = loss(prediction, target)
    # A mean over n terms is a sum of n roundings, of random signs. A loss that is nearly 0 is often a difference of
    # numbers of magnitude 1 or more, and has their rounding.
    rounding = _ROUNDING * max(abs(float(value)), 1.0) * math.sqrt(prediction.size)

    def change() -> float:
        return float(loss(prediction, target)[0]) - float(value)

    yield _Case("dprediction", prediction, np.array(gradient), change, rounding)


def _float64(array: object, name: str) -> NDArray:
    """Return a copy in float64, which the check may change."""
    check_no_mask(f"gradcheck: {name}", array)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        given = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise TypeError(f"gradcheck: {name} is {given}, wanted a NumPy array of floats")
    return np.array(array, dtype=np.float64, order="C")


def _check_array(case: _Case, eps: float, most: int, rng: np.random.Generator) -> ArrayCheck:
    if case.gradient.shape != case.values.shape:
        raise ValueError(f"gradcheck: {case.name} has shape {case.gradient.shape}, wanted {case.values.shape}")
    size = case.values.size
    entries = np.arange(size) if size <= most else np.sort(rng.choice(size, most, replace=False))
    gradient = case.gradient.reshape(-1)[entries]
    quotient, kinks = _quotients(case, entries, eps)
    difference = np.where(kinks, 0.0, np.abs(gradient - quotient))
    magnitude = np.max(np.abs([gradient, quotient]), initial=0.0)
    worst = int(np.argmax(difference)) if size else 0
    largest = difference[worst] if size else 0.0
    error = float(largest / magnitude) if largest > 0 else 0.0
    if not np.isfinite(largest):
        error = math.inf
    elif error >= RIGHT:
        error = max(float(largest) - 4 * case.rounding / eps, 0.0) / float(magnitude)
    index = tuple(int(i) for i in np.unravel_index(entries[worst], case.values.shape)) if size else ()
    values = (float(gradient[worst]), float(quotient[worst])) if size else (0.0, 0.0)
    return ArrayCheck(case.name, case.values.shape, len(entries), int(kinks.sum()), error, index, *values)


def _quotients(case: _Case, entries: NDArray, eps: float) -> tuple[NDArray, NDArray]:
    """Return the difference quotient of each entry, and where there is a kink."""
    flat = case.values.reshape(-1)
    steps = eps * np.maximum(np.abs(flat[entries]), 1.0)
    central, bend = _differences(case, entries, steps)
    tolerance = RIGHT * np.max(np.abs(central), initial=0.0) + 16 * case.rounding / eps
    kinks = np.zeros(len(entries), dtype=bool)
    bent = np.flatnonzero(np.abs(bend) > tolerance)
    half_central, half_bend = _differences(case, entries[bent], steps[bent] / 2)
    moved = np.abs(central[bent] - half_central)
    kinks[bent] = np.maximum(moved, np.abs(bend[bent] - 2 * half_bend)) > tolerance
    central[bent] = (4 * half_central - central[bent]) / 3
    return central, kinks


def _differences(case: _Case, entries: NDArray, steps: NDArray) -> tuple[NDArray, NDArray]:
    """Return the central difference, and right minus left difference, for each entry with its step."""
    flat = case.values.reshape(-1)
    central, bend = np.empty(len(entries)), np.empty(len(entries))
    for k, (entry, step) in enumerate(zip(entries, steps, strict=True)):
        value = flat[entry]
        flat[entry] = value + step
        above, up = flat[entry] - value, case.change()
        flat[entry] = value - step
        below, down = value - flat[entry], case.change()
        flat[entry] = value
        central[k] = (up - down) / (above + below)
        bend[k] = up / above + down / below
    return central, bend
