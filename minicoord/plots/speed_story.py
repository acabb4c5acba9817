"""How much time each step from nested loops to the library saves, as bars on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from minicoord.plots.style import BLUE, new_figure, styled
from minicoord.system.argument_types import check_types
from minicoord.system.arguments import is_number, shown

_UNITS = ((1e3, 1e3, "s"), (1e-9, 1, "ms"))


@styled
@check_types
def speed_story(ways: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw a bar for each way of computing the same training step, with its time and its gain.

    Parameters
    ----------
    ways : list of dict
        Each with "way" (str), "ms" (milliseconds) and "gain" (the time of the way before divided by its own, or None),
        from the first idea to the last.

    Returns
    -------
    matplotlib.figure.Figure
        One horizontal bar for each way, from top to bottom; its length is the time, on a logarithmic axis.

    Raises
    ------
    ValueError
        If `ways` is empty.
    """
    if not ways:
        raise ValueError("speed_story: there are no ways to draw, wanted at least one")
    for k, way in enumerate(ways):
        gain = way.get("gain", "")
        numbers = is_number(way.get("ms")) and way["ms"] > 0 and (gain is None or is_number(gain))
        if not numbers or not isinstance(way.get("way"), str):
            raise ValueError(f"speed_story: ways[{k}] is {shown(way)}, wanted 'way', 'ms' above 0 and 'gain'")
    figure = new_figure(6.4, 0.42 * len(ways) + 1.0)
    axes = figure.subplots()
    times = [float(way["ms"]) for way in ways]
    axes.barh(range(len(ways)), times, color=BLUE, height=0.62)
    axes.set_xscale("log")
    axes.set_xlim(min(times) / 3, max(times) * 30)
    for k, way in enumerate(ways):
        gain = "" if way["gain"] is None else f"   {_gain(float(way['gain']))} times as fast"
        axes.text(times[k] * 1.15, k, _in_words(times[k]) + gain, va="center", fontsize=8)
    axes.set_yticks(range(len(ways)), [way["way"] for way in ways])
    axes.invert_yaxis()
    axes.set_xlabel("time of one training step, CoordConv classifier, batch 16")
    axes.set_xticks([1e1, 1e2, 1e3, 1e4, 1e5], ["10 ms", "0.1 s", "1 s", "10 s", "100 s"])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _in_words(ms: float) -> str:
    """Return the time with its unit: in seconds from one second up."""
    for least, divisor, unit in _UNITS:
        if ms >= least:
            return f"{ms / divisor:.3g} {unit}"
    return f"{ms} ms"


def _gain(gain: float) -> str:
    """Return the gain with two significant digits, never in scientific notation."""
    return f"{gain:.0f}" if gain >= 10 else f"{gain:.1f}"
