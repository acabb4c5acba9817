"""CIFAR-10 in the two forms in which it is published: plain records, and pickled dictionaries of Python.

The binary form has records of 3,073 bytes: a label, then the red, the green and the blue plane of 32 x 32 pixels, row
by row. The Python form has the same bytes in a pickle, which ``pickled_batch.py`` reads without running it. Each may be
unpacked, or still in its archive, from which nothing is written to the disk.
"""

from __future__ import annotations

import tarfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.images.labelled import LabelledImages
from minicoord.datasets.images.pickled_batch import read_pickled_batch

SIDE, CHANNELS, CLASSES = 32, 3, 10
PIXELS = CHANNELS * SIDE * SIDE
RECORDS = 10_000  # in each file
TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = ("test_batch",)

Batch = tuple[NDArray[np.uint8], NDArray[np.uint8]]  # (N, 3072) and (N,)
_FORMS = (  # the archive, the folder in it, and the ending of the files
    ("cifar-10-binary.tar.gz", "cifar-10-batches-bin", ".bin"),
    ("cifar-10-python.tar.gz", "cifar-10-batches-py", ""),
)


def find_cifar10(folder: Path) -> tuple[Path, str] | None:
    """Return where the files of CIFAR-10 are: a folder or an archive, and the ending of their names; None if nowhere.

    A folder counts if any of the six files is in it, so that a set with a hole is reported and not passed over.
    """
    for archive, inner, ending in _FORMS:
        for place in (folder, folder / inner):
            if any((place / f"{name}{ending}").is_file() for name in (*TRAIN, *TEST)):
                return place, ending
        if (folder / archive).is_file():
            return folder / archive, ending
    return None


def read_cifar10(folder: Path) -> tuple[LabelledImages, LabelledImages]:
    """Return the train and the test images of CIFAR-10.

    Parameters
    ----------
    folder : path
        One in which `find_cifar10` finds the files.

    Returns
    -------
    train, test : LabelledImages
        50,000 and 10,000 images (N, 32, 32, 3), the channels red, green and blue.

    Raises
    ------
    FileNotFoundError
        If one of the six files is missing.
    ValueError
        If a file or the archive is damaged or truncated, or has other contents.
    """
    found = find_cifar10(folder)
    if found is None:
        raise FileNotFoundError(f"load_images: {folder} has no file of cifar-10")
    place, ending = found
    if place.is_dir():
        return _both_parts(lambda name: _file_content(place / name), ending, str(place))
    try:
        with tarfile.open(place, "r:gz") as archive:
            members = {Path(member.name).name: member for member in archive.getmembers() if member.isfile()}

            def content(name: str) -> bytes | None:
                file = archive.extractfile(members[name]) if name in members else None
                return None if file is None else file.read()

            return _both_parts(content, ending, str(place))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(f"{place} is damaged or truncated ({error}); fetch it again") from None


def _file_content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _both_parts(
    content: Callable[[str], bytes | None], ending: str, place: str
) -> tuple[LabelledImages, LabelledImages]:
    """Read the six files, the content of each of which is None if it is missing."""
    return _part(TRAIN, content, ending, place), _part(TEST, content, ending, place)


def _part(names: Sequence[str], content: Callable[[str], bytes | None], ending: str, place: str) -> LabelledImages:
    batches = []
    for name in (f"{name}{ending}" for name in names):
        held = content(name)
        if held is None:
            raise FileNotFoundError(
                f"load_images: {place} lacks {name}; fetch cifar-10-binary.tar.gz from "
                "https://www.cs.toronto.edu/~kriz/ and put it into the same folder, in place of what is there"
            )
        read = _binary_batch if ending else _python_batch
        batches.append(read(held, f"{place}: {name}"))
        if batches[-1][1].max() >= CLASSES:
            raise ValueError(f"{place}: {name} has the label {batches[-1][1].max()}, wanted labels from 0 to 9")
    pixels = np.concatenate([batch[0] for batch in batches]).reshape(-1, CHANNELS, SIDE, SIDE)
    labels = np.concatenate([batch[1] for batch in batches])
    images = np.ascontiguousarray(pixels.transpose(0, 2, 3, 1))  # (N, C, H, W) -> (N, H, W, C)
    return LabelledImages(images, labels.astype(np.int64))


def _binary_batch(content: bytes, what: str) -> Batch:
    wanted = RECORDS * (1 + PIXELS)
    if len(content) != wanted:
        raise ValueError(
            f"{what} has {len(content)} bytes, wanted {wanted}, {RECORDS} records of 3,073; fetch it again"
        )
    records = np.frombuffer(content, np.uint8).reshape(RECORDS, 1 + PIXELS)
    return records[:, 1:], records[:, 0]


def _python_batch(content: bytes, what: str) -> Batch:
    pixels, labels = read_pickled_batch(content, what)
    if pixels.shape != (RECORDS, PIXELS) or labels.shape != (RECORDS,):
        raise ValueError(
            f"{what} holds pixels of shape {pixels.shape} and labels of shape {labels.shape}, wanted "
            f"{(RECORDS, PIXELS)} and {(RECORDS,)}; fetch it again"
        )
    return pixels, labels
