"""The recorded results beside those of the paper, in one table; and one recorded run repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.metrics import Metric
from minicoord.experiments.frame.plan import run_name
from minicoord.experiments.records.reading import Record
from minicoord.experiments.records.text import UNKNOWN, commit_of, digits
from minicoord.system.arguments import shown
from minicoord.system.counting import counted
from minicoord.system.suggestion import suggestion

BETWEEN_COMMANDS = "; "


def grouped(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the records grouped by everything but the seed, by the name of the group.

    The name is ``experiment/preset/model-variant``, followed by the settings that differ from the preset.

    Examples
    --------
    >>> settings = {"epochs": 50, "lr": 0.005, "l2": 0.001}
    >>> first = {"experiment": "classification", "preset": "paper", "model": "coordconv", "variant": "uniform"}
    >>> names = grouped([{**first, "settings": settings}, {**first, "settings": {**settings, "lr": 0.1}}])
    >>> list(names)
    ['classification/paper/coordconv-uniform', 'classification/paper/coordconv-uniform-lr=0.1']
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        differences = experiments.get(record["experiment"]).differences(record)
        name = run_name(record["model"], record["variant"], None, differences)
        groups.setdefault(f"{record['experiment']}/{record['preset']}/{name}", []).append(record)
    return dict(sorted(groups.items(), key=_order))


def _order(item: tuple[str, Any]) -> tuple[int, str]:
    """Return a sort key: by experiment in the paper's order, then by name."""
    return experiments.names().index(item[0].split("/")[0]), item[0]


def _measured(records: Sequence[Record]) -> Iterator[tuple[str, list[Record], Metric]]:
    """Yield name and runs of each group with each metric that is set beside the paper's, the primary one first."""
    for name, runs in grouped(records).items():
        experiment = experiments.get(runs[0]["experiment"])
        yield name, runs, experiment.primary
        for metric in experiment.metrics:
            if metric.reproduced and metric is not experiment.primary:
                yield name, runs, metric


def table(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return a row for each group and metric: the paper's result and the recorded one, seeds, and command.

    If several commands made the runs of a row, all are listed, separated by ``; ``.
    """
    rows = []
    for name, runs, metric in _measured(records):
        experiment, first = experiments.get(runs[0]["experiment"]), runs[0]
        seeds = counted(len(runs), "seed")
        judged = [bool(r["solved"]) for r in runs if r.get("solved") is not None]
        rows.append(
            {
                "run": name,
                "measure": metric.title,
                "paper": experiment.paper_of(first["model"], first["variant"]).get(metric.name, "-"),
                "recorded": metric.band(runs),
                "solved": f"{sum(judged)} of {seeds}" if judged else seeds,
                "seeds": ranges([r["seed"] for r in runs]),
                "command": BETWEEN_COMMANDS.join(_commands(runs)) or UNKNOWN,
                "commit": ", ".join(dict.fromkeys(commit[:7] for r in runs for commit in commits_of(r))),
            }
        )
    return rows


def commits_of(record: Record) -> list[str]:
    """Return the commits that had a part in a run, in order: those that trained it, then the one that measured it."""
    sittings = [*(record.get("sittings") or []), record]
    return list(dict.fromkeys(commit_of(sitting) for sitting in sittings))


def _commands(records: Sequence[Record]) -> list[str]:
    """Return the commands that made these runs, each once; a run that a program made has none."""
    return list(dict.fromkeys(str(r["command"]) for r in records if r.get("command")))


def numbers(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return, for each row of `table` in the same order, the numbers behind it, for programs.

    Returns
    -------
    list of dict
        ``metric``, the name of the metric, such as ``"test_accuracy"`` (from 0 to 1) or ``"test_distance"`` (in
        pixels); ``runs``, for each run its ``seed``, the ``value`` of that metric (None if it was not finite) and
        whether it is ``solved`` (None if the experiment does not judge it); and ``commands``, a list.
    """
    rows = []
    for _, group, metric in _measured(records):
        runs = [{"seed": r["seed"], "value": r["metrics"].get(metric.name), "solved": r.get("solved")} for r in group]
        rows.append(
            {"metric": metric.name, "runs": sorted(runs, key=lambda run: run["seed"]), "commands": _commands(group)}
        )
    return rows


def ranges(seeds: Sequence[int]) -> str:
    """Return seeds as text, so that seeds on which a choice was made can be told from fresh ones.

    Examples
    --------
    >>> ranges([0, 1, 2, 100, 101, 7])
    '0 to 2, 7, 100 to 101'
    """
    runs: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def sections(rows: Sequence[Mapping[str, str]]) -> tuple[dict[str, list[dict[str, str]]], list[str]]:
    """Return the rows of `table` in sections by experiment and preset, for a terminal of 100 columns, and the commands.

    Names omit what the heading of the section says. Seeds are listed unless they are 0, 1, ... Commands, which many
    rows may share, are replaced by numbers: their places in the second return value, counted from 1.
    """
    by_heading: dict[str, list[dict[str, str]]] = {}
    commands = list(dict.fromkeys(one for row in rows for one in row["command"].split(BETWEEN_COMMANDS)))
    for row in rows:
        experiment, preset, name = row["run"].split("/", 2)
        usual = row["seeds"] == "0" or (row["seeds"].startswith("0 to ") and "," not in row["seeds"])
        solved = row["solved"] if usual else f"{row['solved']}\n{row['seeds']}"
        cells = {"run": name, "paper": row["paper"], "recorded": row["recorded"], "solved": solved}
        places = [commands.index(one) + 1 for one in row["command"].split(BETWEEN_COMMANDS)]
        heading = f"{experiment}/{preset}: {row['measure']}"
        by_heading.setdefault(heading, []).append({**cells, "command": ", ".join(map(str, places))})
    return by_heading, commands


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a Markdown table; an empty text if there are none.

    Examples
    --------
    >>> print(markdown([{"run": "a", "paper": "86 %"}]))
    | run | paper |
    |---|---|
    | a | 86 % |
    """
    if not rows:
        return ""
    columns = list(rows[0])
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(row[c] for c in columns)} |" for row in rows)])


def rerun(name: str, records: Sequence[Record], out: Path, overwrite: bool = False) -> list[dict[str, str]]:
    """Repeat the first run of a row of `table`, and return a row for each metric: recorded and now.

    Raises
    ------
    ValueError
        If there is no row of that name (the message suggests the nearest), or `out` already holds that run and
        `overwrite` is False.
    """
    record = first_of(name, records)
    experiment = experiments.get(record["experiment"])
    options = {"preset": record["preset"], "seed": record["seed"], **experiment.differences(record)}
    now = experiment.run(record["model"], record["variant"], out=out, overwrite=overwrite, **options)
    metrics = record["metrics"]
    rows = [{"metric": m, "recorded": digits(metrics[m], 6), "now": digits(now["metrics"].get(m), 6)} for m in metrics]
    return [*rows, {"metric": "solved", "recorded": _yes(record.get("solved")), "now": _yes(now["solved"])}]


def first_of(name: str, records: Sequence[Record]) -> Record:
    """Return the first record of a row of `table`.

    Raises
    ------
    ValueError
        If there is no row of that name; the message suggests the nearest.
    """
    groups = grouped(records)
    if name not in groups:
        raise ValueError(f"there is no record {shown(name)}; {suggestion(name, groups)}")
    return groups[name][0]


def _yes(solved: bool | None) -> str:
    return "-" if solved is None else "yes" if solved else "no"
