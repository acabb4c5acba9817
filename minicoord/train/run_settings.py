"""The settings of a run as a checkpoint stores them: enough to notice that another run is being resumed."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from minicoord.system.arguments import shown


def data_fingerprint(data: Any) -> str:
    """Return dtype, shape and checksum of an array as text: enough to notice that a run is resumed on other data."""
    if not isinstance(data, np.ndarray):
        return "the input" if data is None else "computed"
    return f"{data.dtype}{list(data.shape)} with checksum {zlib.crc32(np.ascontiguousarray(data).data):08x}"


def name_of(function: Any) -> str | None:
    """Return the name of a function, or of the class of any other callable; None for None."""
    return None if function is None else getattr(function, "__name__", type(function).__name__)


def differences(before: Any, now: Any, name: str = "") -> list[str]:
    """Return the settings that differ, each as text: ``batch_size was 16, now 32``.

    Both are plain data; dicts are compared by key. NaN is equal to NaN here.
    """
    if _equal(before, now):
        return []
    if isinstance(before, dict) and isinstance(now, dict):
        keys = dict.fromkeys((*before, *now))
        return [text for k in keys for text in differences(before.get(k), now.get(k), f"{name}.{k}".lstrip("."))]
    return [f"{name} was {shown(before)}, now {shown(now)}"]


def _equal(before: Any, now: Any) -> bool:
    if isinstance(before, dict) and isinstance(now, dict):
        return before.keys() == now.keys() and all(_equal(value, now[key]) for key, value in before.items())
    if isinstance(before, list) and isinstance(now, list):
        return len(before) == len(now) and all(map(_equal, before, now))
    return bool(before == now or (before != before and now != now))
