"""The challenges of the lessons: what the reader wrote is tried, and what was found is printed. Nothing is marked.

A challenge begins as a function that returns None, and is then reported as open. Errors of the reader's function are
raised as they are, because their traceback says most.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets import not_so_clevr, split
from minicoord.learn.definition.course import get
from minicoord.learn.lessons.lesson03 import relative_error
from minicoord.learn.lessons.lesson08 import median_seconds

Function = Callable[..., Any]

OPEN = "This challenge is open: the function returns None."
LOOPS = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
ROUNDS = 7
PRODUCTS = frozenset({"dot", "matmul", "einsum", "inner", "tensordot", "vdot"})


def without_a_loop(attempt: Function, right: Function, cases: Sequence[tuple[Any, ...]]) -> None:
    """Compare an attempt with `right` on several sets of arguments, and print whether its code has a loop.

    Examples
    --------
    >>> def doubled(x):
    ...     return x + x
    >>> without_a_loop(doubled, lambda x: 2 * x, [(np.arange(3),)])
    right in all 1 cases, and without a loop
    """
    for number, args in enumerate(cases, start=1):
        got, wanted = attempt(*args), right(*args)
        if got is None:
            print(OPEN)
            return
        if np.shape(got) != np.shape(wanted):
            print(f"case {number}: the shape is {np.shape(got)}, wanted {np.shape(wanted)}")
            return
        if not np.allclose(got, wanted):
            wrong = int((~np.isclose(got, wanted)).sum())
            print(f"case {number}: {wrong} of {np.size(wanted)} numbers are wrong")
            return
    looping = any(isinstance(node, LOOPS) for node in _nodes(attempt))
    print(f"right in all {len(cases)} cases, {'but it has a loop' if looping else 'and without a loop'}")


def train_pointer(attempt: Function, steps: int = 400) -> None:
    """Check the gradient of a softmax pointer, train it on three quarters of a canvas, and print how far it is off.

    Parameters
    ----------
    attempt : callable
        ``attempt(w, images, centres)`` returns the mean squared distance in pixels and its gradient with respect to the
        kernel w, of shape (3, 3). The images (n, 16, 16) have one lit pixel each, at the centres (n, 2) as (x, y).
    steps : int
        Steps of Adam, each with all images.
    """
    data = not_so_clevr(16, 3)
    images, centres = data.one_hot()[..., 0].astype(np.float64), data.centres.astype(np.float64)
    part = split(data, "quadrant")
    w = np.random.default_rng(0).normal(size=(3, 3))
    few = part.train[::40]
    if attempt(w, images[few], centres[few]) is None:
        print(OPEN)
        return
    quotient = get("numeric_gradient").solution(lambda v: attempt(v, images[few], centres[few])[0], w, 1e-5)
    error = relative_error(attempt(w, images[few], centres[few])[1], quotient)
    print(f"gradient: relative error {error:.0e}{'' if error < 1e-6 else ', so it is wrong'}")
    m, v = np.zeros_like(w), np.zeros_like(w)
    for t in range(1, steps + 1):
        _, dw = attempt(w, images[part.train], centres[part.train])
        w, m, v = get("adam_step").solution(w, dw, m, v, t, 0.1, 0.9, 0.99, 1e-8)
    for name, some in (("trained on", part.train), ("in the unseen quarter", part.test)):
        loss, _ = attempt(w, images[some], centres[some])
        print(f"positions {name}: {np.sqrt(loss):.3f} pixels off (root mean square)")


def beat(attempt: Function, rival: Function, a: NDArray, b: NDArray, times: float) -> None:
    """Measure a matrix product that the reader wrote beside a rival, and print the GFLOP/s of both.

    The two take turns, so that whatever else the machine is doing slows both.

    Parameters
    ----------
    attempt, rival : callable
        Each returns the product of two matrices.
    a, b : ndarray of float32, (m, k) and (k, n)
    times : float
        The rival is beaten by so many times its rate.
    """
    got = attempt(a, b)
    if got is None:
        print(OPEN)
        return
    if np.shape(got) != (len(a), b.shape[1]) or not np.allclose(got, a @ b, rtol=1e-4):
        print("not the product yet: compare it with a @ b")
        return
    turns = [[median_seconds(way, a, b, rounds=1) for way in (attempt, rival)] for _ in range(ROUNDS)]  # (rounds, 2)
    mine, others = 2 * a.size * b.shape[1] / 1e9 / np.median(turns, axis=0)
    verdict = "beaten" if mine > times * others else "not yet beaten"
    print(
        f"{mine:.3g} GFLOP/s, {mine / others:.1f} times the {others:.3g} of {getattr(rival, '__name__', 'the other')}; "
        f"{times:g} times are {verdict}{_library_call(attempt)}"
    )


def _library_call(attempt: Function) -> str:
    nodes = _nodes(attempt)
    names = {node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "") for node in nodes}
    called = any(isinstance(node, ast.MatMult) for node in nodes) or names & PRODUCTS
    return ", but it leaves the product to a library" if called else ""


def _nodes(function: Function) -> list[ast.AST]:
    """Return the nodes of a function's source; none if there is no source to be had."""
    try:
        source = inspect.getsource(getattr(function, "py_func", function))
        return list(ast.walk(ast.parse(textwrap.dedent(source))))
    except (OSError, TypeError, SyntaxError):
        return []
