"""The data of the paper's experiments: generated, shipped, or read from files; fetched only when asked for.

`not_so_clevr` makes Not-so-Clevr, the data of the coordinate tasks, and `split` splits it into train and test. Real
images come from ``images/``: some ship with minicoord, whole sets are read from files. `field_of_digits`, of the file
of that name, scatters digits over canvases for detection; it is imported from ``minicoord``, since it needs the
kernels. Begin with ``not_so_clevr.py``.
"""

from __future__ import annotations

from minicoord.datasets.images.labelled import ImageSet, LabelledImages
from minicoord.datasets.images.load import load_images
from minicoord.datasets.images.shipped import shipped_images
from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import SPLITS, Split, split

__all__ = [
    "SPLITS",
    "ImageSet",
    "LabelledImages",
    "NotSoClevr",
    "Split",
    "load_images",
    "not_so_clevr",
    "shipped_images",
    "split",
]
