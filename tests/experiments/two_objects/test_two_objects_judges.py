"""Judges of samples of two objects, on images whose truth is known: data, spoilt data, rings, movers and faders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from minicoord.datasets.two_objects import BLUE, RED, TwoObjects, two_objects
from minicoord.experiments.two_objects.coverage import density_and_coverage
from minicoord.experiments.two_objects.duplicates import distinct, duplicate_pairs
from minicoord.experiments.two_objects.entropies import entropies, entropy
from minicoord.experiments.two_objects.finder import _quantile, colour_excess, find_centres, miss_rate
from minicoord.experiments.two_objects.interpolation import fade, jump, path
from minicoord.experiments.two_objects.judge import in_words, is_collapsed, judge, yardsticks

CANVASES = pytest.mark.parametrize("canvas", [64, 32])


def blurred(images: Any, times: int = 3) -> Any:
    """Each pixel the mean of the 3 x 3 around it, several times."""
    for _ in range(times):
        padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        side = images.shape[1]
        images = sum(padded[:, i : i + side, j : j + side] for i in range(3) for j in range(3)) / 9
    return images


def noisy(images: Any) -> Any:
    return np.clip(images + np.random.default_rng(0).normal(0, 0.4, images.shape), -1, 1).astype(np.float32)


def faded(images: Any) -> Any:
    """Objects of two fifths of their colour, the rest white."""
    return 1 + 0.4 * (images - 1)


# The mean error in pixels, and the share of images in which an object is missed, at most.
# Blue has a greater error than red, because red may cover a corner of it.
SPOILT = {
    "clean": (lambda images: images, 0.02, 0.0),
    "blurred": (blurred, 0.14, 0.0),
    "noisy": (noisy, 0.02, 0.0),
    "faded": (faded, 0.02, 0.0),
    "faded and noisy": (lambda images: noisy(faded(images)), 1.0, 0.0),
}


@CANVASES
@pytest.mark.parametrize("spoil, most_error, most_missed", SPOILT.values(), ids=SPOILT)
def test_middles_are_found_in_spoilt_images(canvas, spoil, most_error, most_missed):
    data = two_objects(300, canvas, seed=3)
    found = find_centres(spoil(data.draw()))
    error = np.linalg.norm(found - data.centres, axis=2)  # (300, 2)
    assert np.nanmean(error) <= most_error
    assert miss_rate(found) <= most_missed


@CANVASES
def test_what_is_nearly_white_or_tiny_is_missed(canvas):
    data = two_objects(50, canvas, seed=3)
    images = data.draw()
    assert miss_rate(find_centres(1 + 0.25 * (images - 1))) == 1
    assert miss_rate(find_centres(np.ones_like(images))) == 1
    only_red = np.where((images == [-1, -1, 1]).all(axis=3, keepdims=True), np.float32(1), images)
    found = find_centres(only_red)
    assert np.isnan(found[:, BLUE]).all() and (found[:, RED] == data.centres[:, RED]).all()
    speck = np.ones_like(images)
    speck[:, 4:6, 7:9] = [1, -1, -1]
    assert miss_rate(find_centres(speck)) == 1


@CANVASES
def test_coloured_noise_is_no_object(canvas):
    rng = np.random.default_rng(0)
    noise = rng.choice(np.array([-1, 1], np.float32), (100, canvas, canvas, 3))  # an eighth of the pixels pure red
    assert miss_rate(find_centres(noise)) == 1
    bar = np.ones((1, canvas, canvas, 3), np.float32)
    bar[:, canvas // 2 - 3 : canvas // 2 + 3, :] = [1, -1, -1]  # as wide as the canvas
    assert np.isnan(find_centres(bar)).all()
    data = two_objects(300, canvas, seed=3)
    images = data.draw()
    stray = rng.random(images.shape[:3]) < 0.02
    images[stray] = rng.choice(np.array([-1, 1], np.float32), (stray.sum(), 3))
    found = find_centres(images)
    assert miss_rate(found) == 0 and np.abs(found - data.centres).mean() < 0.1


def test_half_of_a_square_of_full_size_spans_ten_pixels():
    image = np.ones((1, 64, 64, 3), np.float32)
    image[0, 20:41, 10:31] = [1, -1, -1]  # 21 x 21
    coloured = (colour_excess(image) > 0.3)[..., RED].sum(axis=1, keepdims=True)  # (1, 1, 64): by column
    counts = np.repeat(coloured.transpose(0, 2, 1), 2, axis=2)
    assert [float(_quantile(counts, q)[0, 0]) for q in (0.25, 0.5, 0.75)] == [15, 20, 25]


@pytest.mark.parametrize("places", [[3, 3, 4, 9], [1, 2, 3], [0, 0, 0, 7], [5]])
def test_the_middle_quantile_of_counted_pixels_is_the_median(places):
    counts = np.bincount(places, minlength=10)[None, :, None].repeat(2, axis=2)
    assert (_quantile(counts, 0.5) == np.median(places)).all()


def test_a_stray_pixel_does_not_move_a_median():
    data = two_objects(1, 64, seed=0)
    image = data.draw()
    image[0, 0, :5] = [1, -1, -1]
    assert (find_centres(image)[0, RED] == data.centres[0, RED]).all()


def test_the_excess_of_pure_colours_is_one_and_that_of_grey_is_none():
    colours = np.array([[-1, -1, 1], [1, -1, -1], [1, 1, 1], [-1, -1, -1], [0, 0, 0], [-1, 1, -1]], np.float32)
    assert colour_excess(colours).tolist() == [[1, -1], [-1, 1], [0, 0], [0, 0], [0, 0], [-1, -1]]


def test_images_of_another_shape_are_refused():
    with pytest.raises(ValueError, match=r"find_centres: images has shape \(2, 8, 8, 1\), wanted \(N, H, W, 3\)"):
        find_centres(np.zeros((2, 8, 8, 1)))


# Entropies


@CANVASES
@pytest.mark.parametrize("seed", range(4))
def test_the_data_have_the_entropies_of_the_paper(canvas, seed):
    found = entropies(two_objects(1000, canvas, seed).centres.astype(float), canvas)
    assert found["red_entropy"] == pytest.approx(4.0, abs=0.1)
    assert found["blue_entropy"] == pytest.approx(4.0, abs=0.1)
    assert found["difference_entropy"] == pytest.approx(3.5, abs=0.1)


def test_entropies_of_a_point_a_ring_and_of_nothing():
    ring = np.stack([np.cos(t := np.linspace(0, 2 * np.pi, 1000)), np.sin(t)], axis=1) * 15 + 32
    assert entropy(ring, 0, 64) == pytest.approx(2.80, abs=0.05)
    assert entropy(np.full((1000, 2), 20.0), 0, 64) == 0
    assert entropy(np.full((1000, 2), np.nan), 0, 64) == 0
    assert entropy(np.zeros((0, 2)), 0, 64) == 0
    grid = np.stack(np.meshgrid(np.arange(10), np.arange(10)), axis=-1).reshape(-1, 2) + 0.5
    assert entropy(grid, 0, 10) == pytest.approx(np.log(100))


def test_a_missing_object_leaves_the_other_in_the_count():
    centres = two_objects(1000, 64, seed=1).centres.astype(float)
    whole = entropies(centres, 64)
    centres[:, BLUE] = np.nan
    found = entropies(centres, 64)
    assert found == {"red_entropy": whole["red_entropy"], "blue_entropy": 0.0, "difference_entropy": 0.0}


# Density and coverage


def test_density_and_coverage_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    real, samples = rng.uniform(size=(40, 3)), rng.uniform(size=(30, 3))
    samples[4] = np.nan
    inside, covered = 0, 0
    for point in real:
        radius = sorted(np.linalg.norm(point - other) for other in real)[3]  # the first is the point itself
        within = [np.linalg.norm(point - sample) <= radius for sample in samples]
        inside += sum(within)
        covered += any(within)
    assert density_and_coverage(real, samples, 3) == (inside / (3 * 30), covered / 40)


def test_density_and_coverage_tell_the_data_from_a_part_of_it():
    real, like = (two_objects(1000, 64, seed).centres.reshape(-1, 4).astype(float) for seed in (1, 2))
    density, coverage = density_and_coverage(real, like)
    assert density == pytest.approx(1, abs=0.15) and coverage > 0.93
    left = like[(like[:, 0] < 32) & (like[:, 2] < 32)]
    assert density_and_coverage(real, left)[1] < 0.4
    one = np.repeat(like[:1], 1000, axis=0)
    assert density_and_coverage(real, one)[1] < 0.03
    half = np.where(np.arange(1000)[:, None] % 2 == 0, like, np.nan)
    assert density_and_coverage(real, half)[0] == pytest.approx(density / 2, rel=0.15)
    assert density_and_coverage(real, np.full((1000, 4), np.nan)) == (0, 0)
    assert density_and_coverage(real, like[:0]) == (0, 0)


def test_too_few_data_are_refused():
    with pytest.raises(ValueError, match="density_and_coverage: real has 5 points, wanted more than 5"):
        density_and_coverage(np.zeros((5, 4)), np.zeros((9, 4)))


# The birthday test


def test_a_generator_of_few_arrangements_is_found_by_its_pairs():
    known = two_objects(200, 64, seed=1).centres.astype(float)
    chosen = known[np.random.default_rng(0).integers(0, 200, 1000)]
    pairs = duplicate_pairs(chosen, 64)
    assert distinct(pairs, 1000) == pytest.approx(200, rel=0.1)
    assert duplicate_pairs(np.repeat(known[:1], 50, axis=0), 64) == 50 * 49 / 2
    assert distinct(0, 1000) == np.inf


@CANVASES
def test_the_data_have_few_pairs(canvas):
    pairs = [duplicate_pairs(two_objects(1000, canvas, seed).centres.astype(float), canvas) for seed in range(5)]
    # Of independent middles: (44 + 2 * 43) / 44^2 to the fourth power, or 1 / 22^4, of 499,500 pairs.
    expected = 10.1 if canvas == 64 else 2.1
    assert expected / 2 < np.mean(pairs) < 2 * expected


def test_samples_with_a_missing_object_are_no_duplicates():
    centres = np.full((6, 2, 2), 20.0)
    centres[:3, RED] = np.nan
    assert duplicate_pairs(centres, 64) == 3
    assert duplicate_pairs(centres[:3], 64) == duplicate_pairs(centres[:0], 64) == 0


# All of it


@CANVASES
def test_the_data_are_judged_well_and_a_collapse_badly(canvas):
    of_data = yardsticks(canvas)
    assert of_data["missed"] == 0 and of_data["coverage"] > 0.9 and not is_collapsed(of_data)
    assert f"at {canvas} x {canvas} have entropies of 4.0" in in_words(of_data, canvas)
    one = np.repeat(two_objects(1, canvas).centres.astype(float), 1000, axis=0)
    assert is_collapsed(judge(one, canvas))
    nothing = judge(np.full((1000, 2, 2), np.nan), canvas)
    assert is_collapsed(nothing)
    assert nothing == {
        **dict.fromkeys(["red_entropy", "blue_entropy", "difference_entropy"], 0.0),
        "missed": 1.0,
        "density": 0.0,
        "coverage": 0.0,
        "duplicates": 0.0,
    }


def test_metrics_of_a_record_may_be_missing():
    good = {"red_entropy": 4.0, "blue_entropy": 4.0, "difference_entropy": 3.5, "missed": 0.1}
    assert not is_collapsed(good)
    assert is_collapsed({**good, "blue_entropy": None}) and is_collapsed({**good, "missed": None})
    assert is_collapsed({**good, "missed": 0.6}) and is_collapsed({**good, "red_entropy": 1.9})
    assert is_collapsed({**good, "difference_entropy": 1.9})


def test_objects_that_move_together_are_a_collapse():
    rng = np.random.default_rng(0)
    blue = rng.uniform(5, 16, (1000, 1, 2))
    assert is_collapsed(judge(np.concatenate([blue, blue + 10], axis=1), 32))


# Interpolation


def test_a_path_keeps_its_ends_and_its_length_changes_evenly():
    start, end = np.array([3.0, 0, 0]), np.array([0.0, 5, 0])
    walk = path(start, end, 5)
    np.testing.assert_allclose(walk[[0, -1]], [start, end], atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(walk, axis=1), [3, 3.5, 4, 4.5, 5])
    assert path(start.astype(np.float32), end.astype(np.float32), 3).dtype == np.float32
    assert np.isfinite(path(start, -start, 3)).all()  # through the origin, which has no direction


def scene(blue: Any, red: Any, canvas: int, circles: Any = (True, False)) -> Any:
    """Images (K, H, W, 3) of a blue object at places (K, 2) and a red one."""
    centres = np.stack([blue, red], axis=1).round().astype(np.int64)
    return TwoObjects(canvas, centres, np.tile(np.array(circles), (len(centres), 1))).draw()


def walk_between(canvas: int, images: int = 9) -> tuple[Any, Any]:
    """The places of both objects on an even walk."""
    t = np.linspace(0, 1, images)[:, None]
    u = canvas / 64
    blue = (np.array([12, 14]) + t * np.array([0, 32])) * u
    red = (np.array([50, 12]) + t * np.array([-8, 40])) * u
    return blue, red


@CANVASES
def test_movers_slide_and_faders_fade(canvas):
    blue, red = walk_between(canvas)
    mover = scene(blue, red, canvas)[None]  # (1, 9, H, W, 3)
    t = np.linspace(0, 1, 9, dtype=np.float32)[:, None, None, None]
    fader = ((1 - t) * mover[0, 0] + t * mover[0, -1])[None]
    stuck = np.where(t < 0.5, mover[0, 0], mover[0, -1])[None]  # here, and all at once there
    soft = blurred(mover[0])[None]
    assert jump(mover) == pytest.approx(1 / 8, abs=0.03) and fade(mover) < 0.02
    assert jump(soft) == pytest.approx(1 / 8, abs=0.03) and fade(soft) < 0.1
    assert jump(fader) >= 0.5 and fade(fader) > 0.9
    assert jump(stuck) == 1 and fade(stuck) < 0.02


@CANVASES
def test_half_a_fade_lies_in_between(canvas):
    blue, red = walk_between(canvas)
    mover = scene(blue, red, canvas)
    t = np.linspace(0, 1, 9, dtype=np.float32)[:, None, None, None]
    fader = (1 - t) * mover[0] + t * mover[-1]
    red_fades = np.where((fader[..., 2:] < 1) & (fader[..., :1] == 1), fader, mover)
    both = fade(np.stack([mover, fader]))
    assert 0.3 < both < 0.7
    assert jump(np.stack([mover, fader])) == pytest.approx((jump(mover[None]) + jump(fader[None])) / 2)
    assert fade(red_fades[None]) > fade(mover[None])


@CANVASES
def test_a_circle_that_turns_into_a_square_fades_a_little(canvas):
    blue, red = walk_between(canvas)
    as_circle, as_square = scene(blue, red, canvas, (True, True)), scene(blue, red, canvas, (True, False))
    turning = np.where(np.arange(9)[:, None, None, None] < 5, as_circle, as_square)[None]
    assert 0 < fade(turning) < 0.2


def test_nothing_that_changes_has_neither():
    blue, red = (np.repeat(place[:1], 4, axis=0) for place in walk_between(32))
    still = scene(blue, red, 32)[None]
    assert np.isnan(jump(still)) and np.isnan(fade(still))
    assert np.isnan(jump(np.ones((2, 4, 32, 32, 3)))) and np.isnan(fade(np.ones((2, 4, 32, 32, 3))))


def test_an_object_that_is_gone_for_a_while_jumps_over_the_gap():
    blue, red = walk_between(32)
    images = scene(blue, red, 32)
    images[2:7] = 1
    assert jump(images[None]) > 0.7
