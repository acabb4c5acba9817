"""The command ``minicoord run NAME``: its options are those of every run, and the settings of the experiment.

The settings are known when the experiment is, and to import one takes Numba. So the command looks among its arguments
for the name, and becomes the command that is made for that experiment.
"""

from __future__ import annotations

import contextlib
import inspect
import itertools
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from typer.core import TyperCommand

from minicoord import experiments
from minicoord.system.console import prepare_folder, print_json, print_table, say
from minicoord.system.suggestion import suggestion

if TYPE_CHECKING:
    from minicoord.experiments.frame.experiment import Experiment
    from minicoord.experiments.frame.plan import Plan

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
MOST_SEEDS = 100_000
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

    `minicoord run EXPERIMENT --help` has the options and settings of an experiment.
    """
    given, known = [*(arguments or []), *context.args], experiments.names()
    helps = "--help" in given
    words = [given[k] for k in _places_of_names(given)]
    if words and not helps:
        raise typer.BadParameter(f"there is no {words[0]!r}; {suggestion(words[0], known)}", param_hint="EXPERIMENT")
    typer.echo(f"Usage: minicoord run EXPERIMENT [OPTIONS]\n\nExperiments: {', '.join(known)}\n", err=not helps)
    typer.echo("`minicoord run EXPERIMENT --help` has the options and settings of an experiment.", err=not helps)
    raise typer.Exit(0 if helps else WRONG_USE)


class RunCommand(TyperCommand):
    """The command ``run``; where an experiment is among the arguments, the command of that one."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Return the context in which the arguments are parsed."""
        place = next((k for k in _places_of_names(args) if args[k] in experiments.registry()), None)
        if place is None:
            return super().make_context(info_name, args, parent, **extra)
        others = [*args[:place], *args[place + 1 :]]
        return _parser(args[place]).make_context(f"{info_name} {args[place]}", others, parent, **extra)

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Complete an option before the name is known: those of the first experiment stand for all."""
        return _parser(experiments.names()[0]).shell_complete(ctx, incomplete)


def _places_of_names(arguments: Sequence[str]) -> list[int]:
    """Return where in the arguments the name of an experiment could be, the likeliest place first.

    Which of an experiment's own options take a value is not known yet: what follows one may be its value or the name.
    """
    words = [k for k, word in enumerate(arguments) if not word.startswith("-")]
    words = [k for k in words if k == 0 or arguments[k - 1] not in WITH_VALUE]
    return sorted(words, key=lambda k: k > 0 and arguments[k - 1].startswith("-") and "=" not in arguments[k - 1])


def _parser(name: str) -> Any:
    """Return the command of an experiment, which parses its options."""
    app = typer.Typer(add_completion=False)
    try:
        app.command()(command_of(load(name)))
    except ValueError as error:
        say(f"{name} cannot be run: {error}")
        raise typer.Exit(FAILED) from None
    return typer.main.get_command(app)


def load(name: str) -> Experiment:
    """Return an experiment, or end with a sentence if it is unknown or cannot be imported."""
    if name not in experiments.registry():
        raise typer.BadParameter(
            f"there is no {name!r}; {suggestion(name, experiments.registry())}", param_hint="EXPERIMENT"
        )
    try:
        return experiments.get(name)
    except ImportError as error:
        say(f"{error}; `minicoord doctor` tells more")
        raise typer.Exit(FAILED) from None


def command_of(experiment: Experiment) -> Callable[..., None]:
    """Return a function whose parameters are the options of ``minicoord run`` for one experiment.

    Raises
    ------
    ValueError
        If a setting has the name of an option of every run.
    """

    def command(**options: Any) -> None:
        _run(experiment, options)

    common, settings = _common_options(experiment), _setting_options(experiment)
    clash = [name for name in settings if name in common]
    if clash:
        raise ValueError(f"{experiment.name}: a setting is called {clash[0]!r}, which is an option of every run")
    kinds = {**common, **settings}
    parameters = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
        for name, (kind, default) in kinds.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # pyright: ignore[reportFunctionMemberAccess]
    command.__annotations__ = {name: kind for name, (kind, _) in kinds.items()}
    about = f"{experiment.title} ({experiment.paper_section}): train, evaluate, compare with the paper."
    command.__doc__ = escape(about)  # the help is a text with markup, in which [test] would be a style
    return command


def _common_options(experiment: Experiment) -> dict[str, tuple[Any, Any]]:
    models = ", ".join((*experiment.models, *experiment.more_models))
    variants = ", ".join((*experiment.variants, *experiment.more_variants))
    word = experiment.variant_name
    help_of = {
        "model": f"{models}, or both for {' and '.join(experiment.models)}.",
        "variant": f"{variants}, or both for {' and '.join(experiment.variants)}.",
        "preset": f"{', '.join(experiment.presets)}.",
        "seed": "One seed; 0 if neither is given.",
        "seeds": "So many seeds: 0, 1, 2, ...",
        "first_seed": "With --seeds: begin at this one instead of 0.",
        "threads": "Threads; the results do not depend on it.",
        "out": "Folder for results, weights and figures.",
        "resume": "Go on from the checkpoints in the folder; finished runs stay as they are.",
        "overwrite": "Begin anew; replace a finished run when the new one is complete. With --resume: go on with that.",
        "as_json": "Print JSON on stdout, and nothing else there.",
    }
    first = next(iter(experiment.presets))
    count = typer.Option(min=1, max=MOST_SEEDS, help=help_of["seeds"])
    varied = (Annotated[str, typer.Option(f"--{word}", help=help_of["variant"])], "both")
    return {
        "model": (Annotated[str, typer.Option(help=help_of["model"])], "both"),
        **({"variant": varied} if any(experiment.variants) else {}),
        "preset": (Annotated[str, typer.Option(help=help_of["preset"])], first),
        "seed": (Annotated[int | None, typer.Option(min=0, help=help_of["seed"])], None),
        "seeds": (Annotated[int | None, count], None),
        "first_seed": (Annotated[int | None, typer.Option(min=0, help=help_of["first_seed"])], None),
        "threads": (Annotated[int | None, typer.Option(min=1, help=help_of["threads"])], None),
        "out": (Annotated[Path, typer.Option(help=help_of["out"])], Path("minicoord-results")),
        "resume": (Annotated[bool, typer.Option("--resume", help=help_of["resume"])], False),
        "overwrite": (Annotated[bool, typer.Option("--overwrite", help=help_of["overwrite"])], False),
        "as_json": (Annotated[bool, typer.Option("--json", help=help_of["as_json"])], False),
    }


def _setting_options(experiment: Experiment) -> dict[str, tuple[Any, Any]]:
    from minicoord.experiments.frame.settings import fields_of, type_of

    options = {}
    for field in fields_of(experiment.Settings):
        choices, models = field.metadata["choices"], field.metadata["models"]
        words = [field.metadata["help"], f"one of {', '.join(choices)}" if choices else ""]
        words.append(f"for {', '.join(models)}" if models else "")
        option = f"--{field.name.replace('_', '-')}"
        kind = type_of(experiment.Settings, field.name)
        flag = f"{option}/--no-{field.name.replace('_', '-')}" if kind is bool else option
        help = f"{'; '.join(filter(None, words))}."
        info = typer.Option(flag, help=escape(help), rich_help_panel="Settings; by default those of the preset")
        options[field.name] = Annotated[kind | None, info], None
    return options


def _run(experiment: Experiment, options: dict[str, Any]) -> None:
    from minicoord.experiments.frame.settings import names_of

    changes = {name: options[name] for name in names_of(experiment.Settings) if options[name] is not None}
    out, resume, overwrite = options["out"], options["resume"], options["overwrite"]
    plans = _plans(experiment, options, changes)
    prepare_folder(out)
    if overwrite:
        _mark_to_replace(plans, out, resume)
    else:
        _refuse_to_replace(plans, out, resume)
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
        with contextlib.redirect_stdout(sys.stderr):
            paths = experiment.figures(results, out / experiment.name / options["preset"])
        for path in [out, *paths]:
            typer.echo(f"written: {path}", err=True)
    raise typer.Exit(exit_code)


def _plans(experiment: Experiment, options: dict[str, Any], changes: dict[str, Any]) -> list[Plan]:
    """Return the runs that the options ask for, or end with a sentence."""
    word = f"--{experiment.variant_name}"
    models = _choose("--model", options["model"], experiment.models, experiment.more_models)
    variants = _choose(word, options.get("variant", "both"), experiment.variants, experiment.more_variants)
    preset, seed, seeds, first = (options[key] for key in ("preset", "seed", "seeds", "first_seed"))
    if preset not in experiment.presets:
        near = suggestion(preset, experiment.presets)
        raise typer.BadParameter(f"there is no {preset!r}; {near}", param_hint="--preset")
    if seed is not None and seeds is not None:
        raise typer.BadParameter("--seed names one seed and --seeds a number of them; give one of the two")
    if first is not None and seeds is None:
        raise typer.BadParameter("--first-seed says where --seeds begins; give both, or --seed for one seed")
    seed_list = [seed or 0] if seeds is None else range(first or 0, (first or 0) + seeds)
    try:
        return [
            experiment.plan(model, variant, preset=preset, seed=k, **changes)
            for k, variant, model in itertools.product(seed_list, variants, models)
        ]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _refuse_to_replace(plans: Sequence[Plan], out: Path, resume: bool) -> None:
    """End with exit code 2 if runs are there already: nothing is begun, and nothing is lost."""
    there = [found.in_the_way(folder, resume) for folder, found in _found(plans, out)]
    for sentence in filter(None, there):
        say(sentence)
    if any(there):
        raise typer.Exit(WRONG_USE)


def _mark_to_replace(plans: Sequence[Plan], out: Path, resume: bool) -> None:
    """Mark all finished runs as to be replaced, so that a command that goes on later knows which are left."""
    from minicoord.experiments.frame.folder import mark_to_replace

    for folder, found in [] if resume else _found(plans, out):
        if found.result is not None:
            mark_to_replace(folder)


def _found(plans: Sequence[Plan], out: Path) -> list[tuple[Path, Any]]:
    """Return what there is in the folder of each run that has one."""
    from minicoord.experiments.frame.folder import look, settle

    folders = [plan.folder(out) for plan in plans if plan.folder(out).is_dir()]
    for folder in folders:
        settle(folder)
    return [(folder, look(folder)) for folder in folders]


def _run_all(
    experiment: Experiment, plans: Sequence[Plan], out: Path, resume: bool, overwrite: bool
) -> tuple[list[dict[str, Any]], int]:
    """Run the plans in order until their end, an error or Ctrl-C; return the results so far and the exit code."""
    from minicoord.experiments.frame.folder import RunExistsError
    from minicoord.experiments.frame.run import run

    results: list[dict[str, Any]] = []
    for number, plan in enumerate(plans, start=1):
        variant = f"{plan.variant} {experiment.variant_name}, " if plan.variant else ""
        what = f"{plan.model}, {variant}seed {plan.seed}"
        say(f"[{number}/{len(plans)}] {what}, preset {plan.preset}")
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
            say(f"{what} failed: {error or type(error).__name__}")
            return results, FAILED
        if interrupted:
            say(f"interrupted; the same command with {_go_on(overwrite)} goes on from the last checkpoint")
            return results, INTERRUPTED
    return results, 0


def _go_on(overwrite: bool) -> str:
    return "--overwrite --resume" if overwrite else "--resume"


def _choose(option: str, given: str, choices: tuple[str, ...], more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the choice that was given, or all of a kind: "conv" is also "conv-fc" and "conv-full".

    For "both" all choices, but none of the others that may be asked for by name.
    """
    if given == "both":
        return choices
    of_a_kind = tuple(choice for choice in choices if choice.startswith(f"{given}-"))
    if of_a_kind and given not in choices:
        return of_a_kind
    if given not in (*choices, *more):
        known = (*choices, *more, "both")
        raise typer.BadParameter(f"there is no {given!r}; {suggestion(given, known)}", param_hint=option)
    return (given,)


def _set_threads(threads: int) -> None:
    from minicoord.kernels.threading_layer import set_threads

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        set_threads(threads)
    for warning in caught:
        say(str(warning.message))
