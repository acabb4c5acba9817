"""The data of the paper's experiments: generated, shipped, or read from files; fetched only when asked for.

`not_so_clevr` makes Not-so-Clevr, the data of the coordinate tasks, and `split` splits it into train and test. Real
images are in ``images/``: some ship with minicoord, whole sets are read from files. ``digit_fields.py`` scatters digits
over canvases, for detection; ``two_objects.py`` has the two coloured objects of GAN and VAE. ``worlds/`` has the games
that an agent plays. `shipped_images`, `load_images`, `field_of_digits` and `two_objects` are imported from
``minicoord``: they load the kernels or what a download needs, which Not-so-Clevr does not. Begin with
``not_so_clevr.py``.
"""

from __future__ import annotations

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import SPLITS, Split, split

__all__ = ["SPLITS", "NotSoClevr", "Split", "not_so_clevr", "split"]
