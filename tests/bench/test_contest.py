"""Who takes part in a row, what is concluded from their times, and another version of minicoord among them."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from minicoord.bench import before, contest, measure, peak, rows
from minicoord.kernels.backend.threading_layer import get_threads
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.model import Sequential

FORWARD = rows.Row("conv/forward", lambda: Sequential([Conv2D(1, 2, 3, rng=0)]), 2, (4, 4, 1), "forward")
STEP = rows.Row("step/conv", lambda: Sequential([Conv2D(1, 2, 3, rng=0)]), 2, (4, 4, 1), "step")
LOSS = rows.Row("loss", lambda: Sequential([Conv2D(1, 2, 3, rng=0)]), 2, (4, 4, 1), "loss")
FORWARD_FLOPS = 2 * 2 * 16 * 9 * 2

# What stands for another version of minicoord: its worker has one row, does every work in two seconds, and says where
# it was started.
WORKER = """
import json, os, sys
for line in sys.stdin:
    order = json.loads(line)
    answer = {"answer": 2.0}
    if order["do"] == "facts":
        answer = {"answer": {"version": "before", "threads": int(sys.argv[2]), "folder": os.getcwd()}}
    elif order["do"] == "build" and order["row"] != "conv/forward":
        answer = {"error": "KeyError: no such row"}
    print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    bench = tmp_path / "minicoord" / "bench"
    bench.mkdir(parents=True)
    for folder in (bench.parent, bench):
        (folder / "__init__.py").touch()
    (bench / "worker.py").write_text(WORKER, encoding="utf-8")
    return tmp_path


def median_of(**seconds: float) -> dict[contest.Key, float]:
    """Return seconds by contestant and variant; `peak` is such that a core computes 100 operations a second."""
    names = {
        "ours": ("minicoord", "ours"),
        "alone": ("minicoord, one thread", "ours"),
        "before": ("before", "ours"),
        "numpy": ("numpy", "plain"),
        "first": ("pytorch", "contiguous"),
        "last": ("pytorch", "channels-last"),
        "last_sliced": ("pytorch", "channels-last+sliced"),
        "first_kept": ("pytorch, memory kept", "contiguous"),
        "last_kept": ("pytorch, memory kept", "channels-last"),
        "last_compiled": ("pytorch, memory kept", "channels-last+compiled"),
        "first_alone": ("pytorch, one thread", "contiguous"),
        "last_alone": ("pytorch, one thread", "channels-last"),
    }
    return {("minicoord", "peak"): peak.FLOPS / 100, **{names[name]: t for name, t in seconds.items()}}


def result_of(median: dict[contest.Key, float], row: rows.Row = FORWARD, missing: str | None = None) -> dict:
    memory: dict[contest.Key, float | None]
    memory = {("minicoord", "ours"): 30.0, ("pytorch", "contiguous"): 50.0, ("pytorch", "channels-last"): 60.0}
    return contest.result(row, median, dict.fromkeys(median, 0.1), memory, 2, missing)


def test_the_share_is_that_of_all_threads_or_of_one():
    found = result_of(median_of(ours=10, alone=15))
    assert found["peak_gflops"] == pytest.approx(200 / 1e9)
    assert found["share"] == pytest.approx(FORWARD_FLOPS / 10 / 200)
    assert found["one_thread_share"] == pytest.approx(FORWARD_FLOPS / 15 / 100)
    assert (found["ms"], found["one_thread_ms"], found["thread_ratio"]) == (10_000, 15_000, 1.5)
    assert "ratio" not in found
    without_products = result_of(median_of(ours=10, alone=15), LOSS)
    assert [without_products[key] for key in ("gflops", "share", "one_thread_share")] == [None] * 3


def test_a_rivals_best_format_counts_each_time():
    times = {"first": 8, "last": 6, "last_sliced": 5, "last_compiled": 4, "first_alone": 9, "last_alone": 12}
    times |= {"first_kept": 3, "last_kept": 7}
    found = result_of(median_of(ours=2, alone=3, **times))
    assert (found["torch_format"], found["ratio"], found["peak_ratio"]) == ("channels-last", 3, 0.5)
    assert (found["sliced_ratio"], found["compiled_ratio"], found["one_thread_ratio"]) == (2.5, 2, 3)
    assert (found["torch_kept_ms"], found["kept_ratio"]) == (3000, 1.5)
    assert result_of(median_of(ours=2, first=5, last=6))["peak_ratio"] == 0.6


def test_numpy_and_the_version_before_are_compared_with_all_threads():
    found = result_of(median_of(ours=2, alone=4, numpy=8, before=3))
    assert (found["numpy_ms"], found["numpy_ratio"], found["before_ratio"]) == (8000, 4, 1.5)


def test_why_nothing_was_compiled_is_told():
    found = result_of(median_of(ours=2, first=5, last=6), missing="no C++ compiler was found")
    assert found["compiled_missing"] == "no C++ compiler was found"
    one_was = result_of(median_of(ours=2, first=5, last=6, last_compiled=4), missing="BackendCompilerFailed")
    assert "compiled_missing" not in one_was


def test_steps_run_in_slices_too_and_on_one_thread_as_they_are():
    assert contest.variants(STEP, "pytorch")[2:] == ["contiguous+sliced", "channels-last+sliced"]
    assert contest.variants(STEP, "pytorch, one thread") == ["contiguous", "channels-last"]
    assert contest.variants(STEP, contest.KEPT) == ["contiguous", "channels-last"]
    assert contest.variants(LOSS, "pytorch") == ["contiguous"]
    assert contest.variants(FORWARD, "before") == contest.variants(FORWARD, "minicoord, one thread") == ["ours"]


