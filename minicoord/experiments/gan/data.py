"""What a GAN is trained on: images of two objects, or photos of one's own."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from minicoord.datasets.images.photos import Photos, load_photos, photo_files
from minicoord.datasets.two_objects import TwoObjects, two_objects
from minicoord.experiments.gan.settings import GanSettings

DATA_SEED = 0  # the images are the same for every run

Stamp = tuple[tuple[str, int, int], ...]  # name, size and time of the last change of each file


def training_images(settings: GanSettings) -> TwoObjects | Photos:
    """Return the images of a run.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is no folder of photos as the settings say, or fewer photos in it than a step takes.
    """
    if settings.photos is None:
        return two_objects(settings.images, settings.canvas, DATA_SEED)
    photos = _photos(settings.photos, settings.canvas, _stamp(Path(settings.photos)))
    if len(photos) < settings.batch:
        raise ValueError(
            f"{settings.photos} has {len(photos)} photos that can be read, wanted at least {settings.batch}, "
            "those of a step"
        )
    return photos


@lru_cache(maxsize=1)
def _photos(folder: str, canvas: int, stamp: Stamp) -> Photos:
    """Return photos, which are read once for all seeds and networks as long as no file changes."""
    return load_photos(folder, canvas)


def _stamp(folder: Path) -> Stamp:
    facts = ((path, path.stat()) for path in photo_files(folder))
    return tuple((str(path), found.st_size, found.st_mtime_ns) for path, found in facts)
