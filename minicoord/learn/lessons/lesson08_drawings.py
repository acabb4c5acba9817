"""The figures of lesson 08: bars, tasks on threads, a race, caches, tiles, a block of registers, and the record."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import MaxNLocator

from minicoord.plots.style import BLACK, BLUE, GREEN, ORANGE, SKY_BLUE, VERMILLION, new_figure, styled

TIMES = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (1e-6, 1e6, "µs"), (0.0, 1e9, "ns"))


def in_words(seconds: float) -> str:
    """Return a time with three digits and its unit.

    Examples
    --------
    >>> in_words(0.0123), in_words(75e-6), in_words(120)
    ('12.3 ms', '75 µs', '120 s')
    """
    factor, unit = next((factor, unit) for least, factor, unit in TIMES if seconds >= least)
    value = seconds * factor
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.3g} {unit}"


def compared(ratio: float) -> str:
    """Return in words how fast something is compared with something else, with two digits.

    A difference of up to a twentieth is no change, because the same run differs by as much from one time to the next.

    Examples
    --------
    >>> compared(1234), compared(8.26), compared(0.08), compared(1.03)
    ('1,200 times as fast', '8.3 times as fast', 'takes 12 times as long', 'no change')
    """
    if 0.95 <= ratio <= 1.05:
        return "no change"
    if ratio < 1:
        return f"takes {_two_digits(1 / ratio)} times as long"
    return f"{_two_digits(ratio)} times as fast"


def _two_digits(number: float) -> str:
    return f"{float(f'{number:.2g}'):,.0f}" if number >= 9.95 else f"{number:.1f}"


def _bars(ax: Axes, values: Mapping[str, float], words: Sequence[str], colours: Sequence[str]) -> None:
    """Draw a bar for each value on a logarithmic axis, with its words to the right of the bar."""
    low, high = min(values.values()) / 2.5, max(values.values())
    ax.barh(range(len(values)), list(values.values()), color=colours, height=0.62)
    ax.set_xscale("log")
    ax.set_xlim(low, high * (high / low) ** 0.5)  # a third of the width is for the words
    for k, (value, text) in enumerate(zip(values.values(), words, strict=True)):
        ax.annotate(
            text, (value, k), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )  # fmt: skip
    ax.set_yticks(range(len(values)), list(values))
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)


def _name_decades(ax: Axes) -> None:
    """Label an axis of seconds with times and units instead of powers of ten."""
    low, high = ax.get_xlim()
    ticks = [10.0**k for k in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    if len(ticks) < 2:
        ticks = [m * 10.0**k for k in range(-9, 4) for m in (1, 2, 5) if low <= m * 10.0**k <= high]
    ax.set_xticks(ticks, [in_words(tick * 1.0001) for tick in ticks])  # so that 1e-3 is a millisecond, rounded or not
    ax.minorticks_off()


@styled
def time_bars(seconds: Mapping[str, float]) -> Figure:
    """Draw times as bars on a logarithmic axis, each labelled with its speed compared with the first."""
    figure = new_figure(8, 0.8 + 0.36 * len(seconds))
    first = next(iter(seconds.values()))
    words = [in_words(time) + (f", {compared(first / time)}" if k else "") for k, time in enumerate(seconds.values())]
    ax = figure.subplots()
    _bars(ax, seconds, words, [VERMILLION, *[BLUE] * (len(seconds) - 1)])
    _name_decades(ax)
    ax.set_xlabel("time (logarithmic)")
    said = ", ".join(f"{name} {in_words(time)}" for name, time in seconds.items())
    figure.set_label(f"Times as bars on a logarithmic axis: {said}.")
    return figure


@styled
def rate_bars(rates: Mapping[str, float]) -> Figure:
    """Draw rates in GFLOP/s, a billion additions and multiplications per second, on a logarithmic axis."""
    figure = new_figure(8, 0.8 + 0.36 * len(rates))
    ax = figure.subplots()
    _bars(ax, rates, [f"{rate:.3g}" for rate in rates.values()], [VERMILLION, *[BLUE] * (len(rates) - 1)])
    low, high = ax.get_xlim()
    ticks = [m * 10.0**k for k in range(-3, 5) for m in (1, 3) if low <= m * 10.0**k <= high]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_xlabel("GFLOP/s (logarithmic); farther to the right is better")
    said = ", ".join(f"{name} {rate:.3g}" for name, rate in rates.items())
    figure.set_label(f"Rates in GFLOP/s as bars on a logarithmic axis: {said}.")
    return figure


@styled
def layer_bars(seconds: Mapping[str, float]) -> Figure:
    """Draw the milliseconds of the parts of a training step: "name, forward", "name, backward" or another name."""
    figure = new_figure(8.5, 1.1 + 0.3 * len(seconds))
    ax = figure.subplots()
    colours = {"forward": BLUE, "backward": ORANGE}
    total = sum(seconds.values())
    names = [name.rpartition(", ")[0] or name for name in seconds]
    kinds = [name.rpartition(", ")[2] for name in seconds]
    ax.barh(range(len(names)), [1e3 * s for s in seconds.values()], color=[colours.get(k, BLACK) for k in kinds])
    for k, s in enumerate(seconds.values()):
        ax.annotate(
            f"{1e3 * s:.2g} ms, {100 * s / total:.0f} %",
            (1e3 * s, k),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
        )
    ax.set_yticks(range(len(names)), names)
    ax.set_xlim(right=1e3 * max(seconds.values()) * 1.25)
    ax.set_xlabel("milliseconds")
    ax.invert_yaxis()
    ax.spines[["top", "right"]].set_visible(False)
    handles = [Patch(color=colour, label=name) for name, colour in (*colours.items(), ("neither", BLACK))]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    said = ", ".join(f"{name} {1e3 * s:.2g}" for name, s in seconds.items())
    figure.set_label(f"Milliseconds of each part of a training step: {said}.")
    return figure


@styled
def tasks_on_threads(tasks: int, threads: int) -> Figure:
    """Draw tasks as boxes, one row for each thread, shared out in equal runs of neighbours."""
    figure = new_figure(8, 0.9 + 0.42 * threads)
    ax = figure.subplots()
    colours = (SKY_BLUE, ORANGE, GREEN, VERMILLION)
    shares = [share.tolist() for share in np.array_split(np.arange(tasks), threads) if share.size]
    used, each = len(shares), len(shares[0])
    for thread, share in enumerate(shares):
        for place, task in enumerate(share):
            colour = colours[thread % len(colours)]
            box = Rectangle((place, -thread - 0.4), 1, 0.8, facecolor=colour, edgecolor="white", linewidth=1.5)
            ax.add_patch(box)
            ax.text(place + 0.5, -thread, str(task), ha="center", va="center", fontsize=8)
    ax.set_yticks([-k for k in range(used)], [f"thread {k}" for k in range(used)])
    ax.set(xlim=(0, tasks), ylim=(-used + 0.4, 0.6), xlabel="time, in tasks")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title(f"{tasks} tasks on {used} thread{'s' if used > 1 else ''}: over after {each}", loc="left")
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    figure.set_label(
        f"{tasks} tasks as boxes, shared out to {used} threads in runs of neighbours, at most {each} to each of them."
    )
    return figure


@styled
def race_results(results: Sequence[float], right: float) -> Figure:
    """Draw the result of each run as a point, and the right one as a line."""
    figure = new_figure(8, 2.6)
    ax = figure.subplots()
    wrong = [result != right for result in results]
    colours = [VERMILLION if w else BLUE for w in wrong]
    ax.axhline(right / 1e6, color="0.4", linestyle=":", linewidth=1.2)
    ax.scatter(range(1, len(results) + 1), [r / 1e6 for r in results], c=colours, s=14, zorder=2)
    ax.set(xlabel="run", ylabel="the sum (millions)", ylim=(0, 1.25 * right / 1e6))
    handles = [
        Line2D([], [], color=c, marker="o", linestyle="", markersize=4, label=f"{name}: {count} runs")
        for c, name, count in (
            (BLUE, "right", len(results) - sum(wrong)),
            (VERMILLION, "wrong", sum(wrong)),
        )
    ]
    handles.append(Line2D([], [], color="0.4", linestyle=":", linewidth=1.2, label="the right sum"))
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
    most = ", ".join(f"{value:,.0f} in {count} runs" for value, count in Counter(results).most_common(3))
    figure.set_label(f"The sum that each of {len(results)} runs gave; the right one is {right:,.0f}. Seen: {most}.")
    return figure


def _mark_caches(ax: Axes, kilobytes: Mapping[str, int]) -> None:
    low, high = ax.get_xlim()
    for name, size in kilobytes.items():
        if low < size < high:
            ax.axvline(size, color="0.6", linewidth=0.9, linestyle="--")
            ax.annotate(
                name, (size, 1), xycoords=ax.get_xaxis_transform(), xytext=(-3, -3), textcoords="offset points",
                ha="right", va="top", fontsize=8, color="0.3",
            )  # fmt: skip


def size_in_words(kilobytes: float) -> str:
    """Return a size with its unit.

    Examples
    --------
    >>> size_in_words(48), size_in_words(2048), size_in_words(0.25)
    ('48 kB', '2 MB', '256 B')
    """
    if kilobytes >= 1024:
        return f"{kilobytes / 1024:.3g} MB"
    return f"{kilobytes:.3g} kB" if kilobytes >= 1 else f"{1024 * kilobytes:.3g} B"


@styled
def working_set(
    kilobytes: Sequence[float], curves: Mapping[str, Sequence[float]], known: Mapping[str, int], ylabel: str
) -> Figure:
    """Draw curves against the kilobytes that are walked over, both axes logarithmic, with the known cache sizes."""
    figure = new_figure(8, 3.4)
    ax = figure.subplots()
    for (name, values), colour in zip(curves.items(), (VERMILLION, BLUE), strict=False):
        ax.plot(kilobytes, values, color=colour, marker="o", markersize=3.5, label=name)
    ax.set(xscale="log", yscale="log", xlabel="size of what is walked over", ylabel=ylabel)
    low, high = min(kilobytes), max(kilobytes)
    ticks = [4.0**k for k in range(-4, 12) if low <= 4.0**k <= high]
    ax.set_xticks(ticks, [size_in_words(tick) for tick in ticks])
    ax.minorticks_off()
    least, most = (pick([pick(values) for values in curves.values()]) for pick in (min, max))
    ax.set(ylim=(least / 2, most * 3), xlim=(low / 1.3, high * 1.3))
    ax.grid(color="0.92", linewidth=0.6)
    _mark_caches(ax, known)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    said = "; ".join(
        f"{name}: from {values[0]:.2g} at {size_in_words(low)} to {values[-1]:.3g} at {size_in_words(high)}"
        for name, values in curves.items()
    )
    figure.set_label(f"{ylabel} against the size of what is walked over. {said}.")
    return figure


@styled
def tile_curve(numbers: Sequence[int], milliseconds: Sequence[float], known: Mapping[str, int]) -> Figure:
    """Draw the time of three passes against the size of a tile: two arrays of that many float32."""
    figure = new_figure(8, 3.0)
    ax = figure.subplots()
    kilobytes = [2 * 4 * n / 1024 for n in numbers]
    ax.plot(kilobytes, milliseconds, color=BLUE, marker="o", markersize=4)
    ax.plot(kilobytes[-1:], milliseconds[-1:], color=VERMILLION, marker="o", markersize=7)
    ax.set(xscale="log", xlabel="size of a tile, of both arrays together", ylabel="milliseconds")
    ax.set(ylim=(0, 1.25 * max(milliseconds)), xlim=(kilobytes[0] / 1.5, kilobytes[-1] * 1.5))
    ticks = [8.0**k for k in range(-4, 8) if kilobytes[0] <= 8.0**k <= kilobytes[-1]]
    ax.set_xticks(ticks, [size_in_words(tick) for tick in ticks])
    ax.minorticks_off()
    ax.grid(color="0.92", linewidth=0.6)
    _mark_caches(ax, known)
    rises = milliseconds[-1] >= milliseconds[-2]  # put the words on the side away from the curve
    ax.annotate(
        "all at once", (kilobytes[-1], milliseconds[-1]), xytext=(-4, 8 if rises else -15), textcoords="offset points",
        ha="right", color=VERMILLION, fontsize=8.5,
    )  # fmt: skip
    best = min(milliseconds)
    figure.set_label(
        f"Three passes over an array take {milliseconds[-1]:.3g} ms all at once, and {best:.3g} ms in the best tiles; "
        f"in the smallest tiles {milliseconds[0]:.3g} ms."
    )
    return figure


@styled
def tiles_of_a_product(tile: int, size: int, known: Mapping[str, int]) -> Figure:
    """Draw a, b and c = a @ b, each `size` x `size`, with the three tiles in use at one moment."""
    figure = new_figure(8, 3.0)
    panels = figure.subplots(1, 3)
    count = math.ceil(size / tile)
    row, inner, column = count // 3, count // 2, 2 * count // 3
    places = {"a": (row, inner), "b": (inner, column), "c": (row, column)}
    for ax, (name, (i, j)), colour in zip(panels, places.items(), (ORANGE, BLUE, GREEN), strict=True):
        ax.add_patch(Rectangle((0, 0), size, size, facecolor="0.95", edgecolor="0.4"))
        if count <= 32:
            for line in range(tile, size, tile):
                ax.plot([line, line], [0, size], color="0.8", linewidth=0.5)
                ax.plot([0, size], [line, line], color="0.8", linewidth=0.5)
        top, left = i * tile, j * tile
        ax.add_patch(Rectangle((left, top), min(tile, size - left), min(tile, size - top), facecolor=colour))
        ax.set(xlim=(0, size), ylim=(size, 0), aspect="equal", title=name, xticks=[0, size], yticks=[0, size])
    kilobytes = 3 * 4 * tile**2 / 1024
    fits = next((f", which fits into {name}" for name, limit in known.items() if kilobytes <= limit), "")
    figure.suptitle(f"tiles of {tile} x {tile}: three of them are {size_in_words(kilobytes)} of float32{fits}")
    figure.set_label(
        f"Three matrices of {size} rows, cut into tiles of {tile} x {tile}; one tile of each is in use, together "
        f"{size_in_words(kilobytes)}{fits}."
    )
    return figure


@styled
def block_of_sums(rows: int, vectors: int, lanes: int = 1) -> Figure:
    """Draw a block of the micro-kernel at one k: the numbers of x on the left, the vectors of w above, the sums.

    Parameters
    ----------
    rows, vectors : int
        Size of the block.
    lanes : int
        Numbers in a vector; 1 for a block of plain numbers.
    """
    figure = new_figure(8, 1.5 + 0.34 * rows)
    ax = figure.subplots()
    width = 1.0 if lanes == 1 else 4.0

    def box(x: float, y: float, across: float, colour: str, text: str) -> None:
        ax.add_patch(Rectangle((x, y), across, 1, facecolor=colour, edgecolor="white", linewidth=2))
        for lane in range(1, lanes if across > 1 else 1):
            ax.plot([x + across * lane / lanes] * 2, [y + 0.06, y + 0.94], color="white", linewidth=0.5)
        ax.text(x + across / 2, y + 0.5, text, ha="center", va="center", fontsize=8)

    above = "w[k, {}]" if lanes == 1 else "vector {} of w[k]"
    for v in range(vectors):
        box(1.25 + v * width, -1.25, width, SKY_BLUE, above.format(v))
    for r in range(rows):
        box(0, r, 1, ORANGE, f"x[{r}, k]")
        for v in range(vectors):
            box(1.25 + v * width, r, width, "0.88", f"sum {r}, {v}" if lanes > 1 else f"s{r}{v}")
    loads, products = rows + vectors, rows * vectors
    registers = products + vectors + 1
    ax.set(xlim=(-0.1, max(1.35 + vectors * width, 4)), ylim=(rows + 0.1, -1.35))
    ax.set_axis_off()
    ax.set_title(
        f"{rows} x {vectors}: {loads} loads for {products} multiply-add{'s' if products > 1 else ''}, "
        f"{loads / products:.3g} for each; in {registers} registers",
        loc="left",
    )
    what = "numbers" if lanes == 1 else f"vectors of {lanes} numbers"
    figure.set_label(
        f"A block of sums, {rows} by {vectors} {what}. To its left {rows} of the numbers of x, above it {vectors} of "
        f"the {what} of w. Each sum takes what stands in its row and in its column; {loads} loads in all."
    )
    return figure


@styled
def the_way(ways: Sequence[Mapping[str, Any]], recorded_torch: float, torch_now: float | None = None) -> Figure:
    """Draw a bar for each way to do a training step, and what it gained.

    Parameters
    ----------
    ways : list of dict
        As `minicoord.bench.story.story` yields them: ``way``, ``ms``, ``gain``.
    recorded_torch : float
        Recorded milliseconds of PyTorch.
    torch_now : float, optional
        PyTorch's milliseconds, measured now.
    """
    figure = new_figure(9, 0.42 * len(ways) + 1.7)
    ax = figure.subplots()
    bars = {way["way"]: float(way["ms"]) / 1e3 for way in ways}
    words = [in_words(way["ms"] / 1e3) + (f", {compared(way['gain'])}" if way["gain"] else "") for way in ways]
    colours = ["0.6", *[BLUE] * (len(ways) - 1)]
    if torch_now is not None:
        bars["PyTorch"] = torch_now / 1e3
        words.append(in_words(torch_now / 1e3))
        colours.append(ORANGE)
    _bars(ax, bars, words, colours)
    ax.axvline(recorded_torch / 1e3, color=ORANGE, linewidth=1.6, linestyle="--", zorder=0)
    for text in ax.texts:  # the line passes below what is written
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1})
    ax.set_xlim(left=min([*bars.values(), recorded_torch / 1e3]) / 2)
    handles = [
        Patch(color="0.6", label="scaled up from one small image"),
        Patch(color=BLUE, label="measured now"),
        Line2D([], [], color=ORANGE, linestyle="--", label="PyTorch in the record"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    _name_decades(ax)
    ax.set_xlabel("one training step, CoordConv classifier, batch 16 (logarithmic); in words, beside the way above")
    said = ", ".join(f"{name} {in_words(time)}" for name, time in bars.items())
    figure.set_label(f"Ways to do the same training step: {said}. In the record PyTorch takes {recorded_torch:.3g} ms.")
    return figure


@styled
def against_pytorch(rows: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw PyTorch's time divided by ours for every row of the benchmark, sorted; below 1 PyTorch is faster."""
    figure = new_figure(9, 3.4)
    kinds = {"forward passes": "/forward", "backward passes": "/backward", "training steps": "step/"}
    groups = {name: sorted(row["ratio"] for row in rows if sign in row["name"]) for name, sign in kinds.items()}
    panels = figure.subplots(1, 3, sharey=True)
    low, high = (
        pick([bound, *(row["ratio"] * room for row in rows)]) for pick, bound, room in ((min, 0.3, 0.8), (max, 8, 1.25))
    )
    ticks = [2.0**k for k in range(-8, 9) if low < 2.0**k < high]
    for ax, (name, ratios) in zip(panels, groups.items(), strict=True):
        ax.axhline(1, color="0.4", linewidth=1)
        colours = [BLUE if ratio >= 1 else VERMILLION for ratio in ratios]
        ax.scatter(range(len(ratios)), ratios, c=colours, s=16, zorder=2)
        ahead = sum(ratio >= 1 for ratio in ratios)
        ax.set(yscale="log", title=f"{name}: ours ahead in {ahead} of {len(ratios)}", xticks=[])
        ax.set_xlabel("rows of the benchmark, sorted")
        ax.set_ylim(low, high)
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
    panels[0].set_ylabel("PyTorch's time / ours")
    handles = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", markersize=4, label="ours is faster"),
        Line2D([], [], color=VERMILLION, marker="o", linestyle="", markersize=4, label="PyTorch is faster"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    said = "; ".join(f"{name}: ours is faster in {sum(r >= 1 for r in g)} of {len(g)}" for name, g in groups.items())
    figure.set_label(f"PyTorch's time divided by ours for every row of the benchmark, sorted. {said}.")
    return figure
