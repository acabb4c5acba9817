"""The data of the paper's experiments: generated when asked for, never downloaded.

`not_so_clevr` makes Not-so-Clevr, the data of the coordinate tasks, and `split` splits it into train and test. Begin
with ``not_so_clevr.py``.
"""

from __future__ import annotations

from minicoord.datasets.not_so_clevr import NotSoClevr, not_so_clevr
from minicoord.datasets.splits import SPLITS, Split, split

__all__ = ["SPLITS", "NotSoClevr", "Split", "not_so_clevr", "split"]
