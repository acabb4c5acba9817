"""The images of detection: fields of real digits, the same for every seed, network and padding.

Training and test images are made of different digits.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from minicoord.datasets.digit_fields import FieldOfDigits, field_of_digits
from minicoord.datasets.images.shipped import shipped_images
from minicoord.experiments.detection.settings import DIGITS, DetectionSettings

CANVAS, FIELD = 64, 120  # sides in pixels
TRAIN_SEED, TEST_SEED = 0, 1


class DetectionData(NamedTuple):
    """What is trained on, and what is tested on."""

    train: FieldOfDigits
    test: FieldOfDigits


def detection_data(settings: DetectionSettings) -> DetectionData:
    """Return the images of a run; the last ones that were made are kept, for 9,000 take seconds."""
    return _data(settings.images, settings.test_images, settings.scattered, settings.stick_out)


@lru_cache(maxsize=1)
def _data(images: int, test_images: int, scattered: int, stick_out: bool) -> DetectionData:
    digits = shipped_images("mnist")
    parts = [(digits.train, images, TRAIN_SEED), (digits.test, test_images, TEST_SEED)]
    field = FIELD if stick_out else CANVAS
    return DetectionData(
        *(field_of_digits(part.images, count, seed, DIGITS, CANVAS, field, scattered) for part, count, seed in parts)
    )
