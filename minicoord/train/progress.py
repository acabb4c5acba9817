"""How a run reports its progress: a bar in a terminal or a notebook, else one line per row; never on stdout."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from minicoord.system.arguments import call_given


class LoopUpdate(NamedTuple):
    """How far a run of the loop is.

    Attributes
    ----------
    done, steps : int
        Steps taken, and the steps of the run in total.
    every : int
        Steps from one row of the history to the next.
    unit : str
        What rows are counted in: ``"step"``, or ``"epoch"`` where `every` steps make one.
    numbers : dict
        The means of the steps' numbers since the previous row, by name.
    row : dict or None
        The row of the history in its last update, after the evaluation; None before that.
    """

    done: int
    steps: int
    every: int
    unit: str
    numbers: dict[str, float]
    row: dict[str, Any] | None

    @property
    def count(self) -> str:
        """How far the run is, as text: ``"epoch 2/12"`` or ``"step 400/5000"``."""
        if self.unit == "step":
            return f"step {self.done}/{self.steps}"
        return f"{self.unit} {math.ceil(self.done / self.every)}/{math.ceil(self.steps / self.every)}"


Report = Callable[[LoopUpdate], object]


class ProgressUpdate(NamedTuple):
    """How far `fit` is.

    Attributes
    ----------
    epoch, epochs : int
        The current epoch, from 1, and the epochs of the run in total.
    step, steps : int
        Batches done in this epoch, and batches of an epoch in total.
    loss : float
        Mean training loss of this epoch so far.
    row : dict or None
        The row of the history in the last update of an epoch, after the evaluation; None before that.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    row: dict[str, Any] | None


def by_epoch(progress: Callable[[ProgressUpdate], object]) -> Callable[[LoopUpdate], object]:
    """Return a function for the loop to report to, which calls `progress` with epochs and batches."""

    def report(update: LoopUpdate) -> object:
        epoch, batch = divmod(update.done - 1, update.every)  # both from 0
        epochs, loss = update.steps // update.every, update.numbers["train_loss"]
        so_far = ProgressUpdate(epoch + 1, epochs, batch + 1, update.every, loss, update.row)
        return call_given("fit: progress", progress, "a function of a ProgressUpdate", so_far)

    return report


@contextlib.contextmanager
def progress_display(progress: bool | Report, label: str) -> Iterator[Report]:
    """Yield the function that displays the progress of a run.

    Parameters
    ----------
    progress : bool or callable
        True: a bar on stderr in a terminal, a bar in a notebook, plain lines on stderr elsewhere. False: no display. A
        callable is yielded as it is.
    label : str
        The text before the bar or the line.
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
    # What an evaluation prints must go to stdout untouched, where another program may read it.
    with Progress(*columns, *more, console=console, redirect_stdout=False) as bar:
        task = bar.add_task(escape(label), total=None, count="", numbers="")
        metrics = ""

        def report(update: LoopUpdate) -> None:
            nonlocal metrics
            if update.row is not None:
                metrics = _metrics(update)
            numbers = f"{_as_text(update.numbers)}  {metrics}"
            bar.update(task, total=update.steps, completed=update.done, count=update.count, numbers=numbers)

        yield report


def _print_line(update: LoopUpdate, label: str) -> None:
    if update.row is not None:
        words = f"{update.row['train_seconds']:.1f} s  {_as_text(update.numbers)}  {_metrics(update)}".rstrip()
        print(f"{label}  {update.count}  {words}", file=sys.stderr, flush=True)


def _metrics(update: LoopUpdate) -> str:
    """Return the metrics of the evaluation as text: the columns after ``train_seconds``."""
    row = update.row or {}
    after = list(row)[list(row).index("train_seconds") + 1 :] if "train_seconds" in row else []
    return _as_text({key: row[key] for key in after if isinstance(row[key], (int, float))})


def _as_text(numbers: Mapping[str, float]) -> str:
    """Return ``name value`` for each number; ``train_loss`` is shortened to ``loss``."""
    return "  ".join(f"{'loss' if key == 'train_loss' else key} {value:.4g}" for key, value in numbers.items())
