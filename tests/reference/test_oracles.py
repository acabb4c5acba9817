"""Every kernel against its oracle. Kernels are discovered: one without an oracle, or never compared, fails here."""

from __future__ import annotations

import ast
import importlib
import sys
import textwrap
from pathlib import Path
from typing import Any

import discovery
import kernel_examples
import numpy as np
import pytest
from kernel_examples import EXAMPLES, Draw, results, run_kernel, run_oracle

import minicoord.kernels
import minicoord.reference

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
NAMES = [(module, name) for module, functions in discovery.operations().items() for name in functions]


def assert_agree(ours: Any, oracle: Any, dtype: type) -> None:
    """Compare results of any kind; arrays of floats to rounding, at the scale of their largest number."""
    if isinstance(oracle, (tuple, list)):
        assert len(ours) == len(oracle)
        for mine, theirs in zip(ours, oracle, strict=True):
            assert_agree(mine, theirs, dtype)
    elif isinstance(oracle, np.ndarray):
        assert (ours.shape, ours.dtype) == (oracle.shape, oracle.dtype)
        if oracle.dtype.kind == "i":
            np.testing.assert_array_equal(ours, oracle)
        else:
            scale = max(np.abs(oracle).max(initial=0.0), 1.0)
            np.testing.assert_allclose(ours, oracle, rtol=0, atol=TOLERANCE[dtype] * scale)
    else:
        assert type(ours) is type(oracle)
        assert oracle is None or ours == pytest.approx(oracle, rel=TOLERANCE[dtype])


def compare(module: str, name: str, dtype: type) -> None:
    """Run kernel and oracle over the examples; also what they leave of their arguments must agree."""
    slow = discovery.oracle(module, name)
    examples = list(EXAMPLES[name](Draw(dtype, large=False)))
    assert examples
    for arguments in examples:
        ours = results(lambda given: run_kernel(name, given), arguments)
        oracle = results(lambda given: run_oracle(slow, given), arguments)
        assert_agree(ours, oracle, dtype)


def test_every_kernel_has_an_oracle_with_its_arguments_and_is_compared():
    assert discovery.kernel_faults(EXAMPLES) == []


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("module, name", NAMES)
def test_kernel_and_oracle_agree(module, name, dtype):
    compare(module, name, dtype)


def test_the_convolutions_that_are_compared_go_through_every_part():
    called: set[Any] = set()
    sys.setprofile(lambda frame, event, _: called.add(frame.f_code) if event == "call" else None)
    try:
        # And the gradient of a tile, which takes its sums from one of the parts.
        for name in ("conv2d", "conv2d_backward", "conv_transpose2d", "conv_transpose2d_backward", "tile_backward"):
            for arguments in EXAMPLES[name](Draw(np.float32, large=False)):
                run_kernel(name, arguments)
    finally:
        sys.setprofile(None)
    assert discovery.part_faults(called) == []
    assert any("calls packed" in fault for fault in discovery.part_faults(set()))


def test_no_oracle_uses_code_of_the_kernels():
    for path in Path(minicoord.reference.__path__[0]).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = [name for name in names if name.startswith("minicoord") and "minicoord.reference" not in name]
            assert not ours, f"{path.name} imports {ours[0]}"


# The discovery itself, with kernels that are put in place for the test


@pytest.fixture
def put(tmp_path, monkeypatch):
    """Return a function that adds a module, such as ``kernels.halving``, to minicoord for one test."""
    added = []

    def add(name: str, source: str) -> None:
        package, _, module = name.rpartition(".")
        room = importlib.import_module(f"minicoord.{package}")
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / f"{module}.py").write_text(textwrap.dedent(source), encoding="utf-8")
        if str(folder) not in room.__path__:
            monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
        importlib.invalidate_caches()
        added.append((room, module))

    yield add
    for room, module in added:
        sys.modules.pop(f"{room.__name__}.{module}", None)
        vars(room).pop(module, None)


HALVING = """
    import numpy as np
    from numpy.typing import NDArray
    from minicoord.kernels.backend.runtime import kernel, launch, prange

    @kernel
    def _halve(x, y):
        for k in prange(x.size):
            y[k] = x[k] / 2

    def halve(x: NDArray) -> NDArray:
        y = np.empty_like(x)
        launch(_halve, x.reshape(-1), y.reshape(-1))
        return y

    def check_halves(x: NDArray) -> NDArray:
        return x

    def halved_size(size: int) -> int:
        return size // 2
"""
ORACLE = """
    from numpy.typing import NDArray

    def halve(x: NDArray) -> NDArray:
        return x / 2
"""


