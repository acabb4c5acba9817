"""What was recorded of the paper's experiments, beside what the paper reports: one table, and one run again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.records.reading import BEST_BY, Record, load_records
from minicoord.experiments.records.recorded_settings import differences

__all__ = [
    "Record",
    "differences",
    "first_of",
    "grouped",
    "load_records",
    "load_timings",
    "markdown",
    "numbers",
    "ranges",
    "rerun",
    "sections",
    "table",
]

BETWEEN_COMMANDS = "; "


def grouped(records: Sequence[Record]) -> dict[str, list[Record]]:
    """Return the records of each setting, whatever the seed, under a name for it.

    The name is ``experiment/preset/model-split``, and behind it the settings that differ from the preset.

    Examples
    --------
    >>> settings = {"epochs": 50, "lr": 0.005, "l2": 0.001}
    >>> first = {"experiment": "classification", "preset": "paper", "model": "coordconv", "split": "uniform"}
    >>> names = grouped([{**first, "settings": settings}, {**first, "settings": {**settings, "lr": 0.1}}])
    >>> list(names)
    ['classification/paper/coordconv-uniform', 'classification/paper/coordconv-uniform-lr=0.1']
    """
    groups: dict[str, list[Record]] = {}
    for record in records:
        name = f"{record['experiment']}/{record['preset']}/{record['model']}-{record['split']}"
        if record.get("raw_input"):
            name += "-raw"
        name += "".join(f"-{key}={value}" for key, value in differences(record).items())
        groups.setdefault(name, []).append(record)
    return dict(sorted(groups.items(), key=_order))


def _order(item: tuple[str, Any]) -> tuple[int, str]:
    """Sort by experiment, in the paper's order, and then by name."""
    return list(experiments.EXPERIMENTS).index(item[0].split("/")[0]), item[0]


def table(records: Sequence[Record]) -> list[dict[str, str]]:
    """Return one row for each setting: its name, paper against recorded, how many seeds, and the command behind it.

    Where several commands made the runs of a row, all are named, with ``; `` between them.
    """
    rows = []
    for name, some in grouped(records).items():
        (summary,) = experiments.get(some[0]["experiment"]).summary_table(list(map(dict, some)))
        tested = next(key for key in summary if key.startswith("test "))
        measured, _, paper = summary[tested].partition("\npaper: ")
        rows.append(
            {
                "run": name,
                "measure": tested,
                "paper": paper or "-",
                "recorded": measured,
                "solved": f"{sum(bool(r['solved']) for r in some)} of {len(some)} seeds",
                "seeds": ranges([r["seed"] for r in some]),
                "command": BETWEEN_COMMANDS.join(_commands(some)),
                "commit": ", ".join(dict.fromkeys(str(r["commit"])[:7] for r in some)),
            }
        )
    return rows


def _commands(records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(str(r["command"]) for r in records))


def numbers(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Return what a program needs beside each row of `table`, in the same order.

    Returns
    -------
    list of dict
        ``metric``, such as ``"test_accuracy"``, a share, ``"test_iou"`` or ``"test_distance"``, in pixels; ``runs``,
        for each run its ``seed``, the ``value`` of that metric (None if it was not finite) and whether it is
        ``solved``; and ``commands``, a list.
    """
    rows = []
    for some in grouped(records).values():
        metric = f"test_{BEST_BY[some[0]['experiment']][0]}"
        runs = [{"seed": r["seed"], "value": r["metrics"].get(metric), "solved": bool(r["solved"])} for r in some]
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


def load_timings(folder: Path) -> list[dict[str, Any]]:
    """Return the seconds of an epoch that ``minicoord bench --epochs --json`` left in ``epoch-time.json``; or nothing.

    Raises
    ------
    ValueError
        If that file is no JSON.
    """
    path = Path(folder) / "epoch-time.json"
    if not path.exists():
        return []
    try:
        return list(json.loads(path.read_text(encoding="utf-8"))["epochs"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path.name} is no record of 'minicoord bench --epochs --json': {error}") from None


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


def rerun(name: str, records: Sequence[Record], out: Path) -> list[dict[str, str]]:
    """Run the first seed of a setting again, and return each metric recorded and now.

    The files go to a folder whose name has the settings that differ from the preset, as those of a sweep: a run with
    other settings, which may be there already, stays as it is.

    Raises
    ------
    ValueError
        If no record has that name; the message offers the nearest.
    """
    record = first_of(name, records)
    changes, raw = differences(record), bool(record.get("raw_input"))
    parts = [record["model"], record["split"], f"seed{record['seed']}", *(["raw"] if raw else [])]
    now = experiments.get(record["experiment"]).run(
        record["model"],
        record["split"],
        preset=record["preset"],
        seed=record["seed"],
        out=out,
        raw_input=raw,
        folder_name="-".join([*parts, *(f"{key}={value}" for key, value in changes.items())]),
        **changes,
    )
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
        raise ValueError(f"there is no record {name!r}; {experiments.suggestion(name, groups)}")
    return groups[name][0]


def _digits(value: float | None) -> str:
    return "not finite" if value is None else f"{value:.6g}"


def _yes(solved: bool | None) -> str:
    return "-" if solved is None else "yes" if solved else "no"
