import io
import json
import pickle
import warnings
import zipfile

import numpy as np
import pytest

from minicoord import SGD, Adam, BatchNorm2D, Conv2D, Dense, Flatten, Sequential
from minicoord.train import checkpoint as checkpoints
from minicoord.train.archive import CheckpointError, read_archive, write_archive
from minicoord.train.checkpoint import CheckpointWarning, load_checkpoint, read_checkpoint, save_checkpoint
from minicoord.train.trainer import Trainer
from minicoord.train.weights import load_weights, save_weights


def make_model(seed=0, channels=3):
    rng = np.random.default_rng(seed)
    model = Sequential(
        [Conv2D(1, channels, 3, rng=rng), BatchNorm2D(channels), Flatten(), Dense(channels * 4, 2, rng=rng)]
    )
    for array in (*model.grads.values(), *model.state.values()):
        array[...] = rng.standard_normal(array.shape)
    return model


def bits(model):
    return {key: array.tobytes() for key, array in (*model.params.items(), *model.state.items())}


def trained(seed=0):
    model, optimizer = make_model(seed), Adam(0.1)
    optimizer.step(model)
    return model, optimizer


@pytest.mark.parametrize("name", ["weights.npz", "weights", "weights.v1.bin"])
def test_weights_come_back_bit_for_bit_under_the_name_given(tmp_path, name):
    model, other = make_model(0), make_model(1)
    save_weights(tmp_path / name, model)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert load_weights(str(tmp_path / name), other) is other
    assert bits(other) == bits(model)


