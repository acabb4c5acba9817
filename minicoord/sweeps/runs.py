"""One run of a sweep, in a process of its own that ends with whoever started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.folder import look, settle
from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.run import check_same_run, run


def finished(plan: Plan, out: Path) -> dict[str, Any] | None:
    """Return the record of a run that is done; None if there is none, or it is of an interrupted run, or damaged.

    Raises
    ------
    ValueError
        If the folder of the run holds a record with other settings, which is a run of something else.
    """
    folder = plan.folder(out)
    if not folder.is_dir():
        return None
    settle(folder)
    result = look(folder).result
    if result is not None:
        check_same_run(plan, result, folder)
    return result


def run_in_process(plan: Plan, out: Path, threads: int, command: str | None = None) -> dict[str, Any]:
    """Do a run in a new process, go on from its checkpoint if it has one, and return its record.

    A run that is already recorded is not done again. The process notices when this one dies, however that happens, and
    ends too. If another process is at this run, that of a second sweep into the same folder perhaps, it waits for the
    end of that one: no two processes ever write into the folder of one run.

    Parameters
    ----------
    plan : Plan
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
    done = finished(plan, out)
    if done is not None:
        return done
    order = json.dumps({"experiment": plan.experiment, "plan": plan.order(), "out": str(out), "command": command})
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
    done = finished(plan, out)
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
    experiment = experiments.get(order["experiment"])
    plan = experiment.plan(**order["plan"])
    run(experiment, plan, Path(order["out"]), resume=True, progress=False, command=order["command"])


if __name__ == "__main__":
    main()
