"""The benchmark: all contestants do the same work, they take turns, and the command says what it found."""

import io
import json
import os
import stat
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord.app.cli import app
from minicoord.bench import contest, extras, measure, ours, plain_numpy, report, robust, rows, training_time, worker
from minicoord.bench.inputs import inputs
from minicoord.bench.worker import Contestant
from minicoord.experiments.classification.experiment import Classification
from minicoord.nn.composites.residual import Residual
from minicoord.nn.layers.activations import LeakyReLU, ReLU, Softmax, Tanh
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.convolution import Conv2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.coordinates import Tile
from minicoord.nn.layers.dense import Dense
from minicoord.nn.layers.pooling import AvgPool2D, GlobalAvgPool, GlobalMaxPool, MaxPool2D
from minicoord.nn.layers.shape import Flatten, Reshape
from minicoord.nn.layers.transposed import ConvTranspose2D
from minicoord.nn.model import Sequential
from minicoord.train.accumulation import batch_gradients

STEPS = [row for row in rows.matching("step/") if not row.name.endswith("/32") and "coordconv-gen" not in row.name]


def small_model():
    return Sequential([Conv2D(1, 2, 3, rng=0, activation="relu"), Flatten(), Dense(32, 3, rng=1)])


SMALL = [
    rows.Row("conv/forward", lambda: Sequential([Conv2D(1, 2, 3, rng=0)]), 2, (4, 4, 1), "forward"),
    rows.Row("conv/backward", lambda: Sequential([Conv2D(1, 2, 3, rng=0)]), 2, (4, 4, 1), "backward"),
    rows.Row("softmax", lambda: Sequential([Softmax()]), 2, (4, 4, 1), "loss", "softmax"),
    rows.Row("step/coordconv-classifier/16", small_model, 2, (4, 4, 1), "step"),
]


class Here:
    """A worker in this process, so that small rows can be put in place of the paper's."""

    started: ClassVar[list[tuple]] = []

    def __init__(self, contestant, threads=None, environment=None, checkout=None):
        Here.started.append((contestant, threads, environment))
        self.contestant = Contestant(contestant, threads)

    def ask(self, do, **arguments):
        if do == "facts":  # the real ones set the threads of the whole process
            return {"version": "0", "threads": 2, "threading_layer": "tbb", "compiler": None}
        return getattr(self.contestant, do)(**arguments)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.fixture
def small(monkeypatch):
    """Let the benchmark have four small rows, and measure them in this process."""
    Here.started = []
    monkeypatch.setattr(rows, "all_rows", lambda: SMALL)
    monkeypatch.setattr(worker, "all_rows", lambda: SMALL)
    monkeypatch.setattr(contest, "Worker", Here)
    monkeypatch.setattr(robust, "Worker", Here)
    monkeypatch.setattr(measure, "TURN_SECONDS", 1e-4)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_command_measures_and_says(small, monkeypatch, options):
    solved = iter([{"seed": 0, "seconds": 4.0, "solved": True}, {"seed": 1, "seconds": None, "solved": False}])
    monkeypatch.setattr(training_time, "seconds_to_solve", lambda seeds: solved)
    monkeypatch.setattr("minicoord.bench.coordconv_cost.SHAPES", [(1, 1, 1)])
    monkeypatch.setattr("minicoord.bench.coordconv_cost.training_step", lambda *_: lambda: None)
    monkeypatch.setattr(extras, "SEEDS", range(2))
    everything = ["--rows", "*", "--rounds", "2", "--busy", "--training", "--coordconv"]
    done = CliRunner().invoke(app, ["bench", *everything, *options], env={"COLUMNS": "200"})
    assert done.exit_code == 0, done.output
    if options:
        found = json.loads(done.stdout)
        assert [row["name"] for row in found["rows"]] == [row.name for row in SMALL]
        assert found["training"]["median_seconds"] == 4.0
        assert found["training"]["reached"] == 1
        assert [r["threads"] for r in found["more_threads"]] == [1, 2, 4, 8, 16]
        assert "beside a busy core / alone: step, CoordConv classifier" in [goal["goal"] for goal in found["goals"]]
    else:
        assert "the median of the 1 of 2 seeds that reached it" in done.stdout
        assert "CoordConv2D / Conv2D" in done.stdout
        assert "one thread / all threads: steps" in done.stdout
    assert ("minicoord", 8, {"NUMBA_NUM_THREADS": "8"}) in Here.started


def test_a_threading_layer_that_is_not_there_is_left_out(small, monkeypatch):
    class Missing(Here):
        def __init__(self, contestant, threads=None, environment=None):
            super().__init__(contestant, threads, environment)
            self.missing = environment is not None

        def ask(self, do, **arguments):
            if self.missing:
                raise RuntimeError("no such layer")
            return super().ask(do, **arguments)

    monkeypatch.setattr(robust, "Worker", Missing)
    assert [r["who"] for r in robust.busy(SMALL[3], rounds=1)] == ["minicoord"]


