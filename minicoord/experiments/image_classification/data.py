"""The images of a run: Fashion-MNIST, each image at its place on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.images.labelled import ImageSet, LabelledImages
from minicoord.datasets.images.load import load_images
from minicoord.datasets.images.shipped import shipped_images
from minicoord.experiments.image_classification.places import Places, draw_places, places_of, put

NAME = "fashion-mnist"


@dataclass(frozen=True, eq=False)
class PlacedImages:
    """Images on their canvas, as a network takes them.

    Attributes
    ----------
    images : ndarray of float32, (N, canvas, canvas, 1)
        Intensities from 0 to 1.
    labels : ndarray of int64, (N,)
        Index of each image's class.
    places : ndarray of int64, (N, 2)
        Row and column of each image's top left corner, in pixels.
    """

    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    places: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, eq=False)
class RunData:
    """What a run trains on, and what it is measured on.

    Attributes
    ----------
    places : Places
        Those of the variant.
    train : PlacedImages
        The training images, at places of training.
    test, moved : PlacedImages
        The test images at places of training, and at places that no training image had.
    """

    places: Places
    train: PlacedImages
    test: PlacedImages
    moved: PlacedImages


@lru_cache(maxsize=1)
def read_images(folder: str | None) -> ImageSet:
    """Return the images that ship with minicoord, or the whole set from a folder; see `load_images` for the errors."""
    return shipped_images(NAME) if folder is None else load_images(NAME, folder)


def run_data(variant: str, folder: str | None, train_images: int | None, seed: int) -> RunData:
    """Return the images of a run, the same for every network.

    Parameters
    ----------
    variant : {"centred", "shifted"}
    folder : str or None
        Where the whole set is; None for the images that ship with minicoord.
    train_images : int or None
        How many training images are used; None for all.
    seed : int
        Seed of the places.

    Raises
    ------
    ValueError
        If the set has fewer training images; also as `load_images`.
    FileNotFoundError
        If the folder does not have the set.
    """
    found, places = read_images(folder), places_of(variant)
    count = len(found.train) if train_images is None else train_images
    if count > len(found.train):
        raise ValueError(f"train_images was {count}, wanted at most {len(found.train)}, the training images there are")
    rng = np.random.default_rng([seed, len(places.seen)])
    train = _placed(found.train.select(np.arange(count)), places.seen, places.canvas, rng)
    test = _placed(found.test, places.seen, places.canvas, rng)
    return RunData(places, train, test, _placed(found.test, places.new, places.canvas, rng))


def _placed(part: LabelledImages, places: NDArray[np.int64], canvas: int, rng: np.random.Generator) -> PlacedImages:
    """Return each image of a part at one of the places, which are used equally often."""
    where = draw_places(places, len(part), rng)
    on_canvas = LabelledImages(put(part.images, where, canvas), part.labels)
    return PlacedImages(np.ascontiguousarray(on_canvas.scaled(np.float32)), part.labels, where)
