"""The command ``minicoord run NAME``: its options are those of every run, and the settings of the experiment.

The settings are known only once the experiment is imported, which takes Numba. So the command looks for the name among
its arguments, and hands over to a command that is made for that experiment.
"""

from __future__ import annotations

import contextlib
import inspect
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand

from minicoord import experiments
from minicoord.app.run_options import common_options, plans_of, setting_options
from minicoord.system.arguments import shown
from minicoord.system.console import prepare_folder, print_json, print_table, say
from minicoord.system.suggestion import suggestion

if TYPE_CHECKING:
    from minicoord.experiments.frame.experiment import Experiment
    from minicoord.experiments.frame.plan import Plan

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
UNPARSED = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
WITH_VALUE = ("--model", "--preset", "--seed", "--seeds", "--first-seed", "--threads", "--out")


def _complete_experiment(incomplete: str) -> list[str]:
    return [name for name in experiments.names() if name.startswith(incomplete)]


def run(
    context: typer.Context,
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="EXPERIMENT [OPTIONS]", autocompletion=_complete_experiment)
    ] = None,
) -> None:
    """Train and evaluate the networks of an experiment, and compare with the paper.

    `minicoord run EXPERIMENT --help` lists the options and settings of an experiment.
    """
    given, known = [*(arguments or []), *context.args], experiments.names()
    helps = "--help" in given
    names = [given[k] for k in _positions_of_names(given)]
    if names and not helps:
        message = f"there is no {shown(names[0])}; {suggestion(names[0], known)}"
        raise typer.BadParameter(message, param_hint="EXPERIMENT")
    typer.echo(f"Usage: minicoord run EXPERIMENT [OPTIONS]\n\nExperiments: {', '.join(known)}\n", err=not helps)
    typer.echo("`minicoord run EXPERIMENT --help` lists the options and settings of an experiment.", err=not helps)
    raise typer.Exit(0 if helps else WRONG_USE)


class RunCommand(TyperCommand):
    """The command ``run``, which becomes the command of the experiment that its arguments name."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context in which the arguments are parsed, that of the experiment if they name one."""
        position = next((k for k in _positions_of_names(args) if args[k] in experiments.registry()), None)
        if position is None:
            return super().make_context(info_name, args, parent, **extra)
        others = [*args[:position], *args[position + 1 :]]
        return _parser(args[position]).make_context(f"{info_name} {args[position]}", others, parent, **extra)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete an option before the experiment is known, from the options of the first experiment."""
        return _parser(experiments.names()[0]).shell_complete(ctx, incomplete)


def _positions_of_names(arguments: Sequence[str]) -> list[int]:
    """Return the positions at which the name of an experiment could be, the most likely first.

    Which of an experiment's own options take a value is not known yet: what follows one may be its value or the name.
    """
    positions = [k for k, argument in enumerate(arguments) if not argument.startswith("-")]
    positions = [k for k in positions if k == 0 or arguments[k - 1] not in WITH_VALUE]
    return sorted(positions, key=lambda k: k > 0 and arguments[k - 1].startswith("-") and "=" not in arguments[k - 1])


def _parser(name: str) -> Any:
    """Return the command that parses the options of an experiment."""
    app = typer.Typer(add_completion=False)
    app.command()(command_of(load(name)))
    return typer.main.get_command(app)


def load(name: str) -> Experiment:
    """Return an experiment; end the command with a message if it is unknown or cannot be imported."""
    if name not in experiments.registry():
        raise typer.BadParameter(
            f"there is no {shown(name)}; {suggestion(name, experiments.registry())}", param_hint="EXPERIMENT"
        )
    try:
        return experiments.get(name)
    except ImportError as error:
        say(f"{error}; `minicoord doctor` tells more")
        raise typer.Exit(FAILED) from None


def command_of(experiment: Experiment) -> Callable[..., None]:
    """Return a function whose parameters are the options of ``minicoord run`` for one experiment."""

    def command(**values: Any) -> None:
        _run(experiment, values)

    # Typer makes the options from the signature of a function, so the function gets one with a parameter for each.
    options = {**common_options(experiment), **setting_options(experiment)}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        for name, (annotation, default) in options.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {name: annotation for name, (annotation, _) in options.items()}
    about = f"{experiment.title} ({experiment.paper_section}): train, evaluate, compare with the paper."
    command.__doc__ = escape(about)  # the help text is markup, in which [test] would be a style
    return command


def _run(experiment: Experiment, options: dict[str, Any]) -> None:
    """Execute the runs that the values of the options ask for, print the table and draw the figures."""
    out, resume, overwrite = options["out"], options["resume"], options["overwrite"]
    plans = plans_of(experiment, options)
    prepare_folder(out)
    _refuse_to_replace(plans, out, resume, overwrite)
    if overwrite and not resume:  # where it is resumed, they were marked when the replacement was started
        _mark_to_replace(plans, out)
    if options["threads"] is not None:
        _set_threads(options["threads"])
    results, exit_code = _run_all(experiment, plans, out, resume, overwrite)
    if options["as_json"]:
        print_json(results)
    elif results:
        print_table(experiment.summary_table(results), f"{experiment.title}: the paper against this run")
        for note in experiment.notes(results):
            typer.echo(note)
    if results and exit_code == 0:
        paths, exit_code = _draw(experiment, results, out / experiment.name / options["preset"])
        for path in [out, *paths]:
            typer.echo(f"written: {path}", err=True)
    raise typer.Exit(exit_code)


def _draw(experiment: Experiment, results: list[dict[str, Any]], folder: Path) -> tuple[list[Path], int]:
    """Draw the figures of finished runs, which stay whatever happens here; return their paths and the exit code."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            return experiment.figures(results, folder), 0
    except (ValueError, OSError, ArithmeticError, MemoryError) as error:
        say(f"the figures cannot be drawn: {error or type(error).__name__}")
        return [], FAILED


