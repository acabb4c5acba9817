"""Execute the runs of a sweep: one after the other, or several at a time with Dask, on this machine or on a cluster.

The state of a sweep is on disk. However it ends, by Ctrl-C or by a power failure, it can be started again: finished
runs are skipped, and unfinished ones continue from their checkpoints.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from minicoord.experiments.frame.plan import Plan
from minicoord.experiments.frame.provenance import own_command
from minicoord.sweeps.runs import finished, run_in_process
from minicoord.system.counting import counted

Outcome = tuple[Plan, dict[str, Any] | None, str | None]
"""A run with its result and None; or a run that failed, None, and the error message."""


def sweep(
    runs: Sequence[Plan],
    out: Path,
    workers: int = 1,
    scheduler: str | None = None,
    say: Callable[[str], None] = print,
    timeout: float = 20.0,
) -> Iterator[Outcome]:
    """Execute all runs that are not finished yet.

    Parameters
    ----------
    runs : sequence of Plan
        The runs of the sweep, finished ones included.
    out : path
        The folder of all results. With a cluster, a folder that all its machines share.
    workers : int
        Runs at a time on this machine; the cores are divided among them.
    scheduler : str, optional
        The address of a Dask scheduler, such as ``tcp://host:8786``, whose workers execute the runs.
    say : callable
        Receives one line for each run: how far the sweep is, and how long it will take.
    timeout : float
        Time for the scheduler to answer, in seconds.

    Yields
    ------
    (Plan, dict or None, str or None)
        An `Outcome` for each run: finished ones first, then the others in the order in which they end.

    Raises
    ------
    ValueError
        If Dask is needed but not installed, the scheduler does not answer, or the folder of a run holds a result with
        other settings.
    """
    done, pending = [], []
    for run in runs:
        result = finished(run, out)
        if result is None:
            pending.append(run)
        else:
            done.append((run, result, None))
    yield from done
    if done:
        say(f"{len(done)} of {counted(len(runs), 'run')} {'is' if len(runs) == 1 else 'are'} recorded already")
    if pending:
        say(f"{counted(len(pending), 'run')} to do; how long they take is known when the first has ended")
    start = time.monotonic()
    outcomes = (
        _in_turn(pending, out)
        if workers == 1 and scheduler is None
        else _by_dask(pending, out, workers, scheduler, timeout)
    )
    for count, (run, result, error) in enumerate(outcomes, start=1):
        left = (time.monotonic() - start) / count * (len(pending) - count)
        outcome = error or _outcome(result)
        say(f"[{len(done) + count}/{len(runs)}] {run.name}: {outcome}; {duration(left)} left")
        yield run, result, error


def _outcome(result: dict[str, Any] | None) -> str:
    """Return the outcome of a run in a word."""
    solved = None if result is None else result["solved"]
    return "done" if solved is None else "solved" if solved else "not solved"


def _in_turn(runs: Sequence[Plan], out: Path) -> Iterator[Outcome]:
    """Execute one run after the other, each on all cores."""
    for run in runs:
        yield _attempt(run, out, os.cpu_count() or 1, own_command())


def _attempt(run: Plan, out: Path, threads: int, command: str | None) -> Outcome:
    """Execute a run; if it fails, the outcome has the error message."""
    try:
        return run, run_in_process(run, out, threads, command), None
    except (RuntimeError, OSError, ValueError) as error:
        return run, None, str(error)


QUIET = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.worker.memory.monitor-interval": "1s",
}
"""Makes rare what Dask does every 10 to 100 ms in each process, in all a tenth of a core; our runs take minutes."""


def _by_dask(runs: Sequence[Plan], out: Path, workers: int, scheduler: str | None, timeout: float) -> Iterator[Outcome]:
    """Submit the runs to Dask, whose workers start a process for each. A run whose worker dies goes to another one."""
    try:
        import dask.config  # pyright: ignore[reportMissingImports]
        from distributed import Client, LocalCluster, as_completed  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise ValueError("several runs at a time need dask.distributed: pip install 'minicoord[sweep]'") from None
    out = Path(out).resolve()
    threads = max(1, (os.cpu_count() or 1) // workers) if scheduler is None else 0
    cluster: Any = None
    if scheduler is None:
        options: dict[str, Any] = {"n_workers": workers, "threads_per_worker": 1}
        options["dashboard_address"] = "127.0.0.1:0"  # any free port, so that two sweeps do not collide
        with dask.config.set(QUIET):
            cluster = LocalCluster(**options)
    try:
        client: Any = Client(cluster if scheduler is None else scheduler, timeout=timeout)
    except (OSError, ValueError) as error:  # ValueError: not an address
        raise ValueError(f"no Dask scheduler answers at {scheduler}: {error}") from None
    try:
        # The folder is the key, because Dask treats two tasks with the same key as one.
        keys = [str(run.folder(out)) for run in runs]
        futures = [  # with priorities, because Dask does not keep the order of the grid by itself
            client.submit(_on_worker, run, out, threads, own_command(), key=key, retries=2, priority=-place)
            for place, (run, key) in enumerate(zip(runs, keys, strict=True))
        ]
        for future in as_completed(futures):
            try:
                yield future.result()
            except Exception as error:  # the worker died too often; the other runs go on
                run = runs[futures.index(future)]
                yield run, None, f"{type(error).__name__}: {error}"
    finally:
        client.close()
        if cluster is not None:
            cluster.close()


def _on_worker(run: Plan, out: Path, threads: int, command: str | None) -> Outcome:
    """Execute a run on a Dask worker; with `threads` 0, on all cores that the worker may use."""
    return _attempt(run, out, threads or _threads_of_worker(), command)


def _threads_of_worker() -> int:
    from distributed import get_worker  # pyright: ignore[reportMissingImports]

    return max(1, int(get_worker().state.nthreads))


def duration(seconds: float) -> str:
    """Return a duration as text.

    Examples
    --------
    >>> duration(42), duration(600), duration(3 * 3600 + 120), duration(60 * 3600)
    ('42 s', '10 min', '3 h 2 min', '2 d 12 h')
    """
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 2:
        return f"{seconds:.0f} s"
    if hours < 2:
        return f"{minutes:.0f} min"
    if hours < 48:
        return f"{int(hours)} h {int(minutes) % 60} min"
    return f"{int(hours) // 24} d {int(hours) % 24} h"
