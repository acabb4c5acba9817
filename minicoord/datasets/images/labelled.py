"""What a set of images is: a train and a test part, each with one label for every image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from minicoord.system.arguments import check_kind
from minicoord.system.arrays import check_float_type, check_indices, check_no_mask


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and the class of each.

    Attributes
    ----------
    images : ndarray (N, H, W, C) of uint8, read-only
        Intensities from 0 to 255.
    labels : ndarray (N,) of int64, read-only
        Index of each image's class.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        for name, array in {"images": self.images, "labels": self.labels}.items():
            check_kind(f"LabelledImages: {name}", array, np.ndarray, "a NumPy array")
            check_no_mask(f"LabelledImages: {name}", array)
        if self.images.shape[:1] != self.labels.shape or self.labels.ndim != 1:
            raise ValueError(
                f"LabelledImages: images has shape {self.images.shape} and labels {self.labels.shape}, wanted (N, ...) "
                "and (N,)"
            )
        self.images.setflags(write=False)
        self.labels.setflags(write=False)

    def __len__(self) -> int:
        return len(self.labels)

    def select(self, indices: ArrayLike) -> LabelledImages:
        """Return the images of some indices, in their order, as a copy.

        Raises
        ------
        TypeError, ValueError
            If `indices` are no whole numbers from -N to N - 1, and no mask of N bools.
        """
        chosen = check_indices("select: indices", indices, len(self))
        return LabelledImages(self.images[chosen], self.labels[chosen])

    def scaled(self, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
        """Return the images as a network takes them.

        Parameters
        ----------
        dtype : float32 or float64

        Returns
        -------
        ndarray (N, H, W, C) of `dtype`
            Intensities from 0 to 1.

        Raises
        ------
        TypeError
            If `dtype` is something else.
        """
        dtype = check_float_type("scaled", dtype)
        return self.images.astype(dtype) / dtype.type(255)


@dataclass(frozen=True, eq=False)
class ImageSet:
    """A set of images for classification.

    Attributes
    ----------
    name : str
        ``"mnist"``, ``"fashion-mnist"`` or ``"cifar-10"``.
    train, test : LabelledImages
        No image is in both parts.
    classes : tuple of str
        The name of each class, by label.
    """

    name: str
    train: LabelledImages
    test: LabelledImages
    classes: tuple[str, ...]
