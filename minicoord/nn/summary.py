"""The table of a model: one row per layer with its output shape and parameters, as users of Keras know it.

A layer made of layers has a row of its own above theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from minicoord.nn.composites.place import Place
from minicoord.nn.layers.base import Shape
from minicoord.system.arguments import check_shape_given, is_whole, shown


class Summarised(Protocol):
    """What a table is made of: a model, as `minicoord.nn.composites.base.Composite` is one."""

    @property
    def n_params(self) -> int:
        """How many trained numbers it has."""
        ...

    @property
    def state(self) -> Mapping[str, NDArray]:
        """The arrays that are saved but not trained, by name."""
        ...

    def trace(self, input_shape: Shape) -> Iterator[Place]:
        """Yield every layer with the shape of its input and output."""
        ...


class Printed(str):
    """Text that was printed already, so that a notebook whose cell ends with it does not show it again."""

    __slots__ = ()

    def __repr__(self) -> str:
        return ""


def summary_table(model: Summarised, input_shape: Sequence[int | None]) -> str:
    """Return the table as text.

    Parameters
    ----------
    model : Summarised
        The model, such as a `Sequential`.
    input_shape : sequence of int
        The shape of one sample, or of a batch: see ``Composite.summary``.

    Raises
    ------
    ValueError
        If the shape does not fit the layers.
    """
    shape, places = _fit_shape(model, input_shape)
    rows = [("", "input", _batch(shape), "")]
    for place in places:
        parameters = "" if place.composite else f"{place.layer.n_params:,}"
        rows.append((place.name, place.layer.name, _batch(place.output_shape), parameters))
    header = ("", "Layer", "Output shape", "Parameters")
    widths = [max(len(row[c]) for row in (header, *rows)) for c in range(4)]
    lines = [_line(header, widths), "=" * (sum(widths) + 6), *(_line(row, widths) for row in rows)]
    lines += ["=" * (sum(widths) + 6), f"Parameters: {model.n_params:,}"]
    untrained = sum(array.size for array in model.state.values())
    if untrained:
        lines.append(f"Saved but not trained: {untrained:,}")
    return "\n".join(lines)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, layer, shape, count = row
    return f"{name:<{widths[0]}}  {layer:<{widths[1]}}  {shape:<{widths[2]}}  {count:>{widths[3]}}".rstrip()


def _batch(shape: Any) -> str:
    """Return the shape with N for its first axis, ``(N, 64, 64, 3)``; for heads their names, ``{policy, value}``."""
    if isinstance(shape, dict):
        return f"{{{', '.join(shape)}}}"
    return f"({', '.join(('N', *map(str, shape[1:])))})" if len(shape) > 1 else "(N,)"


def _fit_shape(model: Summarised, input_shape: Sequence[int | None]) -> tuple[Shape, list[Place]]:
    """Return the input shape with its batch axis, and the places of the layers for it.

    A shape without a batch axis is tried first, because that is how Keras takes it: a model that would accept both
    readings, such as a lone ReLU, gets that one.
    """
    sizes = tuple(1 if size is None else size for size in input_shape)
    if not all(is_whole(size) and size > 0 for size in sizes):
        raise ValueError(f"summary: input_shape was {shown(input_shape)}, wanted whole numbers of at least 1")
    check_shape_given("summary: input_shape", sizes, "a shape such as (64, 64, 3)")
    has_batch_axis = None in tuple(input_shape)[:1]
    readings = [("with", sizes)] if has_batch_axis else [("without", (1, *sizes)), ("with", sizes)]
    failures = []
    for words, shape in readings:
        try:
            return shape, list(model.trace(shape))
        except ValueError as error:
            failures.append(f"{words} the batch axis {error}")
    raise ValueError(f"summary: input_shape {shown(tuple(input_shape))} does not fit the model: {'; '.join(failures)}")
