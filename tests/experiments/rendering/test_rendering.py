"""Rendering: its run and files, the overlap, and the half of it that one convolution does exactly."""

import json
from typing import Any

import numpy as np
import pytest
from central_differences import numeric_gradient, relative_error

from minicoord.datasets.not_so_clevr import not_so_clevr
from minicoord.datasets.splits import Split, split
from minicoord.experiments.classification.painters import coordconv_painter
from minicoord.experiments.rendering import experiment as rendering
from minicoord.experiments.rendering.renderers import coordconv_renderer, square_drawer
from minicoord.nn.layers.activations import Softmax

DATA = not_so_clevr()
FAST: dict[str, Any] = {"epochs": 1, "batch_size": 64}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    out = tmp_path_factory.mktemp("rendering")
    return rendering.run("conv", "quadrant", seed=2, out=out, progress=False, c=1, fs=2, **FAST), out


@pytest.mark.compiled
def test_a_run_leaves_its_files_and_its_record(finished):
    result, out = finished
    folder = out / "rendering" / "quick" / "conv-quadrant-seed2"
    assert {path.name for path in folder.iterdir()} == {"checkpoint.npz", "weights.npz", "maps.npz", "result.json"}
    assert json.loads((folder / "result.json").read_text()) == result
    assert result["samples"] == {"train": 2407, "test": 729}
    assert 0 <= result["metrics"]["test_worst_iou"] <= result["metrics"]["test_iou"] <= 1
    with np.load(folder / "maps.npz") as maps:
        assert maps["test_overlaps"].mean() == pytest.approx(result["metrics"]["test_iou"], rel=1e-5)
        assert maps["test_drawn"].shape == (3, 64, 64)


def overlap_by_sets(logits, target):
    drawn = {place for place in np.ndindex(*logits.shape) if logits[place] > 0}
    wanted = {place for place in np.ndindex(*target.shape) if target[place] == 1}
    return len(drawn & wanted) / len(drawn | wanted) if drawn | wanted else 1.0


def test_the_overlap_is_that_of_the_two_sets_of_pixels():
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((6, 7, 5, 1))
    target = (rng.random((6, 7, 5, 1)) < 0.4).astype(float)
    logits[4], target[4] = -1, 0
    logits[5], target[5] = -1, 1
    expected = [overlap_by_sets(a, b) for a, b in zip(logits, target, strict=True)]
    assert rendering.iou(logits, target).tolist() == expected
    assert expected[4:] == [1.0, 0.0]


@pytest.mark.compiled
def test_one_convolution_of_ones_draws_every_square_exactly():
    logits = square_drawer().forward(DATA.one_hot())
    assert np.all(rendering.iou(logits, DATA.squares()) == 1)


def test_solved_needs_both_parts():
    assert rendering.TASK.solved({"train_iou": 1.0, "test_iou": 0.981})
    assert not rendering.TASK.solved({"train_iou": 1.0, "test_iou": 0.98})


@pytest.mark.compiled
def test_the_coordconv_renderer_learns_from_the_squares_alone(tmp_path):
    result = rendering.run("coordconv", "uniform", out=tmp_path, progress=False, epochs=1, batch_size=64)
    assert result["parameters"] == 11_850
    assert np.isfinite(result["metrics"]["test_iou"])


class Shifted:
    """A network that draws every square one column too far to the right: 72 pixels in common, 90 in all."""

    def __init__(self) -> None:
        self.squares = {tuple(place): k for k, place in enumerate(DATA.inputs().tolist())}

    def forward(self, places):
        chosen = [self.squares[tuple(place)] for place in places.tolist()]
        return 20 * np.roll(DATA.squares(chosen), 1, axis=2) - 10


def record(model: str, folder) -> dict[str, Any]:
    parts = split(DATA, "uniform")
    few = Split(name="uniform", train=parts.train[:40], test=parts.test[:20])
    metrics, arrays = rendering.measure(Shifted(), DATA, DATA.inputs(), few)  # pyright: ignore[reportArgumentType]
    folder.mkdir()
    np.savez(folder / "maps.npz", **arrays)
    facts = {"model": model, "split": "quadrant", "preset": "quick", "parameters": 11_850, "epochs": 3, "seed": 0}
    history = [{"epoch": k, "train_seconds": 2.0 * k, "test_iou": 0.2 * k, "train_iou": 0.25 * k} for k in (1, 2, 3)]
    rest = {"train_seconds": 6.0, "solved": False, "folder": str(folder), "history": history}
    return {**facts, "metrics": metrics, **rest}


