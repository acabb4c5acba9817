"""``minicoord doctor``: what is installed, what the kernels run on, and what to do if something is wrong."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from minicoord import __version__
from minicoord.system.environment import EnvironmentVariableError

_SMALL_MEMORY = 2 * 2**30  # bytes

_EXTRAS = {
    "lessons": ("jupyterlab", "ipywidgets"),
    "test": ("pytest", "hypothesis"),
    "bench": ("torch",),
    "rl": ("gymnasium", "ale_py", "minatar"),
}

# The vectors of 16 bytes that every processor of a kind has.
_SHORT_VECTORS = {"x86_64": "SSE2", "AMD64": "SSE2", "arm64": "NEON", "aarch64": "NEON"}

# Runs in a separate process: a thread pool that fails to start may abort the process.
_CONVOLUTION_AGAINST_ORACLE = """
import numpy as np
from minicoord import reference
from minicoord.kernels.convolution import conv2d
rng = np.random.default_rng(0)
x, w, b = rng.normal(size=(2, 5, 6, 3)), rng.normal(size=(3, 3, 3, 4)), rng.normal(size=4)
print(float(np.abs(conv2d(x, w, b) - reference.conv2d(x, w, b)).max()))
"""


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes
    ----------
    name : str
        What was checked.
    status : {"ok", "note", "problem"}
        ``"note"`` is worth knowing, ``"problem"`` must be fixed.
    what : str
        What was found.
    advice : str
        What to do about it, in one line; empty if there is nothing to do.
    """

    name: str
    status: Literal["ok", "note", "problem"]
    what: str
    advice: str = ""


def doctor(run_kernels: bool = True) -> list[Finding]:
    """Check this installation and this machine. Nothing is raised: a check that fails becomes a finding.

    Parameters
    ----------
    run_kernels : bool
        Also run a small convolution in a separate process and compare it with the oracle; the first time, compiling it
        takes some seconds.

    Returns
    -------
    list of Finding
        In reading order.
    """
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("Python", _python),
        ("NumPy and Numba", _numpy_and_numba),
        ("cache of compiled kernels", _cache),
        ("threading layer", _threading_layer),
        ("threads", _threads),
        ("vectors", _vectors),
        ("NUMBA_DISABLE_JIT", _disable_jit),
        ("NUMBA_BOUNDSCHECK", _boundscheck),
        ("memory", _memory),
    ]
    if run_kernels:
        checks.append(("convolution", _convolution))
    findings = [_examine(name, check) for name, check in checks]
    return findings + [_extra(name, modules) for name, modules in _EXTRAS.items()]


