"""The benchmark's PyTorch networks do the work of ours: same parameters, same shapes, and the same numbers where the
layouts allow it. TensorFlow's uneven padding and the order of a flattened image are where they do not."""

import numpy as np
import pytest

from minicoord.bench import rows
from minicoord.bench.inputs import inputs
from minicoord.nn.composites.residual import Residual
from minicoord.nn.layers.activations import ReLU
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.model import Sequential

torch = pytest.importorskip("torch", reason="PyTorch is the benchmark's optional rival: pip install minicoord[bench]")

from minicoord.bench import pytorch  # noqa: E402

ROWS = [row for row in rows.all_rows() if row.what in ("step", "forward") and not row.name.endswith("/32")]
SAME = ("coordconv-classifier", "coordconv-renderer", "coordconv-regressor", "detect", "coordconv-generator")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_twin_has_our_parameters_and_shapes(row):
    ours = row.build()
    twin = pytorch.twin(ours, row.sample)
    assert sum(p.numel() for p in twin.parameters()) == ours.n_params
    x, _ = inputs(row, 2)
    y = ours.forward(x, training=True)
    theirs = twin(pytorch._tensor(x, torch.contiguous_format))
    heads = zip(theirs.values(), y.values(), strict=True) if isinstance(y, dict) else [(theirs, y)]
    for their_output, our_output in heads:
        array = their_output.detach().numpy()
        array = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array
        assert array.shape == our_output.shape
        even = "s2" not in row.name and not row.name.startswith(("transposed", "step"))
        if even or any(name in row.name for name in SAME):
            assert np.abs(array - our_output).max() <= 1e-3 * max(1, np.abs(our_output).max())


def test_a_residual_network_is_the_same_network():
    body = Sequential([Conv2D(3, 4, 3, rng=0, bias=False), ReLU(), Conv2D(4, 6, 1, rng=1)])
    ours = Sequential([Residual(body, Conv2D(3, 6, 1, rng=2)), Residual(Conv2D(6, 6, 3, rng=3, activation="relu"))])
    x = np.random.default_rng(0).standard_normal((2, 5, 4, 3)).astype(np.float32)
    theirs = pytorch.twin(ours, (5, 4, 3))(pytorch._tensor(x, torch.contiguous_format)).detach().numpy()
    assert np.allclose(theirs.transpose(0, 2, 3, 1), ours.forward(x), rtol=1e-4, atol=1e-5)


def test_the_first_compiler_that_is_there_is_taken(monkeypatch):
    there = {"clang++": "/usr/bin/clang++", "mine": "/opt/mine"}
    monkeypatch.setattr(pytorch.shutil, "which", there.get)
    monkeypatch.delenv("CXX", raising=False)
    assert pytorch.compiler() == "clang++"
    monkeypatch.setenv("CXX", "mine")
    assert pytorch.compiler() == "mine"
    there.clear()
    assert pytorch.compiler() is None


@pytest.mark.skipif(pytorch.compiler() is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("name", ["conv3x3-8-16/64px/16/backward", "step/coordconv-classifier/16", "softmax-cross"])
def test_what_is_compiled_computes_the_same(name, monkeypatch):
    (row,) = rows.matching(name)
    kept = []
    monkeypatch.setattr(pytorch, "twin", lambda *a, real=pytorch.twin: kept.append(real(*a)) or kept[-1])
    found = []
    for how in ("", "compiled"):
        gradients = pytorch.prepare(row, 2, "channels-last", how)()
        found.append([p.grad for p in kept[-1].parameters()] if row.what == "step" else gradients)
    assert len(found[0]) > 0
    for eager, compiled in zip(*found, strict=True):
        assert torch.allclose(eager, compiled, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", ["step/coordconv-classifier/16", "step/detector/16"])
@pytest.mark.parametrize("how", ["", "sliced"])
def test_a_step_changes_the_weights_in_slices_too(how, name, monkeypatch):
    (row,) = rows.matching(name)
    kept = []
    monkeypatch.setattr(pytorch, "twin", lambda *a, real=pytorch.twin: kept.append(real(*a)) or kept[-1])
    step = pytorch.prepare(row, 8, "channels-last", how)
    before = [p.detach().clone() for p in kept[0].parameters()]
    step()
    # The box branch begins with a layer of zeros: no gradient reaches what lies below, so its first step changes less.
    changed = [bool((a != b).any()) for a, b in zip(before, kept[0].parameters(), strict=True)]
    assert all(changed) if "classifier" in name else sum(changed) >= len(changed) - 2


@pytest.mark.parametrize("memory_format", ["contiguous", "channels-last"])
@pytest.mark.parametrize("name", ["conv3x3-8-16/64px/16/backward", "maxpool2x2-32/60px/16/backward", "softmax-cross"])
def test_backward_rows_and_losses_run(name, memory_format):
    (row,) = rows.matching(name)
    gradients = pytorch.prepare(row, 2, memory_format)()
    assert all(torch.isfinite(g).all() for g in gradients)  # type: ignore