def test_the_metrics_of_a_network_that_draws_one_column_off(tmp_path):
    metrics = record("coordconv", tmp_path / "run")["metrics"]
    for part in ("train", "test"):
        assert metrics[f"{part}_iou"] == pytest.approx(72 / 90)
        assert metrics[f"{part}_worst_iou"] == pytest.approx(72 / 90)
        assert metrics[f"{part}_perfect"] == 0


def test_the_report_names_the_paper_and_draws(tmp_path):
    results = [record(model, tmp_path / model) for model in rendering.MODELS]
    rows = rendering.summary_table(results)
    assert rows[0]["test IOU"] == "0.800\npaper: .36"
    assert any("short run" in line for line in rendering.notes(results))
    paths = rendering.figures(results, tmp_path)
    assert {path.name for path in paths} == {"overlap.png", "squares-quadrant.png"}
    assert all(path.stat().st_size > 10_000 for path in paths)
    assert rendering.figures([], tmp_path) == []


def test_describe_lists_the_networks_of_the_paper():
    described = {row["model"]: row["parameters"] for row in rendering.describe()}
    assert described["coordconv fs=1 m=1"] == 8_074
    assert described["coordconv fs=3 m=2"] == 24_210
    assert described["coordconv fs=4 m=2"] == 37_090


def test_the_centre_of_a_square_is_found_also_at_the_edge_and_in_a_wide_image():
    assert rendering.centres_of(DATA.squares()).tolist() == DATA.labels.tolist()
    image = np.zeros((1, 5, 11, 1))
    image[0, 0:3, 8:11] = 1
    assert rendering.centres_of(image).tolist() == [1 * 11 + 9]


@pytest.mark.parametrize("shape", [(2, 5, 7, 1), (1, 1, 3, 1)])
def test_the_sum_over_the_pixels_is_the_mean_times_their_number(shape):
    rng = np.random.default_rng(3)
    logits, target = rng.normal(size=shape), (rng.random(shape) < 0.5).astype(float)
    loss, gradient = rendering.sigmoid_cross_entropy_sum(logits, target)
    by_hand = np.log1p(np.exp(-(2 * target - 1) * logits)).sum() / shape[0]
    assert loss == pytest.approx(by_hand, rel=1e-12)
    numeric = numeric_gradient(lambda z: rendering.sigmoid_cross_entropy_sum(z, target)[0], logits)
    assert relative_error(gradient, numeric) < 1e-6


def test_per_lit_pixel_divides_by_the_pixels_of_the_squares():
    rng = np.random.default_rng(5)
    logits, target = rng.normal(size=(2, 4, 5, 1)), np.zeros((2, 4, 5, 1))
    target[0, :2, :3] = target[1, 3:, 4:] = 1
    loss, gradient = rendering.sigmoid_cross_entropy_per_lit_pixel(logits, target)
    assert loss == pytest.approx(np.log1p(np.exp(-(2 * target - 1) * logits)).sum() / 7, rel=1e-12)
    numeric = numeric_gradient(lambda z: rendering.sigmoid_cross_entropy_per_lit_pixel(z, target)[0], logits)
    assert relative_error(gradient, numeric) < 1e-6
    assert np.isfinite(rendering.sigmoid_cross_entropy_per_lit_pixel(logits, np.zeros_like(target))[0])


@pytest.mark.parametrize("point", ["softmax", "squares"])
def test_the_loss_with_a_pointer_has_the_gradient_of_both_parts(point):
    rng = np.random.default_rng(4)
    target = np.zeros((2, 5, 6, 1))
    target[0, 1:4, 2:5] = target[1, 0:3, 0:3] = 1
    output = rng.normal(size=(2, 5, 6, 2))
    loss = rendering.loss_with_pointer(rendering.sigmoid_cross_entropy_sum, 0.7, point)
    value, gradient = loss(output, target)
    assert relative_error(gradient, numeric_gradient(lambda z: loss(z, target)[0], output)) < 1e-6
    right = np.zeros(output.shape)
    right[..., 0] = 60 * target[..., 0] - 30
    right[0, 2, 3, 1] = right[1, 1, 1, 1] = 1
    certain = right * [1, 60] - [0, 30] if point == "softmax" else right
    assert loss(certain, target)[0] < 1e-9 < value


