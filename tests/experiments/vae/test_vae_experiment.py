"""The VAE as an experiment: its steps, its runs and files, what is measured, and a run that is killed and resumed."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.datasets.two_objects import TwoObjects
from minicoord.experiments.two_objects.pictures import as_bytes
from minicoord.experiments.vae.evaluation import (
    Codes,
    all_of_it,
    decode,
    encode,
    held_out,
    judged_latents,
    judged_reconstructions,
    map_arrays,
)
from minicoord.experiments.vae.experiment import Vae
from minicoord.experiments.vae.networks import decoder, encoder
from minicoord.experiments.vae.trainer import DATA_SEED, VaeTrainer
from minicoord.train.weights import load_weights

vae = Vae()
TINY: dict[str, Any] = {"steps": 6, "every": 2, "batch": 4, "images": 18, "width": 2, "z": 3}


def trainer(model: str = "coordconv", seed: int = 3, **changes: Any) -> VaeTrainer:
    return vae.trainer(vae.plan(model, seed=seed, **{**TINY, **changes}))


def bits(folder: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Return all arrays of a run as bytes, and its history without the seconds."""
    arrays = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            arrays |= {f"{path.name}/{key}": file[key].tobytes() for key in file.files if key != "meta"}
    rows = json.loads((folder / "result.json").read_text())["history"]
    return arrays, [{key: value for key, value in row.items() if key != "train_seconds"} for row in rows]


# A step


def test_a_step_adds_the_weighted_divergence_to_the_error_and_moves_both_networks():
    training = trainer(beta=3.0)
    before = copy.deepcopy(training.state())
    numbers = training.step()
    assert set(numbers) == {"loss", "squared_error", "kl"}
    assert numbers["loss"] == pytest.approx(numbers["squared_error"] + 3 * numbers["kl"])
    assert numbers["kl"] > 0 and (training.adam_e.t, training.adam_d.t, training.done) == (1, 1, 1)
    for name in ("encoder", "decoder"):
        after = training.state()[name]["params"]
        moved = {key: not np.array_equal(w, before[name]["params"][key]) for key, w in after.items()}
        assert all(moved.values()), name


def test_the_noise_and_the_order_of_images_follow_from_the_seed():
    one, again, other = trainer(seed=1), trainer(seed=1), trainer(seed=2)
    assert one.step() == again.step() != other.step()
    plain = trainer("conv", seed=1)
    plain.step()
    assert plain.noise_rng.bit_generator.state == one.noise_rng.bit_generator.state, "whatever the networks"
    np.testing.assert_array_equal(plain.passes.order, one.passes.order)


@pytest.mark.compiled  # pure Python takes too long
def test_the_divergence_is_pulled_down_by_its_weight():
    """With a weight of 0 codes spread; with a large one they come near the standard normal distribution."""
    ends = []
    for beta in (0.0, 100.0):
        training = trainer(beta=beta, lr=0.01)
        ends.append([training.step()["kl"] for _ in range(60)][-1])
    assert ends[1] < 0.2 * ends[0]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"canvas": 48}, "vae, conv: canvas was 48, wanted one of 64, 32"),
        ({"images": 3, "batch": 4}, "vae, conv: images was 3, wanted at least 4, those of a step"),
        ({"z": 1}, "vae, conv: z was 1, wanted at least 2, for a map of the codes"),
    ],
)
def test_impossible_settings_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        vae.plan("conv", **changes)


def test_what_is_not_finite_ends_the_run():
    training = trainer("conv")
    training.encoder.params["3.log_variance.b"][:] = 300.0  # a deviation that float32 cannot hold
    with pytest.raises(FloatingPointError, match="a code is no longer finite: try a lower learning rate"):
        training.step()
    training.decoder.params["0.w"][0, 0] = np.nan
    with pytest.raises(FloatingPointError, match=r"0\.w of the decoder is no longer finite after step 1"):
        training.columns()


# What is measured


class Painter:
    """A decoder that needs no training: it draws the objects of the arrangement that a code is."""

    def __init__(self, moved: int = 0) -> None:
        self.moved = moved

    def forward(self, codes: np.ndarray) -> np.ndarray:
        whole = codes.round().astype(np.int64)
        centres = whole[:, :4].reshape(-1, 2, 2) + self.moved
        return TwoObjects(32, centres, whole[:, 4:6] > 0).draw()


def codes_of(data: TwoObjects) -> Codes:
    """Return codes that are the factors themselves, with small variances."""
    mean = np.concatenate([data.centres.reshape(-1, 4), data.circles], axis=1).astype(np.float32)
    return Codes(mean, np.full(mean.shape, -8.0, np.float32))


