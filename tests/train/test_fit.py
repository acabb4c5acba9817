import json
import random
import subprocess
import sys
import textwrap
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord import SGD, Adam, BatchNorm2D, Conv2D, Dense, Flatten, ReLU, Sequential, fit, mean_squared_error
from minicoord.train import checkpoint as checkpoints
from minicoord.train.accumulation import SLICE_BYTES, batch_gradients, choose_slice_size
from minicoord.train.archive import CheckpointError
from minicoord.train.checkpoint import CheckpointWarning, read_checkpoint
from minicoord.train.history import TRAINING_COLUMNS, History
from minicoord.train.schedules import CosineSchedule, StepSchedule

RNG = np.random.default_rng(0)
X = RNG.standard_normal((22, 3)).astype(np.float32)
Y = (X @ RNG.standard_normal((3, 2)) + 0.5).astype(np.float32)


def make_model(seed=0):
    rng = np.random.default_rng(seed)
    return Sequential([Dense(3, 8, rng=rng), ReLU(), Dense(8, 2, rng=rng)])


def image_model(batch_norm, seed=0):
    rng = np.random.default_rng(seed)
    middle = [BatchNorm2D(4)] if batch_norm else []
    return Sequential([Conv2D(1, 4, 3, rng=rng), *middle, ReLU(), Flatten(), Dense(80, 2, rng=rng)])


def train(model=None, optimizer=None, x: Any = X, y: Any = Y, loss: Any = mean_squared_error, **options):
    model, optimizer = model or make_model(), optimizer or Adam(0.01)
    options = {"epochs": 3, "batch_size": 8, "seed": 0, "progress": False, **options}
    return model, fit(model, loss, optimizer, x, y, **options)


def bits(model):
    return {key: array.tobytes() for key, array in (*model.params.items(), *model.state.items())}


def without_seconds(history):
    return [{key: value for key, value in row.items() if key != "train_seconds"} for row in history]


class Recorder:
    """A loss that records which targets it was asked about."""

    def __init__(self):
        self.batches = []

    def __call__(self, prediction, target):
        self.batches.append(np.array(target))
        return mean_squared_error(prediction, target)


def test_training_is_the_loop_that_the_documentation_describes():
    model, optimizer = make_model(), Adam(0.01, l2=0.1)
    trained, history = train(optimizer=optimizer, schedule=StepSchedule(0.02, every=2, factor=0.5))
    rng, other = np.random.Generator(np.random.PCG64(0)), Adam(1.0, l2=0.1)
    for epoch in range(3):
        order, total = rng.permutation(22), 0.0
        other.lr = 0.02 if epoch < 2 else 0.01
        for chosen in (order[:8], order[8:16], order[16:]):
            value, dprediction = mean_squared_error(model.forward(X[chosen], training=True), Y[chosen])
            model.backward(dprediction)
            other.step(model)
            total += value * len(chosen)
        row = history.rows[epoch]
        assert row["train_loss"] == pytest.approx(total / 22, rel=1e-12)
        assert (row["epoch"], row["lr"]) == (epoch + 1, other.lr)
    assert bits(trained) == bits(model)
    assert list(history.last) == list(TRAINING_COLUMNS)
    seconds = history["train_seconds"]
    assert 0 < seconds[0] < seconds[1] < seconds[2]


def test_training_learns_and_is_repeatable():
    models, histories = zip(*(train(epochs=30) for _ in range(2)), strict=True)
    assert histories[0]["train_loss"][-1] < 0.3 * histories[0]["train_loss"][0]
    assert bits(models[0]) == bits(models[1])
    assert without_seconds(histories[0]) == without_seconds(histories[1])
    assert bits(train(seed=1)[0]) != bits(train(seed=0)[0])


def test_every_epoch_has_each_sample_once_in_a_new_order():
    loss = Recorder()
    train(y=np.arange(44, dtype=np.float32).reshape(22, 2), loss=loss, epochs=2)
    assert [len(batch) for batch in loss.batches] == [8, 8, 6] * 2
    epochs = [np.concatenate(loss.batches[:3])[:, 0], np.concatenate(loss.batches[3:])[:, 0]]
    for seen in epochs:
        assert sorted(seen) == list(range(0, 44, 2))
    assert not np.array_equal(epochs[0], epochs[1])


