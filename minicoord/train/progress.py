"""How a run shows its progress: a bar in a terminal or a notebook, else one line per row; never on stdout."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class LoopUpdate(NamedTuple):
    """How far a run is.

    Attributes
    ----------
    done, steps : int
        Steps taken, and how many are wanted.
    every : int
        Steps between two rows of the history.
    unit : str
        What rows are counted in: ``"step"``, or ``"epoch"`` where `every` steps are one.
    numbers : dict
        The means of the steps' numbers since the last row.
    row : dict or None
        The row of the history, in the last update of each row, after its evaluation; None before that.
    """

    done: int
    steps: int
    every: int
    unit: str
    numbers: dict[str, float]
    row: dict[str, Any] | None

    @property
    def count(self) -> str:
        """How far the run is, in words: ``"epoch 2/12"`` or ``"step 400/5000"``."""
        if self.unit == "step":
            return f"step {self.done}/{self.steps}"
        return f"{self.unit} {math.ceil(self.done / self.every)}/{math.ceil(self.steps / self.every)}"


Report = Callable[[LoopUpdate], object]


@contextlib.contextmanager
def progress_display(progress: bool | Report, label: str) -> Iterator[Report]:
    """Yield the function that a run reports its progress to.

    Parameters
    ----------
    progress : bool or callable
        True: a bar on stderr in a terminal, a bar in a notebook, plain lines on stderr elsewhere. False: nothing. A
        callable is yielded as it is.
    label : str
        What stands before the bar or the line.
    """
    if callable(progress):
        yield progress
    elif not progress:
        yield lambda update: None
    else:
        from rich.console import Console

        console = Console(stderr=True)
        if console.is_jupyter or (console.is_terminal and not console.is_dumb_terminal):
            with _bar(console, label) as report:
                yield report
        else:
            yield lambda update: _print_line(update, label)


@contextlib.contextmanager
def _bar(console: Any, label: str) -> Iterator[Report]:
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = ("{task.description}", BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn())
    more = (TimeRemainingColumn(), TextColumn("{task.fields[numbers]}", markup=False))
    # What an evaluation prints goes to stdout, where another program may read it.
    with Progress(*columns, *more, console=console, redirect_stdout=False) as bar:
        task = bar.add_task(escape(label), total=None, count="", numbers="")
        metrics = ""

        def report(update: LoopUpdate) -> None:
            nonlocal metrics
            if update.row is not None:
                metrics = _metrics(update)
            numbers = f"{_in_words(update.numbers)}  {metrics}"
            bar.update(task, total=update.steps, completed=update.done, count=update.count, numbers=numbers)

        yield report


def _print_line(update: LoopUpdate, label: str) -> None:
    if update.row is not None:
        words = f"{update.row['train_seconds']:.1f} s  {_in_words(update.numbers)}  {_metrics(update)}".rstrip()
        print(f"{label}  {update.count}  {words}", file=sys.stderr, flush=True)


def _metrics(update: LoopUpdate) -> str:
    """Return what the evaluation added to a row, as ``name value``."""
    row = update.row or {}
    after = list(row)[list(row).index("train_seconds") + 1 :] if "train_seconds" in row else []
    return _in_words({key: row[key] for key in after if isinstance(row[key], (int, float))})


def _in_words(numbers: Mapping[str, float]) -> str:
    """Return ``name value`` for each number; the mean loss of `fit` is called ``loss``."""
    return "  ".join(f"{'loss' if key == 'train_loss' else key} {value:.4g}" for key, value in numbers.items())
