"""Photos of one's own: any size and format becomes a square of RGB, and what cannot be read is named and left out."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from minicoord.datasets.images.photos import PhotoWarning, load_photos, photo_files, read_square

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def thirds(width: int, height: int) -> Image.Image:
    """A picture in three stripes along its longer side: red, green in the middle, blue."""
    image = Image.new("RGB", (width, height), GREEN)
    if width >= height:
        third = (width - height) // 2
        image.paste(RED, (0, 0, third, height))
        image.paste(BLUE, (width - third, 0, width, height))
    else:
        third = (height - width) // 2
        image.paste(RED, (0, 0, width, third))
        image.paste(BLUE, (0, height - third, width, height))
    return image


@pytest.mark.parametrize("size", [(96, 32), (32, 96), (90, 31), (33, 100), (8, 24), (640, 200)])
def test_the_square_in_the_middle_is_kept_and_resized(tmp_path: Path, size: tuple[int, int]):
    thirds(*size).save(tmp_path / "wide.png")
    square = read_square(tmp_path / "wide.png", 16)
    assert square.shape == (16, 16, 3) and square.dtype == np.uint8
    assert (square == GREEN).all()


def test_a_reduced_photo_is_averaged_and_not_picked_from(tmp_path: Path):
    checks = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    Image.fromarray(checks).save(tmp_path / "checks.png")
    square = read_square(tmp_path / "checks.png", 8)
    assert np.abs(square[1:-1, 1:-1].astype(int) - 127).max() < 12


def test_all_kinds_become_rgb(tmp_path: Path):
    grey = Image.new("L", (20, 20), 100)
    grey.save(tmp_path / "grey.png")
    Image.new("1", (20, 20), 1).save(tmp_path / "bits.png")
    Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(tmp_path / "print.tif")
    Image.new("RGBA", (20, 20), (0, 0, 255, 0)).save(tmp_path / "clear.png")
    Image.new("RGBA", (20, 20), (0, 0, 255, 255)).save(tmp_path / "opaque.webp", lossless=True)
    Image.fromarray(np.full((20, 20), 25_700, np.uint16)).save(tmp_path / "deep.png")
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([255, 0, 0] + [0] * 765)
    palette.save(tmp_path / "palette.gif")
    wanted = {
        "bits.png": (255, 255, 255),
        "clear.png": (255, 255, 255),
        "deep.png": (100, 100, 100),
        "grey.png": (100, 100, 100),
        "opaque.webp": BLUE,
        "palette.gif": RED,
        "print.tif": RED,
    }
    photos = load_photos(tmp_path, 4)
    assert photos.names == tuple(wanted) and photos.left_out == {}
    for name, square in zip(photos.names, photos.images, strict=True):
        assert np.abs(square.astype(int) - wanted[name]).max() <= 1, name


def test_a_photo_is_turned_as_its_camera_says(tmp_path: Path):
    image = Image.new("RGB", (40, 40), GREEN)
    image.paste(RED, (0, 0, 40, 20))  # the upper half
    turned = Image.Exif()
    turned[0x0112] = 3  # upside down
    image.save(tmp_path / "turned.png", exif=turned)
    square = read_square(tmp_path / "turned.png", 8)
    assert np.abs(square[:2].astype(int) - GREEN).max() < 12, "edges ring a little"
    assert np.abs(square[-2:].astype(int) - RED).max() < 12


def test_what_cannot_be_read_is_named_and_left_out(tmp_path: Path):
    thirds(30, 20).save(tmp_path / "b good.jpg")
    thirds(20, 30).save(tmp_path / "z.png")
    whole = (tmp_path / "b good.jpg").read_bytes()
    (tmp_path / "a cut.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "words.jpg").write_text("no photo")
    (tmp_path / "notes.txt").write_text("not even asked")
    (tmp_path / ".hidden.png").write_bytes(b"")
    with pytest.warns(
        PhotoWarning, match=r"3 files of .* were left out: a cut.jpg \(damaged or cut short\), empty.png"
    ):
        photos = load_photos(tmp_path, 8)
    assert photos.names == ("b good.jpg", "z.png") and photos.images.shape == (2, 8, 8, 3)
    assert photos.left_out == {
        "a cut.jpg": "damaged or cut short",
        "empty.png": "no image of a known format",
        "words.jpg": "no image of a known format",
    }


def test_a_photo_of_too_many_pixels_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    thirds(30, 20).save(tmp_path / "large.png")
    thirds(10, 9).save(tmp_path / "small.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 500)
    with pytest.warns(PhotoWarning, match=r"1 file of .* was left out: large.png \(too many pixels\)"):
        assert load_photos(tmp_path, 8).names == ("small.png",)


def test_a_warning_names_a_few_and_counts_the_rest(tmp_path: Path):
    thirds(9, 9).save(tmp_path / "good.png")
    for k in range(12):
        (tmp_path / f"{k:02d}.jpg").write_bytes(b"")
    with pytest.warns(PhotoWarning, match=r"12 files .*04.jpg \(no image of a known format\), and 7 more$"):
        assert len(load_photos(tmp_path, 8).left_out) == 12


def test_folders_within_are_read_in_the_order_of_their_names(tmp_path: Path):
    for name in ("b/two.png", "a/three.JPG", "one.Png", ".thumbnails/no.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        thirds(9, 9).save(tmp_path / name)
    assert [path.relative_to(tmp_path).as_posix() for path in photo_files(tmp_path)] == [
        "a/three.JPG",
        "b/two.png",
        "one.Png",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_photos(str(tmp_path), 8).names == ("a/three.JPG", "b/two.png", "one.Png")


def test_photos_are_drawn_as_training_wants_them(tmp_path: Path):
    for k, value in enumerate((0, 255, 51)):
        Image.new("RGB", (5, 7), (value, value, value)).save(tmp_path / f"{k}.png")
    photos = load_photos(tmp_path, 4)
    assert len(photos) == 3
    found = photos.draw(np.array([2, 0]))
    assert found.shape == (2, 4, 4, 3) and found.dtype == np.float32
    np.testing.assert_allclose(found[:, 0, 0, 0], [-0.6, -1], atol=1e-6)
    assert photos.draw().max() == 1 and len(photos.draw(slice(1))) == 1
    with pytest.raises(ValueError, match="wanted 0 to 2 for 3 samples"):
        photos.draw(np.array([3]))


@pytest.mark.parametrize("canvas", [0, 2.5, "64"])
def test_a_canvas_that_is_no_number_of_pixels_is_refused(tmp_path: Path, canvas: Any):
    with pytest.raises((TypeError, ValueError), match="load_photos: canvas was"):
        load_photos(tmp_path, canvas)


def test_a_folder_without_photos_is_refused(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*none, wanted one with photos"):
        load_photos(tmp_path / "none", 8)
    with pytest.raises(ValueError, match=r"no photo in .* can be read, wanted at least one file ending in .bmp"):
        load_photos(tmp_path, 8)
    (tmp_path / "bad.png").write_bytes(b"x")
    with pytest.warns(PhotoWarning, match="bad.png"), pytest.raises(ValueError, match="no photo in"):
        load_photos(tmp_path, 8)
