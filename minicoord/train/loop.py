"""The loop of every training. A run that is killed and resumed ends with the same bits as one that was left alone.

    while done < steps:
        row = mean(trainer.step() for _ in range(every))    # learn
        row |= evaluate()                                   # look; this decides nothing
        history.append(row)                                 # record
        save(trainer.state(), history)                      # from here a killed run goes on

What is trained needs no more than a step, a state, and a way back to that state (`minicoord.train.trainer.Trainable`).
`minicoord.train.fit.fit` is one user of the loop; a GAN and an agent are others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minicoord.kernels.blas import one_blas_thread
from minicoord.system.arguments import check_whole
from minicoord.system.files import PathLike, plain
from minicoord.train.checkpoint import Checkpoint, CheckpointError, read_checkpoint, restore
from minicoord.train.history import History, Row
from minicoord.train.progress import LoopUpdate, Report, progress_display
from minicoord.train.run_settings import differences
from minicoord.train.trainer import Trainable

Evaluate = Callable[[int], Mapping[str, Any]]
SAMPLES = "samples"  # the number of a step that says how much its other numbers weigh


def train(
    trainer: Trainable,
    steps: int,
    *,
    every: int = 1,
    unit: str = "step",
    columns: Callable[[], Mapping[str, float]] | None = None,
    evaluate: Evaluate | None = None,
    stop_when: Callable[[Row], bool] | None = None,
    checkpoint: PathLike | None = None,
    resume: bool = False,
    settings: Mapping[str, Any] | None = None,
    sitting: Mapping[str, Any] | None = None,
    progress: bool | Report = True,
    label: str = "training",
) -> History:
    """Let `trainer` take its steps, and return the record of the run.

    Ctrl-C ends the run early: the trainer goes back to the last row of the history, whose checkpoint is on disk, and
    the history that is returned ends there and has ``interrupted`` set.

    Parameters
    ----------
    trainer : Trainable
        Anything with `step`, `state` and `restore`, such as a subclass of `minicoord.train.trainer.Trainer`.
    steps : int
        How many steps the run has, those of a resumed checkpoint included.
    every : int
        After how many steps there is a row in the history and a checkpoint. The last row may have fewer.
    unit : str
        What rows are counted in. ``"step"``: a row has the number of steps so far; any other, such as ``"epoch"``: the
        number of rows so far.
    columns : callable, optional
        ``columns() -> dict``, called at the end of each row, for what is recorded beside the means of the steps'
        numbers.
    evaluate : callable, optional
        ``evaluate(count) -> dict`` of metrics, called after each row with its count in `unit`. What it returns is
        recorded and decides nothing.
    stop_when : callable, optional
        ``stop_when(row) -> bool``, called after each row and before its evaluation; True ends the run.
    checkpoint : path, optional
        Where to write a checkpoint, before the first step and after each row.
    resume : bool
        True: go on from the checkpoint, bit for bit, if the file exists; a complete run returns at once.
    settings : mapping, optional
        Facts fit for JSON; a checkpoint resumes only under the same ones.
    sitting : mapping, optional
        Facts of this process, such as commit and machine; ``history.sittings`` has those of every process that had a
        part in the run.
    progress : bool or callable
        True shows a bar, or a line per row where there is no terminal. A callable gets a `LoopUpdate` after each step
        and each row.
    label : str
        What the progress display calls the run.

    Returns
    -------
    History
        One row for every `every` steps: the count in `unit`, the means of the steps' numbers, the columns,
        ``train_seconds``, and what `evaluate` returned.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or value.
    FloatingPointError
        If the trainer raises it; the last checkpoint stays on disk.
    CheckpointError
        If the checkpoint is damaged, or comes from another run; nothing is changed then.
    OSError
        If the checkpoint cannot be written.

    Examples
    --------
    >>> class Counter:
    ...     count = 0
    ...     def step(self):
    ...         self.count += 1
    ...         return {"count": self.count}
    ...     def state(self):
    ...         return {"count": self.count}
    ...     def restore(self, state):
    ...         self.count = state["count"]
    >>> history = train(Counter(), steps=5, every=2, progress=False)
    >>> history["step"], history["count"]
    ([2, 4, 5], [1.5, 3.5, 5.0])
    """
    check_whole("train: steps", steps, 0)
    check_whole("train: every", every, 1)
    if not isinstance(trainer, Trainable):
        raise TypeError(f"train: the trainer is of type {type(trainer).__name__}, wanted one with step, state, restore")
    if resume and checkpoint is None:
        raise ValueError("train: resume needs the path of a checkpoint")
    path = None if checkpoint is None else Path(checkpoint)
    facts = plain(dict(settings or {}), non_finite=float)
    run = _Run(trainer, steps, every, unit, columns, evaluate, stop_when, path, facts, dict(sitting or {}))
    with one_blas_thread(), progress_display(progress, label) as report:
        run.begin(resume)
        try:
            while not run.finished:
                run.row(report)
        except KeyboardInterrupt:
            run.rewind()
            run.history.interrupted = True
    return run.history


@dataclass
class _Run:
    """A run of the loop: what it was called with, and how far it is."""

    trainer: Trainable
    steps: int
    every: int
    unit: str
    columns: Callable[[], Mapping[str, float]] | None
    evaluate: Evaluate | None
    stop_when: Callable[[Row], bool] | None
    path: Path | None
    settings: dict[str, Any]
    sitting: dict[str, Any]
    done: int = 0
    history: History = field(default_factory=History)
    saved: Checkpoint = field(init=False)
    sat_down: bool = False

    def row(self, report: Report) -> None:
        """Take the steps of one row; record it; evaluate; save."""
        start, means = time.perf_counter(), Means()
        if self.sitting and not self.sat_down:
            self.history.sittings.append({**self.sitting, f"after_{self.unit}": self._count()})
            self.sat_down = True
        for _ in range(min(self.every - self.done % self.every, self.steps - self.done)):
            means.add(self._step())
            self.done += 1
            report(LoopUpdate(self.done, self.steps, self.every, self.unit, means.values(), None))
        row = self._record(means, start)
        stopped = self.stop_when is not None and bool(self.stop_when(dict(row)))
        if self.evaluate is not None:
            row.update(_checked_metrics(self.evaluate(row[self.unit]), row))
        self.history.rows.append(row)
        self.history.stopped = stopped
        self.save()
        report(LoopUpdate(self.done, self.steps, self.every, self.unit, means.values(), dict(row)))

    def _step(self) -> Mapping[str, float]:
        try:
            return self.trainer.step()
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}{self._kept()}") from None

    def _record(self, means: Means, start: float) -> Row:
        try:
            columns = {} if self.columns is None else self.columns()
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}{self._kept()}") from None
        count = self.done if self.unit == "step" else len(self.history) + 1
        seconds = self.history.last.get("train_seconds", 0.0) + time.perf_counter() - start
        return plain({self.unit: count, **means.values(), **columns, "train_seconds": seconds}, non_finite=float)

    def _count(self) -> int:
        return self.history.last.get(self.unit, 0)

    def _kept(self) -> str:
        return "" if self.path is None else f"; {self.path} holds {self.unit} {self._count()}"

    @property
    def finished(self) -> bool:
        return self.history.stopped or self.done >= self.steps

    def begin(self, resume: bool) -> None:
        """Take up the checkpoint, or make the first one."""
        if not (resume and self.path is not None and self.path.exists()):
            self.save()
            return
        saved = read_checkpoint(self.path)
        self._check_resumable(saved)
        saved.warn_if_elsewhere(self.path)
        restore(self.path, self.trainer, saved.state)
        self.saved = saved
        self._take_up(saved)
        if self.stop_when is None:
            self.history.stopped = False

    def _check_resumable(self, saved: Checkpoint) -> None:
        if self.path is None:
            return
        if not saved.settings and self.settings:
            raise CheckpointError(f"{self.path} was not written by a run, which would have kept its settings")
        changed = differences(saved.settings, self.settings)
        if changed:
            raise CheckpointError(f"{self.path} belongs to a run with other settings: {'; '.join(changed)}")
        taken = self._steps_of(saved)
        if taken > self.steps:
            was, now = (taken, self.steps) if self.unit == "step" else (saved.epoch, self.steps // self.every)
            raise CheckpointError(f"{self.path} has {was} {self.unit}s already, but {self.unit}s was {now}")

    def _steps_of(self, saved: Checkpoint) -> int:
        return saved.steps or saved.epoch * self.every  # version 0.1 counted epochs alone

    def save(self) -> None:
        """Keep this moment in memory, and on disk if a checkpoint is wanted."""
        facts = {"epoch": len(self.history), "steps": self.done, "settings": self.settings}
        saved = Checkpoint(self.trainer.state(), history=self.history.to_dict(), **facts)
        if self.path is not None:
            saved.save(self.path)
        self.saved = saved

    def rewind(self) -> None:
        """Go back to the last moment that was saved."""
        self.trainer.restore(self.saved.state)
        self._take_up(self.saved)

    def _take_up(self, saved: Checkpoint) -> None:
        self.history = History.from_dict(saved.history)
        self.done = self._steps_of(saved)


class Means:
    """The means of the numbers of several steps, each weighed by the step's samples."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}

    def add(self, numbers: Mapping[str, float]) -> None:
        """Take the numbers of a step into the means."""
        weight = numbers.get(SAMPLES, 1)
        for name, value in numbers.items():
            if name != SAMPLES:
                total, seen = self._sums.get(name, (0.0, 0))
                self._sums[name] = total + value * weight, seen + weight

    def values(self) -> dict[str, float]:
        """Return the means, by name."""
        return {name: total / seen for name, (total, seen) in self._sums.items()}


def _checked_metrics(metrics: Any, row: Row) -> dict[str, Any]:
    if not isinstance(metrics, Mapping):
        raise TypeError(f"evaluate returned a {type(metrics).__name__}, wanted a dict of metrics")
    taken = [name for name in metrics if name in row]
    if taken:
        raise ValueError(f"evaluate returned {taken[0]!r}, a name that training itself uses; choose another")
    return plain(metrics, non_finite=float)
