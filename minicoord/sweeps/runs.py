"""One run of a sweep, in a process of its own that ends with whoever started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.records.recorded_settings import settings_of
from minicoord.experiments.supervised.run import settings_with
from minicoord.sweeps.grids import Run
from minicoord.system.files import one_process_at_a_time
from minicoord.train.run_settings import differences

LOCK = ".lock"


def finished(run: Run, out: Path) -> dict[str, Any] | None:
    """Return the record of a run that is done; None if there is none, or it is of an interrupted run, or damaged.

    Raises
    ------
    ValueError
        If the folder of the run holds a record with other settings, which is a run of something else.
    """
    path = run.folder(out) / "result.json"
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(result, dict) or result.get("interrupted") is not False:
        return None
    try:
        changed = _other_settings(run, result)
    except TypeError:  # it lacks a setting that every run has
        return None
    if changed:
        raise ValueError(f"{path} is of a run with other settings ({'; '.join(changed)}); choose another folder")
    return result


def _other_settings(run: Run, result: dict[str, Any]) -> list[str]:
    """Say which settings of a record are not those of the run: the preset, or the package, may have changed since."""
    if not isinstance(result.get("settings"), dict):
        return []
    module = experiments.get(run.experiment)
    wanted = settings_with(run.experiment, module.PRESETS, module.OWN_SETTINGS, run.preset, run.model, run.changes)
    return differences(asdict(settings_of(result)), asdict(wanted))


def run_in_process(run: Run, out: Path, threads: int, command: str | None = None) -> dict[str, Any]:
    """Do a run in a new process, go on from its checkpoint if it has one, and return its record.

    A run that is already recorded is not done again. The process notices when this one dies, however that happens, and
    ends too. If another process is at this run, that of a second sweep into the same folder perhaps, it waits for the
    end of that one: no two processes ever write into the folder of one run.

    Parameters
    ----------
    run : Run
    out : path
        The folder of the sweep.
    threads : int
        For this run.
    command : str, optional
        That of the sweep, for the record.

    Raises
    ------
    RuntimeError
        If the process fails; with the last line that it said.
    ValueError
        If the folder of the run holds a record with other settings.
    """
    done = finished(run, out)
    if done is not None:
        return done
    order = json.dumps({"run": asdict(run), "out": str(out), "command": command})
    environment = os.environ | {"NUMBA_NUM_THREADS": str(threads)}
    arguments = [sys.executable, "-m", "minicoord.sweeps.runs", order]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
    with subprocess.Popen(arguments, env=environment, text=True, **pipes) as process:
        try:
            assert process.stderr is not None
            said = process.stderr.read()
            process.wait()
        except BaseException:
            process.kill()
            raise
    done = finished(run, out)
    if process.returncode != 0 or done is None:
        last = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
        if "CheckpointError" in last:
            last += "; without that file the run begins anew"
        raise RuntimeError(f"it ended with exit code {process.returncode}: {last}")
    return done


def _end_with_parent() -> None:
    """Wait for the end of standard input, which the parent holds open, and end this process at once."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Do the run that the first argument describes, in JSON."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    order = json.loads(sys.argv[1])
    run, out = Run(**order["run"]), Path(order["out"])
    module = experiments.get(run.experiment)
    folder = run.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    with one_process_at_a_time(folder / LOCK):
        if finished(run, out) is not None:  # by another process, for which this one has waited
            return
        module.run(
            run.model,
            run.split,
            preset=run.preset,
            seed=run.seed,
            out=out,
            resume=True,
            progress=False,
            folder_name=run.name,
            command=order["command"],
            **run.changes,
        )


if __name__ == "__main__":
    main()
