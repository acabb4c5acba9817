"""Whole sets of images from files that a user has, and the search for these files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from minicoord.datasets.images.cifar10 import find_cifar10, read_cifar10
from minicoord.datasets.images.download import download_images
from minicoord.datasets.images.idx import read_idx
from minicoord.datasets.images.labelled import ImageSet, LabelledImages
from minicoord.datasets.images.sources import CLASSES, DATA_VARIABLE, FILES
from minicoord.system.arguments import check_flag, shown
from minicoord.system.places import PathLike, check_path

DEBIAN = Path("/usr/share/datasets")  # the package dataset-fashion-mnist puts its files into a folder below
COUNTS = {"train": 60_000, "t10k": 10_000}
SIDE = 28  # pixels


def load_images(name: str, folder: PathLike | None = None, download: bool = False) -> ImageSet:
    """Return all images of a set, read from files of its published format.

    ================  ==========================================================  ========  ========
    name              files                                                       train     test
    ================  ==========================================================  ========  ========
    "mnist"           train-images-idx3-ubyte, train-labels-idx1-ubyte,           60,000    10,000
                      t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte, plain
                      or with the ending .gz
    "fashion-mnist"   files of the same names                                     60,000    10,000
    "cifar-10"        cifar-10-binary.tar.gz or cifar-10-python.tar.gz, or one    50,000    10,000
                      of them unpacked
    ================  ==========================================================  ========  ========

    Parameters
    ----------
    name : str
        One of the names above.
    folder : path, optional
        Where the files are: in this folder itself, or in a folder in it that has the set's name. Without it, the
        folder ``$MINICOORD_DATA/NAME`` is searched, then Debian's ``/usr/share/datasets/NAME``.
    download : bool
        Whether the files are fetched, if they are missing, into `folder` or ``$MINICOORD_DATA/NAME``; see
        `minicoord.datasets.images.download.download_images`.

    Returns
    -------
    ImageSet
        Images (N, 28, 28, 1), or (N, 32, 32, 3) for CIFAR-10.

    Raises
    ------
    FileNotFoundError
        If the files are not there; the sentence says what to fetch and where to put it.
    ValueError
        If the name is unknown, or a file is damaged, truncated, or has other contents than those of the set.
    OSError
        If the download fails.
    """
    if folder is not None:
        check_path("load_images: folder", folder)
    download = check_flag("load_images: download", download)
    if not isinstance(name, str) or name not in FILES:
        raise ValueError(f"load_images: the name is {shown(name)}, wanted one of {', '.join(map(repr, FILES))}")
    places = folders_to_search(name, folder)
    found = _find(name, places)
    if download and not _is_complete(name, found):
        found = download_images(name, places[0] if places[0].parent != DEBIAN else None)
    if found is None:
        raise FileNotFoundError(_what_to_fetch(name, places))
    return _read_cifar10(found) if name == "cifar-10" else _read_idx_set(name, found)


def folders_to_search(name: str, folder: PathLike | None = None) -> list[Path]:
    """Return the folders in which the files of a set are looked for, in order."""
    if folder is not None:
        return [Path(folder), Path(folder) / name]
    variable = os.environ.get(DATA_VARIABLE)
    return [*([Path(variable) / name] if variable else []), DEBIAN / name]


def _find(name: str, places: list[Path]) -> Path | None:
    """Return the first folder that has any file of the set, or None."""
    for place in places:
        if name == "cifar-10":
            if find_cifar10(place):
                return place
        elif any(_idx_file(place, file.name) for file in FILES[name]):
            return place
    return None


def _is_complete(name: str, folder: Path | None) -> bool:
    """Whether a folder has every file of a set; of CIFAR-10 it has one archive, which is complete or not there."""
    if folder is None or name == "cifar-10":
        return folder is not None
    return all(_idx_file(folder, file.name) for file in FILES[name])


def _idx_file(folder: Path, name: str) -> Path | None:
    """Return the path of a file, compressed or plain, or None."""
    return next((path for path in (folder / name, folder / name.removesuffix(".gz")) if path.is_file()), None)


def _what_to_fetch(name: str, places: list[Path]) -> str:
    files = FILES[name]
    which = files[0].name if len(files) == 1 else f"the {len(files)} files {', '.join(file.name for file in files)}"
    address = files[0].addresses[0].removesuffix(files[0].name)
    target = places[0] if places[0].parent != DEBIAN else f"a folder, and name it with folder=... or {DATA_VARIABLE}"
    return (
        f"load_images: {name} is not in {' or '.join(map(str, places))}; fetch {which} from {address} and put them "
        f"into {target}, or call load_images with download=True"
    )


def _read_idx_set(name: str, folder: Path) -> ImageSet:
    train, test = (_read_idx_part(name, folder, part, count) for part, count in COUNTS.items())
    return ImageSet(name, train, test, CLASSES[name])


def _read_idx_part(name: str, folder: Path, part: str, count: int) -> LabelledImages:
    images = _read_idx_file(name, folder, f"{part}-images-idx3-ubyte.gz", (count, SIDE, SIDE))
    labels = _read_idx_file(name, folder, f"{part}-labels-idx1-ubyte.gz", (count,))
    if labels.max() >= len(CLASSES[name]):
        raise ValueError(
            f"load_images: {folder} has the label {labels.max()} in {part}-labels-idx1-ubyte, wanted labels from 0 to 9"
        )
    return LabelledImages(images[..., None], labels.astype(np.int64))


def _read_idx_file(name: str, folder: Path, file: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return the numbers of a file of the set, which must have this shape."""
    path = _idx_file(folder, file)
    if path is None:
        source = next(source for source in FILES[name] if source.name == file)
        raise FileNotFoundError(
            f"load_images: {folder} has files of {name}, but not {file}; fetch it from {source.addresses[0]} and put "
            "it there"
        )
    numbers = read_idx(path)
    if numbers.shape != shape:
        raise ValueError(
            f"{path} holds an array of shape {numbers.shape}, wanted {shape}, as in {name}; fetch it again"
        )
    return numbers


def _read_cifar10(folder: Path) -> ImageSet:
    return ImageSet("cifar-10", *read_cifar10(folder), CLASSES["cifar-10"])
