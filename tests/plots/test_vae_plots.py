"""The figures of the VAE: rows of images where they belong, a legible map of the codes, curves of both parts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from figure_checks import assert_legible, images, words

from minicoord.plots import latent_map, reconstruction_rows, vae_curves
from minicoord.plots.latent_map import FACTORS
from minicoord.plots.vae_curves import PANELS

pytestmark = pytest.mark.filterwarnings("error")
MODELS = ("conv", "coordconv")


def arrays(canvas: int = 32, latents: int = 10, seed: int = 0) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    originals = np.random.default_rng(9).integers(0, 256, (10, canvas, canvas, 3), dtype=np.uint8)
    information = rng.uniform(0, 0.3, (6, latents))
    information[2, 0], information[5, latents - 1] = 0.94, 0.04
    return {
        "originals": originals,
        "reconstructions": rng.integers(0, 256, originals.shape, dtype=np.uint8),
        "information": information,
        "latents": rng.permutation(32)[:latents],
        "plane": np.array([31, 4]),
        "plane_codes": rng.standard_normal((1000, 2)),
        "plane_places": rng.integers(5, 27, (1000, 2)),
        "plane_ends": np.array([-2.0, 2.0]),
        "plane_images": rng.integers(0, 256, (7, 7, canvas, canvas, 3), dtype=np.uint8),
    }


# Reconstructions


@pytest.mark.parametrize("canvas", [32, 64])
@pytest.mark.parametrize("models", [MODELS, MODELS[:1]])
def test_the_images_stand_above_what_each_network_makes_of_them(models, canvas):
    maps = {model: arrays(canvas, seed=k) for k, model in enumerate(models)}
    figure = reconstruction_rows(maps, "new images")
    assert_legible(figure, least=3)
    (shown,) = images(figure)
    assert shown.shape == ((canvas + 1) * (1 + len(models)) + 1, (canvas + 1) * 10 + 1, 3)
    np.testing.assert_array_equal(shown[1 : canvas + 1, 1 : canvas + 1], maps["conv"]["originals"][0])
    last = maps[models[-1]]["reconstructions"][-1]
    np.testing.assert_array_equal(shown[-canvas - 1 : -1, -canvas - 1 : -1], last)
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == ["truth", "convolution", "CoordConv"][: 1 + len(models)]


def test_reconstructions_of_other_images_are_refused():
    one, other = arrays(), arrays()
    other["originals"] = other["originals"][::-1]
    with pytest.raises(ValueError, match=r"maps\['coordconv'\] is of other images than those of 'conv', wanted"):
        reconstruction_rows({"conv": one, "coordconv": other}, "new images")
    short = {**arrays(), "reconstructions": one["reconstructions"][:5]}
    with pytest.raises(ValueError, match=r"maps\['conv'\] is of other images"):
        reconstruction_rows({"conv": short}, "new images")


# The map


@pytest.mark.parametrize("models", [MODELS, MODELS[:1]])
@pytest.mark.parametrize("latents", [2, 10])
def test_a_map_has_shares_codes_and_images(models, latents):
    of_one = arrays(latents=latents)
    figure = latent_map(dict.fromkeys(models, of_one))
    assert_legible(figure)
    assert len(figure.axes) == 4 * len(models)
    table, by_x, by_y, plane = figure.axes[:4]
    np.testing.assert_array_equal(images(figure)[0], of_one["information"])
    assert [label.get_text() for label in table.get_yticklabels()] == list(FACTORS)
    assert [label.get_text() for label in table.get_xticklabels()] == [str(k) for k in of_one["latents"]]
    written = {(round(t.get_position()[0]), round(t.get_position()[1])): t.get_text() for t in table.texts}
    assert written[0, 2] == "94" and (latents - 1, 5) not in written, "small shares are not written"
    for ax, places in ((by_x, of_one["plane_places"][:, 0]), (by_y, of_one["plane_places"][:, 1])):
        (dots,) = ax.collections
        np.testing.assert_allclose(np.ma.getdata(dots.get_offsets()), of_one["plane_codes"])
        np.testing.assert_array_equal(np.asarray(dots.get_array()), places)
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("latent 31", "latent 4")
        assert ax.yaxis.get_inverted(), "as the images of the plane, from top to bottom"
    assert "both from -2 to 2" in plane.get_xlabel()
    assert "convolution: share known (%)" in words(figure)
    shown = plane.images[0].get_array()
    assert shown is not None
    np.testing.assert_array_equal(np.asarray(shown)[1:33, 34:66], of_one["plane_images"][0, 1])


def test_a_map_of_wrong_arrays_is_refused():
    wrong = {**arrays(), "information": np.zeros((5, 10))}
    with pytest.raises(ValueError, match=r"latent_map: maps\['conv'\]: 'information' has shape \(5, 10\)"):
        latent_map({"conv": wrong})


# Curves


@pytest.mark.parametrize("seeds", [1, 3])
def test_curves_of_both_parts_of_the_loss(seeds):
    rng = np.random.default_rng(0)
    rows = [{"step": 250 * k, **{panel.column: rng.random() for panel in PANELS}} for k in range(1, 9)]
    rows[0]["fade"] = None
    runs = [{"model": model, "history": rows} for model in MODELS for _ in range(seeds)]
    figure = vae_curves(runs)
    assert_legible(figure)
    assert [ax.get_title() for ax in figure.axes] == [panel.title for panel in PANELS]
    lines = figure.axes[3].get_lines()
    assert len(lines) == 2 * (seeds + (seeds > 1))
    np.testing.assert_allclose(np.asarray(lines[0].get_ydata(), float), [100 * row["fade"] for row in rows[1:]])


def test_nothing_to_draw_is_refused():
    for draw in (lambda: latent_map({}), lambda: reconstruction_rows({}, "t"), lambda: vae_curves([])):
        with pytest.raises(ValueError, match="is empty, wanted at least one"):
            draw()
