"""The benchmark's PyTorch networks do the work of ours: same parameters, same shapes, and the same numbers where the
layouts allow it. TensorFlow's uneven padding and the order of a flattened image are where they do not."""

import numpy as np
import pytest

from minicoord.bench import rows
from minicoord.bench.inputs import inputs

torch = pytest.importorskip("torch", reason="PyTorch is the benchmark's optional rival: pip install minicoord[bench]")

from minicoord.bench import pytorch  # noqa: E402

ROWS = [row for row in rows.all_rows() if row.what in ("step", "forward") and not row.name.endswith("/32")]
SAME = ("coordconv-classifier", "coordconv-renderer", "coordconv-regressor", "detection-trunk", "coordconv-generator")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_twin_has_our_parameters_and_shapes(row):
    ours = row.build()
    twin = pytorch.twin([layer for _, layer in ours.leaves()], row.sample)
    assert sum(p.numel() for p in twin.parameters()) == ours.n_params
    x, _ = inputs(row, 2)
    y = ours.forward(x, training=True)
    theirs = twin(pytorch._tensor(x, torch.contiguous_format)).detach().numpy()
    theirs = theirs.transpose(0, 2, 3, 1) if theirs.ndim == 4 else theirs
    assert theirs.shape == y.shape
    even = "s2" not in row.name and not row.name.startswith(("transposed", "step"))
    if even or any(name in row.name for name in SAME):
        assert np.abs(theirs - y).max() <= 1e-3 * max(1, np.abs(y).max())


@pytest.mark.parametrize("sliced", [False, True])
def test_a_step_changes_the_weights_in_slices_too(sliced, monkeypatch):
    (row,) = rows.matching("step/coordconv-classifier/16")
    kept = []
    monkeypatch.setattr(pytorch, "twin", lambda *a, real=pytorch.twin: kept.append(real(*a)) or kept[-1])
    step = pytorch.prepare(row, 8, "channels-last", sliced)
    before = [p.detach().clone() for p in kept[0].parameters()]
    step()
    assert all((a != b).any() for a, b in zip(before, kept[0].parameters(), strict=True))


@pytest.mark.parametrize("memory_format", ["contiguous", "channels-last"])
@pytest.mark.parametrize("name", ["conv3x3-8-16/64px/16/backward", "maxpool2x2-32/60px/16/backward", "softmax-cross"])
def test_backward_rows_and_losses_run(name, memory_format):
    (row,) = rows.matching(name)
    gradients = pytorch.prepare(row, 2, memory_format, False)()
    assert all(torch.isfinite(g).all() for g in gradients)  # type: ignore