def _examine(name: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except EnvironmentVariableError as error:
        return Finding(name, "problem", str(error), "set the variable right, or unset it, then run it again")
    except Exception as error:  # whatever is broken, the other checks must still run
        sentence = " ".join(str(error).split())
        return Finding(name, "problem", f"{type(error).__name__}: {sentence}", "fix this first, then run it again")


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing"


def _python() -> Finding:
    where = Path(__file__).resolve().parents[1]
    what = f"Python {platform.python_version()} on {platform.platform()}; minicoord {__version__} in {where}"
    return Finding("Python", "ok", what)


def _numpy_and_numba() -> Finding:
    name = "NumPy and Numba"
    what = ", ".join(f"{package} {_installed(package)}" for package in ("numpy", "numba", "llvmlite"))
    try:
        import numba  # noqa: F401  (Numba refuses an incompatible NumPy itself)
    except ImportError as error:
        return Finding(name, "problem", f"{what}; {error}", "pip install --upgrade numpy numba")
    return Finding(name, "ok", f"{what}; compatible")


def _cache() -> Finding:
    import numba
    from numba.core.dispatcher import Dispatcher

    name = "cache of compiled kernels"
    if numba.config.DISABLE_JIT:  # type: ignore[attr-defined]
        return Finding(name, "ok", "not needed, NUMBA_DISABLE_JIT is set")
    from minicoord.kernels import activations

    folders = {value.stats.cache_path for value in vars(activations).values() if isinstance(value, Dispatcher)}
    folder = next((path for path in folders if path), None)
    if folder is None:
        what = "no writable folder was found, so every process compiles the kernels again"
        return Finding(name, "note", what, "set NUMBA_CACHE_DIR to a writable folder")
    wanted = os.environ.get("NUMBA_CACHE_DIR")
    if not wanted:
        return Finding(name, "ok", folder)
    if Path(wanted).absolute() in Path(folder).absolute().parents:
        return Finding(name, "ok", f"{folder}, as NUMBA_CACHE_DIR says")
    what = f"{folder}, because {wanted} (NUMBA_CACHE_DIR) is not writable"
    return Finding(name, "note", what, "set NUMBA_CACHE_DIR to a writable folder, or unset it")


def _threading_layer() -> Finding:
    from minicoord.kernels.backend.runtime import LAYER
    from minicoord.kernels.backend.threading_layer import find_tbb

    name = "threading layer"
    choice = os.environ.get("NUMBA_THREADING_LAYER")
    origin = f", for NUMBA_THREADING_LAYER={choice}" if choice else ""
    tbb = find_tbb()
    if LAYER == "tbb":
        return Finding(name, "ok", f"tbb{origin}, from {tbb or 'the libraries of this system'}")
    if LAYER == "omp":
        advice = "unset NUMBA_THREADING_LAYER, or set OMP_WAIT_POLICY=passive if other programs use the cores"
        return Finding(name, "note", f"omp{origin}: it spins while it waits", advice)
    if origin:
        return Finding(name, "note", f"{LAYER}{origin}", "unset NUMBA_THREADING_LAYER to let minicoord choose")
    if tbb is not None:
        advice = "pip install --upgrade --force-reinstall tbb"
        return Finding(name, "note", f"{LAYER}; tbb was found at {tbb} but cannot be loaded", advice)
    if platform.machine() in ("x86_64", "AMD64") and sys.platform in ("linux", "win32"):
        return Finding(name, "note", f"{LAYER}; the tbb wheel is not installed", "pip install tbb, which is faster")
    return Finding(name, "ok", f"{LAYER}; there is no tbb wheel for this kind of machine")


def _threads() -> Finding:
    from minicoord.kernels.backend.threading_layer import get_threads

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = get_threads()
    origin = ", as NUMBA_NUM_THREADS says" if "NUMBA_NUM_THREADS" in os.environ else ""
    what = f"{threads} thread{'s' * (threads > 1)}{origin}, {cores} core{'s' * (cores > 1)} for this process"
    if threads > cores:
        return Finding("threads", "note", what, "more threads than cores are slower: unset NUMBA_NUM_THREADS")
    if threads < cores and origin:
        return Finding("threads", "note", what, "unset NUMBA_NUM_THREADS to use all of them")
    return Finding("threads", "ok", what)


def _vectors() -> Finding:
    from minicoord.kernels.backend.vectors import HERE, lanes

    names = {64: "AVX-512", 32: "AVX2", 16: _SHORT_VECTORS.get(platform.machine(), "vectors of 16 bytes")}
    fused = "fused multiply-add" if HERE.fused else "multiplication and addition apart"
    what = f"{names[HERE.vector_bytes]}, {lanes(4)} numbers of float32, {fused}"
    set_by_user = [name for name in ("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES") if name in os.environ]
    if set_by_user:
        both = " and ".join(set_by_user)
        return Finding("vectors", "note", f"{what}, for {both}", f"unset {both} to use all that this processor has")
    return Finding("vectors", "ok", what)


def _disable_jit() -> Finding:
    name = "NUMBA_DISABLE_JIT"
    if os.environ.get(name, "0") in ("", "0"):
        return Finding(name, "ok", "not set, kernels are compiled")
    return Finding(name, "note", "set: every kernel runs as plain Python, hundreds of times slower", f"unset {name}")


def _boundscheck() -> Finding:
    name = "NUMBA_BOUNDSCHECK"
    if os.environ.get(name, "0") in ("", "0"):
        return Finding(name, "ok", "not set")
    what = "set: together with parallel kernels it gives wrong results (Numba issue 9380)"
    return Finding(name, "problem", what, f"unset {name}")


def _memory() -> Finding:
    free = _free_memory()
    if free is None:
        return Finding("memory", "ok", "this system does not report free memory")
    what = f"{free / 2**30:.1f} GiB free"
    if free < _SMALL_MEMORY:
        return Finding("memory", "note", what, "close other programs before a long run")
    return Finding("memory", "ok", what)


def _free_memory() -> int | None:
    """Return the bytes available to a new program, as reported by Linux, or None."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        return None
    return None


def _convolution() -> Finding:
    name = "convolution"
    path = os.pathsep.join([str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")])
    advice = "send the output of `minicoord doctor --json` with a bug report"
    try:
        done = subprocess.run(
            [sys.executable, "-c", _CONVOLUTION_AGAINST_ORACLE],
            env={**os.environ, "PYTHONPATH": path.rstrip(os.pathsep)},
            capture_output=True,
            text=True,
            timeout=180,
        )
    except subprocess.TimeoutExpired:
        return Finding(name, "problem", "a small convolution did not finish within 180 s", advice)
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Finding(name, "problem", f"a small convolution failed: {last}", advice)
    error = float(done.stdout)
    if not error < 1e-12:
        return Finding(name, "problem", f"a small convolution differs from the oracle by {error:.1e}", advice)
    return Finding(name, "ok", f"a small convolution agrees with the oracle to {error:.0e}")


def _extra(name: str, modules: tuple[str, ...]) -> Finding:
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        advice = f'pip install ".[{name}]" in the checkout, if you want it'
        return Finding(f"extra {name}", "note", f"missing: {', '.join(missing)}", advice)
    return Finding(f"extra {name}", "ok", f"found: {', '.join(modules)}")
