"""The benchmark: all contestants do the same work, they take turns, and the command says what it found."""

import json
import sys

import numpy as np
import pytest
from typer.testing import CliRunner

from minicoord.accumulation import batch_gradients
from minicoord.bench import measure, ours, plain_numpy, report, robust, rows
from minicoord.bench.inputs import inputs
from minicoord.bench.worker import Contestant
from minicoord.cli import app

STEPS = [row for row in rows.all_rows() if row.what == "step" and not row.name.endswith("/32")]
KERNELS = [row for row in rows.all_rows() if row.what == "forward"]


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
    batch_gradients(model, ours.LOSSES[row.loss], x, target, 2)
    wanted = {key: g.copy() for key, g in model.grads.items()}
    layers = plain_numpy.plain(model)
    y = x
    for layer in layers:
        y = layer.forward(y)
    dy = plain_numpy.loss_gradient(row.loss, y, target)
    for layer in reversed(layers):
        dy = layer.backward(dy)
    for key, g in model.grads.items():
        # A bias before batch normalisation has no effect: its gradient is rounding alone.
        scale = max(np.abs(wanted[key]).max(), 1e-3 * max(np.abs(w).max() for w in wanted.values()))
        assert np.abs(g - wanted[key]).max() <= 2e-3 * scale, key


@pytest.mark.compiled
@pytest.mark.parametrize("row", KERNELS, ids=lambda row: row.name)
def test_a_kernel_in_plain_numpy_is_ours(row):
    x, _ = inputs(row, 2)
    model = row.build()
    mine = model.forward(x, training=True)
    (layer,) = plain_numpy.plain(model)
    assert layer.forward(x).reshape(mine.shape) == pytest.approx(mine, rel=1e-3, abs=1e-4)
    dy = np.random.default_rng(3).standard_normal(mine.shape).astype(np.float32)
    dx = model.backward(dy)
    assert dx is not None
    assert layer.backward(dy.reshape(mine.shape)) == pytest.approx(dx, rel=1e-2, abs=1e-2)


@pytest.mark.compiled
def test_a_contestant_builds_times_and_measures_memory():
    contestant = Contestant("minicoord")
    row = "conv3x3-8-16/64px/16/forward"
    contestant.build(row, ["ours", "one thread"])
    assert 0 < contestant.seconds("ours", 2) < 60
    assert contestant.seconds("one thread", 1) > 0
    peak = contestant.peak_mb(row, "ours")
    input_and_output = 4 * 16 * 4096 * (8 + 16) / 1e6
    if sys.platform == "linux":
        assert peak is not None
        assert 0.8 * input_and_output < peak < 10 * input_and_output
    else:
        assert peak is None


@pytest.mark.compiled
def test_contestants_take_turns_in_processes_of_their_own():
    (row,) = rows.matching("softmax/4096/16/forward")
    measured = measure.measure([row], ["numpy"], threads=1, rounds=3)
    facts = next(measured)
    assert facts["minicoord"]["threads"] == facts["numpy"]["threads"] == 1
    (result,) = measured
    assert result["name"] == row.name
    assert result["numpy_ratio"] == pytest.approx(result["numpy_ms"] / result["ms"])
    assert (result["gflops"], result["share"]) == (None, None)


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
    quiet = {"name": "a", "ms": 1.0, "spread": 0.1, "ratio": 2.0, "torch_spread": 0.1}
    wild = {"name": "b", "ms": 1.0, "spread": 0.5, "ratio": 0.5, "torch_spread": 0.1}
    said = " ".join(report.notes([quiet, wild]))
    assert "The times of b spread widely" in said
    assert "geometric mean 1.00, least 0.50; 1 rows are slower" in said
    assert list(report.table([quiet])[0]) == ["row", "ms", "spread", "PyTorch / ours"]


@pytest.mark.compiled
def test_the_command_prints_json_alone_on_stdout():
    done = CliRunner().invoke(app, ["bench", "--rows", "softmax/4096/16/backward", "--rounds", "2", "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    (row,) = found["rows"]
    assert {"name", "ms", "gflops", "share", "peak_mb", "spread"} <= row.keys()
    assert {"processor", "cores", "versions", "date", "contestants"} <= found["machine"].keys()
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
        (["--floor", "2"], "it needs --against numpy"),
        (["--rows", "nothing"], "no row fits 'nothing'"),
        (["--against", "jax"], "there is no 'jax'"),
        (["--rounds", "0"], "--rounds"),
    ],
)
def test_the_command_says_what_is_wrong(options, sentence):
    done = CliRunner().invoke(app, ["bench", *options], env={"COLUMNS": "200"})
    assert done.exit_code == 2
    assert sentence in done.output


@pytest.mark.compiled
def test_a_busy_core_and_more_threads_than_cores():
    (row,) = rows.matching("softmax/4096/16/forward")
    found = list(robust.busy(row, rounds=2))
    assert found[0]["who"] == "minicoord"
    assert all(r["ratio"] == pytest.approx(r["busy_ms"] / r["idle_ms"]) for r in found)
    assert [r["threads"] for r in robust.more_threads(row, (1, 4), rounds=2)] == [1, 4]
