"""What was recorded of the paper's experiments, beside what the paper reports: one table, and one run again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.frame.plan import run_name
from minicoord.experiments.records.reading import Record
from minicoord.system.suggestion import suggestion

BETWEEN_COMMANDS = "; "


def grouped(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the records of each setting, whatever the seed, under a name for it.

    The name is ``experiment/preset/model-variant``, and behind it the settings that differ from the preset.

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
    """Sort by experiment, in the paper's order, and then by name."""
    return experiments.names().index(item[0].split("/")[0]), item[0]


def table(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return one row for each setting: its name, paper against recorded, how many seeds, and the command behind it.

    Where several commands made the runs of a row, all are named, with ``; `` between them.
    """
    rows = []
    for name, some in grouped(records).items():
        experiment, first = experiments.get(some[0]["experiment"]), some[0]
        metric = experiment.primary
        judged = [bool(r["solved"]) for r in some if r.get("solved") is not None]
        rows.append(
            {
                "run": name,
                "measure": metric.title,
                "paper": experiment.paper_of(first["model"], first["variant"]).get(metric.name, "-"),
                "recorded": metric.band(some),
                "solved": f"{sum(judged)} of {len(some)} seeds" if judged else f"{len(some)} seeds",
                "seeds": ranges([r["seed"] for r in some]),
                "command": BETWEEN_COMMANDS.join(_commands(some)),
                "commit": ", ".join(dict.fromkeys(commit[:7] for r in some for commit in commits_of(r))),
            }
        )
    return rows


def commits_of(record: Record) -> list[str]:
    """Return the commits that had a part in a run: those that trained it, in turn, and the one that measured it."""
    sittings = [*(record.get("sittings") or []), record]
    return list(dict.fromkeys(str(sitting.get("commit")) for sitting in sittings))


def _commands(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(str(r.get("command")) for r in records))


def numbers(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return what a program needs beside each row of `table`, in the same order.

    Returns
    -------
    list of dict
        ``metric``, the experiment's primary one, such as ``"test_accuracy"``, a share, or ``"test_distance"``, in
        pixels; ``runs``, for each run its ``seed``, the ``value`` of that metric (None if it was not finite) and
        whether it is ``solved`` (None where that is not a question); and ``commands``, a list.
    """
    rows = []
    for some in grouped(records).values():
        metric = experiments.get(some[0]["experiment"]).primary.name
        runs = [{"seed": r["seed"], "value": r["metrics"].get(metric), "solved": r.get("solved")} for r in some]
        rows.append({"metric": metric, "runs": sorted(runs, key=lambda run: run["seed"]), "commands": _commands(some)})
    return rows


def ranges(seeds: Sequence[int]) -> str:
    """Return seeds in words: those that a choice was made on should not hide among fresh ones.

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
    """Return the rows of `table` for a terminal of 100 columns: a section for each experiment and preset.

    Names lose the part that the heading of their section says. Seeds are named where they are not 0, 1, ... A command,
    which many rows may share, becomes a number, its place in the list of commands that comes second.
    """
    found: dict[str, list[dict[str, str]]] = {}
    commands = list(dict.fromkeys(one for row in rows for one in row["command"].split(BETWEEN_COMMANDS)))
    for row in rows:
        experiment, preset, name = row["run"].split("/", 2)
        usual = row["seeds"] == "0" or (row["seeds"].startswith("0 to ") and "," not in row["seeds"])
        solved = row["solved"] if usual else f"{row['solved']}\n{row['seeds']}"
        short = {"run": name, "paper": row["paper"], "recorded": row["recorded"], "solved": solved}
        places = [commands.index(one) + 1 for one in row["command"].split(BETWEEN_COMMANDS)]
        heading = f"{experiment}/{preset}: {row['measure']}"
        found.setdefault(heading, []).append({**short, "command": ", ".join(map(str, places))})
    return found, commands


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return a table of rows in Markdown.

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
    """Run the first seed of a setting again, and return each metric recorded and now.

    Raises
    ------
    ValueError
        If no record has that name, the message offers the nearest; or if there is such a run in `out` already, and
        `overwrite` is False.
    """
    record = first_of(name, records)
    experiment = experiments.get(record["experiment"])
    told = {key: record[key] for key in ("preset", "seed")}
    changes = experiment.differences(record)
    now = experiment.run(record["model"], record["variant"], out=out, overwrite=overwrite, **told, **changes)
    metrics = record["metrics"]
    rows = [{"metric": m, "recorded": _digits(metrics[m]), "now": _digits(now["metrics"].get(m))} for m in metrics]
    return [*rows, {"metric": "solved", "recorded": _yes(record.get("solved")), "now": _yes(now["solved"])}]


def first_of(name: str, records: Sequence[Record]) -> Record:
    """Return the first record of a row of `table`.

    Raises
    ------
    ValueError
        If no record has that name; the message offers the nearest.
    """
    groups = grouped(records)
    if name not in groups:
        raise ValueError(f"there is no record {name!r}; {suggestion(name, groups)}")
    return groups[name][0]


def _digits(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.6g}"


def _yes(solved: bool | None) -> str:
    return "-" if solved is None else "yes" if solved else "no"
