"""The images that ship with minicoord, so that lessons and experiments need no network.

Each file is IDX, compressed by xz, with the axes (image, column, row): stored column by column, the pictures of
Fashion-MNIST take 4 % less space. ``extract.py`` made the files.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from minicoord.datasets.images.idx import read_idx
from minicoord.datasets.images.labelled import ImageSet, LabelledImages
from minicoord.datasets.images.sources import CLASSES
from minicoord.system.arguments import shown

FOLDER = Path(__file__).resolve().parent
SHIPPED = ("mnist", "fashion-mnist")
PARTS = ("train", "test")
KINDS = ("images", "labels")


def shipped_file(name: str, part: str, kind: str) -> str:
    """Return the name of a file, such as ``"mnist-train-images.idx.xz"``."""
    return f"{name}-{part}-{kind}.idx.xz"


def shipped_images(name: str) -> ImageSet:
    """Return a subset of MNIST or Fashion-MNIST that ships with minicoord.

    =================  ================  ===============  ==================================================
    name               train             test             taken from
    =================  ================  ===============  ==================================================
    "mnist"            4,000             1,000            the training images of MNIST, both parts
    "fashion-mnist"    6,000             2,000            the training and the test images of Fashion-MNIST
    =================  ================  ===============  ==================================================

    Every class has the same number of images in a part. The digits are in the order of their classes, the pictures of
    Fashion-MNIST in the order of the whole set: shuffle before you train.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist"}

    Returns
    -------
    ImageSet
        Images of 28 x 28 pixels and one channel.

    Raises
    ------
    ValueError
        If the name is another one.

    Examples
    --------
    >>> digits = shipped_images("mnist")
    >>> digits.train.images.shape, digits.test.images.shape
    ((4000, 28, 28, 1), (1000, 28, 28, 1))
    """
    if not isinstance(name, str) or name not in SHIPPED:
        wanted = " or ".join(map(repr, SHIPPED))
        raise ValueError(
            f"shipped_images: the name is {shown(name)}, wanted {wanted}; load_images reads others from files"
        )
    paths = [FOLDER / shipped_file(name, part, kind) for part in PARTS for kind in KINDS]
    with ThreadPoolExecutor(2) as pool:  # decompression releases the GIL
        train, train_labels, test, test_labels = pool.map(read_idx, paths)
    return ImageSet(
        name,
        LabelledImages(train.transpose(0, 2, 1)[..., None], train_labels.astype(np.int64)),
        LabelledImages(test.transpose(0, 2, 1)[..., None], test_labels.astype(np.int64)),
        CLASSES[name],
    )