@pytest.mark.compiled
def test_a_renderer_that_shows_its_pointer_draws_the_same_and_sums_both_gradients():
    plain = coordconv_renderer(3, 1, 5).astype(np.float64)
    both = coordconv_renderer(3, 1, 5, show_pointer=True).astype(np.float64)
    assert both.n_params == plain.n_params == 11_850
    assert (
        rendering.TASK.network("coordconv", rendering.Preset(1, 0.1, 0.0, pointer=1.0), "uniform", 0).n_params == 11_850
    )
    inputs = DATA.inputs()[[5, 700]].astype(np.float64)
    output = both.forward(inputs, training=True)
    drawn = plain.forward(inputs, training=True)
    np.testing.assert_array_equal(output[..., :1], drawn)
    np.testing.assert_array_equal(rendering.drawing(both, inputs), drawn)
    dy = np.random.default_rng(6).normal(size=output.shape)
    both.backward(dy, need_dx=False)
    plain.backward(dy[..., :1].copy(), need_dx=False)
    through_drawing = {key: gradient.copy() for key, gradient in plain.grads.items()}
    pointer = coordconv_painter(5).astype(np.float64)
    np.testing.assert_array_equal(pointer.forward(inputs, training=True), output[..., 1:])
    pointer.backward(dy[..., 1:].copy(), need_dx=False)
    names = list(through_drawing)
    for k, (key, gradient) in enumerate(both.grads.items()):
        wanted = through_drawing[names[k]] + (list(pointer.grads.values())[k] if key.startswith("0.") else 0)
        np.testing.assert_allclose(gradient, wanted, rtol=1e-9, atol=1e-12)


def test_an_unknown_loss_of_the_pointer_is_named():
    with pytest.raises(ValueError, match="the pointer_loss was 'cubes'"):
        rendering.TASK.loss(rendering.Preset(1, 0.1, 0.0, pointer=1.0, pointer_loss="cubes"))


@pytest.mark.parametrize(
    "model, changes, parameters",
    [
        ("drawer", {"fs": 3, "m": 1}, 4_297),
        ("drawer", {"fs": 1, "m": 1}, 521),
        ("upsample", {"c": 1, "fs": 3}, 103_585),
        ("upsample-coords", {"c": 1, "fs": 3}, 108_211),
        ("conv-pointer", {"c": 1, "fs": 3, "m": 1}, 103_585 + 4_297),
        ("coordconv", {"fs": 3, "m": 1, "sharpen": False}, 11_850),
    ],
)
def test_the_variants_have_the_parameters_of_the_official_code(model, changes, parameters):
    net = rendering.network(model, rendering.Preset(1, 0.1, 0.0, **changes), 0)
    inputs, targets = rendering.TASK.samples(model, DATA, False)
    assert net.n_params == parameters
    assert net.output_shape((2, *inputs.shape[1:])) == (2, *targets.shape[1:])
    assert any(isinstance(layer, Softmax) for layer in net.layers) == (
        model == "conv-pointer" or (model == "coordconv" and changes["sharpen"])
    )


@pytest.mark.compiled
def test_the_tail_alone_learns_to_draw_from_one_lit_pixel(tmp_path):
    result = rendering.run("drawer", "quadrant", out=tmp_path, progress=False, epochs=1)
    assert result["metrics"]["test_iou"] > 0.98


@pytest.mark.compiled
def test_a_run_with_a_pointer_leaves_the_drawing_alone_in_its_files(tmp_path):
    changes: dict[str, Any] = {"pointer": 1.0, "loss": "sigmoid-sum", **FAST}
    result = rendering.run("coordconv", "uniform", out=tmp_path, progress=False, **changes)
    with np.load(tmp_path / "rendering" / "quick" / "coordconv-uniform-seed0" / "maps.npz") as maps:
        assert maps["test_drawn"].shape == (3, 64, 64)
    assert result["settings"]["pointer"] == 1.0


def test_the_squared_error_is_that_of_the_output_plus_one_half():
    logits, target = np.array([[0.5, -0.5, 0.1]]), np.array([[1.0, 0.0, 1.0]])
    loss, gradient = rendering.squares_around_half(logits, target)
    assert loss == pytest.approx(0.4**2 / 3)
    np.testing.assert_allclose(gradient, [[0, 0, -0.8 / 3]], atol=1e-12)
    with pytest.raises(ValueError, match="the loss was 'cubes'"):
        rendering.TASK.loss(rendering.Preset(1, 0.1, 0.0, loss="cubes"))