def _refuse_to_replace(plans: Sequence[Plan], out: Path, resume: bool, overwrite: bool) -> None:
    """End the command with exit code 2, before anything is run, if it would replace runs that exist."""
    obstacles = [_obstacle(plan, plan.folder(out), resume, overwrite) for plan in plans if plan.folder(out).is_dir()]
    for sentence in filter(None, obstacles):
        say(sentence)
    if any(obstacles):
        raise typer.Exit(WRONG_USE)


def _obstacle(plan: Plan, folder: Path, resume: bool, overwrite: bool) -> str:
    """Return why a run cannot start or continue in its folder, or replace what is there; empty if it can."""
    from minicoord.experiments.frame.folder import RunExistsError, look, settle
    from minicoord.experiments.frame.run import result_of

    try:
        settle(folder)
        found = look(folder)
        if found.result is not None and overwrite:
            result_of(plan, found.result, folder)
    except OSError as error:
        return f"{folder} cannot be used: {error.strerror or error}"
    except RunExistsError as error:
        return str(error)
    return found.in_the_way(folder, resume, overwrite)


def _mark_to_replace(plans: Sequence[Plan], out: Path) -> None:
    """Mark all finished runs as to be replaced, so that a command that continues later knows which remain."""
    from minicoord.experiments.frame.folder import look, mark_to_replace

    for folder in [plan.folder(out) for plan in plans if plan.folder(out).is_dir()]:
        if look(folder).result is None:
            continue
        try:
            mark_to_replace(folder)
        except OSError as error:
            say(f"{folder} cannot be written to: {error.strerror or error}")
            raise typer.Exit(WRONG_USE) from None


def _run_all(
    experiment: Experiment, plans: Sequence[Plan], out: Path, resume: bool, overwrite: bool
) -> tuple[list[dict[str, Any]], int]:
    """Execute the plans in order up to an error or Ctrl-C; return the results so far and the exit code."""
    from minicoord.experiments.frame.folder import RunExistsError
    from minicoord.experiments.frame.run import run

    results: list[dict[str, Any]] = []
    for number, plan in enumerate(plans, start=1):
        variant = f"{plan.variant} {experiment.variant_name}, " if plan.variant else ""
        title = f"{plan.model}, {variant}seed {plan.seed}"
        say(f"[{number}/{len(plans)}] {title}, preset {plan.preset}")
        try:
            with contextlib.redirect_stdout(sys.stderr):
                results.append(run(experiment, plan, out, resume=resume, overwrite=overwrite))
            interrupted = bool(results[-1].get("interrupted"))
        except KeyboardInterrupt:
            interrupted = True
        except RunExistsError as error:
            say(str(error))
            return results, WRONG_USE
        except (ValueError, OSError, ArithmeticError, MemoryError) as error:
            say(f"{title} failed: {error or type(error).__name__}")
            return results, FAILED
        if interrupted:
            say(f"interrupted; the same command with {_to_continue(overwrite)} continues from the last checkpoint")
            return results, INTERRUPTED
    return results, 0


def _to_continue(overwrite: bool) -> str:
    """Return the options with which a command continues."""
    return "--overwrite --resume" if overwrite else "--resume"


def _set_threads(threads: int) -> None:
    """Set the number of Numba threads; warnings, such as that there are fewer cores, become messages."""
    from minicoord.kernels.backend.threading_layer import set_threads

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        set_threads(threads)
    for warning in caught:
        say(str(warning.message))