def test_the_last_batch_can_be_dropped():
    loss = Recorder()
    train(loss=loss, epochs=2, drop_last=True)
    assert [len(batch) for batch in loss.batches] == [8, 8] * 2
    with pytest.raises(ValueError, match="22 samples make no batch of 30"):
        train(batch_size=30, drop_last=True)


def test_targets_can_be_computed_or_be_the_input():
    expected = bits(train()[0])
    assert bits(train(y=lambda indices: Y[indices])[0]) == expected
    loss = Recorder()
    model = Sequential([Dense(3, 3, rng=np.random.default_rng(0))])
    train(model, y=None, loss=loss, epochs=1)
    assert sorted(np.concatenate(loss.batches)[:, 0]) == sorted(X[:, 0])


def test_a_number_serves_as_schedule():
    _, history = train(schedule=0.25)
    assert history["lr"] == [0.25] * 3


# Slices


@pytest.mark.parametrize("size", [1, 3, 5, 6, 7])
def test_slices_of_a_batch_give_the_gradients_of_the_batch(size):
    x = RNG.standard_normal((7, 4, 5, 1))
    y = RNG.standard_normal((7, 2))
    whole, sliced = (image_model(False).astype(np.float64) for _ in range(2))
    value = batch_gradients(whole, mean_squared_error, x, y, 7)
    assert batch_gradients(sliced, mean_squared_error, x, y, size) == pytest.approx(value, rel=1e-12)
    for key, gradient in whole.grads.items():
        np.testing.assert_allclose(sliced.grads[key], gradient, rtol=1e-11, atol=1e-13)


def test_training_in_slices_agrees_to_rounding():
    x = RNG.standard_normal((20, 4, 5, 1)).astype(np.float32)
    y = RNG.standard_normal((20, 2)).astype(np.float32)
    results = [
        train(image_model(False), SGD(0.01), x, y, slice_size=size)[0].params for size in (None, "auto", 1, 3, 100)
    ]
    for result in results[1:]:
        for key, array in results[0].items():
            np.testing.assert_allclose(result[key], array, rtol=1e-4, atol=1e-5)


def test_the_slice_is_chosen_so_that_its_largest_activation_fits():
    model = Sequential([Conv2D(2, 64, 1), ReLU(), Conv2D(64, 1, 1)])
    assert choose_slice_size("auto", model, (64, 64, 2), 16) == 8
    assert choose_slice_size("auto", model, (32, 32, 2), 80) == 27, "three slices of 27, 27 and 26"
    assert choose_slice_size("auto", model, (512, 512, 2), 16) == 1
    assert choose_slice_size("auto", model, (2, 2, 2), 16) == 16
    assert choose_slice_size(None, model, (64, 64, 2), 16) == 16
    assert choose_slice_size(5, model, (64, 64, 2), 16) == 5
    assert choose_slice_size("auto", model.astype(np.float64), (64, 64, 2), 16) == 4
    assert SLICE_BYTES == 8 * 64 * 64 * 64 * 4


def test_batch_statistics_forbid_slices():
    model = image_model(True)
    assert choose_slice_size("auto", model, (4, 5, 1), 10**6) == 10**6
    assert choose_slice_size(16, model, (4, 5, 1), 16) == 16
    with pytest.raises(ValueError, match="needs the statistics of the whole batch"):
        choose_slice_size(4, model, (4, 5, 1), 16)


@pytest.mark.parametrize("size", ["all", 0, -1, 2.5, True])
def test_other_slice_sizes_are_refused(size):
    with pytest.raises(ValueError, match="fit: slice_size was"):
        train(slice_size=size)


# Evaluation and stopping


def test_what_evaluate_returns_is_recorded_after_each_epoch():
    seen = []

    def evaluate(model, epoch):
        seen.append((epoch, bits(model)))
        return {"test_accuracy": np.float32(epoch) / 2, "test_pixels": np.int64(3)}

    model, history = train(evaluate=evaluate)
    assert history["test_accuracy"] == [0.5, 1.0, 1.5]
    assert type(history.last["test_pixels"]) is int
    assert [epoch for epoch, _ in seen] == [1, 2, 3]
    assert seen[-1][1] == bits(model)
    assert bits(model) == bits(train()[0]), "evaluation decides nothing"


def test_evaluation_is_not_training_time():
    train()  # whatever has to be compiled is now
    _, history = train(evaluate=lambda model, epoch: time.sleep(0.4) or {})
    assert history["train_seconds"][-1] < 0.8


