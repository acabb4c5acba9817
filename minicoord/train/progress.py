"""How a run shows its progress: a bar in a terminal or a notebook, else one line per epoch; never on stdout."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from minicoord.train.history import TRAINING_COLUMNS


class ProgressUpdate(NamedTuple):
    """Where a run stands.

    Attributes
    ----------
    epoch, epochs : int
        The epoch that runs, from 1, and how many are wanted.
    step, steps : int
        Batches done in this epoch, and how many it has.
    loss : float
        Mean training loss of this epoch so far.
    row : dict or None
        The row of the history, in the last update of each epoch, after its evaluation; None before that.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    row: dict[str, Any] | None


Report = Callable[[ProgressUpdate], object]


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

    columns = ("{task.description}", BarColumn(), TextColumn("{task.fields[epoch]}"), TimeElapsedColumn())
    more = (TimeRemainingColumn(), TextColumn("{task.fields[numbers]}", markup=False))
    # What an evaluation prints goes to stdout, where another program may read it.
    with Progress(*columns, *more, console=console, redirect_stdout=False) as bar:
        task = bar.add_task(escape(label), total=None, epoch="", numbers="")
        metrics = ""

        def report(update: ProgressUpdate) -> None:
            nonlocal metrics
            if update.row is not None:
                metrics = _metrics(update.row)
            bar.update(
                task,
                total=update.epochs * update.steps,
                completed=(update.epoch - 1) * update.steps + update.step,
                epoch=f"epoch {update.epoch}/{update.epochs}",
                numbers=f"loss {update.loss:.4g}  {metrics}",
            )

        yield report


def _print_line(update: ProgressUpdate, label: str) -> None:
    row = update.row
    if row is not None:
        facts = f"loss {row['train_loss']:.4g}  {_metrics(row)}".rstrip()
        seconds = f"{row['train_seconds']:.1f} s"
        print(f"{label}  epoch {update.epoch}/{update.epochs}  {seconds}  {facts}", file=sys.stderr, flush=True)


def _metrics(row: Mapping[str, Any]) -> str:
    """Return what the evaluation added to a row, as ``name value``."""
    shown = {
        key: value for key, value in row.items() if key not in TRAINING_COLUMNS and isinstance(value, (int, float))
    }
    return "  ".join(f"{key} {value:.4g}" for key, value in shown.items())
