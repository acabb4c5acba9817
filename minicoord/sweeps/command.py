"""The command ``minicoord sweep``. What needs Numba is imported when the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from minicoord import experiments
from minicoord.experiments.frame.plan import MOST_SEEDS
from minicoord.system.arguments import shown
from minicoord.system.console import prepare_folder, print_json, print_table, say
from minicoord.system.counting import counted
from minicoord.system.suggestion import suggestion

FAILED, INTERRUPTED = 1, 130


def sweep(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="An experiment, such as classification.")],
    grid: Annotated[
        str, typer.Option(help="Name of a grid of the experiment, such as quick or paper; or a TOML file.")
    ] = "quick",
    seeds: Annotated[
        int, typer.Option(min=1, max=MOST_SEEDS, help="Number of seeds, 0, 1, ..., for each combination.")
    ] = 1,
    out: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the results; runs that are finished there are skipped.")
    ] = Path("minicoord-results"),
    workers: Annotated[int, typer.Option(min=1, help="Runs at a time on this machine; more than one needs Dask.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Address of a Dask scheduler, tcp://host:port.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List the runs without executing them.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")] = False,
) -> None:
    """Run every combination of a grid, each in its own process; the same command continues a sweep that was stopped.

    The grid called paper is that of the paper: 324 runs of classification by convolution on each split, and so on.
    """
    from minicoord.sweeps import schedule
    from minicoord.sweeps.grids import grid_named, runs_of

    if experiment not in experiments.registry():
        near = suggestion(experiment, experiments.registry())
        raise typer.BadParameter(f"there is no {shown(experiment)}; {near}", param_hint="EXPERIMENT")
    try:
        runs = runs_of(experiment, grid_named(experiment, grid), seeds)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--grid") from None
    except ImportError as error:
        say(f"{error}; `minicoord doctor` tells more")
        raise typer.Exit(FAILED) from None
    if dry_run:
        for run in runs:
            typer.echo(run.folder(out))
        say(counted(len(runs), "run"))
        return
    prepare_folder(out)
    results: list[dict[str, Any]] = []
    failed = 0
    try:
        for _, result, _ in schedule.sweep(runs, out, workers, scheduler, say):
            if result is None:
                failed += 1
            else:
                results.append(result)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except KeyboardInterrupt:
        say("interrupted; the same command continues with the remaining runs")
        raise typer.Exit(INTERRUPTED) from None
    if as_json:
        print_json(results)
    elif results:
        found = experiments.get(experiment)
        print_table(found.summary_table(results), f"{found.title}: all runs of the sweep")
    if failed:
        say(f"{failed} of {counted(len(runs), 'run')} failed; the same command tries them again")
        raise typer.Exit(FAILED)
