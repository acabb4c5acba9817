"""Photos of one's own: any sizes and formats, cut to squares of one size. What cannot be read is named and left out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import check_whole
from minicoord.system.arrays import check_indices, check_room
from minicoord.system.counting import counted
from minicoord.system.places import FOLDER, PathLike, what_is_at

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")
NAMED = 5  # files that a warning names


class PhotoWarning(UserWarning):
    """Some files of a folder are no photos that can be read."""


@dataclass(frozen=True, eq=False)
class Photos:
    """Photos as squares of one size.

    Attributes
    ----------
    images : ndarray (N, canvas, canvas, 3) of uint8
        RGB.
    names : tuple of str
        The file of each, relative to the folder, in alphabetical order.
    left_out : dict of str
        Files that could not be read, by name, each with the reason.
    """

    images: NDArray[np.uint8]
    names: tuple[str, ...]
    left_out: dict[str, str]

    def __len__(self) -> int:
        return len(self.images)

    def draw(self, which: slice | NDArray[np.integer] = slice(None)) -> NDArray[np.float32]:
        """Return some of the photos, by default all: (n, canvas, canvas, 3) of float32, RGB in [-1, 1].

        Parameters
        ----------
        which : slice or ndarray of int, (n,)
            Indices of photos, or a bool for each.

        Raises
        ------
        TypeError, ValueError
            If they are not indices of photos.
        """
        if not isinstance(which, slice):
            which = check_indices("Photos.draw: which", which, len(self))
        return (self.images[which] / np.float32(127.5) - np.float32(1)).astype(np.float32, copy=False)


def load_photos(folder: PathLike, canvas: int = 64) -> Photos:
    """Read all photos of a folder and the folders in it.

    The largest square in the middle of each is kept, and reduced or enlarged to `canvas` pixels. A photo is turned as
    its camera says, grey becomes RGB, transparent parts become white, and of several frames the first counts. Files are
    known by their suffix, such as ``.jpg`` and ``.png``; names that begin with a dot are not read.

    Parameters
    ----------
    folder : path
    canvas : int
        Side of the squares in pixels.

    Returns
    -------
    Photos

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    ValueError
        If no photo in it can be read, or all of them would not fit into memory.

    Warns
    -----
    PhotoWarning
        If files cannot be read; all of them are named in `Photos.left_out`.
    """
    check_whole("load_photos: canvas", canvas, 1)
    if what_is_at(folder) != FOLDER:
        raise FileNotFoundError(f"load_photos: there is no folder {folder}, wanted one with photos")
    root, side = Path(folder), int(canvas)
    files = photo_files(root)
    check_room("load_photos: the array of photos", (len(files), side, side, 3), np.uint8)
    images, names, left_out = np.empty((len(files), side, side, 3), np.uint8), [], {}
    for file in files:
        name = file.relative_to(root).as_posix()
        try:
            images[len(names)] = read_square(file, side)
        except Exception as error:  # damaged bytes raise errors of many kinds in the readers of all formats
            left_out[name] = _reason(error)
        else:
            names.append(name)
    if left_out:
        warnings.warn(left_out_in_words(left_out, str(folder)), PhotoWarning, stacklevel=2)
    if not names:
        wanted = f"wanted at least one file ending in {', '.join(SUFFIXES)}"
        raise ValueError(f"load_photos: no photo in {folder} can be read, {wanted}")
    return Photos(images[: len(names)], tuple(names), left_out)


def photo_files(folder: Path) -> list[Path]:
    """Return the files of a folder, and of the folders in it, that end as photos do, in alphabetical order."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def read_square(file: Path, side: int) -> NDArray[np.uint8]:
    """Return the square in the middle of a photo: (side, side, 3) of uint8, RGB.

    Raises
    ------
    OSError, ValueError, and others
        If the file is damaged, cut short, or larger than Pillow takes for safe.
    """
    from PIL import Image, ImageOps  # matplotlib brings it along

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(file) as opened:
            image: Any = ImageOps.exif_transpose(opened)
            image = _rgb(image)
    length = min(image.size)
    left, top = (image.width - length) // 2, (image.height - length) // 2
    square = image.crop((left, top, left + length, top + length))  # first, so that nothing beyond it is mixed in
    return np.asarray(square.resize((side, side), Image.Resampling.LANCZOS), np.uint8)


def _rgb(image: Any) -> Any:
    """Return an image of Pillow as RGB."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits a pixel, which Pillow would clip to 255
        image = Image.fromarray((np.asarray(image, np.float64) / 257).clip(0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def left_out_in_words(left_out: dict[str, str], folder: str) -> str:
    """Return in a sentence which files of a folder were left out, and why.

    Examples
    --------
    >>> left_out_in_words({"a.jpg": "cannot be read", "b.png": "is empty"}, "mine")
    '2 files of mine were left out: a.jpg (cannot be read), b.png (is empty)'
    """
    named = [f"{name} ({reason})" for name, reason in _first(left_out.items(), NAMED)]
    more = len(left_out) - len(named)
    tail = f", and {more} more" if more else ""
    were = "was" if len(left_out) == 1 else "were"
    return f"{counted(len(left_out), 'file')} of {folder} {were} left out: {', '.join(named)}{tail}"


def _first(items: Iterable[tuple[str, str]], count: int) -> list[tuple[str, str]]:
    return list(items)[:count]


def _reason(error: Exception) -> str:
    """Return in a few words why a file could not be read."""
    kind = type(error).__name__
    if kind == "UnidentifiedImageError":
        return "no image of a known format"
    if kind.startswith("DecompressionBomb"):
        return "too many pixels"
    if isinstance(error, PermissionError):
        return "not allowed to read it"
    return "damaged or cut short"
