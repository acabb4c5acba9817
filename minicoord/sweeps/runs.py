"""One run of a sweep in its own process, which ends when the process that started it does."""

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
from minicoord.experiments.frame.run import result_of, run


def finished(plan: Plan, out: Path) -> dict[str, Any] | None:
    """Return the result of a finished run; None if there is none, or it is of an interrupted run, or damaged.

    Raises
    ------
    ValueError
        If the folder of the run holds a result with other settings.
    """
    folder = plan.folder(out)
    if not folder.is_dir():
        return None
    settle(folder)
    result = look(folder).result
    return None if result is None else result_of(plan, result, folder)


def run_in_process(plan: Plan, out: Path, threads: int, command: str | None = None) -> dict[str, Any]:
    """Execute a run in a new process, from its checkpoint if it has one, and return its result.

    A finished run is not repeated. The new process ends when this one dies, for whatever reason. If another process is
    working on the same run, perhaps that of a second sweep into the same folder, the new one waits for it to end: two
    processes never write into the folder of one run at the same time.

    Parameters
    ----------
    plan : Plan
        The run.
    out : path
        The folder of the sweep.
    threads : int
        Numba threads of the new process.
    command : str, optional
        The command to record, that of the sweep.

    Raises
    ------
    RuntimeError
        If the process fails; the message has the last line of its stderr.
    ValueError
        If the folder of the run holds a result with other settings.
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
            stderr = process.stderr.read()
            process.wait()
        except BaseException:
            process.kill()
            raise
    done = finished(plan, out)
    if process.returncode != 0 or done is None:
        last = stderr.strip().splitlines()[-1] if stderr.strip() else "no error message"
        if "CheckpointError" in last:
            last += "; without that file the run starts from the beginning"
        raise RuntimeError(f"the process ended with exit code {process.returncode}: {last}")
    return done


def _end_with_parent() -> None:
    """End this process as soon as its standard input ends, which the parent holds open as long as it lives."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Execute the run that the first argument describes in JSON."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    order = json.loads(sys.argv[1])
    experiment = experiments.get(order["experiment"])
    plan = experiment.plan(**order["plan"])
    run(experiment, plan, Path(order["out"]), resume=True, progress=False, command=order["command"])


if __name__ == "__main__":
    main()