def test_training_time_is_that_of_the_first_epoch_without_a_mistake(monkeypatch):
    history = [{"train_seconds": 3.0 * k, "test_accuracy": a} for k, a in ((1, 0.9), (2, 1.0), (3, 1.0))]
    runs = {0: {"history": history, "solved": True}, 1: {"history": history[:1], "solved": False}}

    def run(self, model, variant, seed, **options):
        assert (self.name, model, variant) == ("classification", "coordconv", "uniform")
        return runs[seed]

    monkeypatch.setattr(Classification, "run", run)
    found = list(training_time.seconds_to_solve([0, 1]))
    assert found == [
        {"seed": 0, "seconds": 6.0, "solved": True},
        {"seed": 1, "seconds": None, "solved": False},
    ]


def test_a_worker_answers_line_by_line_and_survives_an_error():
    class Echo:
        def twice(self, x):
            return 2 * x

    answers = io.StringIO()
    orders = ['{"do": "twice", "x": 4}', '{"do": "thrice"}', '{"do": "twice", "x": null}']
    worker.serve(Echo(), io.StringIO("\n".join(orders)), answers)  # type: ignore
    first, second, third = map(json.loads, answers.getvalue().splitlines())
    assert first == {"answer": 8}
    assert second["error"].startswith("AttributeError")
    assert third["error"].startswith("TypeError")


PLAIN = [
    [Tile(4, 6), CoordConv2D(2, 3, (1, 2), rng=0, activation="relu"), Conv2D(3, 2, 3, 2, rng=1), Flatten()],
    [CoordConv2D(2, 3, 1, rng=0, with_r=True), LeakyReLU(0.1), MaxPool2D(2), GlobalMaxPool()],
    [ConvTranspose2D(2, 3, 3, 2, rng=0, activation="relu"), BatchNorm2D(3, activation="relu"), GlobalAvgPool()],
    [Conv2D(2, 4, (2, 3), rng=0), BatchNorm2D(4), Tanh(), AvgPool2D((2, 3)), Flatten(), Dense(16, 2, rng=1)],
    [
        Residual(Sequential([Conv2D(2, 2, 3, rng=0, bias=False), ReLU()])),
        Residual(Conv2D(2, 3, 3, 2, rng=1), shortcut=Conv2D(2, 3, 1, 2, rng=2)),
        ConvTranspose2D(3, 2, 3, 2, rng=0, bias=False),
    ],
    [Reshape((2, 4, 6)), Conv2D(6, 1, 3, rng=0), ReLU(), Softmax(), ConvTranspose2D(1, 2, 2, rng=1)],
]


@pytest.mark.parametrize("layers", PLAIN, ids=str)
def test_the_plain_layers_are_ours(layers):
    model = Sequential(layers)
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 2) if isinstance(layers[0], Tile) else (3, 4, 6, 2)).astype(np.float32)
    mine = model.forward(x, training=True)
    dy = rng.standard_normal(mine.shape).astype(np.float32)
    dx = model.backward(dy)
    assert dx is not None
    grads = {key: g.copy() for key, g in model.grads.items()}
    plain = plain_numpy.plain(model)
    assert np.allclose(plain.forward(x), mine, rtol=1e-4, atol=1e-5)
    assert np.allclose(plain.backward(dy), dx, rtol=1e-3, atol=1e-4)
    for key, g in model.grads.items():
        assert np.allclose(g, grads[key], rtol=1e-3, atol=1e-3), key


@pytest.mark.parametrize("loss", list(ours.LOSSES))
def test_the_plain_gradients_of_the_losses_are_ours(loss):
    rng = np.random.default_rng(1)
    y = rng.standard_normal((3, 2, 2, 1)).astype(np.float32)
    target = np.array([0, 3, 1]) if loss == "softmax" else rng.random(y.shape).astype(np.float32)
    assert np.allclose(plain_numpy.loss_gradient(loss, y, target), ours.LOSSES[loss](y, target)[1], atol=1e-6)


def test_every_row_has_a_name_of_its_own():
    names = [row.name for row in rows.all_rows()]
    assert len(set(names)) == len(names)
    wanted = ["coordconv-classifier/16", "coordconv-renderer/16", "deconv-c2-fs3/16"]
    wanted += ["conv-fc-regressor/256", "coordconv-regressor/256"]
    assert {f"step/{name}" for name in wanted} <= set(names)


