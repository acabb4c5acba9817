"""What was recorded of the paper's experiments, beside what the paper reports: one table, and one run again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from minicoord import experiments
from minicoord.experiments.kept_runs import Record, load_records
from minicoord.experiments.recorded_settings import differences

__all__ = ["Record", "differences", "grouped", "load_records", "load_timings", "markdown", "rerun", "sections", "table"]


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
    """Return one row for each setting: its name, paper against recorded, how many seeds, and the command behind it."""
    rows = []
    for name, some in grouped(records).items():
        (summary,) = experiments.get(some[0]["experiment"]).summary_table(list(map(dict, some)))
        tested = next(key for key in summary if key.startswith("test "))
        measured, _, paper = summary[tested].partition("\npaper: ")
        commands = list(dict.fromkeys(str(r["command"]) for r in some))
        others = f" (and {len(commands) - 1} more)" if len(commands) > 1 else ""
        rows.append(
            {
                "run": name,
                "measure": tested,
                "paper": paper or "-",
                "recorded": measured,
                "solved": f"{sum(bool(r['solved']) for r in some)} of {len(some)} seeds",
                "command": commands[0] + others,
                "commit": ", ".join(dict.fromkeys(str(r["commit"])[:7] for r in some)),
            }
        )
    return rows


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

    Names lose the part that the heading of their section says. A command, which many rows may share, becomes a number,
    its place in the list of commands that comes second.
    """
    found: dict[str, list[dict[str, str]]] = {}
    commands = list(dict.fromkeys(row["command"] for row in rows))
    for row in rows:
        experiment, preset, name = row["run"].split("/", 2)
        short = {"run": name, "paper": row["paper"], "recorded": row["recorded"], "solved": row["solved"]}
        number = str(commands.index(row["command"]) + 1)
        heading = f"{experiment}/{preset}: {row['measure']}"
        found.setdefault(heading, []).append({**short, "command": number})
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

    Raises
    ------
    ValueError
        If no record has that name; the message offers the nearest.
    """
    groups = grouped(records)
    if name not in groups:
        raise ValueError(f"there is no record {name!r}; {experiments.suggestion(name, groups)}")
    record = groups[name][0]
    changes = differences(record)
    now = experiments.get(record["experiment"]).run(
        record["model"],
        record["split"],
        preset=record["preset"],
        seed=record["seed"],
        out=out,
        raw_input=bool(record.get("raw_input")),
        **changes,
    )
    metrics = record["metrics"]
    return [{"metric": key, "recorded": f"{metrics[key]:.6g}", "now": f"{now['metrics'][key]:.6g}"} for key in metrics]
