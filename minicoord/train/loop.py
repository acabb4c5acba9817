"""The training loop. A run that is killed and resumed ends with the same bits as one that was never interrupted.

    while done < steps:
        row = mean(trainer.step() for _ in range(every))    # train
        row |= evaluate()                                   # evaluate; training does not depend on it
        history.append(row)                                 # record
        save(trainer.state(), history)                      # checkpoint: a killed run continues from here

All that the loop needs is a step, a state, and a way to restore that state (`minicoord.train.trainer.Trainable`).
`minicoord.train.fit.fit` is one user of the loop; a GAN and an agent are others.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from minicoord.system.arguments import call_given, check_flag, check_kind, check_whole, shown
from minicoord.system.counting import counted
from minicoord.system.files import PathLike, plain
from minicoord.system.places import check_path
from minicoord.train.archive import CheckpointError
from minicoord.train.checkpoint import Checkpoint, read_checkpoint, restore
from minicoord.train.history import History, Row
from minicoord.train.means import Means, is_number
from minicoord.train.progress import LoopUpdate, Report, progress_display
from minicoord.train.run_settings import differences
from minicoord.train.trainer import Trainable

Evaluate = Callable[[int], Mapping[str, Any]]


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
    """Run the steps of `trainer`, and return the history of the run.

    Ctrl-C ends the run early: the trainer is restored to the end of the last row of the history, whose checkpoint is on
    disk, and the history that is returned ends with that row and has ``interrupted`` set.

    Parameters
    ----------
    trainer : Trainable
        Anything with `step`, `state` and `restore`, such as a subclass of `minicoord.train.trainer.Trainer`.
    steps : int
        Steps of the run in total, including those of a resumed checkpoint; 0 or more. Where a run is resumed with more
        steps, and its last row had fewer than `every`, that row is kept, and the next row has the steps that it lacked.
    every : int
        Steps from one row of the history, and one checkpoint, to the next. The last row may have fewer.
    unit : str
        What rows are counted in. With ``"step"`` a row records the number of steps so far; with any other, such as
        ``"epoch"``, the number of rows so far.
    columns : callable, optional
        ``columns() -> dict``, called after the last step of each row, for what is recorded besides the means of the
        steps' numbers.
    evaluate : callable, optional
        ``evaluate(count) -> dict`` of metrics, called after each row with its count in `unit`. The metrics are
        recorded; training does not depend on them.
    stop_when : callable, optional
        ``stop_when(row) -> bool``, called after each row and before its evaluation; True ends the run.
    checkpoint : path, optional
        The file to write a checkpoint to, before the first step and after each row.
    resume : bool
        True: if the file exists, continue from the checkpoint, bit for bit; a complete run returns at once. Only
        `steps` may have changed, and not to fewer.
    settings : mapping, optional
        Facts fit for JSON; a checkpoint can only be resumed with the same ones.
    sitting : mapping, optional
        Facts about this process, such as commit and machine. A resumed run has several sittings, one for each process
        that had a part in it; ``history.sittings`` lists them.
    progress : bool or callable
        True shows a bar, or a line per row where there is no terminal. A callable gets a `LoopUpdate` after each step
        and each row.
    label : str
        The name of the run in the progress display.

    Returns
    -------
    History
        One row for each `every` steps: the count in `unit`, the means of the steps' numbers, the columns,
        ``train_seconds``, and what `evaluate` returned.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or value; if the first checkpoint cannot hold the state of the trainer (see
        `minicoord.train.trainer.Trainable`); if a step, the columns or the metrics use a name that is taken.
    FloatingPointError
        If the trainer raises it; the last checkpoint remains on disk.
    CheckpointError
        If the checkpoint is damaged, or belongs to another run; nothing is changed then.
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
    others: dict[str, Any] = {"checkpoint": checkpoint, "resume": resume, "settings": settings, "progress": progress}
    check_run("train", columns=columns, evaluate=evaluate, stop_when=stop_when, label=label, **others)
    check_kind("train: unit", unit, str, "a str such as 'step'")
    check_kind("train: sitting", {} if sitting is None else sitting, Mapping, "a dict")
    if resume and checkpoint is None:
        raise ValueError("train: resume needs the path of a checkpoint")
    path = None if checkpoint is None else Path(checkpoint)
    facts = plain(dict(settings or {}), non_finite=float)
    run = _Run(trainer, steps, every, unit, columns, evaluate, stop_when, path, facts, dict(sitting or {}))
    with progress_display(progress, label) as report:
        run.begin(resume)
        try:
            while not run.finished:
                run.take_row(report)
        except KeyboardInterrupt:
            run.rewind()
            run.history.interrupted = True
    return run.history