def test_a_kernel_without_an_oracle_is_found_until_it_has_one_and_is_compared(put, monkeypatch):
    put("kernels.halving", HALVING)
    oracle, comparison = discovery.kernel_faults(EXAMPLES)
    assert oracle == (
        "minicoord/kernels/halving.py: halve has no oracle; "
        "write a function of the same name in minicoord/reference/halving.py"
    )
    assert comparison == (
        "minicoord/kernels/halving.py: no test compares halve with its oracle; "
        "add arguments for it to EXAMPLES in tests/kernel_examples.py"
    )
    put("reference.halving", ORACLE)
    export, again = discovery.kernel_faults(EXAMPLES)
    assert export == (
        "minicoord/reference/halving.py: halve is missing from minicoord/reference/__init__.py; import it there"
    )
    assert again == comparison
    monkeypatch.setattr(minicoord.reference, "halve", discovery.oracle("halving", "halve"), raising=False)
    monkeypatch.setitem(EXAMPLES, "halve", lambda draw: [{"x": draw.images()}])
    assert discovery.kernel_faults(EXAMPLES) == []
    compare("halving", "halve", np.float32)


def test_a_kernel_that_differs_from_its_oracle_fails_the_comparison(put, monkeypatch):
    put("kernels.halving", HALVING.replace("x[k] / 2", "x[k] / 2.01"))
    put("reference.halving", ORACLE)
    monkeypatch.setitem(EXAMPLES, "halve", lambda draw: [{"x": draw.images()}])
    with pytest.raises(AssertionError, match="Mismatched elements"):
        compare("halving", "halve", np.float32)


def test_a_kernel_that_changes_its_argument_fails_the_comparison(put, monkeypatch):
    put("kernels.halving", HALVING.replace("y = np.empty_like(x)", "y = x"))
    put("reference.halving", ORACLE)
    monkeypatch.setitem(EXAMPLES, "halve", lambda draw: [{"x": draw.images()}])
    with pytest.raises(AssertionError, match="Mismatched elements"):
        compare("halving", "halve", np.float32)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        ("x: NDArray, rows: int", "halve takes x, rows, but its kernel x"),
        ("y: NDArray", "halve takes y, but its kernel x"),
    ],
)
def test_an_oracle_with_other_arguments_is_found(put, monkeypatch, arguments, sentence):
    put("kernels.halving", HALVING)
    put("reference.halving", ORACLE.replace("x: NDArray", arguments))
    monkeypatch.setattr(minicoord.reference, "halve", discovery.oracle("halving", "halve"), raising=False)
    assert discovery.kernel_faults({**EXAMPLES, "halve": None}) == [f"minicoord/reference/halving.py: {sentence}"]


def test_an_oracle_with_another_default_is_found(put, monkeypatch):
    put(
        "kernels.halving",
        HALVING.replace("x: NDArray) -> NDArray:\n        y", "x: NDArray, by: int = 2) -> NDArray:\n        y"),
    )
    put("reference.halving", ORACLE.replace("x: NDArray", "x: NDArray, by: int = 3"))
    monkeypatch.setattr(minicoord.reference, "halve", discovery.oracle("halving", "halve"), raising=False)
    (fault,) = discovery.kernel_faults({**EXAMPLES, "halve": None})
    assert "halve has 3 as the default of by, but its kernel 2" in fault


def test_a_compiled_function_without_a_python_function_in_front_is_found_too(put):
    helper = "from minicoord.kernels.backend.runtime import helper\n\n@helper\n"
    put("kernels.halving", f"{helper}def half(x):\n    return x / 2\n")
    assert [fault.split(";")[0] for fault in discovery.kernel_faults(EXAMPLES)][:1] == [
        "minicoord/kernels/halving.py: half has no oracle"
    ]


def test_what_is_listed_and_not_there_is_found(monkeypatch):
    monkeypatch.setitem(discovery.PARTS, "gone", "was here once")
    faults = discovery.kernel_faults({**kernel_examples.EXAMPLES, "vanish": None})
    assert faults == [
        "tests/discovery.py lists the kernel file gone, which does not exist; take it off the list",
        "tests/kernel_examples.py has examples of vanish, which is not a kernel in minicoord/kernels/",
    ]