@pytest.mark.parametrize(
    "result, error", [(None, TypeError), ({"train_loss": 0.0}, ValueError), ({"epoch": 1}, ValueError)]
)
def test_evaluate_must_return_metrics_of_its_own(result, error):
    with pytest.raises(error, match="evaluate returned"):
        train(evaluate=lambda model, epoch: result)


def test_stop_when_sees_training_columns_only_and_before_the_evaluation():
    rows, events = [], []

    def stop_when(row):
        events.append("stop?")
        rows.append(row.copy())
        row["train_loss"] = "changed by the callback"
        return row["epoch"] == 2

    def evaluate(model, epoch):
        events.append("evaluate")
        return {"test_accuracy": 1.0}

    _, history = train(evaluate=evaluate, stop_when=stop_when, epochs=9)
    assert [set(row) for row in rows] == [set(TRAINING_COLUMNS)] * 2
    assert events == ["stop?", "evaluate"] * 2
    assert len(history) == 2
    assert history.stopped and not history.interrupted
    assert isinstance(history.last["train_loss"], float)
    assert history.last["test_accuracy"] == 1.0


def test_a_history_survives_as_plain_data():
    _, history = train(evaluate=lambda model, epoch: {"test_loss": float("nan")})
    again = History.from_dict(json.loads(json.dumps(history.to_dict())))
    assert again["train_loss"] == history["train_loss"]
    assert (again.stopped, again.interrupted, len(again)) == (False, False, 3)
    with pytest.raises(KeyError, match="no column 'accuracy'"):
        history["accuracy"]
    assert History().last == {}


# Checkpoints


def options_with(path, **options):
    return {"checkpoint": path, "resume": True, "schedule": StepSchedule(0.02, every=2), **options}


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("stop", [1, 2, 4])
def test_a_resumed_run_continues_bit_for_bit(tmp_path, batch_norm, stop):
    x, y = RNG.standard_normal((20, 4, 5, 1)).astype(np.float32), RNG.standard_normal((20, 2)).astype(np.float32)
    options = options_with(
        tmp_path / "c", x=x, y=y, evaluate=lambda model, epoch: {"nan": float("nan"), "third": 1 / 3}
    )
    straight, expected = train(image_model(batch_norm), Adam(0.1, l2=0.01), **options, epochs=5)
    (tmp_path / "c").unlink()
    train(image_model(batch_norm), Adam(0.1, l2=0.01), **options, epochs=stop)
    resumed, history = train(image_model(batch_norm, seed=9), Adam(0.1, l2=0.01), **options, epochs=5)
    assert bits(resumed) == bits(straight)
    assert str(without_seconds(history)) == str(without_seconds(expected))
    assert history["train_seconds"] == sorted(history["train_seconds"])


def test_a_finished_run_returns_at_once_with_the_same_history(tmp_path):
    model, history = train(**options_with(tmp_path / "c"))

    def fail(*_):
        raise AssertionError("called")

    again, same = train(make_model(5), **options_with(tmp_path / "c", evaluate=fail, progress=fail))
    assert same == history
    assert bits(again) == bits(model)


def test_a_stopped_run_is_finished_until_the_stop_is_taken_away(tmp_path):
    options = options_with(tmp_path / "c", epochs=4)
    _, history = train(**options, stop_when=lambda row: row["epoch"] == 2)
    _, same = train(**options, stop_when=lambda row: False)
    assert same == history
    model, longer = train(**options)
    assert len(longer) == 4
    assert not longer.stopped
    assert bits(model) == bits(train(epochs=4, schedule=options["schedule"])[0])


def test_without_a_file_resume_starts_and_without_resume_the_file_is_overwritten(tmp_path):
    model, _ = train(**options_with(tmp_path / "c"))
    assert read_checkpoint(tmp_path / "c").epoch == 3
    again, _ = train(**options_with(tmp_path / "c", resume=False))
    assert bits(again) == bits(model)
    train(**options_with(tmp_path / "c", resume=False, epochs=0))
    assert read_checkpoint(tmp_path / "c").epoch == 0
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


