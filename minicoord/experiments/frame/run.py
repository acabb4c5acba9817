"""One run of an experiment, from its plan to its files: train, measure, write."""

from __future__ import annotations

import sys
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from minicoord.experiments.frame.declaration import Declaration
from minicoord.experiments.frame.folder import (
    CHECKPOINT,
    LOCK,
    MAPS,
    NEW,
    RESULT,
    RunExistsError,
    finish_move,
    is_to_be_replaced,
    look,
    move_out,
    working_folder,
)
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.provenance import BackgroundLoad, peak_memory_mb, provenance
from minicoord.experiments.frame.result import upgraded
from minicoord.experiments.frame.settings import values_of
from minicoord.system.files import one_process_at_a_time, plain, remove_leftovers, write_atomically, write_json
from minicoord.system.places import make_folder
from minicoord.train.history import History
from minicoord.train.loop import train
from minicoord.train.run_settings import differences
from minicoord.train.trainer import Trainer
from minicoord.train.weights import save_weights

RUN_OPTIONS = ("resume", "overwrite", "progress", "command")
"""The keyword arguments of `run`, as opposed to those of a plan."""


def run(
    experiment: Declaration,
    plan: Plan,
    out: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = True,
    command: str | None = None,
) -> dict[str, Any]:
    """Train as planned, measure, and write checkpoint, weights, arrays and ``result.json``.

    Parameters
    ----------
    experiment : Declaration
        The experiment.
    plan : Plan
        Which of its runs.
    out : path
        The files go to ``out/EXPERIMENT/PRESET/NAME``.
    resume : bool
        Continue from the checkpoint in that folder, if there is one. The result of a finished run is returned as it is.
    overwrite : bool
        Start from the beginning even if the folder holds a run. A finished run is replaced only once the new one is
        complete. With `resume`, continue a replacement that was interrupted.
    progress : bool
        Show a progress bar on stderr.
    command : str, optional
        The command to record; by default the one that started this process.

    Returns
    -------
    dict
        The content of ``result.json``; ``interrupted`` is true if Ctrl-C ended the run.

    Raises
    ------
    RunExistsError
        If the folder holds a run, and neither `resume` nor `overwrite` says what to do with it; if it holds a finished
        run with other settings; or if one of the names to be written belongs to something other than a file.
    CheckpointError
        If the checkpoint is damaged, or belongs to a run with other settings.
    """
    folder = plan.folder(out)
    make_folder(folder)
    with one_process_at_a_time(folder / LOCK):
        finish_move(folder)
        found = look(folder)
        if found.blocked:
            raise RunExistsError(found.blocked)
        for place in (folder, folder / NEW):
            remove_leftovers(place)
        finished = None if found.result is None else result_of(plan, found.result, folder)
        if finished is not None and resume and not (overwrite and is_to_be_replaced(folder)):
            return {**finished, "folder": str(folder)}
        obstacle = found.in_the_way(folder, resume, overwrite)
        if obstacle:
            raise RunExistsError(obstacle)
        work_folder = working_folder(folder, found)
        with tempfile.TemporaryFile(dir=work_folder):  # a folder that cannot be written to is found before training
            pass
        result, trainer, arrays = _train_and_measure(experiment, plan, work_folder, resume, progress, command)
        result["folder"] = str(folder)
        if result["interrupted"] and work_folder != folder:
            return result  # the finished run stays; the checkpoint of its replacement waits in new/
        _write(work_folder, result, trainer, arrays)
        if work_folder != folder:
            move_out(folder)
    return result


