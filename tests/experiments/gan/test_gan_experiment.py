"""The GAN as an experiment: its steps, its runs and files, and a run that is killed and resumed."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minicoord.experiments.gan.evaluation import generate, judged_samples, random_vectors
from minicoord.experiments.gan.experiment import Gan, sizes_in_words
from minicoord.experiments.gan.networks import conv_generator, coordconv_generator, discriminator
from minicoord.experiments.gan.settings import ARMS, PRESETS
from minicoord.experiments.gan.trainer import GanTrainer
from minicoord.experiments.two_objects.pictures import as_bytes
from minicoord.nn.composites.spectral_norm import SpectralNorm
from minicoord.nn.layers.batchnorm import BatchNorm2D
from minicoord.nn.layers.coordconv import CoordConv2D
from minicoord.nn.layers.tiled_coordconv import TiledCoordConv2D
from minicoord.train.weights import load_weights

gan = Gan()
RECIPES = [*gan.variants, *gan.more_variants]
TINY: dict[str, Any] = {"steps": 6, "every": 2, "batch": 4, "images": 18, "width": 2, "z": 3}


def trainer(model: str = "coordconv", recipe: str = "stable", seed: int = 3, **changes: Any) -> GanTrainer:
    return gan.trainer(gan.plan(model, recipe, seed=seed, **{**TINY, **changes}))


def bits(folder: Path) -> tuple[dict[str, bytes], list[dict[str, Any]]]:
    """Return all arrays of a run as bytes, and its history without the seconds."""
    arrays = {}
    for path in sorted(folder.glob("*.npz")):
        with np.load(path) as file:
            arrays |= {f"{path.name}/{key}": file[key].tobytes() for key in file.files if key != "meta"}
    rows = json.loads((folder / "result.json").read_text())["history"]
    return arrays, [{key: value for key, value in row.items() if key != "train_seconds"} for row in rows]


# Networks


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("model", ARMS)
def test_each_arm_has_coordinates_where_it_says(model, recipe):
    training = trainer(model, recipe)
    generator, judge = ([layer for _, layer in net.walk()] for net in (training.generator, training.discriminator))
    inside = [layer.layer if isinstance(layer, SpectralNorm) else layer for layer in judge]
    assert any(isinstance(layer, TiledCoordConv2D) for layer in generator) == ARMS[model].generator
    assert any(isinstance(layer, CoordConv2D) for layer in inside) == ARMS[model].discriminator
    spectral, normalised = (any(isinstance(layer, kind) for layer in judge) for kind in (SpectralNorm, BatchNorm2D))
    assert (spectral, normalised) == ((True, False) if recipe == "stable" else (False, True))
    norms = sum(isinstance(layer, BatchNorm2D) for layer in generator)
    assert norms == ((7 if recipe == "stable" else 0) if ARMS[model].generator else 3)


@pytest.mark.parametrize(
    "build, parameters",
    [
        (conv_generator, 64 * 2048 + 2048 + 256 + 204_864 + 128 + 51_232 + 64 + 2_403),
        (coordconv_generator, 17_152 + 32_896 + 16_512 + 8_256 + 2_080 + 9_248 + 9_248 + 99),
        (lambda z, **sizes: discriminator(**sizes), 2_432 + 51_264 + 128 + 204_928 + 256 + 2_049),
        (lambda z, **sizes: discriminator(True, **sizes), 4_032 + 51_264 + 128 + 204_928 + 256 + 2_049),
        (lambda z, **sizes: discriminator(spectral=True, **sizes), 2_432 + 51_264 + 204_928 + 2_049),
    ],
)
def test_networks_of_half_the_size_have_half_the_width(build, parameters):
    assert build(z=64, canvas=32, width=32).n_params == parameters


def test_an_image_is_clipped_and_the_discriminator_sees_what_was_not():
    generator = coordconv_generator(z=3, rng=0, canvas=8, width=2)
    generator.layers[-1].params["w"][...] *= 100
    vectors = random_vectors(np.random.default_rng(0), 5, 3)
    seen, image = generator.forward(vectors, training=True), generate(generator, vectors)
    assert abs(seen).max() > 1 and np.array_equal(image, np.clip(seen, -1, 1))


def test_a_canvas_is_a_doubling_of_four_pixels():
    for build in (conv_generator, discriminator):
        with pytest.raises(ValueError, match="the side of an image was 48, wanted 8, 16, 32 or another doubling of 4"):
            build(canvas=48)


def test_the_paper_preset_has_the_papers_networks():
    settings = PRESETS["paper"]["conv"]
    assert (settings.canvas, settings.width, settings.z, settings.batch) == (64, 64, 256, 16)
    assert settings.steps == 50 * (settings.images // settings.batch) and settings.every == 3125


# A step


class Spy:
    """Writes down what goes through a network in training."""

    def __init__(self, net: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[Any] = []
        forward = net.forward

        def spied(x: Any, training: bool = False) -> Any:
            if training:
                self.seen.append(x.copy())
            return forward(x, training)

        monkeypatch.setattr(net, "forward", spied)


@pytest.mark.parametrize("recipe, generator_steps", [("official", 2), ("stable", 1)])
def test_a_step_is_one_of_the_discriminator_and_some_of_the_generator(recipe, generator_steps, monkeypatch):
    training = trainer("conv", recipe)
    real, vectors = Spy(training.discriminator, monkeypatch), Spy(training.generator, monkeypatch)
    numbers = training.step()
    assert set(numbers) == {"d_loss", "g_loss", "d_real", "d_fake"}
    assert (training.adam_d.t, training.adam_g.t) == (1, generator_steps)
    # The real images, and those of the generator, apart; then once for each step of the generator.
    assert len(real.seen) == 2 + generator_steps
    assert {x.tobytes() for x in training.data.draw()} >= {x.tobytes() for x in real.seen[0]}
    np.testing.assert_array_equal(real.seen[1], real.seen[2])
    assert len(vectors.seen) == generator_steps and len({v.tobytes() for v in vectors.seen}) == 1
    if generator_steps == 2:
        assert not np.array_equal(real.seen[2], real.seen[3]), "the same vectors, and a generator that has moved"


@pytest.mark.compiled  # pure Python takes too long
@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("model", ["conv", "coordconv"])
def test_the_gradients_of_both_networks_are_those_of_their_losses(model, recipe, monkeypatch):
    """Central differences in float64, of a few entries of every parameter, with the statistics of the batch."""
    training, rng = trainer(model, recipe), np.random.default_rng(0)
    g, d = training.generator.astype(np.float64), training.discriminator.astype(np.float64)
    for array in (*g.params.values(), *d.params.values()):
        array += 0.05 * rng.standard_normal(array.shape)
    images = training.data.draw(slice(4)).astype(np.float64)
    vectors = random_vectors(rng, 4, 3).astype(np.float64)
    for adam in (training.adam_g, training.adam_d):
        monkeypatch.setattr(adam, "step", lambda net: None)
    # The direction of spectral normalisation counts as a constant, which moves between the passes of a step.
    monkeypatch.setattr(SpectralNorm, "_move", lambda self, v: None)

    def d_loss() -> float:
        fakes = g.forward(vectors, training=True)
        real = training.loss.real(d.forward(images, training=True))[0]
        fake = training.loss.fake(d.forward(fakes, training=True))[0]
        return real + fake

    def g_loss() -> float:
        return training.loss.generator(d.forward(g.forward(vectors, training=True), training=True))[0]

    fakes = g.forward(vectors, training=True)
    training.train_discriminator(images, fakes)
    of_d = {key: gradient.copy() for key, gradient in d.grads.items()}
    training.train_generator(fakes)
    of_g = {key: gradient.copy() for key, gradient in g.grads.items()}
    for net, loss, gradients in ((d, d_loss, of_d), (g, g_loss, of_g)):
        scale = max(np.abs(gradient).max() for gradient in gradients.values())
        for key, array in net.params.items():
            for place in rng.integers(0, array.size, 2):
                entry = np.unravel_index(place, array.shape)
                kept, ends = array[entry], []
                for moved in (kept - 1e-8, kept + 1e-8):  # small, for thousands of units have a kink at 0
                    array[entry] = moved
                    ends.append(loss())
                array[entry] = kept
                slope = (ends[1] - ends[0]) / 2e-8
                assert gradients[key][entry] == pytest.approx(slope, rel=1e-4, abs=1e-6 * scale), key


def test_the_order_of_the_images_follows_from_the_seed_whatever_the_networks():
    one, other = trainer(seed=3), trainer("conv", "official", seed=3)
    assert list(one.passes.indices(5)) == list(other.passes.indices(5)) != list(trainer(seed=4).passes.indices(5))


def test_learning_rates_may_be_set():
    assert (trainer().adam_d.lr, trainer().adam_g.lr) == (4e-4, 2e-4)
    assert (trainer(recipe="official").adam_d.lr, trainer(recipe="official").adam_g.lr) == (1e-4, 5e-4)
    changed = trainer(recipe="official", lr_g=0.01)
    assert (changed.adam_d.lr, changed.adam_g.lr) == (1e-4, 0.01)


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"canvas": 48}, "gan, conv: canvas was 48, wanted one of 64, 32"),
        ({"images": 3, "batch": 4}, "gan, conv: images was 3, wanted at least 4, those of a step"),
    ],
)
def test_impossible_settings_are_named(changes, words):
    with pytest.raises(ValueError, match=words):
        gan.plan("conv", **changes)


def test_what_is_not_finite_ends_the_run():
    training = trainer("conv")
    training.generator.params["0.w"][0, 0] = np.inf
    with pytest.raises(FloatingPointError, match=r"0\.w of the generator is no longer finite after step 0"):
        training.columns()
    with pytest.raises(FloatingPointError, match="no longer finite: try a lower learning rate"):
        training.step()


# A run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    out = tmp_path_factory.mktemp("gan")
    return gan.run("coordconv", "stable", seed=3, out=out, progress=False, **TINY)


@pytest.mark.compiled
def test_a_run_leaves_its_files_and_its_record(finished):
    folder = Path(finished["folder"])
    assert {path.name for path in folder.iterdir()} == {
        *("checkpoint.npz", "weights-generator.npz", "weights-discriminator.npz", "maps.npz", "result.json", ".lock"),
    }
    kept = json.loads((folder / "result.json").read_text())
    undefined = [name for name, value in finished["metrics"].items() if np.isnan(value)]
    assert set(undefined) <= {"jump", "fade"}, "where nothing moves"
    assert kept == {**finished, "metrics": {**finished["metrics"], **dict.fromkeys(undefined)}}
    assert (finished["unit"], finished["steps"], finished["solved"]) == ("step", 6, None)
    assert [row["step"] for row in finished["history"]] == [2, 4, 6]
    assert finished["history"][0].keys() >= {"d_loss", "g_loss", "d_real", "d_fake", "coverage", "missed"}
    sizes = finished["network_parameters"]
    assert sizes["generator"] + sizes["discriminator"] == finished["parameters"]
    assert finished["yardsticks"]["coverage"] > 0.9
    last = finished["history"][-1]
    assert all(last[name] == finished["metrics"][name] for name in ("red_entropy", "coverage", "missed"))


@pytest.mark.compiled
def test_the_figures_show_what_the_saved_weights_make(finished):
    folder = Path(finished["folder"])
    net: Any = load_weights(folder / "weights-generator.npz", coordconv_generator(3, 9, 32, 2, normalised=True))
    metrics, arrays = judged_samples(net, 3)
    assert {name: finished["metrics"][name] for name in metrics} == metrics
    with np.load(folder / "maps.npz") as maps:
        for name, array in arrays.items():
            np.testing.assert_array_equal(maps[name], array)
        assert maps["strip"].shape == (3, 8, 32, 32, 3) and maps["strip_steps"].tolist() == [2, 4, 6]
        assert maps["paths"].shape == (4, 33, 32, 32, 3)
        strip = as_bytes(generate(net, random_vectors(np.random.default_rng(0), 8, 3)))
        np.testing.assert_array_equal(maps["strip"][-1], strip)
        assert (maps["strip"][0] != maps["strip"][-1]).any()


@pytest.mark.compiled
def test_a_run_that_is_killed_resumes_to_the_same_bits(tmp_path):
    options = {**TINY, "steps": 16}
    words = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    command = [sys.executable, "-m", "minicoord", "run", "gan", "--model", "conv", "--recipe", "official", *words]
    run = subprocess.Popen([*command, "--out", str(tmp_path / "killed")], stderr=subprocess.PIPE, text=True)
    assert run.stderr is not None
    for line in run.stderr:
        if "step 4/" in line:
            break
    run.kill()
    run.communicate()
    assert not list((tmp_path / "killed").rglob("result.json"))
    straight = gan.run("conv", "official", out=tmp_path / "straight", progress=False, **options)
    resumed = gan.run("conv", "official", out=tmp_path / "killed", resume=True, progress=False, **options)
    assert len(resumed["sittings"]) == 2
    assert bits(Path(resumed["folder"])) == bits(Path(straight["folder"]))
    with np.load(Path(resumed["folder"]) / "maps.npz") as maps:
        assert maps["strip_steps"].tolist() == list(range(2, 17, 2))


@pytest.mark.compiled
def test_a_run_that_is_interrupted_within_a_row_resumes_to_the_same_bits(tmp_path, monkeypatch, finished):
    step, taken = GanTrainer.step, [0]

    def stops(self: GanTrainer) -> dict[str, float]:
        taken[0] += 1
        if taken[0] == 5:  # one of a throwaway trainer, two of the first row, and in the middle of the second
            raise KeyboardInterrupt
        return step(self)

    monkeypatch.setattr(GanTrainer, "step", stops)
    options = {**TINY, "seed": 3, "progress": False}
    stopped = gan.run("coordconv", "stable", out=tmp_path, **options)
    assert stopped["interrupted"] and stopped["steps"] == 2
    monkeypatch.undo()
    resumed = gan.run("coordconv", "stable", out=tmp_path, resume=True, **options)
    assert bits(Path(resumed["folder"])) == bits(Path(finished["folder"]))


def test_a_state_brings_back_every_part():
    one, other = trainer(seed=1), trainer(seed=2)
    one.step()
    one.columns()
    state = copy.deepcopy(one.state())
    other.restore(state)
    assert one.step() == trainer_after(other)
    assert [a.tobytes() for a in other.discriminator.state.values()] == [
        a.tobytes() for a in one.discriminator.state.values()
    ]
    assert other.strip_steps == [1] and (other.strip == one.strip).all()


def trainer_after(training: GanTrainer) -> dict[str, float]:
    """Take a step as the run of seed 1 would."""
    training.passes.seed = 1
    return training.step()


def test_a_damaged_state_is_refused_and_changes_nothing():
    training = trainer()
    training.step()
    before, state = training.state(), trainer().state()
    for progress, words in (
        ({}, "it does not say how many steps are done"),
        ({"done": -1}, "it does not say how many steps are done"),
        ({"done": 1, "strip": np.zeros((1, 8, 64, 64, 3), np.uint8), "strip_steps": [1]}, "its strip of samples"),
        ({"done": 1, "strip": np.zeros((1, 8, 32, 32, 3), np.uint8), "strip_steps": []}, "its strip of samples"),
    ):
        with pytest.raises(ValueError, match=words):
            training.restore({**state, "progress": progress})
    with pytest.raises(ValueError, match="it belongs to another model"):
        training.restore(trainer("conv").state())
    slots = {**state["adam_d"], "m": {"0.w": np.zeros(3, np.float32)}, "v": {"0.w": np.zeros(3, np.float32)}}
    with pytest.raises(ValueError, match=r"'adam_d/m' do not fit"):
        training.restore({**state, "adam_d": slots})
    assert training.done == 1
    after = training.state()
    assert all((after["generator"]["params"][k] == w).all() for k, w in before["generator"]["params"].items())


# Words


def record(model: str, recipe: str, entropy: float, missed: float = 0.0, **changes: Any) -> dict[str, Any]:
    metrics = {"red_entropy": entropy, "blue_entropy": 3.5, "difference_entropy": 3.0, "missed": missed}
    preset, settings = "record", vars(gan.plan(model, recipe, preset="record").settings)
    facts = {"experiment": "gan", "model": model, "variant": recipe, "metrics": metrics, "settings": settings}
    return {**facts, "preset": preset, **changes}


def test_collapsed_runs_are_counted():
    runs = [record("conv", "official", 1.0), record("conv", "official", 3.0), record("coordconv", "stable", 3.5, 0.7)]
    shorter = record("conv", "official", 1.0, settings={**runs[0]["settings"], "steps": 50})
    other = {**record("conv", "official", 1.0), "experiment": "vae"}
    assert gan.remarks([*runs, other, shorter], Path()) == [
        "conv, official, preset record: 1 of 2 collapsed: an entropy below 2, or half missed",
        "coordconv, stable, preset record: 1 of 1 collapsed: an entropy below 2, or half missed",
        "conv, official, preset record with steps=50: 1 of 1 collapsed: an entropy below 2, or half missed",
    ]


def test_the_notes_say_what_the_data_reach_and_what_coordconv_costs():
    sizes = {"conv": {"generator": 1000}, "coordconv": {"generator": 70}}
    yardsticks = {"red_entropy": 4.0, "blue_entropy": 4.0, "difference_entropy": 3.5, "coverage": 0.95, "density": 1.0}
    yardsticks["duplicates"] = 1.0
    runs = [record(m, "stable", 3.0, network_parameters=sizes[m], yardsticks=yardsticks) for m in sizes]
    notes = "\n".join(gan.notes(runs))
    assert "a coverage of 95 %, and 1 pair of near-duplicates" in notes
    assert "70 parameters, 7.0 % of the other's, and needs eleven times its multiply-adds or more" in notes
    assert sizes_in_words(runs[:1]) == []