@pytest.mark.parametrize("change, match", [
    ({"batch_size": 4}, "other settings: batch_size was 8, now 4; slice_size was 8, now 4$"),
    ({"seed": 1}, "seed was 0, now 1$"),
    ({"drop_last": True}, "drop_last was False, now True$"),
    ({"slice_size": 3}, "slice_size was 8, now 3$"),
    ({"x": X + 1}, "x was 'float32.* with checksum"),
    ({"y": lambda indices: Y[indices]}, "y was 'float32.*, now 'computed'$"),
    ({"optimizer": Adam(0.01, beta2=0.99)}, "optimizer.beta2 was 0.999, now 0.99$"),
    ({"schedule": StepSchedule(0.02, every=3)}, "schedule.every was 2, now 3$"),
    ({"schedule": CosineSchedule(0.02, 9)}, "schedule.name was 'StepSchedule', now 'CosineSchedule'"),
    ({"schedule": None}, "optimizer.lr was None, now 0.01; schedule was .* now None$"),
    ({"loss": Recorder()}, "loss was 'mean_squared_error', now 'Recorder'$"),
    ({"settings": {"scale": 2}}, "settings.scale was 1, now 2$"),
    ({"epochs": 2}, "has 3 epochs already, but epochs was 2$"),
    ({"optimizer": SGD(0.01)}, "optimizer.name was 'Adam', now 'SGD'"),
    ({"model": Sequential([Dense(3, 9), ReLU(), Dense(9, 2)])}, r"another model: its layer 0 is Dense\(c_in=3, c_"),
])  # fmt: skip
def test_a_checkpoint_of_another_run_is_refused_and_nothing_changes(tmp_path, change, match):
    options = options_with(tmp_path / "c", settings={"scale": 1})
    train(**options)
    content = (tmp_path / "c").read_bytes()
    model = change.get("model") or make_model(3)
    before = bits(model)
    with pytest.raises(CheckpointError, match=match):
        train(**{**options, "epochs": 4, **change, "model": model})
    assert bits(model) == before
    assert (tmp_path / "c").read_bytes() == content


def test_a_learning_rate_of_the_optimiser_itself_is_a_setting_too(tmp_path):
    options = {"checkpoint": tmp_path / "c", "resume": True}
    model, optimizer = make_model(), Adam(0.01)
    train(model, optimizer, **options)
    train(model, optimizer, **options, epochs=4)
    with pytest.raises(CheckpointError, match=r"optimizer.lr was 0\.01, now 0\.02"):
        train(optimizer=Adam(0.02), **options, epochs=4)


@pytest.mark.parametrize("content, match", [(b"", "is empty"), (b"PK\x03\x04 cut", "damaged"), (b"text", "not a file")])
def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path, content, match):
    (tmp_path / "c").write_bytes(content)
    with pytest.raises(CheckpointError, match=match):
        train(**options_with(tmp_path / "c"))
    assert (tmp_path / "c").read_bytes() == content


def test_a_checkpoint_that_fit_did_not_write_is_refused(tmp_path):
    checkpoints.save_checkpoint(tmp_path / "c", make_model(), Adam(0.01))
    with pytest.raises(CheckpointError, match="was not written by a training run"):
        train(**options_with(tmp_path / "c"))


def test_on_another_machine_the_run_goes_on_with_a_warning(tmp_path):
    options = options_with(tmp_path / "c")
    train(**options)
    saved = read_checkpoint(tmp_path / "c")
    saved.machine["processor"] = "abacus"
    saved.save(tmp_path / "c")
    with pytest.warns(CheckpointWarning, match="processor abacus, here") as caught:
        model, _ = train(**options, epochs=4)
    assert caught[0].filename == __file__
    assert bits(model) == bits(train(epochs=4, schedule=options["schedule"])[0])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(**options, epochs=5)


KILLED = """
    import sys
    import numpy as np
    from minicoord import Adam, BatchNorm2D, Conv2D, Dense, Flatten, ReLU, Sequential, fit, mean_squared_error
    from minicoord.train.weights import save_weights
    from minicoord.train.schedules import CosineSchedule

    rng = np.random.default_rng(0)
    x = rng.standard_normal((64, 6, 5, 1)).astype(np.float32)
    y = rng.standard_normal((64, 2)).astype(np.float32)
    model = Sequential([Conv2D(1, 4, 3, rng=rng), BatchNorm2D(4), ReLU(), Flatten(), Dense(120, 2, rng=rng)])
    history = fit(
        model, mean_squared_error, Adam(0.01, l2=0.001), x, y, epochs=EPOCHS, batch_size=6, seed=1,
        schedule=CosineSchedule(0.01, EPOCHS), checkpoint=sys.argv[1], resume=True,
        evaluate=lambda model, epoch: {"mean": float(model.forward(x).mean())},
    )
    assert len(history) == EPOCHS
    save_weights(sys.argv[2], model)
"""