def result_of(plan: Plan, result: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return the result of the finished run in a folder, in the current format.

    Raises
    ------
    RunExistsError
        If it is not the planned run: a folder may be copied, a preset may change. A setting that was added since that
        run counts as unchanged.
    """
    result = upgraded(result, type(plan.settings))
    identity, settings = _identity(plan), values_of(plan.settings, plan.model)
    recorded = result.get("settings")
    recorded = {**settings, **recorded} if isinstance(recorded, dict) else {}
    before = identity | {key: result[key] for key in identity if key in result}
    before |= {key: recorded.get(key) for key in settings}
    changed = differences(before, {**identity, **settings})
    if changed:
        raise RunExistsError(f"{folder} is of a run with other settings ({'; '.join(changed)}); choose another folder")
    return result


def _identity(plan: Plan) -> dict[str, Any]:
    """Return what identifies a run besides its settings."""
    return {key: getattr(plan, key) for key in ("experiment", "model", "variant", "seed")}


def _train_and_measure(
    experiment: Declaration, plan: Plan, folder: Path, resume: bool, progress: bool, command: str | None
) -> tuple[dict[str, Any], Trainer, dict[str, Any]]:
    """Return the content of ``result.json``, the trainer after its last step, and the arrays for the figures."""
    made_by, load = provenance(command), BackgroundLoad()
    trainer = experiment.trainer(plan)
    # The recorded seconds should be those of training, without compilation: one step of a throwaway trainer compiles
    # everything that training calls.
    experiment.trainer(plan).step()
    settings = values_of(plan.settings, plan.model)
    identity = _identity(plan)
    history = train(
        trainer,
        trainer.steps,
        every=trainer.every,
        unit=trainer.unit,
        columns=trainer.columns,
        evaluate=lambda count: experiment.watch(trainer),
        checkpoint=folder / CHECKPOINT,
        resume=resume,
        settings={**identity, "settings": settings},
        sitting=_sitting(made_by),
        progress=progress,
        label=plan.name,
    )
    if history.interrupted and progress:  # an agent, say, plays a hundred games, which takes minutes
        message = "interrupted; what it has learned so far is being measured, which another Ctrl-C leaves out"
        print(message, file=sys.stderr)
    metrics, arrays = experiment.measure(trainer)
    result = {
        **identity,
        "preset": plan.preset,
        "parameters": sum(net.n_params for net in trainer.networks.values()),
        "unit": trainer.unit,
        f"{trainer.unit}s": history.last.get(trainer.unit, 0),
        "train_seconds": history.last.get("train_seconds", 0.0),
        "metrics": metrics,
        "solved": _solved(experiment, metrics, history),
        "interrupted": history.interrupted,
        "settings": settings,
        **experiment.facts(trainer),
        "peak_memory_mb": peak_memory_mb(),
        **made_by,
        "sittings": history.sittings,
        "background_load": load.so_far(),
        "history": history.rows,
    }
    # A metric may be a NumPy number; what reads results, of a file or of this process, gets Python's own.
    return plain(result, non_finite=float), trainer, arrays


def _sitting(made_by: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is recorded of each process that had a part in a run which was resumed."""
    return {key: made_by[key] for key in ("commit", "date", "machine", "threads", "versions")}


def _solved(experiment: Declaration, metrics: Mapping[str, float], history: History) -> bool | None:
    """Return the experiment's own verdict; an interrupted run never counts as solved."""
    solved = experiment.solved(metrics)
    return solved if solved is None else bool(solved) and not history.interrupted


def _write(folder: Path, result: dict[str, Any], trainer: Trainer, arrays: dict[str, Any]) -> None:
    """Write the files of a run, the result last: a folder with a result is complete."""
    for name, network in trainer.networks.items():
        save_weights(folder / weights_file(name, trainer), network)
    with write_atomically(folder / MAPS) as file:
        _write_arrays(file, arrays)
    write_json(folder / RESULT, result)


def _write_arrays(file: IO[bytes], arrays: Mapping[str, Any]) -> None:
    """Write arrays of any names as `numpy.savez_compressed` does, which cannot have one called ``file``."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def weights_file(name: str, trainer: Trainer) -> str:
    """Return the name of a network's weights file: ``weights.npz`` if the trainer has one network only."""
    return "weights.npz" if len(trainer.networks) == 1 else f"weights-{name}.npz"
