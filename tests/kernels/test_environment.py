"""Places to run in: no compiler, no folder for the cache, a pool that runs already, no tbb; what an import costs."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from numba.core.caching import FunctionCache

from minicoord.kernels.backend import runtime
from minicoord.kernels.backend.threading_layer import find_tbb
from minicoord.system.environment import EnvironmentVariableError, check_environment

ROOT = Path(__file__).resolve().parents[2]
NUMBA = ("NUMBA_THREADING_LAYER", "NUMBA_CACHE_DIR", "NUMBA_DISABLE_JIT", "NUMBA_NUM_THREADS")


def run(code: str, folder: Path = ROOT, without: tuple[str, ...] = (), **environment: str):
    """Run Python code in a new process, with minicoord imported from `folder` and nothing of Numba set but as given."""
    env = {key: value for key, value in os.environ.items() if key not in (*NUMBA, *without)}
    env |= {"PYTHONPATH": str(folder), **environment}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=280)


def answer(code: str, **environment: str) -> str:
    done = run(code, ROOT, (), **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Compares two layers, forward and backward, with the plain loops; prints "right" and the number of kernels compiled.
AGAINST_REFERENCE = """
    import numpy as np
    from minicoord import CoordConv2D, reference
    from minicoord.kernels.convolution import conv2d, conv2d_backward

    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(2, 5, 4, 2)), rng.normal(size=(3, 2, 2, 3)), rng.normal(size=3)
    y = conv2d(x, w, b, stride=2)
    dy = rng.normal(size=y.shape)
    pairs = [(y, reference.conv2d(x, w, b, stride=2))]
    pairs += zip(conv2d_backward(x, w, dy, stride=2), reference.conv2d_backward(x, w, dy, stride=2))

    layer = CoordConv2D(2, 3, 3, rng=1, dtype=np.float64)
    y, dy = layer.forward(x), rng.normal(size=(2, 5, 4, 3))
    dx = layer.backward(dy)
    with_coords = reference.add_coords(x)
    pairs += [(y, reference.conv2d(with_coords, layer.params["w"], layer.params["b"]))]
    dx_all, dw, db = reference.conv2d_backward(with_coords, layer.params["w"], dy)
    pairs += [(dx, dx_all[..., :2]), (layer.grads["w"], dw), (layer.grads["b"], db)]
    for got, wanted in pairs:
        assert got.shape == wanted.shape and np.abs(got - wanted).max() < 1e-12
    print("right")
