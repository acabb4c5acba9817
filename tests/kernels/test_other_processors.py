"""The same results with the vectors of other processors, as far as this one can run their instructions.

Each test compiles for another processor in a process of its own, with a cache of its own, and so takes a while; the
kernels are as few as have everything in them.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import llvmlite.binding
import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = llvmlite.binding.get_host_cpu_features()

pytestmark = [
    pytest.mark.compiled,
    pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these are processors of the x86 family"),
]

# Forward and backward passes of a convolution, a dense layer and a chain; prints the vectors, and the largest error.
AGAINST_REFERENCE = """
    import numpy as np
    from minicoord import reference
    from minicoord.kernels.backend.vectors import HERE
    from minicoord.kernels.convolution import conv2d, conv2d_backward
    from minicoord.kernels.dense import dense
    from minicoord.kernels.pointwise import Chain, Link

    rng = np.random.default_rng(0)
    def draw(*shape):
        return rng.standard_normal(shape).astype(np.float32)

    pairs = []
    for c_in, c_out, size, stride in ((3, 5, (3, 2), 1), (5, 33, (3, 3), 2), (30, 17, (3, 3), 1), (20, 1, (2, 2), 1)):
        x, w, b = draw(2, 9, 7, c_in), draw(*size, c_in, c_out), draw(c_out)
        y = conv2d(x, w, b, stride, relu=True)
        dy = draw(*y.shape)
        pairs += [(y, reference.conv2d(x, w, b, stride, relu=True))]
        pairs += zip(conv2d_backward(x, w, dy, stride, y=y), reference.conv2d_backward(x, w, dy, stride, y=y))

    x, w, b = draw(19, 200), draw(200, 21), draw(21)
    pairs += [(dense(x, w, b), reference.dense(x, w, b))]

    x, coordinates = draw(2, 9, 7, 3), reference.coordinate_channels(9, 7)
    links = [Link(draw(5, 9), draw(9), True, 2), Link(draw(9, 18), draw(18), False, 0)]
    chain = Chain(links, coordinates)
    ys = chain.forward(x)
    y0, y1 = chain.outputs(ys, x.shape)
    w0, w1 = (link.w[None, None] for link in links)
    pairs += [(y0, reference.coordconv2d(x, coordinates, w0, links[0].b, relu=True))]
    pairs += [(y1, reference.conv2d(y0, w1, links[1].b))]
    dy = draw(*y1.shape)
    dx, ((dw0, db0), (dw1, db1)) = chain.backward(x, ys, dy, True)
    middle, *wanted1 = reference.conv2d_backward(y0, w1, dy)
    wanted_dx, *wanted0 = reference.coordconv2d_backward(x, coordinates, w0, middle, y0)
    pairs += [(dx, wanted_dx), (dw1[None, None], wanted1[0]), (db1, wanted1[1])]
    pairs += [(dw0[None, None], wanted0[0]), (db0, wanted0[1])]

    worst = 0.0
    for ours, oracle in pairs:
        assert ours.shape == oracle.shape and ours.dtype == oracle.dtype == np.float32
        worst = max(worst, float(np.abs(ours - oracle).max() / max(np.abs(oracle).max(), 1)))
    print(HERE.vector_bytes, HERE.fused, worst < 2e-5 or worst)
"""


HASWELL = "haswell", "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+f16c,+bmi,+bmi2,+lzcnt,+movbe"
ANY = "x86-64", ""

needs_avx2 = pytest.mark.skipif(not (HOST.get("avx2") and HOST.get("fma")), reason="this processor has no AVX2")


def on(name: str, features: str, cache: Path, *arguments: str) -> str:
    """Return what Python prints, started with `arguments`, when it compiles for another processor."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")}
    env |= {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(cache)}
    env |= {"PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "2"}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@needs_avx2
def test_avx2_without_avx512(tmp_path):
    assert on(*HASWELL, tmp_path, "-c", textwrap.dedent(AGAINST_REFERENCE)) == "32 True True"


def test_any_processor_of_64_bits(tmp_path):
    assert on(*ANY, tmp_path, "-c", textwrap.dedent(AGAINST_REFERENCE)) == "16 False True"


@pytest.mark.parametrize(
    "processor", [pytest.param(HASWELL, id="haswell", marks=needs_avx2), pytest.param(ANY, id="any")]
)
def test_the_tests_of_the_micro_kernel_hold_for_narrower_vectors(processor, tmp_path):
    """They choose numbers of columns, and what fits one processor's block may not fit another's."""
    tests = ("tests/kernels/test_micro_kernel.py", "-k", "anywhere or axes or nan or zeros")
    said = on(*processor, tmp_path, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *tests)
    assert re.search(r"^\d\d+ passed, \d+ deselected", said, re.M) and "skipped" not in said
