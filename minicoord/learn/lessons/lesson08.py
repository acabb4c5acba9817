"""Lesson 08: timing, caches, threads, and Numba's messages; the figures are in ``lesson08_drawings.py``."""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numba
import numpy as np

LINUX_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")
UNITS = {"K": 1, "M": 1024}


def median_seconds(way: Callable[..., object], *arguments: Any, rounds: int = 7) -> float:
    """Return the median of the seconds that several calls take, after one call that does not count.

    The first call may compile, and it brings the data into the caches. A median ignores a call or two during which the
    machine was busy with something else.

    Examples
    --------
    >>> 0.01 < median_seconds(time.sleep, 0.01, rounds=3) < 1
    True
    """
    way(*arguments)
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        way(*arguments)
        seconds.append(time.perf_counter() - began)
    return float(np.median(seconds))


def most_threads() -> int:
    """Return how many threads Numba was started with: by default one for each core that this process may use."""
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]


def how_busy() -> str:
    """Return how busy the machine has been in the last minute, this notebook included."""
    cores = os.cpu_count() or 1
    if not hasattr(os, "getloadavg"):
        return f"{cores} cores"
    return f"{cores} cores, load average of the last minute {os.getloadavg()[0]:.1f}"


@contextmanager
def threads(n: int) -> Iterator[int]:
    """Let your own kernels use `n` threads inside a ``with`` block, or as many as there are; yield that number."""
    before, used = numba.get_num_threads(), min(n, most_threads())
    numba.set_num_threads(used)
    try:
        yield used
    finally:
        numba.set_num_threads(before)


def caches(folder: Path = LINUX_CACHES) -> dict[str, int]:
    """Return the kilobytes of the first core's data caches, by name; nothing if Linux does not report them.

    Examples
    --------
    >>> caches(Path("no such folder"))
    {}
    """
    found = {}
    for place in sorted(folder.glob("index*")):
        kind, level, size = ((place / name).read_text(encoding="ascii").strip() for name in ("type", "level", "size"))
        if kind != "Instruction":
            found[f"L{level}"] = int(size[:-1]) * UNITS[size[-1]]
    return found


def what_numba_says(function: Callable[..., object], *arguments: Any) -> str:
    """Return the message of the error that a compiled function raises, without paths of this machine.

    Raises
    ------
    ValueError
        If it raises none.
    """
    try:
        function(*arguments)
    except Exception as error:
        message = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
        message = re.sub(r'File "[^"]*", line', "Line", message)
        lines = (line.rstrip() for line in message.splitlines())
        kept = [line for line in lines if line and not line.strip().startswith("<source")]
        return f"{type(error).__name__}: " + "\n".join(kept)
    raise ValueError("what_numba_says: the function raised no error, wanted one that does not compile")


def seconds_by_layer(
    model: Any, loss: Callable[..., Any], optimizer: Any, x: Any, labels: Any, rounds: int = 7
) -> dict[str, float]:
    """Return the seconds of each part of a training step, layer by layer, in the order in which they run.

    Each is a median over `rounds` steps, after one that does not count.
    """
    taken: dict[str, list[float]] = {}

    def timed(name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        result = work(*arguments)
        taken.setdefault(name, []).append(time.perf_counter() - began)
        return result

    layers = [(_name(k, layer), layer) for k, layer in enumerate(model.layers)]
    first = next(k for k, (_, layer) in enumerate(layers) if layer.params)
    for _ in range(rounds + 1):
        y = x
        for name, layer in layers:
            y = timed(f"{name}, forward", layer.forward, y, True)
        _, dy = timed("loss", loss, y, labels)
        for name, layer in reversed(layers[first + 1 :]):
            dy = timed(f"{name}, backward", layer.backward, dy)
        name, layer = layers[first]  # nothing below it needs a gradient
        timed(f"{name}, backward", partial(layer.backward, need_dx=False) if layer.can_skip_dx else layer.backward, dy)
        timed("Adam", optimizer.step, model)
    return {name: float(np.median(seconds[1:])) for name, seconds in taken.items()}


def _name(k: int, layer: Any) -> str:
    """Return the name of a layer in a figure, with its channels if it has a kernel."""
    channels = " {} to {}".format(*layer.params["w"].shape[-2:]) if "w" in layer.params else ""
    return f"{layer.name}{channels} (layer {k})"


def share_of_runs(results: Sequence[float], right: float) -> str:
    """Return how many of the runs gave a wrong result, and how many different results there were, as a sentence."""
    wrong = sum(result != right for result in results)
    if not wrong:
        return (
            f"All {len(results)} runs are right on this machine, this time. The race is there all the same: the threads"
            " did not meet, because there is one core, or because the second one was busy. Run the cell again."
        )
    return f"{wrong} of {len(results)} runs are wrong; {len(Counter(results))} different results"


def pytorch_ms(rounds: int = 3) -> float | None:
    """Return the milliseconds of PyTorch's training step of the classifier, batch 16, or None if it is not installed.

    It runs in its own process, in both of its memory formats, and the faster one counts.
    """
    if find_spec("torch") is None:
        return None
    from minicoord.bench.measure import Worker, turns

    formats = ["contiguous", "channels-last"]
    with Worker("pytorch") as worker:
        worker.ask("build", row="step/coordconv-classifier/16", variants=formats)
        seconds = turns([(worker, variant) for variant in formats], rounds)
    return float(np.median(seconds, axis=0).min()) * 1e3