"""


def test_without_the_compiler_the_kernels_are_right():
    code = (
        AGAINST_REFERENCE
        + """
    from minicoord.kernels import softmax
    print(type(softmax._softmax).__name__)
    """
    )
    assert answer(code, NUMBA_DISABLE_JIT="1").split() == ["right", "function"]


def test_without_the_compiler_numbers_that_are_not_finite_are_no_warning():
    code = """
    import warnings
    import numpy as np
    from minicoord.kernels.normalisation import batch_norm
    warnings.simplefilter("error")
    y, mean, var = batch_norm(np.array([[1e300, np.inf], [-1e300, 1.0]]), np.ones(2), np.zeros(2))
    print(np.isnan(y[:, 1]).all())
    """
    assert answer(code, NUMBA_DISABLE_JIT="1") == "True"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package, and no cache in it."""
    shutil.copytree(ROOT / "minicoord", tmp_path / "minicoord", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def cache_files(folder: Path) -> list[Path]:
    return [*folder.rglob("*.nbi"), *folder.rglob("*.nbc"), *folder.rglob("*.tmp.*")]


# Nothing can be written, not even by root: every file that is opened for writing, and every folder, is refused.
READ_ONLY = """
    import builtins, os, sys, tempfile
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")
    real_open = builtins.open
    def open_to_read(file, mode="r", *args, **kwargs):
        return refuse() if set(mode) & set("wax+") else real_open(file, mode, *args, **kwargs)
    def deny():
        builtins.open, tempfile.TemporaryFile, os.makedirs, os.mkdir = open_to_read, refuse, refuse, refuse
        os.replace = os.unlink = refuse
    sys.dont_write_bytecode = True
"""


# A kernel, and a helper that it calls; prints the result, then how many of the two came out of the cache.
# A busy machine may take long to compile it: the notice of that is tested below, and is put off here.
ONE_KERNEL = """
    import numpy as np
    from minicoord.kernels import softmax
    from minicoord.kernels.backend import runtime
    runtime._NOTICE_AFTER_SECONDS = 600
    print(softmax.softmax(np.array([[0.0, 0.0]])).tolist())
    print(sum(sum(f.stats.cache_hits.values()) for f in (softmax._softmax, softmax._exponentials)))
"""


@pytest.mark.compiled
def test_a_read_only_installation_without_home_works_without_a_cache(copy):
    code = (
        READ_ONLY
        + "    deny()\n"
        + AGAINST_REFERENCE
        + """
    from minicoord.kernels import softmax
    print(softmax._softmax.stats.cache_path)
    """
    )
    done = run(code, copy, without=("HOME", "XDG_CACHE_HOME"))
    assert (done.returncode, done.stdout.split()) == (0, ["right", "None"]), done.stderr
    assert cache_files(copy) == []


@pytest.mark.compiled
def test_a_cache_folder_that_cannot_be_is_no_error(copy):
    (copy / "file").write_text("not a folder", encoding="utf-8")
    done = run(READ_ONLY + "    deny()\n" + ONE_KERNEL, copy, NUMBA_CACHE_DIR=str(copy / "file"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "[[0.5, 0.5]]\n0\n", "")


@pytest.mark.compiled
def test_a_cache_that_can_no_longer_be_written_after_the_import_is_no_error(copy):
    code = (
        READ_ONLY
        + """
    import minicoord.kernels.softmax
    deny()
    """
    )
    done = run(code + ONE_KERNEL, copy)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[[0.5, 0.5]]\n0\n", "")
    assert cache_files(copy) == []


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the package, and `ONE_KERNEL` in its cache."""
    folder = tmp_path_factory.mktemp("warm")
    shutil.copytree(ROOT / "minicoord", folder / "minicoord", ignore=shutil.ignore_patterns("__pycache__"))
    assert run(ONE_KERNEL, folder).stdout == "[[0.5, 0.5]]\n0\n"
    return folder


@pytest.mark.compiled
@pytest.mark.parametrize("kind, damage", [("*.nbi", "cut"), ("*.nbi", "other"), ("*.nbc", "cut"), ("*.nbc", "empty")])
def test_a_damaged_cache_is_compiled_and_saved_anew(warm, kind, damage):
    assert run(ONE_KERNEL, warm).stdout == "[[0.5, 0.5]]\n1\n"  # the helper is part of the cached kernel
    found = list(warm.rglob(kind))
    assert len(found) >= 2
    for file in found:
        content = file.read_bytes()
        file.write_bytes({"cut": content[: len(content) // 2], "empty": b"", "other": b"garbage" * 99}[damage])
    done = run(ONE_KERNEL, warm)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[[0.5, 0.5]]\n0\n", "")


# Two files of kernels/: a kernel, and what is compiled into it.
INNER = """
from minicoord.kernels.backend.runtime import helper

FACTOR = 1

@helper
def inner(x):
    return FACTOR * x
"""
OUTER = """
import numpy as np
from minicoord.kernels.backend.runtime import kernel, launch, prange
from minicoord.kernels.inner import inner

@kernel
def outer(x):
    for k in prange(x.size):
        x[k] = inner(x[k])

x = np.ones(3)
launch(outer, x)
print(x[2], sum(outer.stats.cache_hits.values()))
"""


@pytest.mark.compiled
def test_a_change_in_a_file_that_a_kernel_calls_compiles_it_anew(copy):
    def result() -> str:
        done = run("import minicoord.kernels.outer", copy)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    folder = copy / "minicoord" / "kernels"
    inner = folder / "inner.py"
    inner.write_text(INNER, encoding="utf-8")
    (folder / "outer.py").write_text(OUTER, encoding="utf-8")
    assert [result(), result()] == ["1.0 0", "1.0 1"]
    before = inner.stat()
    inner.write_text(INNER.replace("= 1", "= 5"), encoding="utf-8")
    os.utime(inner, ns=(before.st_atime_ns, before.st_mtime_ns))  # as long and as old as before
    for file in (folder / "__pycache__").glob("inner.*.pyc"):  # Python's own cache goes by size and time
        file.unlink()
    assert [result(), result()] == ["5.0 0", "5.0 1"]
    os.utime(inner)  # newer, and the same
    assert result() == "5.0 1"


# The delay is patched, so that any compilation is slow, or none is.
NOTICE = """
    import numpy as np, numba
    from minicoord.kernels import activations
    from minicoord.kernels.backend import runtime
    runtime._NOTICE_AFTER_SECONDS = {delay}
    @numba.njit
    def of_the_user(x):
        return x * x + sum([k for k in range(9)])
    of_the_user(1.0)
    print("user's own")
    for dtype in {dtypes}:
        activations.relu(np.zeros(3, dtype))
"""
LINE = "minicoord: compiling for this machine; it takes up to half a minute, once\n"


@pytest.mark.compiled
def test_a_slow_compilation_says_so_once_and_a_quick_one_does_not(copy):
    quick = run(NOTICE.format(delay=600, dtypes="'d'"), copy)
    assert (quick.returncode, quick.stdout, quick.stderr) == (0, "user's own\n", "")
    cached = run(NOTICE.format(delay=0, dtypes="'d'"), copy)
    assert (cached.returncode, cached.stdout, cached.stderr) == (0, "user's own\n", "")
    shutil.rmtree(copy / "minicoord" / "kernels" / "__pycache__")
    slow = run(NOTICE.format(delay=0.01, dtypes="'fd'"), copy)
    assert (slow.returncode, slow.stdout, slow.stderr) == (0, "user's own\n", LINE)


@pytest.mark.compiled
def test_compilations_that_are_slow_together_say_so(copy):
    code = """
    import time
    import numpy as np
    from minicoord.kernels import activations
    from minicoord.kernels.backend import runtime
    start = time.monotonic()
    activations.relu(np.zeros(3))
    runtime._NOTICE_AFTER_SECONDS = 1.01 * (time.monotonic() - start)  # not reached by the first one alone
    for kernel in (activations.relu, activations.sigmoid, activations.tanh):
        kernel(np.zeros(3, np.float32))
    """
    assert run(code, copy).stderr == LINE


def compilation_by(module: str) -> Any:
    """What Numba says when it compiles a function of that module."""
    return SimpleNamespace(data={"dispatcher": SimpleNamespace(__module__=module)})


OURS, FOREIGN = compilation_by("minicoord.kernels.softmax"), compilation_by("__main__")


@pytest.mark.parametrize(
    "delay, compilations, wanted",
    [
        (0, [[OURS]], LINE),
        (0, [[OURS, OURS, FOREIGN], [OURS], [OURS]], LINE),
        (0, [[FOREIGN], [FOREIGN, OURS]], ""),
        (600, [[OURS], [OURS]], ""),
    ],
    ids=["one", "nested and again", "not ours", "quick"],
)
def test_the_notice_hears_what_numba_compiles(delay, compilations, wanted, monkeypatch, capsys):
    monkeypatch.setattr(runtime, "_NOTICE_AFTER_SECONDS", delay)
    notice = runtime._CompileNotice()
    for nested in compilations:
        for compilation in nested:
            notice.on_start(compilation)
        if notice.timer is not None and delay == 0:
            notice.timer.join(60)
        for compilation in nested:
            notice.on_end(compilation)
    assert capsys.readouterr().err == wanted
    assert notice.timer is None
    assert notice.seconds < 60


@pytest.mark.parametrize("error", [OSError("no space left"), EOFError(), AttributeError("unpickled nonsense")])
def test_a_cache_that_fails_is_as_an_empty_one_and_is_emptied(error, monkeypatch):
    def fail(*args):
        raise error

    flushed = []
    monkeypatch.setattr(FunctionCache, "load_overload", fail)
    monkeypatch.setattr(FunctionCache, "save_overload", fail)
    monkeypatch.setattr(FunctionCache, "flush", lambda self: flushed.append(self))
    cache = runtime._Cache(compilation_by)
    assert cache.load_overload(None, None) is None
    assert flushed == [cache]
    cache.save_overload(None, None)
    monkeypatch.setattr(FunctionCache, "flush", fail)
    if isinstance(error, OSError):
        assert cache.load_overload(None, None) is None


LAYER = """
    import numpy as np, numba
    from minicoord.kernels import activations
    from minicoord.kernels.backend import runtime
    activations.relu(np.zeros(9))
    print(runtime.LAYER, numba.threading_layer())
"""


def has_tbb() -> bool:
    return find_tbb() is not None


@pytest.mark.compiled
@pytest.mark.parametrize("choice", ["tbb", "TBB", "workqueue", "default", "safe", "threadsafe", "forksafe"])
def test_the_threading_layer_of_the_user_is_respected(choice):
    if choice != "workqueue" and not has_tbb():
        pytest.skip("the tbb wheel is optional, and not installed here")
    layer = "workqueue" if choice == "workqueue" else "tbb"
    assert answer(LAYER, NUMBA_THREADING_LAYER=choice).split() == [layer, layer]


@pytest.mark.compiled
def test_numba_order_of_layers_is_respected():
    order = {"NUMBA_THREADING_LAYER": "default", "NUMBA_THREADING_LAYER_PRIORITY": "workqueue tbb omp"}
    assert answer(LAYER, **order).split() == ["workqueue", "workqueue"]


# A machine without TBB: no wheel, and no library of the system.
NO_LIBRARY = """
    import ctypes
    real_library = ctypes.CDLL
    def library(name, *args, **kwargs):
        if "tbb" in str(name):
            raise OSError(f"{name}: cannot open shared object file")
        return real_library(name, *args, **kwargs)
    ctypes.CDLL = library
"""


@pytest.mark.parametrize(
    "choice, wanted",
    [
        ("safe", "'safe', but tbb cannot be loaded here; unset it, or `pip install tbb`"),
        ("tbb", "'tbb', but tbb cannot be loaded here; unset it, or `pip install tbb`"),
        ("forksafe", "workqueue" if sys.platform == "linux" else ""),
    ],
)
def test_a_layer_that_cannot_be_loaded_is_one_sentence(choice, wanted):
    code = NO_TBB + NO_LIBRARY + "    from minicoord.kernels.backend import runtime\n    print(runtime.LAYER)"
    done = run(code, NUMBA_THREADING_LAYER=choice)
    last = (done.stdout + done.stderr).splitlines()[-1]
    assert last.endswith(wanted)
    assert (done.returncode == 0) == (choice == "forksafe")


@pytest.mark.parametrize(
    "name, values, wanted",
    [
        ("NUMBA_NUM_THREADS", ("0", "-1", "two", "1000000000", "", "1.5"), "a whole number from 1 to 4096"),
        (
            "NUMBA_THREADING_LAYER",
            ("rubbish", "", "tbb2"),
            "tbb, omp, workqueue, default, safe, threadsafe or forksafe",
        ),
        ("NUMBA_THREADING_LAYER_PRIORITY", ("tbb", "tbb omp omp"), "tbb, omp and workqueue in some order"),
    ],
)
def test_a_wrong_environment_is_one_sentence(name, values, wanted, monkeypatch):
    for value in values:
        monkeypatch.setenv(name, value)
        with pytest.raises(EnvironmentVariableError, match=f"^{name} is {value!r}, wanted {wanted}"):
            check_environment()
    done = run("import minicoord; minicoord.Conv2D", **{name: values[0]})
    assert done.returncode == 1
    assert f"EnvironmentVariableError: {name} is {values[0]!r}, wanted {wanted}" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("threads", ["1", " 2 ", "4096"])
def test_a_number_of_threads_that_numba_takes_is_right(threads, monkeypatch):
    monkeypatch.setenv("NUMBA_NUM_THREADS", threads)
    check_environment()


NO_TBB = """
    import importlib.metadata
    real = importlib.metadata.files
    def files(name):
        if name == "tbb":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)
    importlib.metadata.files = files
"""


@pytest.mark.compiled
def test_without_tbb_the_layer_is_workqueue():
    assert answer(NO_TBB + LAYER).split() == ["workqueue", "workqueue"]


def test_tbb_that_cannot_be_loaded_is_as_none(tmp_path):
    (tmp_path / "libtbb.so.12").write_text("no library", encoding="utf-8")
    (tmp_path / "tbb12.dll").write_text("no library", encoding="utf-8")
    code = f"""
    import importlib.metadata, pathlib
    class File(type(pathlib.PurePath())):
        def locate(self):
            return {str(tmp_path)!r} + "/" + self.name
    importlib.metadata.files = lambda name: [File("no/such/file"), File("libtbb.so.12"), File("tbb12.dll")]
    from minicoord.kernels.backend import runtime, threading_layer
    print(runtime.LAYER, threading_layer.find_tbb().name)
    """
    layer, name = answer(code).split()
    assert layer == "workqueue"
    assert name in ("libtbb.so.12", "tbb12.dll")


@pytest.mark.compiled
def test_a_pool_that_already_runs_is_left_as_it_is():
    code = """
    import numba, numpy as np
    numba.config.THREADING_LAYER = "workqueue"
    @numba.njit(parallel=True)
    def count(x):
        for k in numba.prange(x.size):
            x[k] = k
    count(np.zeros(9))
    """
    assert answer(code + LAYER).split() == ["workqueue", "workqueue"]


def medians(*codes: str, times: int = 7) -> list[float]:
    """Return how many seconds each takes in a new process, in the middle of several turns."""
    seconds: list[list[float]] = [[] for _ in codes]
    for _ in range(times):
        for code, taken in zip(codes, seconds, strict=True):
            start = time.perf_counter()
            answer(code)
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken) for taken in seconds]


def test_the_import_is_quick():
    numpy_alone, both = medians("import numpy", "import numpy, minicoord")
    assert both - numpy_alone < 0.5


def test_the_import_loads_no_compiler_and_using_every_name_compiles_nothing():
    code = """
    import sys
    import minicoord
    print([name for name in ("numba", "matplotlib", "typer", "rich") if name in sys.modules])
    from numba.core import event
    class Count(event.Listener):
        def on_start(self, event): print("compiles", event)
        def on_end(self, event): pass
    event.register("numba:compile", Count())
    for name in (*minicoord.__all__, *minicoord._SUBMODULES):
        getattr(minicoord, name)
    import pkgutil, importlib
    for module in pkgutil.iter_modules(minicoord.kernels.__path__, "minicoord.kernels."):
        importlib.import_module(module.name)
    """
    assert answer(code) == "[]"
