"""minicoord runs without SciPy and threadpoolctl, and its compiled code without a BLAS."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "minicoord").rglob("*.py"))

GONE = {"scipy", "threadpoolctl"}
COMPILED = {"kernel", "helper", "njit", "jit", "vectorize", "guvectorize"}
PRODUCTS = {"dot", "vdot", "matmul", "inner", "tensordot", "einsum", "linalg"}


def imports(tree: ast.AST) -> Iterator[str]:
    """The packages that a file imports, at its top or anywhere within."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def compiled_functions(tree: ast.AST) -> list[ast.FunctionDef]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [f for f in functions if COMPILED & set(map(_name, f.decorator_list))]


def products(tree: ast.AST) -> Iterator[str]:
    """What Numba would hand to a BLAS: ``function: product``, for each in a function that is compiled."""
    for function in compiled_functions(tree):
        for node in ast.walk(function):
            if isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, ast.MatMult):
                yield f"{function.name}: @"
            elif isinstance(node, ast.Attribute) and node.attr in PRODUCTS:
                yield f"{function.name}: {node.attr}"


def _name(decorator: ast.expr) -> str:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")


def test_no_file_but_the_benchmark_imports_scipy_or_threadpoolctl():
    bench = ROOT / "minicoord" / "bench"
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES if bench not in path.parents}
    assert len(trees) > 100
    assert {str(path): found for path, tree in trees.items() if (found := GONE & set(imports(tree)))} == {}


def test_no_test_imports_them():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "tests").rglob("*.py")}
    assert {str(path): found for path, tree in trees.items() if (found := GONE & set(imports(tree)))} == {}


def test_no_compiled_function_multiplies_matrices_by_a_blas():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
    assert sum(len(compiled_functions(tree)) for tree in trees.values()) > 40
    assert {str(path): found for path, tree in trees.items() if (found := list(products(tree)))} == {}


@pytest.mark.parametrize(
    "code, wanted",
    [
        ("@kernel\ndef f(a, b): return np.dot(a, b)", ["f: dot"]),
        ("@helper\ndef f(a, b):\n    for k in range(3): a = a @ b", ["f: @"]),
        ("@numba.njit(parallel=True)\ndef f(a, b): a @= b", ["f: @"]),
        ("@helper\ndef f(a): return np.linalg.norm(a) + a.dot(a)", ["f: linalg", "f: dot"]),
        ("def f(a, b): return a @ b", []),
    ],
)
def test_products_are_found(code, wanted):
    assert sorted(products(ast.parse(code))) == sorted(wanted)


@pytest.mark.parametrize(
    "code", ["import scipy.linalg", "def f():\n    from scipy.stats import norm", "import scipy as s"]
)
def test_imports_are_found(code):
    assert GONE & set(imports(ast.parse(code))) == {"scipy"}