def test_a_perfect_autoencoder_has_no_error_and_a_displaced_one_the_distance():
    data = held_out(32, 300)
    perfect: Any = Painter()
    metrics = judged_reconstructions(perfect, data, codes_of(data))
    assert metrics["error"] == metrics["lost"] == 0
    assert metrics["offset"] < 0.05, "a blue object may be covered at a corner"
    displaced: Any = Painter(moved=-2)
    assert judged_reconstructions(displaced, data, codes_of(data))["offset"] == pytest.approx(8**0.5, abs=0.2)


def test_the_average_image_has_an_error_of_all_and_loses_every_object():
    data = held_out(32, 300)
    average = data.draw().mean(axis=0)

    class Average:
        def forward(self, codes: np.ndarray) -> np.ndarray:
            return np.broadcast_to(average, (len(codes), 32, 32, 3)).copy()

    dull: Any = Average()
    metrics = judged_reconstructions(dull, data, codes_of(data))
    assert metrics["error"] == pytest.approx(1, abs=1e-4)
    assert metrics["lost"] == 1 and np.isnan(metrics["offset"])


def test_latents_that_are_the_factors_have_a_wide_gap_and_the_map_shows_the_red_object():
    data = held_out(32, 1000)
    codes = codes_of(data)
    metrics, known = judged_latents(data, codes)
    assert metrics["gap"] > 0.8 and metrics["positions_read"] > 0.99 and metrics["shapes_read"] > 0.99

    class Corner:
        def forward(self, vectors: np.ndarray) -> np.ndarray:
            return np.broadcast_to(vectors[:, 2:5].reshape(-1, 1, 1, 3) / 2, (len(vectors), 32, 32, 3))

    net: Any = Corner()
    arrays = map_arrays(net, data, codes, known)
    assert arrays["plane"].tolist() == [2, 3]
    np.testing.assert_array_equal(arrays["plane_places"], data.centres[:, 1])
    np.testing.assert_array_equal(arrays["plane_codes"], data.centres[:, 1])
    corners = arrays["plane_images"][[0, 0, -1, -1], [0, -1, 0, -1], 0, 0]
    assert corners[:, :2].tolist() == [[0, 0], [255, 0], [0, 255], [255, 255]], "x to the right, y down"
    assert (arrays["plane_images"][..., 2] == 128).all(), "all other latents are 0"
    assert arrays["information"].shape == (6, 6) and sorted(arrays["latents"]) == list(range(6))


@pytest.mark.compiled
def test_codes_are_those_of_the_images_whatever_the_slices():
    training, data = trainer(), held_out(32, 130)
    codes = encode(training.encoder, data)
    whole = training.encoder.forward(data.draw())
    for name in Codes._fields:
        np.testing.assert_allclose(getattr(codes, name), whole[name], rtol=1e-5, atol=1e-6)
    images = decode(training.decoder, codes.mean)
    np.testing.assert_allclose(images, training.decoder.forward(codes.mean), rtol=1e-5, atol=1e-6)


def test_held_out_images_are_not_those_of_training():
    ours, others = held_out(32, 500), trainer(images=50_000).data
    assert DATA_SEED != 1_000_003
    seen = {row.tobytes() for row in others.centres.reshape(-1, 4)}
    assert sum(row.tobytes() in seen for row in ours.centres.reshape(-1, 4)) < 0.5 * len(ours)


# A run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return vae.run("coordconv", seed=3, out=tmp_path_factory.mktemp("vae"), progress=False, **TINY)


@pytest.mark.compiled
def test_a_run_leaves_its_files_and_its_record(finished):
    folder = Path(finished["folder"])
    assert {path.name for path in folder.iterdir()} == {
        *("checkpoint.npz", "weights-encoder.npz", "weights-decoder.npz", "maps.npz", "result.json", ".lock"),
    }
    kept = json.loads((folder / "result.json").read_text())
    undefined = {name for row in [finished["metrics"], *finished["history"]] for name in row if np.isnan(row[name])}
    assert undefined <= {"jump", "fade", "offset"}, "where nothing moves, and where nothing is found"
    metrics, *history = (
        {name: None if np.isnan(value) else value for name, value in row.items()}
        for row in [finished["metrics"], *finished["history"]]
    )
    assert kept == {**finished, "metrics": metrics, "history": history}
    assert (finished["unit"], finished["steps"], finished["solved"]) == ("step", 6, None)
    assert [row["step"] for row in finished["history"]] == [2, 4, 6]
    assert finished["history"][0].keys() >= {"loss", "squared_error", "kl", "error", "fade", "coverage"}
    sizes = finished["network_parameters"]
    assert sizes["encoder"] + sizes["decoder"] == finished["parameters"]
    last = finished["history"][-1]
    assert all(last[name] == finished["metrics"][name] for name in ("coverage", "missed"))


