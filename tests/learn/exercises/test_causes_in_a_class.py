"""Graded in a process of its own, a wrong answer that raises an error is told the same as in a notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from minicoord.learn.checking.check import verdict_of
from minicoord.learn.definition.course import get
from minicoord.learn.grading.grade import grade_folder
from minicoord.learn.grading.row import Row

HEAD = "import numpy as np\n\n\ndef col2im(cols, x_shape, k, stride, pad):\n    n, h, w, c = x_shape\n"
AS_MANY_COLUMNS_AS_ROWS = (
    "    out = (h + 2 * pad - k) // stride + 1\n    windows = cols.reshape(n, out, out, k, k, c)\n"
    "    padded = np.zeros((n, h + 2 * pad, w + 2 * pad, c), cols.dtype)\n    for i, j in np.ndindex(out, out):\n"
    "        padded[:, i * stride : i * stride + k, j * stride : j * stride + k] += windows[:, i, j]\n"
    "    return padded[:, pad : pad + h, pad : pad + w]\n"
)
ANOTHER_SHAPE = "    return cols.reshape(n, h, w, k, c)\n"


@pytest.mark.parametrize(
    "body, cause", [(AS_MANY_COLUMNS_AS_ROWS, "out_w comes from the width"), (ANOTHER_SHAPE, None)]
)
def test_an_error_gets_the_same_cause_at_both_doors(body: str, cause: str | None, tmp_path: Path):
    (tmp_path / "learner.py").write_text(HEAD + body)
    ((row,),) = grade_folder(tmp_path, ["col2im"], seconds=20.0)
    assert isinstance(row, Row)
    names: dict = {}
    exec(HEAD + body, names)
    verdict = verdict_of(get("col2im"), names["col2im"])
    assert row.outcome == verdict.outcome == "raised"
    assert (row.cause or None) == verdict.cause
    assert (verdict.cause is None) if cause is None else cause in str(verdict.cause)
