"""One run of an experiment from its plan to its files: train, measure, write."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from minicoord.experiments.frame.settings import values_of
from minicoord.system.files import one_process_at_a_time, remove_leftovers, write_atomically, write_json
from minicoord.system.places import make_folder
from minicoord.train.checkpoint import save_weights
from minicoord.train.history import History
from minicoord.train.loop import train
from minicoord.train.run_settings import differences
from minicoord.train.trainer import Trainer

RUN_OPTIONS = ("resume", "overwrite", "progress", "command")


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
    """Train what is planned, measure it, and write checkpoint, weights, arrays and ``result.json``.

    Parameters
    ----------
    experiment : Declaration
    plan : Plan
    out : path
        The files go to ``out/EXPERIMENT/PRESET/NAME``.
    resume : bool
        Go on from the checkpoint in that folder, if there is one; a finished run is returned as it is.
    overwrite : bool
        Begin anew although there is a run. A finished one is replaced when the new one is complete, not before. With
        `resume`, go on with a replacement that was begun.
    progress : bool
        Show a progress bar on stderr.
    command : str, optional
        What to write down as the command that led here; by default that of this process.

    Returns
    -------
    dict
        What ``result.json`` holds; of a run that Ctrl-C ended too, with ``interrupted``.

    Raises
    ------
    RunExistsError
        If there is a run in that folder, and neither `resume` nor `overwrite` says what to do with it.
    ValueError
        If there is one with other settings.
    """
    folder = plan.folder(out)
    make_folder(folder)
    with one_process_at_a_time(folder / LOCK):
        for place in (folder, folder / NEW):
            remove_leftovers(place)
        finish_move(folder)
        found = look(folder)
        if found.result is not None and resume and not (overwrite and is_to_be_replaced(folder)):
            check_same_run(plan, found.result, folder)
            return {**found.result, "folder": str(folder)}
        lost = "" if overwrite else found.in_the_way(folder, resume)
        if lost:
            raise RunExistsError(lost)
        working = working_folder(folder, found)
        result, trainer, arrays = _train(experiment, plan, working, resume, progress, command)
        result["folder"] = str(folder)
        if result["interrupted"] and working != folder:
            return result
        _write(working, result, trainer, arrays)
        if working != folder:
            move_out(folder)
    return result


def check_same_run(plan: Plan, result: Mapping[str, Any], folder: Path) -> None:
    """Raise RunExistsError if a finished run is not the one planned: a folder may be copied, a preset may change."""
    told, settings = _told(plan), values_of(plan.settings, plan.model)
    kept = result.get("settings")
    kept = {**settings, **kept} if isinstance(kept, dict) else {}
    was = {**told, **{key: result[key] for key in told if key in result}, **{key: kept.get(key) for key in settings}}
    changed = differences(was, {**told, **settings})
    if changed:
        raise RunExistsError(f"{folder} is of a run with other settings ({'; '.join(changed)}); choose another folder")


def _told(plan: Plan) -> dict[str, Any]:
    return {key: getattr(plan, key) for key in ("experiment", "model", "variant", "seed")}


def _train(
    experiment: Declaration, plan: Plan, working: Path, resume: bool, progress: bool, command: str | None
) -> tuple[dict[str, Any], Trainer, dict[str, Any]]:
    made_by, load = provenance(command), BackgroundLoad()
    trainer = experiment.trainer(plan)
    # Seconds should count training, not compiling: a step of a trainer to throw away compiles what training calls.
    experiment.trainer(plan).step()
    settings = values_of(plan.settings, plan.model)
    told = _told(plan)
    history = train(
        trainer,
        trainer.steps,
        every=trainer.every,
        unit=trainer.unit,
        columns=trainer.columns,
        evaluate=lambda count: experiment.watch(trainer),
        checkpoint=working / CHECKPOINT,
        resume=resume,
        settings={**told, "settings": settings},
        sitting=_sitting(made_by),
        progress=progress,
        label=plan.name,
    )
    metrics, arrays = experiment.measure(trainer)
    result = {
        **told,
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
    return result, trainer, arrays


def _sitting(made_by: Mapping[str, Any]) -> dict[str, Any]:
    return {key: made_by[key] for key in ("commit", "date", "machine", "threads", "versions")}


def _solved(experiment: Declaration, metrics: Mapping[str, float], history: History) -> bool | None:
    """Return the experiment's own judgement; what was interrupted is never called solved."""
    solved = experiment.solved(metrics)
    return solved if solved is None else bool(solved) and not history.interrupted


def _write(folder: Path, result: dict[str, Any], trainer: Trainer, arrays: dict[str, Any]) -> None:
    for name, network in trainer.networks.items():
        save_weights(folder / weights_file(name, trainer), network)
    with write_atomically(folder / MAPS) as file:
        np.savez_compressed(file, **arrays)
    write_json(folder / RESULT, result)


def weights_file(name: str, trainer: Trainer) -> str:
    """Return the name of the file of a network's weights: ``weights.npz`` where there is one alone."""
    return "weights.npz" if len(trainer.networks) == 1 else f"weights-{name}.npz"