def test_flops_count_two_for_each_weight_and_place():
    (row,) = rows.matching("step/coordconv-classifier/16")
    forward = 2 * 16 * 4096 * (4 * 32 + 32 * 32 + 32 * 64 + 64 * 64 + 64)
    first = 2 * 16 * 4096 * 4 * 32
    assert row.flops == 3 * forward - first
    (conv,) = rows.matching("conv3x3-8-16/64px/16/forward")
    (back,) = rows.matching("conv3x3-8-16/64px/16/backward")
    assert (conv.flops, back.flops) == (2 * 16 * 4096 * 9 * 8 * 16, 4 * 16 * 4096 * 9 * 8 * 16)
    (deconv,) = rows.matching("transposed3x3s2-64-1/32px/16/forward")
    assert deconv.flops == 2 * 16 * 32 * 32 * 9 * 64
    assert {row.flops for row in rows.matching("maxpool")} == {0}


def test_rows_are_found_by_glob_or_by_part():
    assert {row.what for row in rows.matching("*/backward")} == {"backward"}
    assert rows.matching("no such row") == []
    assert len(rows.matching(None)) == len(rows.all_rows())


@pytest.mark.compiled
@pytest.mark.parametrize("row", STEPS, ids=lambda row: row.name)
def test_a_step_in_plain_numpy_has_our_gradients(row):
    x, target = inputs(row, 2)
    model = row.build()
    loss = ours.sum_over_heads if isinstance(target, dict) else ours.LOSSES[row.loss]
    batch_gradients(model, loss, x, target, 2)
    wanted = {key: g.copy() for key, g in model.grads.items()}
    net = plain_numpy.plain(model)
    net.backward(plain_numpy.loss_gradient(row.loss, net.forward(x), target))
    for key, g in model.grads.items():
        # A bias before batch normalisation has no effect: its gradient is rounding alone.
        scale = max(np.abs(wanted[key]).max(), 1e-3 * max(np.abs(w).max() for w in wanted.values()))
        assert np.abs(g - wanted[key]).max() <= 2e-3 * scale, key


@pytest.mark.compiled
def test_a_contestant_builds_times_and_measures_memory():
    contestant = Contestant("minicoord")
    row = "conv3x3-8-16/64px/16/forward"
    contestant.build(row, ["peak"])
    contestant.add(row, ["ours"])
    assert 0 < contestant.seconds("ours", 2) < 60
    assert 0 < contestant.seconds("peak", 1) < 60
    contestant.build(row, ["ours"])
    with pytest.raises(KeyError):
        contestant.seconds("peak", 1)
    peak = contestant.peak_mb(row, "ours")
    input_and_output = 4 * 16 * 4096 * (8 + 16) / 1e6
    if sys.platform == "linux":
        assert peak is not None
        assert 0.8 * input_and_output < peak < 10 * input_and_output
    else:
        assert peak is None


def test_an_error_in_a_worker_is_an_answer():
    with measure.Worker("minicoord") as worker:
        with pytest.raises(RuntimeError, match="minicoord: KeyError: 'no such row'"):
            worker.ask("build", row="no such row", variants=["ours"])
        assert worker.ask("facts")["threads"] >= 1, "it goes on"
        worker.process.kill()
        worker.process.wait()
        with pytest.raises(RuntimeError, match="the process of minicoord ended"):
            worker.ask("facts")


class Fake:
    """A worker that takes as many seconds as its name says."""

    def __init__(self, log):
        self.log = log

    def ask(self, do, variant, repeats):
        self.log.append(variant)
        return float(variant)


def test_who_begins_changes_from_round_to_round():
    log = []
    seconds = measure.turns([(Fake(log), "1.0"), (Fake(log), "3.0")], rounds=2)  # type: ignore
    assert seconds.tolist() == [[1, 3], [1, 3]]
    assert log[2:] == ["1.0", "3.0", "3.0", "1.0"]


def test_the_report_warns_of_a_wide_spread_and_sums_up():
    quiet = {"name": "a", "ms": 1.0, "spread": 0.1, "peak_gflops": 90.0, "ratio": 2.0, "torch_spread": 0.1}
    wild = {**quiet, "name": "b", "spread": 0.5, "peak_gflops": 99.6, "ratio": 0.5}
    missed = {**quiet, "name": "c", "compiled_missing": report.NO_COMPILER, "ratio": 0.95}
    said = " ".join(report.notes([quiet, wild, missed]))
    assert "timed in the same turns: 90 to 100 GFLOP/s" in said
    assert "The times of b vary widely" in said
    assert "geometric mean 0.98, minimum 0.50; 2 rows are slower than in PyTorch, 1 of them below 0.9" in said
    assert "not compiled for c and perhaps others: no C++ compiler was found." in said


