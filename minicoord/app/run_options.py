"""The options of ``minicoord run NAME``, and the runs that they ask for.

An option is a pair: its type, annotated for Typer, and its default.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from minicoord.experiments.frame.plan import MOST_SEEDS
from minicoord.system.arguments import shown
from minicoord.system.suggestion import suggestion

if TYPE_CHECKING:
    from minicoord.experiments.frame.experiment import Experiment
    from minicoord.experiments.frame.plan import Plan

Options = dict[str, tuple[Any, Any]]


def common_options(experiment: Experiment) -> Options:
    """Return the options that every experiment has, by name."""
    models = ", ".join((*experiment.models, *experiment.more_models))
    variants = ", ".join((*experiment.variants, *experiment.more_variants))
    variant_name = experiment.variant_name
    help_of = {
        "model": f"The network: {models}; or both for {' and '.join(experiment.models)}.",
        "variant": f"The {variant_name}: {variants}; or both for {' and '.join(experiment.variants)}.",
        "preset": f"The preset: {', '.join(experiment.presets)}.",
        "seed": "The seed of one run; by default 0.",
        "seeds": "The number of seeds to run: 0, 1, 2, ...",
        "first_seed": "With --seeds: the first seed, instead of 0.",
        "threads": "Number of threads; the results do not depend on it.",
        "out": "Folder for results, weights and figures.",
        "resume": "Continue from the checkpoints in the folder; finished runs are left as they are.",
        "overwrite": "Start over; replace finished runs once the new ones are complete. With --resume: continue that.",
        "as_json": "Print JSON on stdout, and nothing else there.",
    }
    first = next(iter(experiment.presets))
    count = typer.Option(min=1, max=MOST_SEEDS, help=help_of["seeds"])
    variant = (Annotated[str, typer.Option(f"--{variant_name}", help=help_of["variant"])], "both")
    return {
        "model": (Annotated[str, typer.Option(help=help_of["model"])], "both"),
        **({"variant": variant} if any(experiment.variants) else {}),
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


def setting_options(experiment: Experiment) -> Options:
    """Return an option for each setting of an experiment, by name; None, the default, leaves it to the preset."""
    from minicoord.experiments.frame.settings import fields_of, type_of

    options: Options = {}
    for field in fields_of(experiment.Settings):
        choices, models = field.metadata["choices"], field.metadata["models"]
        phrases = [field.metadata["help"], f"one of {', '.join(map(str, choices))}" if choices else ""]
        phrases.append(f"for {', '.join(models)}" if models else "")
        option = f"--{field.name.replace('_', '-')}"
        kind = type_of(experiment.Settings, field.name)
        flag = f"{option}/--no-{field.name.replace('_', '-')}" if kind is bool else option
        help = f"{'; '.join(filter(None, phrases))}."
        info = typer.Option(flag, help=escape(help), rich_help_panel="Settings; by default those of the preset")
        options[field.name] = Annotated[kind | None, info], None
    return options


def plans_of(experiment: Experiment, options: dict[str, Any]) -> list[Plan]:
    """Return the runs that the values of the options ask for; raise typer.BadParameter if they are impossible."""
    from minicoord.experiments.frame.settings import names_of

    changes = {name: options[name] for name in names_of(experiment.Settings) if options[name] is not None}
    models = _choose("--model", options["model"], experiment.models, experiment.more_models)
    option, variant = f"--{experiment.variant_name}", options.get("variant", "both")
    variants = _choose(option, variant, experiment.variants, experiment.more_variants)
    preset, seed, seeds, first = (options[key] for key in ("preset", "seed", "seeds", "first_seed"))
    if preset not in experiment.presets:
        near = suggestion(preset, experiment.presets)
        raise typer.BadParameter(f"there is no {shown(preset)}; {near}", param_hint="--preset")
    if seed is not None and seeds is not None:
        raise typer.BadParameter("--seed is a single seed and --seeds a number of seeds; give one of the two")
    if first is not None and seeds is None:
        raise typer.BadParameter("--first-seed needs --seeds; for a single seed use --seed")
    seed_list = [seed or 0] if seeds is None else range(first or 0, (first or 0) + seeds)
    try:
        return [
            experiment.plan(model, variant, preset=preset, seed=k, **changes)
            for k, variant, model in itertools.product(seed_list, variants, models)
        ]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _choose(option: str, given: str, choices: tuple[str, ...], more: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the choices that `given` stands for.

    "both" stands for all of `choices`, but none of `more`; "conv" for "conv-fc" and "conv-full", unless there is a
    choice of that name; any other name for itself.
    """
    if given == "both":
        return choices
    with_prefix = tuple(choice for choice in choices if choice.startswith(f"{given}-"))
    if with_prefix and given not in (*choices, *more):
        return with_prefix
    if given not in (*choices, *more):
        known = (*choices, *more, "both")
        raise typer.BadParameter(f"there is no {shown(given)}; {suggestion(given, known)}", param_hint=option)
    return (given,)