@pytest.mark.compiled
def test_the_figures_show_what_the_saved_weights_make(finished):
    folder = Path(finished["folder"])
    nets: list[Any] = [
        load_weights(folder / f"weights-{name}.npz", build(True, 3, 9, 32, 2))
        for name, build in (("encoder", encoder), ("decoder", decoder))
    ]
    metrics, arrays = all_of_it(nets[0], nets[1], 32)
    np.testing.assert_equal(metrics, finished["metrics"])
    with np.load(folder / "maps.npz") as maps:
        assert set(maps.files) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(maps[name], array)
        np.testing.assert_array_equal(maps["originals"], as_bytes(held_out(32).draw(slice(10))))
        assert maps["paths"].shape == (4, 33, 32, 32, 3) and maps["plane_images"].shape == (7, 7, 32, 32, 3)


@pytest.mark.compiled
def test_both_networks_are_drawn(finished, tmp_path):
    other = vae.run("conv", seed=3, out=tmp_path, progress=False, **TINY)
    names = {path.name for path in vae.figures([other, finished], tmp_path / "figures")}
    assert names == {
        *("samples.png", "reconstructions.png", "interpolation.png", "latent-space.png", "curves.png"),
        *("interpolation-conv.gif", "interpolation-coordconv.gif"),
    }
    assert all((tmp_path / "figures" / name).stat().st_size > 1000 for name in names)


@pytest.mark.compiled
def test_a_run_that_is_killed_resumes_to_the_same_bits(tmp_path):
    options = {**TINY, "steps": 16}
    words = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    command = [sys.executable, "-m", "minicoord", "run", "vae", "--model", "conv", *words]
    run = subprocess.Popen([*command, "--out", str(tmp_path / "killed")], stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "step 4/" in line:
            break
    run.kill()
    run.communicate()
    assert not list((tmp_path / "killed").rglob("result.json"))
    straight = vae.run("conv", out=tmp_path / "straight", progress=False, **options)
    resumed = vae.run("conv", out=tmp_path / "killed", resume=True, progress=False, **options)
    assert len(resumed["sittings"]) == 2
    assert bits(Path(resumed["folder"])) == bits(Path(straight["folder"]))


@pytest.mark.compiled
def test_a_run_that_is_interrupted_within_a_row_resumes_to_the_same_bits(tmp_path, monkeypatch, finished):
    step, taken = VaeTrainer.step, [0]

    def stops(self: VaeTrainer) -> dict[str, float]:
        taken[0] += 1
        if taken[0] == 5:  # one of a throwaway trainer, two of the first row, and in the middle of the second
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(VaeTrainer, "step", stops)
    options = {**TINY, "seed": 3, "progress": False}
    stopped = vae.run("coordconv", out=tmp_path, **options)
    assert stopped["interrupted"] and stopped["steps"] == 2
    monkeypatch.undo()
    resumed = vae.run("coordconv", out=tmp_path, resume=True, **options)
    assert bits(Path(resumed["folder"])) == bits(Path(finished["folder"]))


def test_a_damaged_state_is_refused_and_changes_nothing():
    training = trainer()
    training.step()
    before, state = training.state(), trainer().state()
    for progress in ({}, {"done": -1}, {"done": True}, None):
        with pytest.raises(ValueError, match="it does not say how many steps are done"):
            training.restore({**state, "progress": progress})
    with pytest.raises(ValueError, match="it belongs to another model"):
        training.restore(trainer("conv").state())
    slots = {**state["adam_d"], "m": {"0.w": np.zeros(3, np.float32)}, "v": {"0.w": np.zeros(3, np.float32)}}
    with pytest.raises(ValueError, match=r"'adam_d/m' do not fit"):
        training.restore({**state, "adam_d": slots})
    assert training.done == 1
    after = training.state()
    assert all((after["decoder"]["params"][k] == w).all() for k, w in before["decoder"]["params"].items())


# Words


def test_the_notes_say_what_the_loss_was_and_what_the_data_reach():
    yardsticks = {"red_entropy": 4.0, "blue_entropy": 4.0, "difference_entropy": 3.5, "coverage": 0.95, "density": 1.0}
    run = {"yardsticks": {**yardsticks, "duplicates": 1.0}, "settings": {"canvas": 32, "beta": 4.0}}
    notes = "\n".join(vae.notes([run, {**run, "settings": {"canvas": 32, "beta": 0.5}}]))
    assert "summed, plus 0.5 or 4 times the KL divergence" in notes
    assert "the paper shows pictures of a VAE and reports no number" in notes
    assert notes.count("images of the data at 32 x 32") == 1