@pytest.mark.compiled
def test_a_run_killed_again_and_again_ends_with_the_same_bits(tmp_path):
    epochs = 60
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(KILLED).replace("EPOCHS", str(epochs)))

    def start(name):
        command = [sys.executable, str(script), str(tmp_path / f"{name}.c"), str(tmp_path / f"{name}.npz")]
        folder = Path(__file__).parents[2]
        return subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder)

    straight = start("straight")
    _, errors = straight.communicate(timeout=120)
    assert straight.returncode == 0, errors

    draw = random.Random(7)
    reached = []
    for epoch in (3, 20, 40):
        run = start("killed")
        assert run.stderr is not None
        for line in run.stderr:  # one line per epoch, after its checkpoint is written
            if f"epoch {epoch}/" in line:
                break
        time.sleep(draw.uniform(0, 0.05))
        run.kill()
        run.communicate()
        reached.append(read_checkpoint(tmp_path / "killed.c").epoch)
    assert reached == sorted(set(reached))
    assert reached[0] >= 3 and reached[-1] < epochs
    last = start("killed")
    output, errors = last.communicate(timeout=120)
    assert last.returncode == 0, errors
    assert output == ""
    assert (tmp_path / "killed.npz").read_bytes() == (tmp_path / "straight.npz").read_bytes()


# Interruption and divergence


def interrupt_in(epoch, step, after_evaluation=False):
    def progress(update):
        if update.epoch == epoch and update.step == step and (update.row is not None) == after_evaluation:
            raise KeyboardInterrupt

    return progress


@pytest.mark.parametrize("epoch, step, completed", [(1, 1, 0), (2, 2, 1), (3, 3, 2)])
@pytest.mark.parametrize("with_checkpoint", [False, True])
def test_ctrl_c_returns_to_the_end_of_the_last_epoch(tmp_path, epoch, step, completed, with_checkpoint):
    options = options_with(tmp_path / "c") if with_checkpoint else {"schedule": StepSchedule(0.02, every=2)}
    model, optimizer = make_model(), Adam(0.01)
    _, history = train(model, optimizer, **options, epochs=4, progress=interrupt_in(epoch, step))
    assert history.interrupted
    assert len(history) == completed
    expected, _ = train(epochs=completed, schedule=StepSchedule(0.02, every=2))
    assert bits(model) == bits(expected)
    assert optimizer.t == 3 * completed
    if with_checkpoint:
        assert read_checkpoint(tmp_path / "c").epoch == completed
        resumed, history = train(**options, epochs=4)
        assert not history.interrupted
        assert bits(resumed) == bits(train(epochs=4, schedule=StepSchedule(0.02, every=2))[0])


def test_ctrl_c_in_the_evaluation_drops_that_epoch():
    def evaluate(model, epoch):
        if epoch == 3:
            raise KeyboardInterrupt
        return {}

    model, history = train(evaluate=evaluate)
    assert history.interrupted and len(history) == 2
    assert bits(model) == bits(train(epochs=2)[0])


def test_a_real_signal_interrupts_too():
    import _thread

    timer = threading.Timer(0.05, _thread.interrupt_main)

    def progress(update):
        if update.row is not None and update.epoch == 1:
            timer.start()

    _, history = train(epochs=10**6, progress=progress)
    timer.join()
    assert history.interrupted
    assert len(history) > 0


def test_a_loss_that_is_not_finite_says_where_and_keeps_the_checkpoint(tmp_path):
    calls = []

    def loss(prediction, target):
        calls.append(1)
        value, gradient = mean_squared_error(prediction, target)
        return (float("nan") if len(calls) == 5 else value), gradient

    with pytest.raises(
        FloatingPointError, match=r"loss became nan in epoch 2, step 2: .*lower learning rate.*holds epoch 1"
    ):
        train(loss=loss, checkpoint=tmp_path / "c")
    assert read_checkpoint(tmp_path / "c").epoch == 1