class Compiler:
    """A worker of PyTorch that compiles the first memory format only."""

    def ask(self, do: str, row: str, variants: list[str]) -> None:
        assert do == "add"
        if variants != ["contiguous+compiled"]:
            raise RuntimeError("pytorch: BackendCompilerFailed: g++ failed\nand much more")


def test_what_compiles_takes_part():
    built, missing = contest._compile(FORWARD, Compiler(), {"compiler": "g++"})  # type: ignore[arg-type]
    assert built == [(contest.KEPT, "contiguous+compiled")]
    assert missing == "pytorch: BackendCompilerFailed: g++ failed"
    assert contest._compile(FORWARD, Compiler(), {"compiler": None}) == ([], contest.NO_COMPILER)  # type: ignore[arg-type]


@pytest.mark.compiled
def test_contestants_take_turns_in_processes_of_their_own():
    (row,) = rows.matching("softmax/4096/16/forward")
    measured = contest.measure([row], ["numpy"], threads=1, rounds=3)
    facts = next(measured)
    assert list(facts) == ["minicoord", "numpy"], "one thread is all that there are"
    assert facts["minicoord"]["threads"] == facts["numpy"]["threads"] == 1
    (result,) = measured
    assert result["name"] == row.name
    assert result["numpy_ratio"] == pytest.approx(result["numpy_ms"] / result["ms"])
    assert (result["gflops"], result["share"]) == (None, None)
    assert result["peak_gflops"] > 0.1


def test_numpy_has_as_many_threads_as_its_environment_says():
    with measure.Worker("numpy", environment=measure.blas_threads(3)) as worker:
        assert worker.ask("facts")["threads"] == 3
    with measure.Worker("numpy", environment=measure.blas_threads(get_threads())) as worker:
        assert worker.ask("facts")["threads"] == get_threads()


@pytest.mark.compiled
def test_another_version_runs_its_own_code_and_may_lack_a_row(checkout, monkeypatch):
    (first,), (second,) = rows.matching("softmax/4096/16/forward"), rows.matching("softmax/4096/16/backward")
    (checkout / "minicoord/bench/worker.py").write_text(WORKER.replace("conv/forward", first.name), encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", "nowhere")
    measured = contest.measure([first, second], threads=1, rounds=1, before=before.check_checkout(checkout))
    facts = next(measured)["before"]
    assert facts == {"version": "before", "threads": 1, "folder": str(checkout.resolve())}
    with_it, without = measured
    assert with_it["before_ms"] == 2000
    assert "before_ms" not in without


def test_a_folder_without_a_benchmark_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"has no minicoord/bench/worker\.py, wanted a checkout of minicoord"):
        before.check_checkout(tmp_path)


@pytest.mark.parametrize(
    "code, gave",
    [("raise ImportError('broken')", "ImportError: broken"), ("__file__ = '/other/minicoord/__init__.py'", "/other/")],
)
def test_a_folder_that_does_not_give_its_own_minicoord_is_refused(checkout, code, gave):
    (checkout / "minicoord" / "__init__.py").write_text(code, encoding="utf-8")
    with pytest.raises(ValueError, match=f"'import minicoord' in .* gave {gave}.*, wanted that folder's own"):
        before.check_checkout(checkout)


def test_the_commit_of_a_folder_without_git_is_unknown(tmp_path):
    assert before.commit_of(tmp_path) is None


def test_the_peak_is_a_product_computed_many_times():
    product = peak.prepare()()
    assert isinstance(product, np.ndarray)
    assert product.shape == (peak.ROWS, peak.WIDTH)
    assert np.allclose(product, 1)
    assert 2 * peak.TIMES * peak.DEPTH * product.size == peak.FLOPS


class Counted:
    """A worker that does everything in a second, and counts how many processes there would be."""

    def __init__(self, contestant: str, threads: int | None = None, environment: dict | None = None, checkout=None):
        Counted.started.append((contestant, threads, environment))

    started: ClassVar[list[object]] = []

    def ask(self, do: str, **arguments: object) -> object:
        facts = {"version": "0", "threads": 2, "threading_layer": "tbb", "compiler": None}
        return {"facts": facts, "seconds": 1.0, "peak_mb": 1.0}.get(do)

    def __enter__(self) -> Counted:
        return self

    def __exit__(self, *_: object) -> None:
        Counted.started.append("ended")


def test_the_processes_of_pytorch_are_new_for_each_row(monkeypatch):
    monkeypatch.setattr(contest, "Worker", Counted)
    monkeypatch.setattr(measure, "TURN_SECONDS", 1)
    Counted.started = []
    measured = contest.measure([FORWARD, STEP], ["torch"], threads=2, rounds=1)
    facts = next(measured)
    assert list(facts) == ["minicoord", "minicoord, one thread", "pytorch", contest.KEPT, "pytorch, one thread"]
    theirs = [("pytorch", 2, None), ("pytorch", 2, contest.KEEP), ("pytorch", 1, None), *["ended"] * 3]
    assert Counted.started[2:] == theirs
    for count, result in enumerate(measured, start=2):
        assert (result["ratio"], result["kept_ratio"]) == (1, 1)
        assert Counted.started[2 : 2 + count * 6] == theirs * count
    assert Counted.started[-2:] == ["ended"] * 2, "ours live as long as the command"
