"""The command ``minicoord``: run, list and show experiments, and check the installation.

Tables and ``--json`` go to stdout, everything else to stderr. Numba is loaded only by the commands that need it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from minicoord import __version__, experiments
from minicoord.app.lessons import lessons
from minicoord.bench.command import bench
from minicoord.experiments.records.figures_command import figures
from minicoord.experiments.records.record_command import record
from minicoord.experiments.records.reproduce_command import reproduce
from minicoord.learn.doors.terminal import learn
from minicoord.sweeps.command import sweep
from minicoord.system.console import cell, never_fail_to_print, prepare_folder, print_json, print_table, say

FAILED = 1
INTERRUPTED = 130

app = typer.Typer(
    name="minicoord",
    help="CoordConv from scratch: run the experiments of the paper on a laptop.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong option or name, 130 interrupted (Ctrl-C).",
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; this is what the installed command ``minicoord`` calls."""
    never_fail_to_print()
    app(prog_name="minicoord")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"minicoord {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _start(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


def _complete_experiment(incomplete: str) -> list[str]:
    return [name for name in experiments.EXPERIMENTS if name.startswith(incomplete)]


ExperimentName = Annotated[
    str, typer.Argument(metavar="EXPERIMENT", help="Such as classification.", autocompletion=_complete_experiment)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]


