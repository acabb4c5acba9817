"""The arrays of many layers in one dict, under names such as ``"3.body.0.w"``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from minicoord.system.arguments import shown


class FlatArrays(dict[str, NDArray]):
    """The arrays of all layers under their flat names. To assign to a name writes into the layer's own array.

    A copy, such as ``copy.deepcopy(model.params)`` of weights to keep, is an ordinary dict.
    """

    def __setitem__(self, key: str, values: NDArray) -> None:
        if key not in self:
            raise KeyError(f"the model has no array {shown(key)}; it has {', '.join(self) or 'none'}")
        array, values = self[key], np.asarray(values)
        if values.shape != array.shape or values.dtype != array.dtype:
            given, wanted = f"{values.shape} {values.dtype}", f"{array.shape} {array.dtype}"
            raise ValueError(f"the values for {shown(key)} are {given}, wanted {wanted}")
        np.copyto(array, values)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Assign several arrays: each is written into the layer's own array."""
        for key, values in dict(*args, **kwargs).items():
            self[key] = values

    def __ior__(self, other: Any) -> FlatArrays:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[type[dict], tuple[dict[str, NDArray]]]:
        return dict, (dict(self),)