def test_weights_can_be_read_with_numpy_alone(tmp_path):
    model = make_model()
    save_weights(tmp_path / "w.npz", model)
    with np.load(tmp_path / "w.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["params/0.w"], model.params["0.w"])
        meta = json.loads(file["meta"].tobytes())
    assert (meta["format"], meta["version"], meta["kind"]) == ("minicoord", 1, "weights")
    assert meta["fingerprint"] == model.fingerprint()
    assert {"numpy", "numba", "python", "processor"} <= set(meta["machine"])


def test_a_checkpoint_brings_everything_back(tmp_path):
    model, optimizer = trained()
    rng = np.random.Generator(np.random.PCG64(3))
    rng.random(7)
    rows = [{"epoch": 1, "train_loss": 0.1 + 0.2, "worst": float("inf")}]
    facts = {"epoch": 1, "rng": rng, "history": {"rows": rows}, "settings": {"seed": 3}}
    save_checkpoint(tmp_path / "c", model, optimizer, **facts)
    other, other_optimizer = make_model(1), Adam(0.5)
    loaded = load_checkpoint(tmp_path / "c", other, other_optimizer)
    assert bits(other) == bits(model)
    assert (loaded.epoch, loaded.history, loaded.settings) == (1, {"rows": rows}, {"seed": 3})
    assert loaded.generator().random() == rng.random()
    assert (other_optimizer.lr, other_optimizer.t) == (0.1, 1)
    optimizer.step(model)
    other.grads.update(model.grads)
    other_optimizer.step(other)
    assert bits(other) == bits(model)


def test_weights_load_from_a_checkpoint_but_no_checkpoint_from_weights(tmp_path):
    model, optimizer = trained()
    save_checkpoint(tmp_path / "c", model, optimizer)
    save_weights(tmp_path / "w", model)
    assert bits(load_weights(tmp_path / "c", make_model(1))) == bits(model)
    with pytest.raises(CheckpointError, match="holds weights only, wanted a checkpoint"):
        load_checkpoint(tmp_path / "w", model)


def refused(path, match):
    """Assert that weights and checkpoint are refused in one sentence, and that nothing has changed."""
    model, optimizer = trained(1)
    before, before_state = bits(model), optimizer.state_dict()
    for load in (lambda: load_weights(path, model), lambda: load_checkpoint(path, model, optimizer)):
        with pytest.raises(CheckpointError, match=match) as caught:
            load()
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
    assert bits(model) == before
    assert optimizer.t == before_state["t"]
    np.testing.assert_array_equal(optimizer.slots["m"]["0.w"], before_state["m/0.w"])


def test_a_file_cut_short_anywhere_is_refused(tmp_path):
    save_checkpoint(tmp_path / "whole", *trained())
    content = (tmp_path / "whole").read_bytes()
    for length in (4, 100, len(content) // 3, len(content) // 2, len(content) - 30, len(content) - 1):
        (tmp_path / "cut").write_bytes(content[:length])
        refused(tmp_path / "cut", "is damaged or cut short")


def test_a_flipped_bit_in_an_array_is_noticed(tmp_path):
    model, optimizer = trained()
    save_checkpoint(tmp_path / "c", model, optimizer)
    content = bytearray((tmp_path / "c").read_bytes())
    content[content.find(model.params["0.w"].tobytes()) + 5] ^= 1
    (tmp_path / "c").write_bytes(content)
    refused(tmp_path / "c", "is damaged or cut short")


@pytest.mark.parametrize("content, match", [
    (b"", "is empty"),
    (b"hello, this is text", "not a file of minicoord"),
    (b"\x93NUMPY\x01\x00 and so on", "not a file of minicoord"),
    (pickle.dumps({"0.w": 1}), "not a file of minicoord"),
])  # fmt: skip
def test_a_file_of_another_kind_is_refused(tmp_path, content, match):
    (tmp_path / "foreign").write_bytes(content)
    refused(tmp_path / "foreign", match)


def npz(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=True, **arrays)
    return buffer.getvalue()


def meta(**facts):
    return np.frombuffer(json.dumps(facts).encode(), np.uint8)


@pytest.mark.parametrize("content, match", [
    (npz(w=np.ones(3)), "not one that minicoord wrote"),
    (npz(meta=np.ones(3)), "not one that minicoord wrote"),
    (npz(meta=np.frombuffer(b"[1, 2", np.uint8)), "not one that minicoord wrote"),
    (npz(meta=meta(format="another")), "not one that minicoord wrote"),
    (npz(meta=meta(format="minicoord", version=99)), "has format version 99, this minicoord reads version 1"),
])  # fmt: skip
def test_an_archive_of_another_program_or_version_is_refused(tmp_path, content, match):
    (tmp_path / "foreign.npz").write_bytes(content)
    refused(tmp_path / "foreign.npz", match)


class Trap:
    def __reduce__(self):
        return pytest.fail, ("the file was unpickled",)


def test_pickled_objects_are_never_loaded(tmp_path):
    save_checkpoint(tmp_path / "c", *trained())
    arrays, _ = read_archive(tmp_path / "c")
    with np.load(tmp_path / "c") as file:
        text = file["meta"]
    arrays["model/params/0.w"] = np.array([Trap()], dtype=object)
    (tmp_path / "c").write_bytes(npz(meta=text, **arrays))
    refused(tmp_path / "c", "holds pickled Python objects, which are never loaded")


def test_an_archive_with_something_else_in_it_is_refused(tmp_path):
    save_checkpoint(tmp_path / "c", *trained())
    with zipfile.ZipFile(tmp_path / "c", "a") as archive:
        archive.writestr("notes.npy", b"\x93NUMPY but not really")
    refused(tmp_path / "c", "is damaged")


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no-such-file"):
        load_weights(tmp_path / "no-such-file", make_model())


@pytest.mark.parametrize("other, match", [
    (Sequential([*make_model().layers[:3], Dense(12, 5)]), r"its layer 3 is Dense\(.*c_out=5.*model's is .*c_out=2"),
    (Sequential([Conv2D(1, 3, 3), BatchNorm2D(3), Flatten()]), "its layer 3 is nothing, the model's is Dense"),
    (Sequential([*make_model().layers, Flatten()]), "its layer 4 is Flatten.*the model's is nothing"),
    (Sequential([Conv2D(1, 3, 5), *make_model().layers[1:]]), r"its layer 0 is Conv2D\(.*5.*model's is Conv2D\(.*3"),
])  # fmt: skip
def test_another_architecture_says_what_differs(tmp_path, other, match):
    save_checkpoint(tmp_path / "c", other, Adam(0.1))
    refused(tmp_path / "c", f"belongs to another model: {match}")


def test_another_dtype_says_how_to_go_on(tmp_path):
    save_checkpoint(tmp_path / "c", make_model().astype(np.float64), Adam(0.1))
    refused(tmp_path / "c", r"holds float64 and the model is float32: call model.astype\('float64'\) first")


def test_another_optimiser_is_refused(tmp_path):
    model, _ = trained()
    save_checkpoint(tmp_path / "c", model, SGD(0.1))
    other, optimizer = trained(1)
    before = bits(other)
    with pytest.raises(CheckpointError, match="does not fit the optimiser: Adam: the state is that of 'SGD'"):
        load_checkpoint(tmp_path / "c", other, optimizer)
    assert bits(other) == before


@pytest.mark.parametrize("damage, match", [
    (lambda arrays, facts: arrays.pop("model/params/3.b"), "'params/3.b' is missing"),
    (lambda arrays, facts: arrays.update({"model/state/1.running_var": np.ones(9, np.float32)}), "another shape"),
])  # fmt: skip
def test_missing_and_misshapen_arrays_are_refused(tmp_path, damage, match):
    save_checkpoint(tmp_path / "c", *trained())
    arrays, facts = read_archive(tmp_path / "c")
    damage(arrays, facts)
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    refused(tmp_path / "c", match)


@pytest.mark.parametrize("damage", [
    lambda arrays, facts: facts.pop("history"),
    lambda arrays, facts: facts["state"].update(optimizer=[1]),
    lambda arrays, facts: facts["state"].update(rng={"bit_generator": "MT19937"}),
    lambda arrays, facts: facts.update(epoch="2"),
    lambda arrays, facts: facts["history"].update(rows=3),
    lambda arrays, facts: facts["state"]["optimizer"].update(t="x"),
    lambda arrays, facts: facts["state"]["optimizer"].update(lr=None),
    lambda arrays, facts: arrays.update({"optimizer/m/0.w": np.ones(2, np.float32)}),
    lambda arrays, facts: arrays.update({"optimizer/m/9.w": np.ones(2, np.float32)}),
])  # fmt: skip
def test_damaged_facts_of_a_checkpoint_are_refused(tmp_path, damage):
    save_checkpoint(tmp_path / "c", *trained())
    arrays, facts = read_archive(tmp_path / "c")
    damage(arrays, facts)
    write_archive(tmp_path / "c", "checkpoint", arrays, facts)
    model, optimizer = trained(1)
    before = bits(model)
    with pytest.raises(CheckpointError, match=r"is damaged|does not fit the optimiser"):
        load_checkpoint(tmp_path / "c", model, optimizer)
    assert bits(model) == before
    assert optimizer.lr == 0.1


@pytest.mark.parametrize("call", [save_weights, load_weights])
def test_a_single_layer_is_no_model(tmp_path, call):
    with pytest.raises(TypeError, match=f"{call.__name__}: model is of type Dense, wanted a Sequential"):
        call(tmp_path / "w.npz", Dense(2, 2, rng=0))


def test_another_machine_or_version_only_warns(tmp_path, monkeypatch):
    model, optimizer = trained()
    monkeypatch.setattr(checkpoints, "machine_facts", lambda: {"numpy": "1.0", "processor": "abacus"})
    save_weights(tmp_path / "w", model)
    save_checkpoint(tmp_path / "c", model, optimizer)
    checkpoint = read_checkpoint(tmp_path / "c")
    checkpoint.machine = {"numpy": "1.0", "processor": "abacus"}
    checkpoint.save(tmp_path / "c")
    monkeypatch.undo()
    other = make_model(1)
    with pytest.warns(CheckpointWarning, match=r"numpy 1\.0, here .*processor abacus, here"):
        load_checkpoint(tmp_path / "c", other)
    assert bits(other) == bits(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_weights(tmp_path / "w", other)


def test_a_library_that_was_used_once_and_is_no_more_is_no_difference(tmp_path):
    model, optimizer = trained()
    save_checkpoint(tmp_path / "c", model, optimizer)
    checkpoint = read_checkpoint(tmp_path / "c")
    checkpoint.machine = {**checkpoint.machine, "scipy": "1.11.4"}
    checkpoint.save(tmp_path / "c")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_checkpoint(tmp_path / "c", make_model(1))


def test_a_state_holds_copies():
    model, optimizer = trained()
    trainer = Trainer(0, model=model, optimizer=optimizer)
    state, before = trainer.state(), bits(model)
    optimizer.step(model)
    assert bits(model) != before
    trainer.restore(state)
    assert (bits(model), optimizer.t) == (before, 1)
    optimizer.step(model)
    trainer.restore(state)
    assert bits(model) == before


def test_a_failed_write_leaves_the_old_checkpoint(tmp_path):
    model, optimizer = trained()
    save_checkpoint(tmp_path / "c", model, optimizer, epoch=1)
    with pytest.raises(TypeError, match="cannot be written as JSON"):
        save_checkpoint(tmp_path / "c", model, optimizer, epoch=2, settings={"what": object()})
    assert read_checkpoint(tmp_path / "c").epoch == 1
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
