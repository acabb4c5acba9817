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
from minicoord.sweeps.grids import Run


def finished(run: Run, out: Path) -> dict[str, Any] | None:
    """Return the record of a run that is done; None if there is none, or it is of an interrupted run, or damaged."""
    try:
        result = json.loads((run.folder(out) / "result.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result if isinstance(result, dict) and result.get("interrupted") is False else None


def run_in_process(run: Run, out: Path, threads: int, command: str | None = None) -> dict[str, Any]:
    """Do a run in a new process, go on from its checkpoint if it has one, and return its record.

    A run that is already recorded is not done again. The process notices when this one dies, however that happens, and
    ends too: so no two processes ever write into the folder of one run.

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
        raise RuntimeError(f"{run.name} ended with exit code {process.returncode}: {last}")
    return done


def _end_with_parent() -> None:
    """Wait for the end of standard input, which the parent holds open, and end this process at once."""
    sys.stdin.read()
    os._exit(1)


def main() -> None:
    """Do the run that the first argument describes, in JSON."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    order = json.loads(sys.argv[1])
    run = Run(**order["run"])
    module = experiments.get(run.experiment)
    module.run(
        run.model,
        run.split,
        preset=run.preset,
        seed=run.seed,
        out=Path(order["out"]),
        resume=True,
        progress=False,
        folder_name=run.name,
        command=order["command"],
        **run.changes,
    )


if __name__ == "__main__":
    main()
