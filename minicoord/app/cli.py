"""The command ``minicoord``: run, list and show experiments, and check the installation.

Tables and ``--json`` go to stdout, everything else to stderr. Numba is loaded only by the commands that need it.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import Annotated

import typer

from minicoord import __version__, experiments
from minicoord.app.lessons import lessons
from minicoord.app.run_command import UNPARSED, RunCommand, load, run
from minicoord.bench.command import bench
from minicoord.experiments.records.figures_command import figures
from minicoord.experiments.records.record_command import record
from minicoord.experiments.records.reproduce_command import reproduce
from minicoord.learn.doors.terminal import learn
from minicoord.sweeps.command import sweep
from minicoord.system.console import (
    cell,
    forget_impossible_width,
    never_fail_to_print,
    print_json,
    print_table,
    say,
    told_if_output_fails,
)
from minicoord.system.environment import EnvironmentVariableError, check_environment

FAILED, WRONG_USE = 1, 2

app = typer.Typer(
    name="minicoord",
    help="CoordConv from scratch: run the experiments of the paper on a laptop.",
    epilog="Exit codes: 0 done, 1 failed, 2 wrong option, name or environment variable, 130 interrupted (Ctrl-C).",
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line; this is what the installed command ``minicoord`` calls."""
    never_fail_to_print()
    forget_impossible_width()
    try:
        with told_if_output_fails():
            app(prog_name="minicoord")
    except EnvironmentVariableError as error:
        say(str(error))
        sys.exit(WRONG_USE)


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
        raise typer.Exit(WRONG_USE)
    check_environment()


ExperimentName = Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Such as classification.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, and nothing else there.")]


app.command(cls=RunCommand, context_settings=UNPARSED)(run)


@app.command("list")
def list_experiments(as_json: AsJson = False) -> None:
    """List the experiments."""
    rows = []
    for name in experiments.names():
        try:
            found = experiments.get(name)
        except ImportError as error:
            say(f"{error}; `minicoord doctor` tells more")
            continue
        facts = {"title": found.title, "paper": found.paper_section, "models": list(found.models)}
        rows.append({"experiment": name, **facts})
    if as_json:
        print_json(rows)
    elif rows:
        print_table([{**row, "models": ", ".join(row["models"])} for row in rows], "Experiments")
    raise typer.Exit(0 if rows else FAILED)


@app.command()
def show(experiment: ExperimentName, as_json: AsJson = False) -> None:
    """Show the networks of an experiment, their parameters, and the presets."""
    from minicoord.experiments.frame.settings import values_of

    found = load(experiment)
    networks = found.describe()
    presets = {
        name: {model: values_of(settings, model) for model, settings in by_model.items()}
        for name, by_model in found.presets.items()
    }
    if as_json:
        facts = {"experiment": experiment, "title": found.title, "paper": found.paper_section}
        variants = {f"{found.variant_name}s": list(found.variants)}
        print_json({**facts, **variants, "models": networks, "presets": presets})
        return
    variants = f"; {found.variant_name}s: {', '.join(found.variants)}" if any(found.variants) else ""
    typer.echo(f"{found.title} ({found.paper_section}){variants}")
    print_table([{key: cell(value) for key, value in row.items()} for row in networks], "Networks")
    for name, by_model in presets.items():
        columns = dict.fromkeys(key for settings in by_model.values() for key in settings)
        rows = [{"model": m, **{key: cell(given.get(key)) for key in columns}} for m, given in by_model.items()]
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