def test_weights_that_are_not_finite_never_reach_a_checkpoint(tmp_path):
    def loss(prediction, target):
        value, gradient = mean_squared_error(prediction, target)
        return value, gradient * np.float32("inf")

    wanted = r"no longer finite in the last step of epoch 1.*holds epoch 0"
    with pytest.raises(FloatingPointError, match=wanted), np.errstate(invalid="ignore"):
        train(loss=loss, checkpoint=tmp_path / "c", batch_size=22)
    assert np.isfinite(read_checkpoint(tmp_path / "c").state["model"]["params"]["0.w"]).all()


def test_a_schedule_that_returns_nonsense_is_named():
    with pytest.raises(ValueError, match=r"learning rate of the schedule in epoch 1 was nan"):
        train(schedule=lambda epoch: float("nan"))


# Arguments


@pytest.mark.parametrize("options, error, match", [
    ({"model": Dense(3, 2)}, TypeError, "model is of type Dense, wanted a Sequential"),
    ({"optimizer": 0.1}, TypeError, "optimizer is of type float"),
    ({"x": X.tolist()}, ValueError, "x must be a NumPy array"),
    ({"x": X[:0], "y": Y[:0]}, ValueError, "at least one sample"),
    ({"y": Y[:-1]}, ValueError, r"x has 22 samples and y has shape \(21, 2\)"),
    ({"y": Y.tolist()}, TypeError, "y is of type list"),
    ({"epochs": -1}, ValueError, "epochs was -1"),
    ({"epochs": 1.5}, ValueError, "epochs was 1.5"),
    ({"batch_size": 0}, ValueError, "batch_size was 0"),
    ({"seed": None}, ValueError, "seed was None"),
    ({"resume": True}, ValueError, "resume needs the path"),
    ({"schedule": -1.0}, ValueError, "schedule was -1.0"),
    ({"x": X.astype(np.float64)}, TypeError, "x has dtype float64, wanted float32"),
    ({"settings": {"what": object()}}, TypeError, "cannot be written as JSON"),
    ({"loss": "mse"}, TypeError, "loss is of type str, wanted a function"),
    ({"evaluate": True}, TypeError, "evaluate is of type bool, wanted a function"),
    ({"stop_when": 0.1}, TypeError, "stop_when is of type float, wanted a function"),
])  # fmt: skip
def test_wrong_arguments_are_refused(options, error, match):
    with pytest.raises(error, match=match):
        train(**options)


def test_no_epochs_train_nothing():
    model, history = train(epochs=0)
    assert len(history) == 0
    assert bits(model) == bits(make_model())


# Progress


def test_a_callable_hears_of_every_step_and_every_epoch():
    updates = []
    _, history = train(progress=updates.append, evaluate=lambda model, epoch: {"test_accuracy": 0.5}, epochs=2)
    assert [(u.epoch, u.epochs, u.step, u.steps, u.row is None) for u in updates] == [
        (epoch, 2, step, 3, no_row)
        for epoch in (1, 2)
        for step, no_row in ((1, True), (2, True), (3, True), (3, False))
    ]
    assert [u.row for u in updates if u.row] == history.rows
    assert updates[2].loss == history.rows[0]["train_loss"]


@pytest.mark.parametrize("progress", [True, False])
def test_where_there_is_no_terminal_each_epoch_is_a_line_on_stderr(capsys, monkeypatch, progress):
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    train(progress=progress, evaluate=lambda model, epoch: {"test_accuracy": 0.875}, label="coordconv")
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.splitlines()
    assert len(lines) == (3 if progress else 0)
    if progress:
        assert lines[1].startswith("coordconv  epoch 2/3  ")
        assert "test_accuracy 0.875" in lines[1]


def test_in_a_terminal_a_bar_is_drawn_on_stderr_and_stdout_stays_free(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("NO_COLOR", raising=False)

    def evaluate(model, epoch):
        print("a line of the evaluation")
        return {"test_accuracy": 0.875, "words": "not shown"}

    train(progress=True, evaluate=evaluate, label="[quadrant]", epochs=2)
    captured = capsys.readouterr()
    assert captured.out == "a line of the evaluation\n" * 2
    assert "[quadrant]" in captured.err
    assert "epoch 2/2" in captured.err
    assert "test_accuracy 0.875" in captured.err
    assert "words" not in captured.err
