"""Traits of an answer's code: letting NumPy do the work passes no exercise about loops and threads."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import numba
import numpy as np
import pytest
from numba import njit, prange, prange as in_parallel
from numpy import matmul as by_alias

from minicoord.learn.checking.bytecode import CodeTraits, traits_of
from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import exercise_ids, get
from minicoord.learn.grading.grade import grade_folder
from minicoord.learn.grading.row import Row


def by_while(x):
    k = 0
    while k < len(x):
        k += 1
    return x


def by_comprehension(x):
    return [value for value in x]  # noqa: C416


def by_helper(x):
    return by_while(x)


@njit
def by_compiled_helper(x):
    return compiled(x)


compiled = njit(by_while)


class Object:
    def __call__(self, x):
        return by_while(x)


def with_closure():
    inner = by_while

    def outer(x):
        return inner(x)

    return outer


@pytest.mark.parametrize(
    "function",
    [by_while, by_comprehension, by_helper, by_compiled_helper, Object(), with_closure(), functools.partial(by_while)],
)
def test_loops_are_found_in_every_kind_of_function(function: Any):
    traits = traits_of(function)
    assert traits.loops and not (traits.unused - {"self"})
    assert not traits.prange and not traits.products


@pytest.mark.parametrize(
    "function", [np.maximum, lambda x: np.maximum(x, 0), lambda x: x if x > 0 else -x, len, lambda x: np.sum(x), 3]
)
def test_functions_without_loops(function: Any):
    assert traits_of(function) == CodeTraits()


def by_name(x):
    for _ in prange(3):
        x = x + 1


def by_another_name(x):
    for _ in in_parallel(3):
        x = x + 1


def by_module(x):
    for _ in numba.prange(3):
        x = x + 1


@pytest.mark.parametrize("function", [by_name, by_another_name, by_module, njit(by_name)])
def test_prange_by_any_name(function: Any):
    assert traits_of(function).prange and traits_of(function).loops


def dot(a, b):
    return np.dot(a, b)


def matmul_in_place(a, b):
    a @= b
    return a


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: a @ b,
        matmul_in_place,
        lambda a, b: a.dot(b),
        lambda a, b: np.matmul(a, b),
        lambda a, b: np.einsum("ij,jk", a, b),
        lambda a, b: by_alias(a, b),
        lambda a, b: dot(a, b),
    ],
)
def test_products_of_numpy(function: Any):
    traits = traits_of(function)
    assert traits.products and not traits.unused


@njit
def inner(a, b):
    total = 0.0
    for k in range(len(a)):
        total += a[k] * b[k]
    return total


own = ModuleType("own")
own.inner = inner  # type: ignore[attr-defined]


@pytest.mark.parametrize("function", [lambda a, b: inner(a, b), lambda a, b: own.inner(a, b)])
def test_a_product_that_the_learner_wrote_does_not_count(function: Any):
    traits = traits_of(function)
    assert traits.loops and not traits.products


def test_unused_parameters():
    assert traits_of(lambda a, b, tile: [a for _ in b]).unused == {"tile"}
    assert traits_of(lambda a, b, tile: [tile for _ in a]).unused == {"b"}
    assert traits_of(lambda *args: args[0]).unused == set()
    assert traits_of(lambda a, out=None: a).unused == set()  # an optional parameter may stay unused


@pytest.mark.parametrize("report", [None, 3, [], {"loops": "yes"}, {"unused": 3}, {"prange": 1}])
def test_a_malformed_report_is_ignored(report: Any):
    assert CodeTraits.from_report(report) == CodeTraits()


def test_a_report_survives_json():
    traits = traits_of(get("tiled_product").solution)
    assert CodeTraits.from_report(json.loads(json.dumps(traits.report()))) == traits
    assert traits == CodeTraits(loops=True, prange=True, products=False)


def test_solutions_pass_their_code_check():
    asked = [get(id) for id in exercise_ids() if get(id).code_check is not None]
    assert {exercise.id for exercise in asked} == {"relu_loop", "find_race", "tiled_product", "register_block"}
    for exercise in asked:
        assert exercise.code_check and exercise.code_check(traits_of(exercise.solution)) is None


NOT_AS_ASKED = {
    "relu_loop": {
        "import numpy as np\ndef relu_loop(x, b):\n    return np.maximum(x + b, 0)\n": "there is no loop in it",
    },
    "find_race": {
        "def find_race(dy):\n    return dy.sum(axis=(0, 1, 2))\n": "no threads share the work",
        "import numpy as np\ndef find_race(dy):\n    db = np.zeros(dy.shape[3], dy.dtype)\n"
        "    for n in range(len(dy)):\n        db += dy[n].sum(axis=(0, 1))\n    return db\n": "no threads",
    },
    "tiled_product": {
        "def tiled_product(a, b, tile):\n    return a @ b\n": "NumPy computes the product",
        "import numpy as np\ndef tiled_product(a, b, tile):\n    c = np.zeros((len(a), b.shape[1]), a.dtype)\n"
        "    for i in range(0, len(a), tile):\n        c[i:i + tile] = a[i:i + tile].dot(b)\n    return c\n": "NumPy",
        "import numpy as np\ndef tiled_product(a, b, tile):\n    c = np.zeros((len(a), b.shape[1]), a.dtype)\n"
        "    for i in range(len(a)):\n        for k in range(len(b)):\n            for j in range(b.shape[1]):\n"
        "                c[i, j] += a[i, k] * b[k, j]\n    return c\n": "the argument tile is not used",
    },
    "register_block": {
        "def register_block(x, w):\n    return x @ w\n": "NumPy computes the product",
    },
}
ANSWERS = [(id, text, words) for id, texts in NOT_AS_ASKED.items() for text, words in texts.items()]


@pytest.mark.parametrize(("id", "text", "words"), ANSWERS)
def test_right_values_computed_in_another_way_do_not_pass(id: str, text: str, words: str):
    names: dict[str, Any] = {}
    exec(text, names)
    verdict = verdict_of(get(id), names[id])
    assert verdict.outcome == "not as asked" and not verdict.passed
    assert verdict.sentence.startswith(f"the values are right, but {words}")


def test_forged_reads_do_no_harm():
    complain = get("tiled_product").code_check
    assert complain and complain(CodeTraits(loops=True, reads=((0, 1), (), (0, 1, 2, 3), (0, -5, 10**30)))) is None


def test_renamed_parameters_do_not_fail_an_answer():
    text = get("tiled_product").solution_text()
    renamed = text.replace("tile)", "size)").replace("+ tile", "+ size").replace("* tile", "* size")
    renamed = renamed.replace("tile - 1", "size - 1")
    names: dict[str, Any] = {}
    exec(renamed, names)
    traits = traits_of(names["tiled_product"])
    complain = get("tiled_product").code_check
    assert complain and complain(traits) is None
    assert "size" in names["tiled_product"].__code__.co_varnames


@pytest.mark.compiled  # pure Python takes too long
def test_grading_gives_the_same_verdict(tmp_path: Path):
    text = next(iter(NOT_AS_ASKED["relu_loop"]))
    (tmp_path / "learner.py").write_text(text)
    ((row,),) = grade_folder(tmp_path, ["relu_loop"], seconds=20.0)
    assert isinstance(row, Row)
    assert row.outcome == "not as asked"
    assert row.sentence == "the values are right, but there is no loop in it; write plain loops over single numbers."


@pytest.mark.compiled  # pure Python takes too long
def test_a_class_is_told_of_whole_rows_and_of_tiles(tmp_path: Path):
    rows = (
        "import numpy as np\ndef relu_loop(x, b):\n    y = np.empty_like(x)\n"
        "    for n, i, j in np.ndindex(x.shape[:3]):\n"
        "        y[n, i, j] = np.maximum(x[n, i, j] + b, 0)\n    return y\n"
    )
    strips = (
        "import numpy as np\ndef tiled_product(a, b, tile):\n    c = np.zeros((a.shape[0], b.shape[1]), a.dtype)\n"
        "    for top in range(0, a.shape[0], tile):\n        for i in range(top, min(top + tile, a.shape[0])):\n"
        "            for k in range(a.shape[1]):\n                for j in range(b.shape[1]):\n"
        "                    c[i, j] += a[i, k] * b[k, j]\n    return c\n"
    )
    (tmp_path / "learner.py").write_text(rows + strips)
    (found,) = grade_folder(tmp_path, ["relu_loop", "tiled_product"], seconds=20.0)
    told = [row for row in found if isinstance(row, Row)]
    assert [row.outcome for row in told] == ["not as asked"] * 2
    assert "several numbers at once" in told[0].sentence and "not read tile by tile" in told[1].sentence