def check_functions(what: str, **functions: object) -> None:
    """Raise TypeError unless all of these are functions."""
    for name, function in functions.items():
        if not callable(function):
            raise TypeError(f"{what}: {name} is of type {type(function).__name__}, wanted a function")


def check_run(
    what: str,
    *,
    checkpoint: object,
    resume: object,
    settings: object,
    progress: object,
    label: object,
    **functions: object,
) -> None:
    """Check the types of the arguments that `train` and `fit` have in common.

    Raises
    ------
    TypeError, ValueError
        If one is of another type, or `checkpoint` is no path.
    """
    check_functions(what, **{name: function for name, function in functions.items() if function is not None})
    check_flag(f"{what}: resume", resume)
    if not callable(progress):
        check_flag(f"{what}: progress", progress)
    if checkpoint is not None:
        check_path(f"{what}: checkpoint", checkpoint)
    check_kind(f"{what}: settings", {} if settings is None else settings, Mapping, "a dict")
    check_kind(f"{what}: label", label, str, "a str")


@dataclass
class _Run:
    """A run of the loop: the arguments of `train`, and how far the run is."""

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
    on_disk: bool = True  # whether the file at `path` is known to hold `saved`
    sitting_recorded: bool = False

    def take_row(self, report: Report) -> None:
        """Take the steps of one row of the history; evaluate, record and save."""
        start, means = time.perf_counter(), Means()
        if self.sitting and not self.sitting_recorded:
            self.history.sittings.append({**self.sitting, f"after_{self.unit}": self._count()})
            self.sitting_recorded = True
        for _ in range(min(self.every - self.done % self.every, self.steps - self.done)):
            means.add(self._step())
            self.done += 1
            update = LoopUpdate(self.done, self.steps, self.every, self.unit, means.values(), None)
            call_given("train: progress", report, "a function of a LoopUpdate", update)
        row = self._record(means, start)
        stopped = self.stop_when is not None and bool(
            call_given("stop_when", self.stop_when, "a function of the row", dict(row))
        )
        if self.evaluate is not None:
            metrics = _checked(
                "evaluate", call_given("evaluate", self.evaluate, f"a function of the {self.unit}", row[self.unit]), row
            )
            row.update(plain(metrics, non_finite=float))
        self.history.rows.append(row)
        self.history.stopped = stopped
        self.save()
        report(LoopUpdate(self.done, self.steps, self.every, self.unit, means.values(), dict(row)))

    def _step(self) -> Mapping[str, float]:
        """Take one step; an error about a number that is not finite also says which checkpoint is kept."""
        try:
            return _checked("step", call_given("step", self.trainer.step, "a method of nothing"), self._own_names)
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}{self._kept()}") from None

    def _record(self, means: Means, start: float) -> Row:
        """Return the row of the steps that began at `start`, a time in seconds; its evaluation is still missing."""
        try:
            columns = {} if self.columns is None else call_given("columns", self.columns, "a function of nothing")
            _checked("columns", columns, (*self._own_names, *means.values()))
        except FloatingPointError as error:
            raise FloatingPointError(f"{error}{self._kept()}") from None
        count = self.done if self.unit == "step" else len(self.history) + 1
        seconds = self.history.last.get("train_seconds", 0.0) + time.perf_counter() - start
        return plain({self.unit: count, **means.values(), **columns, "train_seconds": seconds}, non_finite=float)

    @property
    def _own_names(self) -> tuple[str, str]:
        """The columns of the history that the loop itself records."""
        return self.unit, "train_seconds"

    def _count(self) -> int:
        """Return how many epochs, or steps, the history has."""
        return self.history.last.get(self.unit, 0)

    def _kept(self) -> str:
        """Return the end of an error message: which checkpoint is on disk."""
        return "" if self.path is None else f"; {self.path} holds {self.unit} {self._count()}"

    @property
    def finished(self) -> bool:
        """Whether all steps are taken, or `stop_when` ended the run."""
        return self.history.stopped or self.done >= self.steps

    def begin(self, resume: bool) -> None:
        """Continue from the checkpoint, or write the first one."""
        if not (resume and self.path is not None and self.path.exists()):
            self.save()
            return
        saved = read_checkpoint(self.path)
        self._check_resumable(saved)
        saved.warn_if_elsewhere(self.path)
        restore(self.path, self.trainer, saved.state)
        self.saved = saved
        self._continue_from(saved)
        if self.stop_when is None:
            self.history.stopped = False  # what stopped the run before does not apply to it now

    def _check_resumable(self, saved: Checkpoint) -> None:
        """Raise CheckpointError if a checkpoint belongs to a run with other settings, or has more steps than wanted."""
        if not saved.settings and self.settings:
            raise CheckpointError(f"{self.path} was not written by a training run: it has no settings")
        before = {name: getattr(saved, name) or now for name, now in self._rows.items()}  # version 0.1 kept neither
        changed = differences(saved.settings, self.settings) or differences(before, self._rows)
        if changed:
            raise CheckpointError(f"{self.path} belongs to a run with other settings: {'; '.join(changed)}")
        done = self._steps_of(saved)
        if done > self.steps:
            rows = math.ceil(self.steps / self.every)
            there, wanted = (done, self.steps) if self.unit == "step" else (saved.epoch, rows)
            so_far = counted(there, self.unit)
            raise CheckpointError(f"{self.path} has {so_far} already, but {self.unit}s was {wanted}")

    @property
    def _rows(self) -> dict[str, Any]:
        """What the rows of the history mean, which a resumed run must not change."""
        return {"every": self.every, "unit": self.unit}

    def _steps_of(self, saved: Checkpoint) -> int:
        return saved.steps or saved.epoch * self.every  # version 0.1 counted epochs only

    def save(self) -> None:
        """Keep the current state in memory, and on disk if there is a path."""
        facts = {"epoch": len(self.history), "steps": self.done, "settings": self.settings, **self._rows}
        saved = Checkpoint(self.trainer.state(), history=self.history.to_dict(), **facts)
        self.on_disk = False
        self.saved = saved
        self._write()

    def _write(self) -> None:
        if self.path is not None and not self.on_disk:
            self.saved.save(self.path)
        self.on_disk = True

    def rewind(self) -> None:
        """Return to the last state that was saved; if Ctrl-C came while it was written, it is written again."""
        self._write()
        self.trainer.restore(self.saved.state)
        self._continue_from(self.saved)

    def _continue_from(self, saved: Checkpoint) -> None:
        self.history = History.from_dict(saved.history)
        self.done = self._steps_of(saved)


def _checked(source: str, numbers: Any, taken: Collection[str]) -> Mapping[str, Any]:
    """Return what `step`, `columns` or `evaluate` returned, after checking that it replaces none of the names taken.

    What `step` and `columns` return is also checked to be numbers; what `evaluate` returns is recorded as it is.
    """
    if not isinstance(numbers, Mapping):
        wanted = "metrics" if source == "evaluate" else "numbers"
        raise TypeError(f"{source} returned a {type(numbers).__name__}, wanted a dict of {wanted}")
    clash = [name for name in numbers if name in taken]
    if clash:
        raise ValueError(f"{source} returned {shown(clash[0])}, a name that training itself uses; choose another")
    if source != "evaluate":
        for name, value in numbers.items():
            if not is_number(value):
                raise TypeError(f"{source} returned {shown(name)} of type {type(value).__name__}, wanted a number")
    return numbers