def test_the_tables_have_the_columns_that_were_measured():
    quiet = {"name": "a", "ms": 1.0, "spread": 0.1}
    (ours,) = report.table([quiet], report.our_columns)
    assert ours == {"row": "a", "ms": "1.00", "spread": "10 %"}
    assert report.table([quiet], report.their_columns) == []
    compared = {**quiet, "numpy_ratio": 3.0, "compiled_ratio": 1.5}
    reasons = [{**quiet, "compiled_missing": why} for why in (report.NO_COMPILER, "it broke")]
    cells = report.table([compared, *reasons], report.their_columns)
    assert cells[0] == {"row": "a", "... and compiled": "1.50", "NumPy / ours": "3.00"}
    assert [row["... and compiled"] for row in cells[1:]] == ["no compiler", "failed"]


@pytest.mark.compiled
def test_the_command_prints_json_alone_on_stdout():
    done = CliRunner().invoke(app, ["bench", "--rows", "softmax/4096/16/backward", "--rounds", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    (row,) = found["rows"]
    assert {"name", "ms", "gflops", "share", "peak_mb", "spread"} <= row.keys()
    assert {"processor", "cores", "versions", "date", "contestants"} <= found["machine"].keys()
    assert found["goals"] == []
    assert "[1/1] softmax/4096/16/backward" in done.stderr


@pytest.mark.compiled
def test_the_command_fails_below_the_floor():
    options = ["bench", "--rows", "softmax/4096/16/backward", "--rounds", "1", "--against", "numpy", "--floor"]
    done = CliRunner().invoke(app, [*options, "1e9"])
    assert done.exit_code == 1
    assert "less than 1e+09 times as fast as plain NumPy: softmax/4096/16/backward" in done.stderr
    assert CliRunner().invoke(app, [*options, "0"]).exit_code == 0


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--floor", "2"], "this needs --against numpy"),
        (["--rows", "nothing"], "no row matches 'nothing'"),
        (["--against", "jax"], "there is no 'jax'"),
        (["--rounds", "0"], "--rounds"),
        (["--before", "no/such/folder"], "wanted a checkout of minicoord"),
    ],
)
def test_the_command_says_what_is_wrong(options, sentence):
    done = CliRunner().invoke(app, ["bench", *options], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert sentence in done.output


def must_not_measure(*_, **__):
    raise AssertionError("measured, though the picture cannot be written")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
@pytest.mark.parametrize(
    "name, sentence",
    [
        ("pipe.png", "pipe.png is a pipe, wanted a regular file or a name that is free"),
        ("folder.png", "folder.png is a folder, wanted a regular file or a name that is free"),
        ("pipe.png/below.png", "pipe.png': it is a pipe, wanted a folder"),
        ("chart.jpg", "'chart.jpg', wanted a name that ends in .png"),
    ],
)
def test_the_picture_of_the_story_is_looked_at_before_anything_is_measured(tmp_path, monkeypatch, name, sentence):
    monkeypatch.setattr("minicoord.bench.story.story", must_not_measure)
    monkeypatch.setattr(contest, "measure", must_not_measure)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    options = ["--rows", "softmax", "--story", str(tmp_path / name)]
    done = CliRunner().invoke(app, ["bench", *options], env={"COLUMNS": "300"})
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.png", "pipe.png"]
    assert stat.S_ISFIFO((tmp_path / "pipe.png").stat().st_mode)


def test_the_story_is_drawn_into_the_file_that_was_named(tmp_path, monkeypatch):
    ways = [{"way": "a", "ms": 50.0, "gain": None}, {"way": "b", "ms": 25.0, "gain": 2.0}]
    monkeypatch.setattr("minicoord.bench.story.story", lambda rounds: iter(ways))
    done = CliRunner().invoke(app, ["bench", "--story", str(tmp_path / "new" / "chart.png"), "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["story"] == ways
    assert (tmp_path / "new" / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_the_module_is_the_command():
    command_line = [sys.executable, "-m", "minicoord.bench", "--rows", "nothing like it"]
    done = subprocess.run(command_line, capture_output=True, text=True, env={**os.environ, "COLUMNS": "200"})
    assert done.returncode == 2
    assert "python -m minicoord.bench" in done.stderr
    assert "no row matches 'nothing like it'" in done.stderr


@pytest.mark.compiled
def test_a_busy_core_and_more_threads_than_cores():
    (row,) = rows.matching("softmax/4096/16/forward")
    found = list(robust.busy(row, rounds=2))
    assert found[0]["who"] == "minicoord"
    assert all(r["ratio"] == pytest.approx(r["busy_ms"] / r["idle_ms"]) for r in found)
    assert [r["threads"] for r in robust.more_threads(row, (1, 4), rounds=2)] == [1, 4]