@app.command()
def run(
    experiment: ExperimentName,
    model: Annotated[str, typer.Option(help="coordconv, conv or both.")] = "both",
    split: Annotated[str, typer.Option(help="uniform, quadrant or both.")] = "both",
    preset: Annotated[str, typer.Option(help="quick (minutes) or paper (its settings and length).")] = "quick",
    seed: Annotated[int | None, typer.Option(min=0, help="One seed; 0 if neither is given.")] = None,
    seeds: Annotated[int | None, typer.Option(min=1, help="Number of seeds: 0, 1, 2, ...")] = None,
    first_seed: Annotated[int, typer.Option(min=0, help="With --seeds: the first seed, instead of 0.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; the results do not depend on it.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for results, weights and figures.")] = Path("minicoord-results"),
    resume: Annotated[bool, typer.Option("--resume", help="Continue from the checkpoints in the folder.")] = False,
    raw_input: Annotated[
        bool, typer.Option("--raw-input", help="Feed pixel numbers, as the official code did, not [-1, 1].")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Train and evaluate the networks of an experiment, and compare with the paper."""
    module = _load(experiment)
    models = _choose("--model", model, module.MODELS, module.MORE_MODELS)
    splits = _choose("--split", split, module.SPLITS, module.MORE_SPLITS)
    if preset not in module.PRESETS:
        raise typer.BadParameter(
            f"there is no {preset!r}; {experiments.suggestion(preset, module.PRESETS)}", param_hint="--preset"
        )
    if seed is not None and seeds is not None:
        raise typer.BadParameter("--seed names one seed and --seeds a number of them; give one of the two")
    prepare_folder(out)
    if threads is not None:
        _set_threads(threads)
    seed_list = [seed or 0] if seeds is None else range(first_seed, first_seed + seeds)
    plan = [(m, s, k) for k, s, m in itertools.product(seed_list, splits, models)]
    options = {"preset": preset, "out": out, "resume": resume, "raw_input": raw_input}
    results, exit_code = _run_all(module, plan, options)
    if as_json:
        print_json(results)
    elif results:
        print_table(module.summary_table(results), f"{module.TITLE}: the paper against this run")
        for note in module.notes(results):
            typer.echo(note)
    if results and exit_code == 0:
        with contextlib.redirect_stdout(sys.stderr):
            paths = module.figures(results, out)
        for path in [out, *paths]:
            typer.echo(f"written: {path}", err=True)
    raise typer.Exit(exit_code)


def _run_all(
    module: experiments.Experiment, plan: Sequence[tuple[str, str, int]], options: dict[str, Any]
) -> tuple[list[dict[str, Any]], int]:
    """Run the plan in order until it ends, fails or is interrupted; return the results so far and the exit code."""
    results: list[dict[str, Any]] = []
    for number, (model, split, seed) in enumerate(plan, start=1):
        what = f"{model}, {split} split, seed {seed}"
        say(f"[{number}/{len(plan)}] {what}, preset {options['preset']}")
        try:
            with contextlib.redirect_stdout(sys.stderr):
                results.append(module.run(model, split, seed=seed, progress=True, **options))
            interrupted = bool(results[-1].get("interrupted"))
        except KeyboardInterrupt:
            interrupted = True
        except (ValueError, OSError, ArithmeticError, MemoryError) as error:
            say(f"{what} failed: {error or type(error).__name__}")
            return results, FAILED
        if interrupted:
            say("interrupted; the same command with --resume continues from the last checkpoint")
            return results, INTERRUPTED
    return results, 0


@app.command("list")
def list_experiments(as_json: AsJson = False) -> None:
    """List the experiments."""
    rows = []
    for name in experiments.EXPERIMENTS:
        module = _load(name)
        rows.append(
            {"experiment": name, "title": module.TITLE, "paper": module.PAPER_SECTION, "models": list(module.MODELS)}
        )
    if as_json:
        print_json(rows)
    else:
        print_table([{**row, "models": ", ".join(row["models"])} for row in rows], "Experiments")


@app.command()
def show(experiment: ExperimentName, as_json: AsJson = False) -> None:
    """Show the networks of an experiment, their parameters, and the presets."""
    module = _load(experiment)
    networks = module.describe()
    presets = {
        name: {model: dataclasses.asdict(settings) for model, settings in by_model.items()}
        for name, by_model in module.PRESETS.items()
    }
    if as_json:
        facts = {"experiment": experiment, "title": module.TITLE, "paper": module.PAPER_SECTION}
        print_json({**facts, "splits": list(module.SPLITS), "models": networks, "presets": presets})
        return
    typer.echo(f"{module.TITLE} ({module.PAPER_SECTION}); splits: {', '.join(module.SPLITS)}")
    print_table([{key: cell(value) for key, value in row.items()} for row in networks], "Networks")
    for name, by_model in presets.items():
        rows = [{"model": model, **{k: cell(v) for k, v in settings.items()}} for model, settings in by_model.items()]
        print_table(rows, f"Preset {name}")


app.command()(bench)
app.command()(sweep)
app.command()(reproduce)
app.command()(figures)
app.command()(record)
app.command()(lessons)
app.add_typer(learn)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check this installation and this machine; exit code 1 if something must be fixed."""
    from minicoord.app.doctor import doctor as examine

    findings = examine()
    rows = [dataclasses.asdict(finding) for finding in findings]
    if as_json:
        print_json(rows)
    else:
        print_table(rows, "minicoord doctor")
    raise typer.Exit(FAILED if any(finding.status == "problem" for finding in findings) else 0)


def _load(name: str) -> experiments.Experiment:
    if name not in experiments.EXPERIMENTS:
        raise typer.BadParameter(
            f"there is no {name!r}; {experiments.suggestion(name, experiments.EXPERIMENTS)}", param_hint="EXPERIMENT"
        )
    try:
        return experiments.get(name)
    except ImportError as error:
        say(f"{name} cannot be loaded: {error}; `minicoord doctor` says more")
        raise typer.Exit(FAILED) from None


def _choose(option: str, given: str, choices: tuple[str, ...], more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the choices asked for: one by its name, or all of a kind ("conv" means "conv-fc" and "conv-full").

    "both" means all `choices`, without those in `more`, which are run only when named.
    """
    if given == "both":
        return choices
    of_a_kind = tuple(choice for choice in choices if choice.startswith(f"{given}-"))
    if of_a_kind and given not in choices:
        return of_a_kind
    if given not in (*choices, *more):
        known = (*choices, *more, "both")
        raise typer.BadParameter(f"there is no {given!r}; {experiments.suggestion(given, known)}", param_hint=option)
    return (given,)


def _set_threads(threads: int) -> None:
    from minicoord.kernels.threading_layer import set_threads

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        set_threads(threads)
    for warning in caught:
        say(str(warning.message))
